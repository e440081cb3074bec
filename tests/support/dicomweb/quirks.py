"""Faults of servers, and their own ways: one small function each, by name.

A quirk is given a request and what answers it honestly. Names can be joined by ``+``; the first is
nearest to the honest answer. ``random-<seed>-<percent>`` lets that percentage of the answers fail.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from random import Random
from threading import Lock
from time import time

from tests.support.dicomweb.answers import (
    Answer,
    Memory,
    Piece,
    Request,
    Source,
    dicom_json,
    text,
)
from tests.support.dicomweb.combine import (
    Quirk,
    Serve,
    chained,
    first,
    headed,
    headless,
    honest,
    is_frames,
    is_metadata,
    on_announced,
    on_json,
    on_multipart,
    on_part,
    on_parts,
    saying,
    sent,
    status,
    when,
    without,
)
from tests.support.dicomweb.quirks_body import (
    INSIDE_BOUNDARY,
    ODD_BOUNDARY,
    amid_text,
    announce_media_type,
    as_media_type,
    broken_up,
    cut_json,
    drop_rows,
    label_inside_type,
    mislabelled,
    on_length,
    rebounded,
    renamed_headers,
    single_part,
    unasked,
    unlabelled,
    with_note,
    without_length,
    write_no_vr,
    write_strings,
    write_unknown,
    write_wrong,
)

# How many bytes `range-wrong` misses by.
SHIFT = 16


def find_quirk(name: str) -> Quirk:
    """Return the quirk of a name, or of several joined by ``+``.

    Raises
    ------
    LookupError
        There is none.
    """
    return chained([find_one(single) for single in name.split("+")])


def find_one(name: str) -> Quirk:
    """Return the quirk of a single name."""
    kind, _, rest = name.partition("-")
    if kind == "random":
        seed, _, percent = rest.partition("-")
        return random_faults(int(seed), int(percent))
    if name not in QUIRKS:
        raise LookupError(f"there is no quirk {name!r}; there are {', '.join(QUIRKS)}")
    return QUIRKS[name]


def wants_any_syntax(request: Request) -> bool:
    """Tell whether frames or files are asked for as they are stored."""
    return "transfer-syntax=*" in request.headers.get("accept", "").replace('"', "")


def has_bare_type(request: Request) -> bool:
    """Tell whether the root type of a multipart is asked for without quotes."""
    accept = request.headers.get("accept", "")
    return "type=" in accept and 'type="' not in accept


def busy_until(request: Request, serve: Serve) -> Answer:
    """Ask to come back in two seconds by the clock, which counts whole ones (RFC 9110 10.2.3)."""
    return status(429, Retry_After=formatdate(time() + 2, usegmt=True))(request, serve)


def redirect_other(request: Request, serve: Serve) -> Answer:
    """Send the client to the honest address on the other origin."""
    names = ("127.0.0.1", "localhost")
    here, there = names if names[0] in request.origin else names[::-1]
    location = request.origin.replace(here, there) + request.target
    return Answer(302, {"Location": location})


def redirect_same(request: Request, serve: Serve) -> Answer:
    """Send the client to the honest address on this origin."""
    return Answer(302, {"Location": request.target})


def cut(request: Request, serve: Serve) -> Answer:
    """Close the connection in the middle of the body."""
    answer = serve(request)
    return replace(answer, delivery=replace(answer.delivery, stop_after=answer.body.size // 2))


def no_range(request: Request, serve: Serve) -> Answer:
    """Know nothing of ranges."""
    headers = {name: value for name, value in request.headers.items() if name != "range"}
    return headless(serve(replace(request, headers=headers)), "Accept-Ranges")


def no_range_header(request: Request, serve: Serve) -> Answer:
    """Send a range without saying which."""
    return headless(serve(request), "Content-Range", "Accept-Ranges")


def wrong_range(request: Request, serve: Serve) -> Answer:
    """Send, and announce, a range that begins `SHIFT` bytes late."""
    answer = serve(request)
    if answer.status != 206 or not isinstance(answer.body, Piece):
        return answer
    source, stop = answer.body.source, answer.body.stop
    start = min(answer.body.start + SHIFT, stop - 1)
    announced = f"bytes {start}-{stop - 1}/{source.size}"
    return replace(headed(answer, Content_Range=announced), body=Piece(source, start, stop))


def changed(request: Request, serve: Serve) -> Answer:
    """Send another version each time: its ETag and the last quarter of its bytes differ."""
    answer = serve(request)
    if not isinstance(answer.body, Piece):
        return answer
    source = changed_source(answer.body.source, request.earlier + 1)
    return replace(headed(answer, ETag=source.etag), body=replace(answer.body, source=source))


def changed_source(source: Source, version: int) -> Source:
    """Return a version of a small file."""
    content = b"".join(source.read(0, source.size))
    kept = len(content) * 3 // 4
    return Memory(content[:kept] + bytes((byte + version) % 256 for byte in content[kept:]))


def random_faults(seed: int, percent: int) -> Quirk:
    """Return a quirk that lets a percentage of the answers fail in one of many ways."""
    chance, lock = Random(seed), Lock()

    def quirk(request: Request, serve: Serve) -> Answer:
        with lock:
            fails = chance.random() * 100 < percent
            fault = chance.choice(FAULTS)
        answer = (fault if fails else honest)(request, serve)
        return headed(answer, X_Fault="yes") if fails else answer

    return quirk


ORTHANC_ERROR = {"HttpError": "Bad Request", "HttpStatus": 400, "Message": "Parameter out of range"}
HTML = text(200, "<!DOCTYPE html><title>Log in</title>", "text/html")
WRONG_BOUNDARY = on_announced(lambda kind, body: kind.replace(body.boundary, "another"))
FAULTS: tuple[Quirk, ...] = (
    status(500),
    status(503),
    status(429, Retry_After="0"),
    sent(answers=False),
    cut,
    chained([sent(framing="close"), cut]),
    saying(HTML),
    WRONG_BOUNDARY,
    saying(Answer()),
    sent(delay=0.3),
)

QUIRKS: dict[str, Quirk] = {
    "bad-json": cut_json,
    "boundary-inside": chained([on_part(broken_up), rebounded(INSIDE_BOUNDARY)]),
    "busy": first(1, status(429, Retry_After="1")),
    "busy-date": first(1, busy_until),
    "changed": changed,
    "chunked": sent(framing="chunked"),
    "cut": cut,
    "cut-once": first(1, cut),
    "drip": sent(pause=0.1, slices=20),
    "empty": saying(Answer()),
    "empty-204": saying(Answer(204)),
    "extra-part": on_parts(unasked),
    "extra-text": on_parts(with_note),
    "first-only": on_parts(lambda parts: parts[:1]),
    "frames-406": when(is_frames, status(406)),
    "frames-500": when(is_frames, status(500)),
    "frames-501": when(is_frames, status(501)),
    "html": saying(HTML),
    "json-200": saying(dicom_json(ORTHANC_ERROR)),
    "json-error": saying(dicom_json(ORTHANC_ERROR, 400)),
    "json-missing": on_json(drop_rows),
    "json-no-vr": on_json(write_no_vr),
    "json-strings": on_json(write_strings),
    "json-un": on_json(write_unknown),
    "json-wrong-vr": on_json(write_wrong),
    "length-too-large": on_length(lambda length: length + 100),
    "length-too-small": on_length(lambda length: length - 100),
    "line-feed": on_multipart(lambda body: replace(body, newline=b"\n")),
    "login": without("authorization", "Bearer good", status(401, WWW_Authenticate="Bearer")),
    "lower-headers": renamed_headers(str.lower),
    "media-type": chained([on_announced(announce_media_type), on_part(as_media_type)]),
    "mislabelled": on_part(mislabelled),
    "never": sent(delay=30, answers=False),
    "no-boundary": on_announced(lambda kind, body: kind.partition("; boundary")[0]),
    "no-frames": when(is_frames, status(404)),
    "no-length": chained([on_part(without_length), sent(framing="close")]),
    "no-metadata": when(is_metadata, status(404)),
    "no-range": no_range,
    "no-range-header": no_range_header,
    "no-star": when(wants_any_syntax, status(406)),
    "odd-boundary": rebounded(ODD_BOUNDARY),
    "one-by-one": when(lambda request: is_frames(request) and "," in request.path, status(400)),
    "outer-type": chained([on_announced(label_inside_type), on_part(unlabelled)]),
    "part-without-length": on_part(without_length),
    "preamble": on_multipart(amid_text),
    "quotes-only": when(has_bare_type, status(400)),
    "range-refused": when(lambda request: "range" in request.headers, status(416)),
    "range-wrong": wrong_range,
    "redirect-other": redirect_other,
    "redirect-same": redirect_same,
    "reversed": on_parts(lambda parts: parts[::-1]),
    "single-part": single_part,
    "token": without("x-token", "good", status(401)),
    "unavailable": first(2, status(503)),
    "upper-headers": renamed_headers(str.upper),
    "wrong-boundary": WRONG_BOUNDARY,
}
