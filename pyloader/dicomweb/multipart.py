"""Split ``multipart/related`` bodies into parts while they arrive, with servers' deviations.

Each byte is copied once, into its part, and searched at most twice: a `ChunkBuffer` holds the
chunks until a part is complete. The delimiter decides where a part ends. A Content-Length counts
only when a delimiter follows exactly there; so a part may contain bytes that look like one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from pyloader.dicomweb.chunk_buffer import ChunkBuffer
from pyloader.errors import FormatError

T = TypeVar("T")
# A parsing step: yields when it needs more of the body, and returns its result.
Steps = Generator[None, None, T]

PARAMETER = re.compile(r';\s*([^=;\s"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
HEADER_NAME = re.compile(rb"[!-9;-~]+[ \t]*:")
FOLD = re.compile(rb"\n[ \t]+")
# What may follow a boundary: "--" after the last part, transport padding, the end of the line.
DELIMITER_END = re.compile(rb"(--)?[ \t]*\r?\n")
UNFINISHED_END = re.compile(rb"-{0,2}[ \t]*\r?")
MOST_PADDING = 256


def parse_media_type(value: str) -> tuple[str, dict[str, str]]:
    """Read a Content-Type.

    Returns
    -------
    str
        The type in lower case, such as ``multipart/related``.
    dict
        Its parameters by name in lower case; the first value of a repeated name counts.

    References
    ----------
    RFC 9110 8.3.1, RFC 2045 5.1; quotes may be missing, although a ``/`` requires them.
    """
    parameters: dict[str, str] = {}
    for name, quoted, bare in PARAMETER.findall(value):
        text = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare.strip().strip('"')
        parameters.setdefault(name.lower(), text)
    return value.partition(";")[0].strip().lower(), parameters


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body.

    Attributes
    ----------
    headers : mapping
        By name in lower case, unfolded; the first value of a repeated name counts.
    body : bytes
    """

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delimiter:
    """A delimiter line: where the part before it ends, and where the next one begins."""

    start: int
    stop: int
    is_last: bool


