"""Requests and answers of a test server: values that services make and quirks change."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, Protocol
from urllib.parse import quote


@dataclass(frozen=True)
class Request:
    """One request, as the services see it.

    Attributes
    ----------
    origin : str
        Scheme, host and port as the client named them.
    prefix : str
        Start of the path that chooses CORS and a quirk, such as ``/nocors/quirk/cut``.
    path : str
        The rest of the path, percent-decoded.
    headers : mapping
        Names are in lower case.
    earlier : int
        How often this address was asked before.
    """

    method: str
    origin: str
    prefix: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    earlier: int = 0

    @property
    def base(self) -> str:
        """The beginning of absolute addresses in answers, so that clients stay with the quirk."""
        return self.origin + self.prefix

    @property
    def target(self) -> str:
        """The path and query behind the prefix."""
        return quote(self.path, safe="/,:") + (f"?{self.query}" if self.query else "")


class Body(Protocol):
    """The bytes after the headers."""

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes, in pieces that are sent one after another."""
        ...


@dataclass(frozen=True)
class Plain:
    """A body that is held as it is."""

    content: bytes = b""

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content)

    def chunks(self) -> Iterator[bytes]:
        """Return all at once."""
        yield self.content


@dataclass(frozen=True)
class Part:
    """One part of a multipart body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Multipart:
    """A multipart body (RFC 2046 5.1); the media type stands in the answer's headers."""

    parts: tuple[Part, ...]
    boundary: str
    newline: bytes = b"\r\n"
    preamble: bytes = b""
    epilogue: bytes = b""

    @property
    def size(self) -> int:
        """The number of bytes with all delimiters."""
        return sum(map(len, self.chunks()))

    def chunks(self) -> Iterator[bytes]:
        """Return the headers and the body of one part after another."""
        boundary = self.boundary.encode()
        if self.preamble:
            yield self.preamble + self.newline
        for part in self.parts:
            lines = [f"{name}: {value}".encode() for name, value in part.headers.items()]
            yield self.newline.join([b"--" + boundary, *lines, b"", b""])
            yield part.body
            yield self.newline
        yield b"--" + boundary + b"--" + self.newline + self.epilogue


class Source(Protocol):
    """A file that ranges are taken from."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes of [start, stop) in pieces."""
        ...


@dataclass(frozen=True)
class Memory:
    """A file that is held in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content)

    @cached_property
    def etag(self) -> str:
        """A digest of the content (RFC 9110 8.8.3)."""
        return f'"{sha256(self.content).hexdigest()[:16]}"'

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Return the range at once."""
        yield self.content[start:stop]


@dataclass(frozen=True)
class Generated:
    """A file of a header and frames that are made when they are read.

    Attributes
    ----------
    frame : callable
        Makes the frame of an index from 0; all frames have one length.
    """

    header: bytes
    frame: Callable[[int], bytes]
    frames: int
    etag: str = '"generated"'

    @cached_property
    def frame_size(self) -> int:
        """The number of bytes of one frame."""
        return len(self.frame(0))

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.header) + self.frames * self.frame_size

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Return the range, no piece of it longer than a frame."""
        if start < len(self.header):
            yield self.header[start:stop]
        start, stop = (max(0, offset - len(self.header)) for offset in (start, stop))
        while start < stop:
            index, inside = divmod(start, self.frame_size)
            piece = self.frame(index)[inside : inside + stop - start]
            start += len(piece)
            yield piece


@dataclass(frozen=True)
class Piece:
    """A range [start, stop) of a source as a body."""

    source: Source
    start: int
    stop: int

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.stop - self.start

    def chunks(self) -> Iterator[bytes]:
        """Read the range."""
        return self.source.read(self.start, self.stop)


@dataclass(frozen=True)
class Delivery:
    """The way of an answer over the wire.

    Attributes
    ----------
    framing : str
        What tells the client where the body ends (RFC 9112 6).
    delay, pause : float
        Seconds before the answer, and after each slice of its body.
    slices : int
        How many slices the body is sent in; 0 for slices of 64 KiB.
    stop_after : int or None
        The connection is closed after so many bytes of the body.
    answers : bool
        False when the connection is closed without an answer.
    """

    framing: Literal["length", "chunked", "close"] = "length"
    delay: float = 0
    pause: float = 0
    slices: int = 0
    stop_after: int | None = None
    answers: bool = True


@dataclass(frozen=True)
class Answer:
    """A status, headers, a body, and how they are sent."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = Plain()
    delivery: Delivery = Delivery()


class RefusalError(Exception):
    """An error that a service raises in place of an answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.answer = text(status, f"{reason}\n")


def text(status: int, words: str, kind: str = "text/plain") -> Answer:
    """Answer with words."""
    return Answer(status, {"Content-Type": kind}, Plain(words.encode()))


def dicom_json(value: Any, status: int = 200) -> Answer:
    """Answer with DICOM JSON (PS3.18 F.2)."""
    return Answer(
        status,
        {"Content-Type": "application/dicom+json"},
        Plain(json.dumps(value, allow_nan=False).encode()),
    )


def multipart(kind: str, parts: tuple[Part, ...], status: int = 200) -> Answer:
    """Answer with ``multipart/related`` of a root type (RFC 2387)."""
    boundary = uuid.uuid4().hex
    content_type = f'multipart/related; type="{kind}"; boundary={boundary}'
    return Answer(status, {"Content-Type": content_type}, Multipart(parts, boundary))
