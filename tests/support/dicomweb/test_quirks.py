"""The quirks of our DICOMweb server: each misbehaves as its name says, and only so."""

from __future__ import annotations

import http.client
import json
from email.utils import parsedate_to_datetime

import pytest

from tests.support.dicomweb.client import CT, FRAMES, ORIGINAL, RLE, Reply, ask
from tests.support.dicomweb.quirks import QUIRKS, SHIFT
from tests.support.dicomweb.quirks_body import ODD_BOUNDARY, with_boundary_inside


def test_quirks_are_sorted():
    assert list(QUIRKS) == sorted(QUIRKS)


def test_unknown_quirk_is_named_in_the_error(served):
    reply = ask(served.at(CT, quirk="no-such"))
    assert reply.status == 500
    assert "there is no quirk 'no-such'; there are bad-json, " in served.server.failures.pop()


GOOD_MULTIPART = (
    "chunked",
    "line-feed",
    "lower-headers",
    "mislabelled",
    "media-type",
    "no-length",
    "odd-boundary",
    "outer-type",
    "part-without-length",
    "preamble",
    "upper-headers",
    "length-too-small",
    "length-too-large",
    "odd-boundary+line-feed+no-length",
)


@pytest.mark.parametrize("quirk", GOOD_MULTIPART)
def test_frames_arrive_despite(served, quirk):
    assert served.frames(quirk).bodies == served.frames("").bodies


def heads(reply: Reply) -> bytes:
    """Return the body of a response without its frames."""
    for _, body in reply.parts:
        reply.body = reply.body.replace(body, b"")
    return reply.body


def test_multipart_quirks_are_what_they_say(served):
    def asked(quirk: str) -> tuple[dict[str, str], bytes]:
        reply = served.frames(quirk)
        return reply.headers, heads(reply)

    rle = "transfer-syntax=1.2.840.10008.1.2.5"
    assert b"\r" not in asked("line-feed")[1]
    assert b"CONTENT-TYPE" in asked("upper-headers")[1]
    assert b"content-type" in asked("lower-headers")[1]
    assert f'boundary="{ODD_BOUNDARY}"' in asked("odd-boundary")[0]["content-type"]
    assert f'type="application/octet-stream; {rle}"' in asked("outer-type")[0]["content-type"]
    assert rle.encode() not in asked("outer-type")[1]
    assert b"Content-Type: image/x-dicom-rle\r\n" in asked("media-type")[1]
    assert 'type="image/x-dicom-rle"' in asked("media-type")[0]["content-type"]
    assert b"transfer-syntax=1.2.840.10008.1.2.1\r\n" in asked("mislabelled")[1]
    assert asked("preamble")[1].startswith(b"This is MIME.\r\n--")
    headers, body = asked("no-length")
    assert (headers["connection"], b"Content-Length" in body) == ("close", False)
    assert asked("chunked")[0]["transfer-encoding"] == "chunked"
    assert b"Content-Length" not in asked("part-without-length")[1]
    assert "boundary=" not in served.frames("no-boundary").headers["content-type"]
    reply = served.frames("wrong-boundary")
    assert reply.headers["content-type"].endswith("boundary=another")
    assert b"another" not in reply.body


def test_part_lengths_lie_by_a_hundred(served):
    for quirk, error in (("length-too-small", -100), ("length-too-large", 100)):
        ((headers, body), _) = served.frames(quirk).parts
        assert int(headers["content-length"]) == len(body) + error


def test_lists_of_frames(served):
    one, two = served.frames("").bodies
    assert served.frames("first-only").bodies == [one]
    reply = served.frames("reversed")
    assert reply.bodies == [two, one]
    assert [headers["content-location"][-2:] for headers, _ in reply.parts] == ["/2", "/1"]
    assert served.frames("extra-part").bodies == [one, two, one]
    assert served.frames("extra-text").parts[0][0]["content-type"] == "text/plain"
    assert served.frames("one-by-one").status == 400
    assert served.frames("one-by-one", numbers="2").bodies == [two]
    assert served.frames("one-by-one+single-part", numbers="2").body == two


def test_single_part(served):
    ((headers, body),) = served.frames("", "htj2k", "1").parts
    reply = served.frames("single-part", "htj2k", "1")
    assert (reply.body, reply.headers["content-type"]) == (body, headers["content-type"])
    reply = served.frames("media-type+single-part", "htj2k", "1")
    assert (reply.body, reply.headers["content-type"]) == (body, "image/jphc")


def test_boundary_inside(served):
    ((_, body),) = served.frames("", CT, "1").parts
    reply = served.frames("boundary-inside", CT, "1")
    assert with_boundary_inside(body) in reply.body
    assert len(with_boundary_inside(body)) == len(body)
    assert len(reply.parts) == 2, "a parser that does not trust the length sees two"