class MultipartReader:
    """Split a body that arrives in chunks of any size; hand over each part once it is complete.

    Parameters
    ----------
    content_type : str
        Of the response. Its boundary may be absent or wrong if the body begins with a delimiter.
    on_part : callable
        Receives each `Part`.

    References
    ----------
    RFC 2046 5.1 (delimiters), RFC 2387 (multipart/related), PS3.18 8.6.1.2.
    """

    def __init__(self, content_type: str, on_part: Callable[[Part], None]) -> None:
        self.content_type = content_type
        self.on_part = on_part
        self.number = 0
        self.is_closed = False
        self.is_crlf = True
        self.trusts_lengths = True
        self.needle = b""
        self.buffer = ChunkBuffer()
        # A delimiter begins with a line break, which the first one in a body may lack.
        self.buffer.append(b"\r\n")
        self.steps = self.read()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises
        ------
        FormatError
            There is no boundary parameter, and the body does not begin with a delimiter.
        """
        self.buffer.append(bytes(chunk))
        next(self.steps, None)

    def close(self) -> None:
        """Parse the rest of the body, which has ended.

        Raises
        ------
        FormatError
            The body is cut off, or has no part.
        """
        self.is_closed = True
        next(self.steps, None)

    def release(self) -> None:
        """Free the body: the reader and its steps refer to each other."""
        self.steps.close()

    def read(self) -> Steps[None]:
        """Read the whole body."""
        self.needle = b"\n--" + (yield from self.choose_boundary())
        delimiter = yield from self.find_delimiter(0)
        if delimiter is None:
            raise self.no_part(f"it does not contain the delimiter {self.needle[1:]!r}")
        if delimiter.is_last:
            raise self.no_part("its first delimiter is its last")
        self.is_crlf = self.buffer.take(delimiter.stop - 2, delimiter.stop) == b"\r\n"
        while not delimiter.is_last:
            delimiter = yield from self.read_part(delimiter.stop)
        while not self.is_closed:
            self.buffer.drop(self.buffer.end)
            yield

    def choose_boundary(self) -> Steps[bytes]:
        """Return the boundary that the body begins with, else the declared one."""
        declared = parse_media_type(self.content_type)[1].get("boundary", "").encode()
        start, line = 2, b""
        while not line and not (self.is_closed and start == self.buffer.end):
            line, start = yield from self.read_line(start)
        if declared and line in (b"--" + declared, b"--" + declared + b"--"):
            return declared
        if line.startswith(b"--") and len(line) > 2:
            # A preamble may also begin with hyphens: a header or an empty line follows a delimiter.
            following, _ = yield from self.read_line(start)
            if not (declared and following) or HEADER_NAME.match(following):
                return line[2:]
        if not declared:
            raise self.no_part("there is no boundary parameter")
        return declared

    def read_part(self, start: int) -> Steps[Delimiter]:
        """Read the part that begins at `start` and return the delimiter that ends it."""
        self.number += 1
        headers, start = yield from self.read_headers(start)
        closing = yield from self.find_end(start, declared_length(headers))
        body = self.buffer.take(start, closing.start)
        self.buffer.drop(closing.stop - 1)
        self.on_part(Part(headers, body))
        return closing

    def read_headers(self, start: int) -> Steps[tuple[dict[str, str], int]]:
        """Return a part's headers and where its body begins."""
        lines: list[bytes] = []
        while True:
            line, after = yield from self.read_line(start)
            if not line and after > start:
                return parse_headers(lines), after
            if line.startswith(self.needle[1:]):
                return parse_headers(lines), start
            if after == self.buffer.end and self.is_closed:
                raise self.cut_off("unfinished headers")
            lines.append(line)
            start = after

    def find_end(self, start: int, length: int | None) -> Steps[Delimiter]:
        """Return the delimiter that ends the part whose body begins at `start`."""
        if length is not None and self.trusts_lengths:
            while self.buffer.end < start + length and not self.is_closed:
                yield
            announced = yield from self.announced_delimiter(start + length)
            if announced is not None:
                return announced
            # Waiting for each of many wrong lengths would read the body many times.
            self.trusts_lengths = False
        # In an empty part, the headers' line break is also the delimiter's.
        found = yield from self.find_delimiter(start - 1)
        if found is not None:
            has_cr = self.is_crlf and self.buffer.take(found.start - 1, found.start) == b"\r"
            return replace(found, start=max(start, found.start - has_cr))
        if length is not None:
            announced = yield from self.announced_delimiter(start + length)
            if announced is not None:
                return announced
        expected = "" if length is None else f" of {length}"
        raise self.cut_off(f"{self.buffer.end - start}{expected} bytes")

    def announced_delimiter(self, offset: int) -> Steps[Delimiter | None]:
        """Return the delimiter at `offset`, where a Content-Length puts it, else None."""
        if self.is_crlf and self.buffer.take(offset - 1, offset + 1) == b"\r\n":
            return None  # inside a line break, which belongs to the delimiter as a whole
        return (yield from self.delimiter_at(offset))

    def find_delimiter(self, start: int) -> Steps[Delimiter | None]:
        """Return the first delimiter from `start` on, or None if the body ends without one."""
        offset = yield from self.find(self.needle, start)
        while offset >= 0:
            delimiter = yield from self.delimiter_at(offset)
            if delimiter is not None:
                return delimiter
            offset = yield from self.find(self.needle, offset + 1)
        return None

    def delimiter_at(self, offset: int) -> Steps[Delimiter | None]:
        """Return the delimiter whose line break is at `offset`, else None.

        At the end of the body a truncated delimiter is enough: the connection was closed early.
        """
        reach = len(self.needle) + MOST_PADDING
        while True:
            text = self.buffer.take(offset, offset + reach)
            line = text.removeprefix(b"\r")
            head, tail = line[: len(self.needle)], line[len(self.needle) :]
            end = DELIMITER_END.match(tail) if head == self.needle else None
            if end is not None:
                stop = offset + len(text) - len(tail) + end.end()
                return Delimiter(offset, stop, end[1] is not None)
            may_go_on = self.needle.startswith(head) and UNFINISHED_END.fullmatch(tail)
            if not may_go_on or len(text) == reach or offset > self.buffer.end:
                return None
            if self.is_closed:
                return Delimiter(offset, self.buffer.end, True)
            yield

    def find(self, needle: bytes, start: int) -> Steps[int]:
        """Return the offset of `needle` from `start` on, or -1 if the body ends without it."""
        while True:
            offset = self.buffer.find(needle, start)
            if offset >= 0 or self.is_closed:
                return offset
            start = max(start, self.buffer.end - len(needle) + 1)
            yield

    def read_line(self, start: int) -> Steps[tuple[bytes, int]]:
        """Return the line at `start` without its line break, and where the next line begins."""
        offset = yield from self.find(b"\n", start)
        after = offset + 1 if offset >= 0 else self.buffer.end
        return self.buffer.take(start, after).rstrip(), after

    def cut_off(self, have: str) -> FormatError:
        """Return the error for a body that ends within a part."""
        return FormatError(
            f"the multipart response is cut off: part {self.number} has {have} and no delimiter "
            f"{self.needle[1:]!r} after it; the connection may have ended early: load it again"
        )

    def no_part(self, reason: str) -> FormatError:
        """Return the error for a body without parts."""
        return FormatError(
            f"the multipart response, {self.content_type!r}, has no part: {reason}; it has "
            f"{self.buffer.end - 2} bytes and begins with {self.buffer.take(2, 42)!r}. Its type "
            "may be another than its Content-Type says"
        )


def parse_headers(lines: list[bytes]) -> dict[str, str]:
    """Return headers by name in lower case, unfolded (RFC 5322 2.2)."""
    headers: dict[str, str] = {}
    for line in FOLD.sub(b" ", b"\n".join(lines)).decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return a part's Content-Length, None when it is absent or not a number."""
    text = headers.get("content-length", "")
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def read_multipart(content_type: str, body: bytes) -> list[Part]:
    """Split a whole body.

    Raises
    ------
    FormatError
        The body is cut off, or has no part.
    """
    parts: list[Part] = []
    reader = MultipartReader(content_type, parts.append)
    reader.feed(body)
    reader.close()
    return parts
