"""Multipart bodies to parts: by the standards, by real servers, in chunks of any size."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest

from pyloader.dicomweb.chunk_buffer import ChunkBuffer
from pyloader.dicomweb.multipart import MultipartReader, Part, parse_media_type, read_multipart
from pyloader.errors import FormatError

TYPE = "multipart/related; boundary=b"
# RFC 2046 5.1.1 bchars.
BOUNDARY_CHARACTERS = "0123456789abcXYZ'()+_,-./:=?"


def message(
    *parts: tuple[Sequence[str], bytes],
    boundary: str = "b",
    line_break: bytes = b"\r\n",
    padding: bytes = b"",
    preamble: bytes = b"",
    epilogue: bytes = b"",
) -> bytes:
    """Write a multipart body."""
    delimiter = b"--" + boundary.encode()
    lines = [preamble] if preamble else []
    for headers, body in parts:
        lines += [delimiter + padding, *(header.encode() for header in headers), b"", body]
    return line_break.join([*lines, delimiter + b"--" + padding, epilogue])


def read_chunks(content_type: str, chunks: Iterable[bytes]) -> list[Part]:
    """Split a body that arrives in chunks."""
    parts: list[Part] = []
    reader = MultipartReader(content_type, parts.append)
    for chunk in chunks:
        reader.feed(chunk)
    reader.close()
    return parts


def bodies(content_type: str, body: bytes) -> list[bytes]:
    """Return the bodies of the parts."""
    return [part.body for part in read_multipart(content_type, body)]


# ------------------------------------------------------------------ media types


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ("image/jp2", "image/jp2", {}),
        ("", "", {}),
        (" Multipart/Related ;Boundary=X", "multipart/related", {"boundary": "X"}),
        ("a/b; x=1;; ;y = 2 ; ", "a/b", {"x": "1", "y": "2"}),
        ("a/b;nonsense; y=2", "a/b", {"y": "2"}),
        ('a/b; x="1;2=3, 4"; y=2', "a/b", {"x": "1;2=3, 4", "y": "2"}),
        (r'a/b; x="say \"hi\" \\"', "a/b", {"x": 'say "hi" \\'}),
        ('a/b; x=""; y=2', "a/b", {"x": "", "y": "2"}),
        ("a/b; x=1; X=2", "a/b", {"x": "1"}),
        ('a/b; x="never closed; y=2', "a/b", {"x": "never closed", "y": "2"}),
        ("a/b; x==?=", "a/b", {"x": "=?="}),
    ],
)
def test_media_type(value, kind, parameters):
    assert parse_media_type(value) == (kind, parameters)


def test_syntax_inside_the_quoted_type():
    """Orthanc puts the transfer syntax inside the type's quotes."""
    kind, parameters = parse_media_type(
        'multipart/related; type="application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"; '
        "boundary=4b7591d6-0a93"
    )
    assert (kind, parameters["boundary"]) == ("multipart/related", "4b7591d6-0a93")
    inner = parse_media_type(parameters["type"])
    assert inner == ("application/octet-stream", {"transfer-syntax": "1.2.840.10008.1.2.1"})


def test_type_without_quotes():
    found = parse_media_type(
        "multipart/related; type=application/octet-stream; transfer-syntax=*; boundary=b"
    )[1]
    expected = {"type": "application/octet-stream", "transfer-syntax": "*", "boundary": "b"}
    assert found == expected


# ------------------------------------------------------------------ parts


def test_one_part():
    content = message((["Content-Type: image/jp2", "Content-Location: /frames/1"], b"\0\r\n\xff"))
    headers = {"content-type": "image/jp2", "content-location": "/frames/1"}
    assert read_multipart(TYPE, content) == [Part(headers, b"\0\r\n\xff")]


def test_part_bodies_are_bytes():
    (part,) = read_multipart(TYPE, message(([], b"abc")))
    assert type(part.body) is bytes


