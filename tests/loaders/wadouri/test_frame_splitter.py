"""Streams of a file's bytes, cut into frames, and the headers that say which bytes they are."""

from __future__ import annotations

import pytest

from pyloader.dicom.fragments import Span
from pyloader.errors import FormatError
from pyloader.loaders.wadouri.frame_splitter import SMALL_GAP_BYTES, FrameSplitter, contiguous
from pyloader.loaders.wadouri.http_validators import Validators
from pyloader.transport import Response

URL = "https://host/file"
BODY = bytes(range(200))
VERSION = Validators(200, '"one"')


def part(start: int, stop: int = 200, size: int = 200, **headers: str) -> Response:
    """Return the header of an answer with the bytes [start, stop) of a file."""
    place = f"bytes {start}-{stop - 1}/{size}"
    return Response(URL, 206, {"content-range": place, "etag": '"one"', **headers}, b"")


def whole(length: int | None = 200, **headers: str) -> Response:
    """Return the header of an answer with a whole file."""
    told = {} if length is None else {"content-length": str(length)}
    return Response(URL, 200, told | headers, b"")


class Cutter:
    """Pieces of a file, and the frames that were cut out."""

    def __init__(self, keep_bytes: int = 0, **spans: tuple[int, int | None]) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.pieces = FrameSplitter(
            URL,
            {int(name[1:]): Span(*span) for name, span in spans.items()},
            VERSION,
            lambda index, body: self.frames.append((index, body)),
            keep_bytes,
        )

    @property
    def asked(self) -> tuple[int, int | None] | None:
        """The range of the next request."""
        return self.pieces.request().byte_range

    def feed(self, start: int, stop: int, size: int = 7) -> list[bool]:
        """Feed a part of the file in small chunks, until it is enough; return the answers."""
        answers = []
        for place in range(start, stop, size):
            answers.append(self.pieces.feed(BODY[place : min(place + size, stop)]))
            if not answers[-1]:
                break
        return answers


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize("size", [1, 7, 30, 1000])
def test_frames_are_cut_out_in_chunks_of_any_size(size):
    cutter = Cutter(f4=(50, 80), f5=(80, 110), f9=(120, 125))
    assert cutter.asked == (50, 125)
    assert cutter.pieces.begin(part(50, 125))
    answers = cutter.feed(50, 125, size)
    assert answers[-1] is False
    assert all(answers[:-1])
    assert cutter.frames == [(4, BODY[50:80]), (5, BODY[80:110]), (9, BODY[120:125])]


def test_frame_is_handed_on_as_soon_as_it_is_complete():
    cutter = Cutter(f0=(0, 10), f1=(10, 20))
    cutter.pieces.begin(part(0, 20))
    cutter.pieces.feed(BODY[:9])
    assert cutter.frames == []
    assert cutter.pieces.feed(BODY[9:19])
    assert cutter.frames == [(0, BODY[:10])]
    assert not cutter.pieces.feed(BODY[19:20])
    assert cutter.frames[1] == (1, BODY[10:20])


def test_another_attempt_asks_for_what_is_missing():
    cutter = Cutter(f0=(0, 30), f1=(30, 60), f2=(60, 90))
    cutter.pieces.begin(part(0, 90))
    cutter.feed(0, 50)
    assert cutter.asked == (30, 90)
    assert cutter.pieces.begin(part(30, 90))
    cutter.feed(30, 90)
    assert cutter.frames == [(0, BODY[:30]), (1, BODY[30:60]), (2, BODY[60:90])]


def test_single_frame_is_taken_as_the_body_of_the_answer():
    cutter = Cutter(f3=(50, 80))
    assert not cutter.pieces.begin(part(50, 80))
    cutter.pieces.finish(BODY[50:80])
    assert cutter.frames == [(3, BODY[50:80])]


def test_frame_up_to_the_end_of_the_file():
    cutter = Cutter(f0=(100, 150), f1=(150, None))
    assert cutter.asked == (100, None)
    cutter.pieces.begin(part(100))
    assert all(cutter.feed(100, 200))
    cutter.pieces.finish(b"")
    assert cutter.frames == [(0, BODY[100:150]), (1, BODY[150:])]


@pytest.mark.parametrize("rest", [True, False])
def test_body_that_ends_before_a_frame_does(rest):
    cutter = Cutter(f0=(0, 50), f1=(50, 100))
    cutter.pieces.begin(part(0, 100))
    cutter.feed(0, 70 if rest else 90)
    with pytest.raises(FormatError, match="ends at byte 90, frame 2 at byte 100; the file is cut"):
        cutter.pieces.finish(BODY[70:90] if rest else b"")
    assert cutter.frames == [(0, BODY[:50])]


# ------------------------------------------------------------------ a server without ranges


def test_small_file_is_taken_whole():
    cutter = Cutter(keep_bytes=200, f0=(50, 60), f1=(60, 70))
    assert not cutter.pieces.begin(whole())
    assert cutter.pieces.is_whole