@pytest.mark.parametrize(
    ("quirk", "status"),
    [
        ("no-star", 406),
        ("frames-406", 406),
        ("frames-500", 500),
        ("frames-501", 501),
        ("no-frames", 404),
        ("html", 200),
        ("json-error", 400),
        ("json-200", 200),
        ("empty", 200),
        ("empty-204", 204),
        ("token", 401),
        ("login", 401),
        ("no-metadata", 200),
    ],
)
def test_frames_are_answered_with(served, quirk, status):
    reply = served.frames(quirk)
    assert reply.status == status
    good = {"Authorization": "Bearer good", "X_Token": "good"}
    if quirk in ("token", "login"):
        assert ask(served.at(RLE, "/frames/1", quirk), ORIGINAL, **good).status == 200
    if quirk == "html":
        assert reply.headers["content-type"] == "text/html"
    if quirk.startswith("json"):
        assert "Parameter out of range" in json.loads(reply.body)["Message"]


def test_quotes_only(served):
    assert served.frames("quotes-only").status == 200
    assert served.frames("quotes-only", accept=ORIGINAL.replace('"', "")).status == 400
    assert served.frames("no-star", accept=FRAMES).status == 200


def test_metadata_quirks(served):
    def asked(quirk: str) -> Reply:
        return ask(served.at(CT, "/metadata", quirk))

    assert asked("no-metadata").status == 404
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(asked("bad-json").body)
    (right,) = json.loads(asked("chunked").body)
    rows = {
        name: json.loads(asked(f"json-{name}").body)[0].get("00280010")
        for name in ("missing", "strings", "un", "no-vr")
    }
    assert rows == {
        "missing": None,
        "strings": {"vr": "US", "Value": ["128"]},
        "un": {"vr": "UN", "Value": [128]},
        "no-vr": {"Value": [128]},
    }
    (wrong,) = json.loads(asked("json-wrong-vr").body)
    shorts = [tag for tag in right if right[tag]["vr"] == "US"]
    assert len(shorts) > 6
    assert not [tag for tag in shorts if right[tag] == wrong[tag]]


def test_connection_is_cut(served):
    with pytest.raises(http.client.IncompleteRead):
        served.frames("cut")
    with pytest.raises(http.client.IncompleteRead):
        served.frames("cut-once")
    size = len(served.frames("cut-once").body)
    assert served.server.settle()
    first, second, third = served.server.log
    assert 0 < first.sent <= second.sent == size // 2
    assert [seen.whole for seen in (first, second, third)] == [False, False, True]


def test_busy_servers_answer_later(served):
    def statuses(quirk: str, count: int) -> list[int]:
        return [served.frames(quirk).status for _ in range(count)]

    assert served.frames("busy").headers["retry-after"] == "1"
    assert statuses("busy", 2) == [200, 200]
    assert parsedate_to_datetime(served.frames("busy-date").headers["retry-after"])
    assert statuses("busy-date", 1) == [200]
    assert statuses("unavailable", 3) == [503, 503, 200]


def test_redirects_lead_to_honest_responses(served):
    honest = served.at(RLE, "/frames/1,2")
    other = served.frames("redirect-other").headers["location"]
    assert other == honest.replace("127.0.0.1", "localhost")
    same = served.frames("redirect-same").headers["location"]
    assert ask(served.server.url + same, ORIGINAL).bodies == served.frames("").bodies


def test_range_quirks(served, served_files):
    def asked(quirk: str, **headers: str) -> Reply:
        path = f"/quirk/{quirk}/files/{served.paths[CT].rpartition('/')[2]}.dcm"
        return ask(served.server.url + path, **headers)

    def ranged(quirk: str) -> Reply:
        return asked(quirk, Range="bytes=100-199")

    body, size = served_files[CT], len(served_files[CT])
    reply = ranged("no-range")
    assert (reply.status, reply.body) == (200, body)
    reply = ranged("no-range-header")
    assert (reply.status, reply.body) == (206, body[100:200])
    assert not {"content-range", "accept-ranges"} & reply.headers.keys()
    assert ranged("range-refused").status == 416
    assert asked("range-refused").body == body
    reply = ranged("range-wrong")
    assert (reply.status, reply.body) == (206, body[100 + SHIFT : 200])
    assert reply.headers["content-range"] == f"bytes {100 + SHIFT}-199/{size}"
    first, second = asked("changed"), asked("changed")
    assert first.headers["etag"] != second.headers["etag"]
    assert first.body != second.body
    assert first.body[: size // 2] == second.body[: size // 2] == body[: size // 2]
    assert asked("changed", Range="bytes=0-9", If_Range=first.headers["etag"]).status == 200


def test_random_faults_have_the_given_rate_and_repeat(served):
    def outcome() -> str:
        try:
            reply = served.frames("random-7-40", RLE, "1")
        except (http.client.HTTPException, ConnectionError) as error:
            return type(error).__name__
        kind = reply.headers.get("content-type", "")
        good = "multipart" in kind and "another" not in kind and len(reply.body) > 100
        return "good" if good else f"{reply.status} {kind}"

    first = [outcome() for _ in range(40)]
    served.server.clear()
    assert first == [outcome() for _ in range(40)]
    assert 8 <= sum(kind != "good" for kind in first) <= 24
    assert len(set(first)) > 5