def test_orthanc():
    body = (
        b"--4b75\r\nContent-Location: http://host/frames/1\r\n"
        b"Content-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n"
        b"Content-Length: 4\r\nMIME-Version: 1.0\r\n\r\nabcd\r\n--4b75--\r\n"
    )
    declared = (
        'multipart/related; type="application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"; '
        "boundary=4b75"
    )
    (part,) = read_multipart(declared, body)
    assert part.body == b"abcd"
    assert parse_media_type(part.headers["content-type"])[1] == {
        "transfer-syntax": "1.2.840.10008.1.2.1"
    }


@pytest.mark.parametrize("line_break", [b"\r\n", b"\n"])
def test_line_breaks(line_break):
    parts = [([f"A: {index}"], bytes([index]) * index) for index in range(5)]
    found = read_multipart(TYPE, message(*parts, line_break=line_break))
    assert found == [Part({"a": str(index)}, bytes([index]) * index) for index in range(5)]


def test_lf_alone_leaves_a_carriage_return_to_the_body():
    assert bodies(TYPE, message(([], b"x\r"), line_break=b"\n")) == [b"x\r"]
    assert bodies(TYPE, message(([], b"x\r"), line_break=b"\r\n")) == [b"x\r"]


def test_crlf_delimiter_after_lf_headers_by_its_length():
    body = b"--b\nContent-Length: 1\n\nx\r\n--b--"
    assert bodies(TYPE, body) == [b"x"]


def test_preamble_and_epilogue():
    content = message(
        ([], b"x"), preamble=b"This is multipart.\r\nReally -- b.", epilogue=b"--b\r\n\r\nbye"
    )
    assert bodies(TYPE, content) == [b"x"]


def test_preamble_that_begins_with_hyphens():
    assert bodies(TYPE, message(([], b"x"), preamble=b"-- a preamble --")) == [b"x"]


def test_empty_lines_first():
    assert bodies(TYPE, b"\r\n\n\r\n" + message(([], b"x"))) == [b"x"]
    assert bodies("multipart/related", b"\r\n\n\r\n" + message(([], b"x"))) == [b"x"]


@pytest.mark.parametrize("padding", [b" ", b"\t \t", b" " * 200])
def test_white_space_after_boundaries(padding):
    assert bodies(TYPE, message(([], b"x"), ([], b"y"), padding=padding)) == [b"x", b"y"]


def test_headers_of_any_case_folded_repeated_and_broken():
    headers = ["CONTENT-type:image/jp2;", "\t a=b ", "X : 1", "x: 2", "nonsense", "é: ü"]
    (part,) = read_multipart(TYPE, message((headers, b"x")))
    assert part.headers["content-type"] == "image/jp2; a=b"
    assert part.headers["x"] == "1"
    assert len(part.headers) == 3


def test_parts_without_headers():
    assert read_multipart(TYPE, message(([], b"x"), ([], b""))) == [Part({}, b"x"), Part({}, b"")]


def test_part_without_the_empty_line():
    body = b"--b\r\nA: 1\r\n--b\r\n--b--\r\n"
    assert read_multipart(TYPE, body) == [Part({"a": "1"}, b""), Part({}, b"")]


def test_empty_part_whose_empty_line_is_that_of_the_delimiter():
    assert read_multipart(TYPE, b"--b\r\nA: 1\r\n\r\n--b--") == [Part({"a": "1"}, b"")]


def test_body_that_begins_and_ends_with_line_breaks():
    assert bodies(TYPE, message(([], b"\r\n\r\n"), ([], b"\n"))) == [b"\r\n\r\n", b"\n"]


# ------------------------------------------------------------------ boundaries


def test_any_legal_boundary():
    chance = random.Random(1)
    for _ in range(200):
        length = chance.randint(1, 70)
        boundary = "".join(chance.choices(BOUNDARY_CHARACTERS, k=length))
        declared = f'multipart/related; boundary="{boundary}"'
        content = message(([], b"x"), (["A: 1"], b"y"), boundary=boundary)
        assert bodies(declared, content) == [b"x", b"y"]


def test_boundary_with_a_space():
    content = message(([], b"x"), boundary="a b")
    assert bodies('multipart/related; boundary="a b"', content) == [b"x"]


@pytest.mark.parametrize("declared", ["multipart/related", "multipart/related; boundary=other", ""])
@pytest.mark.parametrize("headers", [[], ["Content-Type: a/b"]])
def test_boundary_absent_or_of_another_name(declared, headers):
    assert bodies(declared, message((headers, b"x"), (headers, b"y"))) == [b"x", b"y"]


