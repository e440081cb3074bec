"""Responses of a DICOMweb service: their parts, and the frames of these."""

from __future__ import annotations

import re

import pytest
from pydicom import uid

from pyloader import Context
from pyloader.cache import Cache
from pyloader.dicomweb.media_types import (
    FRAME_ACCEPTS,
    FrameParts,
    parts_of,
    single_part,
    syntax_of,
)
from pyloader.dicomweb.multipart import Part
from pyloader.errors import FormatError, NetworkError
from pyloader.network import Network
from pyloader.transport import Response

URL = "https://host/dicomweb/studies/1/series/2/instances/3"
OCTETS = "application/octet-stream"
RELATED = 'multipart/related; type="application/octet-stream"; boundary=xxx'


def answer(body: bytes, kind: str = OCTETS, status: int = 200) -> Response:
    """Return a response."""
    return Response(URL, status, {"content-type": kind}, body)


def multipart(*parts: tuple[str, bytes], end: bytes = b"--xxx--\r\n") -> bytes:
    """Return a multipart body; each part has header lines."""
    written = [b"--xxx\r\n" + head.encode() + b"\r\n" + body + b"\r\n" for head, body in parts]
    return b"".join([*written, end])


# ------------------------------------------------------------------ parts


def test_parts_of_a_multipart_response():
    body = multipart(("Content-Type: a/b\r\n", b"one"), ("", b"two"))
    one, two = parts_of(answer(body, RELATED))
    assert (one.headers["content-type"], one.body, two.body) == ("a/b", b"one", b"two")


def test_response_that_is_not_multipart_is_one_part():
    (part,) = parts_of(answer(b"frame", "image/jls"))
    assert (part.headers["content-type"], part.body) == ("image/jls", b"frame")


@pytest.mark.parametrize("status", [200, 204])
def test_response_without_content(status):
    expected = f"answered with status {status} and no content; the server does not have these data"
    with pytest.raises(FormatError, match=expected):
        single_part(answer(b"", status=status))


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "text/plain; charset=utf-8",
        "application/json",
        "application/dicom+json",
        "application/dicom+xml",
    ],
)
def test_response_with_a_message(kind):
    named = re.escape(kind.partition(";")[0])
    expected = f"answered with {named}, which begins with 'Log in'; expected image data: servers"
    with pytest.raises(FormatError, match=expected):
        single_part(answer(b"Log in\nor out", kind))


# ------------------------------------------------------------------ transfer syntax


@pytest.mark.parametrize(
    ("part", "outer", "expected"),
    [
        # In the part's headers (PS3.18 8.7.3.5.2), with or without quotes.
        (f"{OCTETS}; transfer-syntax=1.2.3", RELATED, "1.2.3"),
        (f'{OCTETS}; transfer-syntax="1.2.3"', RELATED, "1.2.3"),
        (f"{OCTETS};TRANSFER-SYNTAX=1.2.3", RELATED, "1.2.3"),
        ("image/jls; transfer-syntax=1.2.3", RELATED, "1.2.3"),
        # Inside the type parameter of the whole response, as Orthanc writes it.
        (
            OCTETS,
            'multipart/related; type="application/octet-stream; transfer-syntax=1.2.3"',
            "1.2.3",
        ),
        # In the headers of the whole response.
        (OCTETS, f"{RELATED}; transfer-syntax=1.2.3", "1.2.3"),
        # By the media type.
        ("image/jls", RELATED, uid.JPEGLSLossless),
        ("image/x-dicom-rle", RELATED, uid.RLELossless),
        (OCTETS, 'multipart/related; type="image/jp2"', uid.JPEG2000Lossless),
        ("", "image/jphc", uid.HTJ2KLossless),
        # The part's own comes first.
        ("image/jls", f"{RELATED}; transfer-syntax=1.2.3", uid.JPEGLSLossless),
        (f"{OCTETS}; transfer-syntax=1.2.3", 'multipart/related; type="image/jp2"', "1.2.3"),
        # A wildcard is no transfer syntax.
        (f"{OCTETS}; transfer-syntax=*", RELATED, None),
        (OCTETS, RELATED, None),
        ("", "", None),
    ],
)
def test_declared_transfer_syntax(part, outer, expected):
    headers = {"content-type": part} if part else {}
    assert syntax_of(Part(headers, b""), outer) == expected


# ------------------------------------------------------------------ frames


class Frames:
    """The requested frames, and those that have arrived."""

    def __init__(self, *asked: int) -> None:
        self.asked = list(asked)
        self.taken: dict[int, bytes] = {}
        self.parts = FrameParts(
            lambda frames: f"{URL}/frames/{','.join(str(index + 1) for index in frames)}",
            lambda: [index for index in self.asked if index not in self.taken],
            FRAME_ACCEPTS[0],
            self.take,
        )

    def take(self, index: int, part: Part, outer: str) -> None:
        """Note a frame."""
        self.taken[index] = part.body

    def receive(self, *chunks: bytes, kind: str = RELATED) -> dict[int, bytes]:
        """Make a request, feed a response, and return the frames."""
        self.parts.request()
        head = answer(b"", kind)
        if self.parts.begin(head):
            for chunk in chunks:
                if not self.parts.feed(chunk):
                    break
            self.parts.finish(head)
        else:
            self.parts.finish(answer(b"".join(chunks), kind))
        return self.taken