@pytest.mark.parametrize("length", [201, None])
def test_frames_of_a_large_file_are_cut_out_as_they_pass(length):
    cutter = Cutter(keep_bytes=200, f0=(50, 60), f1=(90, 100))
    cutter.pieces.validators = Validators(length, None)
    assert cutter.pieces.begin(whole(length))
    assert not cutter.pieces.is_whole
    cutter.feed(0, 200)
    assert cutter.frames == [(0, BODY[50:60]), (1, BODY[90:100])]


def test_single_frame_of_a_large_file_is_cut_out_as_it_passes():
    cutter = Cutter(f3=(50, 60))
    assert cutter.pieces.begin(whole())
    assert cutter.feed(0, 200)[-1] is False
    assert cutter.frames == [(3, BODY[50:60])]


def test_another_attempt_may_be_answered_with_the_whole():
    cutter = Cutter(f0=(50, 60), f1=(60, 70))
    cutter.pieces.begin(part(50, 70))
    cutter.feed(50, 62)
    cutter.pieces.begin(whole())
    cutter.feed(0, 200)
    assert cutter.frames == [(0, BODY[50:60]), (1, BODY[60:70])]


def test_what_lies_before_a_frame_is_not_kept():
    cutter = Cutter(f0=(150, 160))
    cutter.pieces.begin(whole())
    for place in range(0, 150, 10):
        cutter.pieces.feed(BODY[place : place + 10])
        assert len(cutter.pieces._buffer) <= 10


def test_frames_that_were_handed_on_are_not_kept():
    cutter = Cutter(f0=(0, 100), f1=(100, 200))
    cutter.pieces.begin(part(0))
    cutter.pieces.feed(BODY[:110])
    assert len(cutter.pieces._buffer) == 10


# ------------------------------------------------------------------ another file


@pytest.mark.parametrize(
    "answer",
    [
        part(0, 90, etag='"two"'),
        part(0, 90, size=201),
        whole(201),
        whole(etag='"two"'),
    ],
)
def test_frames_are_not_cut_out_of_another_file(answer):
    cutter = Cutter(f0=(0, 30), f1=(30, 60))
    with pytest.raises(FormatError, match=r"has changed while it was read, from .* to .*: load it"):
        cutter.pieces.begin(answer)


def test_another_file_may_be_taken_whole():
    cutter = Cutter(keep_bytes=1000, f0=(0, 30), f1=(30, 60))
    assert not cutter.pieces.begin(whole(201, etag='"two"'))
    assert cutter.pieces.is_whole


def test_part_that_begins_elsewhere():
    cutter = Cutter(f0=(50, 60), f1=(60, 70))
    expected = "answered with 'bytes 51-69/200' to a request for bytes from 50; its server does not"
    with pytest.raises(FormatError, match=expected):
        cutter.pieces.begin(part(51, 70))


# ------------------------------------------------------------------ version


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (206, {"content-range": "bytes 0-9/200", "etag": '"a"'}, Validators(200, '"a"')),
        (206, {"content-range": "bytes 0-9/*"}, Validators(None, None)),
        (206, {"content-range": "items 0-9/200"}, Validators(None, None)),
        (206, {"content-length": "10"}, Validators(None, None)),
        (200, {"content-length": "200"}, Validators(200, None)),
        (200, {"content-length": "200", "content-encoding": "gzip"}, Validators(None, None)),
        (200, {"last-modified": "today"}, Validators(None, "today")),
        (200, {"last-modified": "today", "etag": '"a"'}, Validators(None, '"a"')),
    ],
)
def test_version(status, headers, expected):
    assert Validators.of(Response(URL, status, headers, b"")) == expected


def test_rest():
    assert Validators(200, None).rest(150) == 50
    assert Validators(None, None).rest(150) is None


@pytest.mark.parametrize("headers", [{}, {"etag": '"one"'}, {"content-range": "bytes 50-59/*"}])
def test_what_is_not_told_is_no_contradiction(headers):
    VERSION.check(Response(URL, 206, headers, b""), 50)
    Validators(None, None).check(part(50, etag='"two"'), 50)


# ------------------------------------------------------------------ requests


def groups(**spans: tuple[int, int | None]) -> list[str]:
    """Return which frames are fetched together."""
    found = contiguous({name: Span(*span) for name, span in spans.items()})
    return [" ".join(group) for group in found]


def test_frames_that_follow_one_another_are_one_request():
    assert groups(a=(0, 10), b=(10, 20), c=(20, 30)) == ["a b c"]


def test_frames_are_asked_for_in_the_order_of_the_file():
    assert groups(a=(20, 30), b=(0, 10), c=(10, 20)) == ["b c a"]


def test_frames_apart_are_requests_of_their_own():
    far = 10 + SMALL_GAP_BYTES
    assert groups(a=(0, 10), b=(far, far + 10)) == ["a b"]
    assert groups(a=(0, 10), b=(far + 1, far + 10)) == ["a", "b"]


def test_frames_that_overlap_are_requests_of_their_own():
    assert groups(a=(0, 10), b=(5, 20)) == ["a", "b"]


def test_frame_up_to_the_end_is_followed_by_none():
    assert groups(a=(0, 10), b=(10, None)) == ["a b"]
    assert groups(a=(0, None), b=(10, 20)) == ["a", "b"]