def test_declared_boundary_that_includes_the_hyphens():
    content = message(([], b"x"), boundary="b")
    assert bodies("multipart/related; boundary=--b", content) == [b"x"]


@pytest.mark.parametrize(
    "look_alike",
    [b"\r\n--bc", b"\r\n--b-\r\n", b"\r\n--b--c", b"--b\r\n", b"\r\n-b\r\n", b"\r\n--B\r\n"],
)
def test_look_alike_is_no_delimiter(look_alike):
    body = b"x" + look_alike + b"y"
    for chunks in ([message(([], body))], (bytes([byte]) for byte in message(([], body)))):
        assert [part.body for part in read_chunks(TYPE, chunks)] == [body]


def test_endless_white_space_is_no_delimiter():
    body = b"x\r\n--b" + b" " * 1000 + b"\r\ny"
    assert bodies(TYPE, message(([], body))) == [body]


# ------------------------------------------------------------------ Content-Length


def test_length_lets_a_body_hold_the_boundary():
    body = b"x\r\n--b\r\nA: 1\r\n\r\ny\r\n--b--\r\nz"
    content = message(([f"Content-Length: {len(body)}"], body), ([], b"next"))
    assert bodies(TYPE, content) == [body, b"next"]


@pytest.mark.parametrize("length", ["0", "1", "4", "6", "7", "99", "1000000", "-5", "five", "5 5"])
def test_wrong_length_is_overruled(length):
    parts = [([f"Content-Length: {length}"], b"abcde")] * 3
    assert bodies(TYPE, message(*parts)) == [b"abcde"] * 3


@pytest.mark.parametrize("length", ["4", "6"])
def test_length_that_is_wrong_by_one_when_the_end_is_missing(length):
    start = f"--b\r\nContent-Length: {length}\r\n\r\nabcde\r\n-".encode()
    with pytest.raises(FormatError, match=f"part 1 has 8 of {length} bytes"):
        read_multipart(TYPE, start)


def test_length_of_lf_alone():
    content = message((["Content-Length: 2"], b"x\r"), line_break=b"\n")
    assert bodies(TYPE, content) == [b"x\r"]


# ------------------------------------------------------------------ cut off


@pytest.mark.parametrize(
    "rest", [b"", b"\r", b"\r\n", b"\r\n-", b"\r\n--", b"\r\n--b", b"\r\n--b-"]
)
def test_last_delimiter_missing_when_the_length_is_met(rest):
    """A server that closes the connection to end its response may lose the end."""
    start = b"--b\r\n\r\nfirst\r\n--b\r\nContent-Length: 4\r\n\r\nabcd"
    assert bodies(TYPE, start + rest) == [b"first", b"abcd"]


def test_length_is_met_after_others_were_wrong():
    start = b"--b\r\nContent-Length: 1\r\n\r\nfirst\r\n--b\r\nContent-Length: 4\r\n\r\nabcd"
    assert bodies(TYPE, start) == [b"first", b"abcd"]


@pytest.mark.parametrize("end", [b"\r\n--b", b"\r\n--b-", b"\r\n--b--", b"\r\n--b-- "])
def test_last_delimiter_without_its_end(end):
    assert bodies(TYPE, b"--b\r\n\r\nabcd" + end) == [b"abcd"]


@pytest.mark.parametrize(
    ("body", "have"),
    [
        (b"--b\r\n\r\nabcd", "part 1 has 4 bytes and"),
        (b"--b\r\n\r\nabcd\r\n--", "part 1 has 8 bytes and"),
        (b"--b\r\n\r\n", "part 1 has 0 bytes and"),
        (b"--b\r\n\r\nx\r\n--b\r\nContent-Length: 9\r\n\r\nabcd", "part 2 has 4 of 9 bytes and"),
        (b"--b\r\nContent-Length: 2\r\n\r\nabcd", "part 1 has 4 of 2 bytes and"),
        (b"--b\r\nContent-Type: a", "part 1 has unfinished headers and"),
        (b"--b\r\nA: 1\r\n", "part 1 has unfinished headers and"),
        (b"--b\r\n\r\nx\r\n--b\r\n", "part 2 has unfinished headers and"),
    ],
)
def test_cut_off(body, have):
    expected = f"^the multipart response is cut off: {have} no delimiter b'--b' after it; .* again$"
    with pytest.raises(FormatError, match=expected):
        read_multipart(TYPE, body)