def located(index: int, body: bytes) -> tuple[str, bytes]:
    """Return a part with a Content-Location that names its frame."""
    return f"Content-Location: {URL}/frames/{index + 1}\r\n", body


def test_request_is_for_missing_frames():
    frames = Frames(4, 5, 6)
    request = frames.parts.request()
    assert request.url == f"{URL}/frames/5,6,7"
    assert request.headers == {"Accept": FRAME_ACCEPTS[0].value}
    frames.taken[5] = b""
    assert frames.parts.request().url == f"{URL}/frames/5,7"


def test_frames_arrive_in_the_order_of_the_request():
    body = multipart(("", b"one"), ("", b"two"), ("", b"three"))
    assert Frames(7, 2, 5).receive(body) == {7: b"one", 2: b"two", 5: b"three"}


def test_frames_are_those_that_their_locations_name():
    body = multipart(located(5, b"five"), located(2, b"two"))
    assert Frames(2, 5).receive(body) == {2: b"two", 5: b"five"}


@pytest.mark.parametrize("end", ["/", "?token=a", "/?token=a"])
def test_location_may_have_a_query(end):
    where = f"Content-Location: http://other/frames/6{end}\r\n"
    assert Frames(2, 5).receive(multipart((where, b"five"), located(2, b"two"))) == {
        2: b"two",
        5: b"five",
    }


@pytest.mark.parametrize("tail", ["", "/frames/99", "/frames/0", "/frames/list"])
def test_location_of_an_unrequested_frame_is_ignored(tail):
    where = f"Content-Location: {URL}{tail}\r\n"
    found = Frames(4, 3).receive(multipart((where, b"one"), (where, b"two")))
    assert found == {4: b"one", 3: b"two"}


def test_parts_after_the_requested_frames_are_ignored():
    body = multipart(("", b"one"), ("", b"two"), ("", b"three"))
    assert Frames(0, 1).receive(body) == {0: b"one", 1: b"two"}


def test_each_frame_is_taken_as_soon_as_its_part_is_complete():
    frames = Frames(0, 1)
    frames.parts.request()
    assert frames.parts.begin(answer(b"", RELATED))
    body = multipart(("", b"one"), ("", b"two"))
    until = body.index(b"two")
    assert frames.parts.feed(body[:until])
    assert frames.taken == {0: b"one"}
    assert not frames.parts.feed(body[until:])
    assert frames.taken == {0: b"one", 1: b"two"}


def test_single_frame_is_taken_from_the_whole_response():
    frames = Frames(3)
    frames.parts.request()
    assert not frames.parts.begin(answer(b"", RELATED))
    frames.parts.finish(answer(multipart(("", b"one")), RELATED))
    assert frames.taken == {3: b"one"}


@pytest.mark.parametrize("asked", [[3], [3, 4]])
def test_frame_may_come_without_multipart(asked):
    assert Frames(*asked).receive(b"frame", kind=OCTETS) == {3: b"frame"}


def test_response_that_is_cut_off():
    body = multipart(("", b"one"), ("", b"two"), end=b"")[:-4]
    frames = Frames(0, 1)
    with pytest.raises(FormatError, match="the multipart response is cut off: part 2 has"):
        frames.receive(body)
    assert frames.taken == {0: b"one"}


def test_each_attempt_is_split_from_its_start():
    frames = Frames(0, 1, 2)
    frames.parts.request()
    frames.parts.begin(answer(b"", RELATED))
    body = multipart(("", b"one"), ("", b"two"), ("", b"three"))
    frames.parts.feed(body[: body.index(b"two")])
    assert frames.receive(multipart(("", b"TWO"), ("", b"THREE"))) == {
        0: b"one",
        1: b"TWO",
        2: b"THREE",
    }


async def test_complete_frames_are_not_requested_again(monkeypatch):
    """The connection breaks after the last frame."""
    monkeypatch.setattr("pyloader.network.FIRST_DELAY_SECONDS", 0)
    asked = []

    class Breaking:
        async def send(self, request, progress, sink=None):
            asked.append(request.url)
            head = answer(b"", RELATED)
            assert sink.begin(head)
            body = multipart(("", b"one"), ("", b"two"))
            for place in range(len(body)):
                if not sink.feed(body[place : place + 1]):
                    return head
            raise NetworkError("the connection closed", request.url)

    frames = Frames(0, 1)
    context = Context(Network(Breaking(), retries=2), Cache(100))
    frames.parts.finish(await context.stream(frames.parts.request, frames.parts))
    assert frames.taken == {0: b"one", 1: b"two"}
    assert asked == [f"{URL}/frames/1,2"]