def test_complete_parts_come_out_before_the_error():
    parts: list[Part] = []
    reader = MultipartReader(TYPE, parts.append)
    reader.feed(message(([], b"x"), ([], b"y"))[:-12])
    with pytest.raises(FormatError, match="cut off"):
        reader.close()
    assert [part.body for part in parts] == [b"x"]


# ------------------------------------------------------------------ no parts


@pytest.mark.parametrize("body", [b"--b--", b"--b--\r\n", b"\r\n--b--\r\nbye"])
def test_no_part(body):
    with pytest.raises(FormatError, match="has no part: its first delimiter is its last; it has"):
        read_multipart(TYPE, body)


@pytest.mark.parametrize("body", [b"", b"\r\n"])
def test_empty_body(body):
    expected = (
        rf"does not contain the delimiter b'--b'; it has {len(body)} bytes and begins with b'"
    )
    with pytest.raises(FormatError, match=expected):
        read_multipart(TYPE, body)


def test_body_without_the_boundary():
    expected = (
        r"^the multipart response, 'multipart/related; boundary=b', has no part: it does not "
        r"contain the delimiter b'--b'; it has 15 bytes and begins with b'<html>no</html>'\. Its "
        r"type may be another"
    )
    with pytest.raises(FormatError, match=expected):
        read_multipart(TYPE, b"<html>no</html>")


@pytest.mark.parametrize("body", [b"", b"\r\n", b"--\r\nx", b"binary\r\n--b\r\n\r\nx\r\n--b--"])
def test_no_boundary_anywhere(body):
    expected = r"'multipart/mixed', has no part: there is no boundary parameter; it has \d+ bytes"
    with pytest.raises(FormatError, match=expected):
        read_multipart("multipart/mixed", body)


# ------------------------------------------------------------------ chunks

TRICKY = message(
    (["Content-Type: a/b", "Content-Length: 12"], b"x\r\n--b\r\n\r\ny\r"),
    ([], b"\r\n--bc\r\n--b-\r\n-"),
    (["A: folded,", " twice"], b""),
    padding=b" ",
    preamble=b"Hello --b",
    epilogue=b"--b\r\n\r\nbye",
)
TRICKY_PARTS = [
    Part({"content-type": "a/b", "content-length": "12"}, b"x\r\n--b\r\n\r\ny\r"),
    Part({}, b"\r\n--bc\r\n--b-\r\n-"),
    Part({"a": "folded, twice"}, b""),
]


def test_every_split_in_two():
    for place in range(len(TRICKY) + 1):
        assert read_chunks(TYPE, [TRICKY[:place], TRICKY[place:]]) == TRICKY_PARTS, place


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
def test_chunks_of_any_size(size):
    chunks = (TRICKY[place : place + size] for place in range(0, len(TRICKY), size))
    assert read_chunks(TYPE, chunks) == TRICKY_PARTS


def test_random_messages_in_random_chunks():
    chance = random.Random(2)
    alphabet = [b"\r\n", b"\n", b"\r", b"--", b"-", b"b", b"c", b" ", b"\0", b"--bc", b"\r\n--bc"]
    for _ in range(500):
        expected, parts = [], []
        line_break = chance.choice([b"\r\n", b"\n"])
        for _ in range(chance.randint(1, 4)):
            body = b"".join(chance.choices(alphabet, k=chance.randint(0, 30)))
            body = body.replace(b"\n--b\r", b"").replace(b"\n--b\n", b"")
            # Keep look-alike delimiters in bodies that have a Content-Length.
            is_guarded = b"--b" in body or not body
            headers = {"content-length": str(len(body))} if is_guarded else {}
            expected.append(Part(headers, body))
            parts.append(([f"Content-Length: {len(body)}"] if is_guarded else [], body))
        content = message(*parts, line_break=line_break, epilogue=b"x" * chance.randint(0, 9))
        places = sorted(chance.choices(range(len(content) + 1), k=chance.randint(0, 8)))
        edges = [0, *places, len(content)]
        chunks = [content[first:stop] for first, stop in pairwise(edges)]
        assert read_chunks(TYPE, chunks) == expected, content


def test_random_bytes_end_in_parts_or_in_a_format_error():
    chance = random.Random(3)
    alphabet = b"\r\n-b: 1"
    for _ in range(1000):
        body = bytes(chance.choices(alphabet, k=chance.randint(0, 60)))
        outcomes = []
        for chunks in ([b"--b\r\n" + body], (bytes([byte]) for byte in b"--b\r\n" + body)):
            try:
                outcomes.append(read_chunks(TYPE, chunks))
            except FormatError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1], body


def test_parts_come_out_as_soon_as_they_are_complete():
    parts: list[Part] = []
    reader = MultipartReader(TYPE, parts.append)
    counts = []
    for chunk in (b"--b\r\n\r\nx\r\n--b\r", b"\n", b"\r\ny\r\n--b-", b"-\r\n", b"epilogue"):
        reader.feed(chunk)
        counts.append(len(parts))
    reader.close()
    assert counts == [0, 1, 1, 2, 2]


# ------------------------------------------------------------------ work


class CountingBuffer(ChunkBuffer):
    """A buffer that counts the bytes searched and copied."""

    def __init__(self) -> None:
        super().__init__()
        self.searched = self.copied = 0

    def find(self, needle: bytes, start: int) -> int:
        """Count the bytes up to the match."""
        found = super().find(needle, start)
        self.searched += max(0, (self.end if found < 0 else found) - start)
        return found

    def take(self, start: int, stop: int) -> bytes:
        """Count the bytes returned."""
        taken = super().take(start, stop)
        self.copied += len(taken)
        return taken

    def held(self) -> int:
        """Return the number of bytes buffered."""
        return sum(map(len, self.chunks))


def work(parts: int, size: int, chunk: int, length: int | None = None) -> tuple[float, float, int]:
    """Return searches and copies per byte, and the most bytes buffered at a time."""
    headers = [] if length is None else [f"Content-Length: {length}"]
    content = message(*[(headers, bytes(size))] * parts)
    count, kept = 0, 0

    def on_part(part: Part) -> None:
        nonlocal count
        count += len(part.body) == size

    reader = MultipartReader(TYPE, on_part)
    buffer = reader.buffer = CountingBuffer()
    buffer.append(b"\r\n")
    for place in range(0, len(content), chunk):
        reader.feed(content[place : place + chunk])
        kept = max(kept, buffer.held())
    reader.close()
    assert count == parts
    return buffer.searched / len(content), buffer.copied / len(content), kept


def test_work_is_linear_in_one_large_part():
    searched, copied, _ = work(parts=1, size=50 << 20, chunk=64 << 10)
    assert searched < 1.1
    assert copied < 1.1


def test_a_length_that_is_right_saves_the_search():
    searched, copied, _ = work(parts=1, size=5 << 20, chunk=64 << 10, length=5 << 20)
    assert searched < 0.01
    assert copied < 1.1


@pytest.mark.parametrize("chunk", [100, 4096, 1 << 24])
def test_work_is_linear_in_many_parts(chunk):
    searched, copied, _ = work(parts=300, size=3000, chunk=chunk)
    assert searched < 1.5
    assert copied < 8


def test_work_is_linear_when_every_length_is_wrong():
    searched, copied, _ = work(parts=300, size=3000, chunk=4096, length=1 << 40)
    assert searched < 1.5
    assert copied < 2


def test_delivered_parts_are_not_kept():
    *_, kept = work(parts=30, size=1 << 16, chunk=1 << 14)
    assert kept < 3 << 16


def test_epilogue_is_not_kept():
    reader = MultipartReader(TYPE, lambda part: None)
    reader.feed(message(([], b"x")))
    for _ in range(100):
        reader.feed(bytes(1000))
    assert sum(map(len, reader.buffer.chunks)) <= 1000
