"""Compressed streams and zip members, against what the standard library makes of them."""

from __future__ import annotations

import bz2
import gzip as standard_gzip
import io
import lzma
import random
import zipfile
import zlib

import pytest

from pyloader.inflate import (
    DamagedError,
    Inflater,
    beginning_of_gzip,
    bzip2,
    deflate,
    gzip,
    gzip_or_zlib,
    inflate,
    lzma_of_zip,
    read_member,
)

BODY = random.Random(1).randbytes(5000) + bytes(5000)


def raw_deflate(body: bytes) -> bytes:
    """Return raw deflate (RFC 1951)."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKED = {
    "gzip": (gzip, standard_gzip.compress(BODY)),
    "gzip or zlib": (gzip_or_zlib, standard_gzip.compress(BODY)),
    "zlib": (gzip_or_zlib, zlib.compress(BODY)),
    "deflate": (deflate, raw_deflate(BODY)),
    "bzip2": (bzip2, bz2.compress(BODY)),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("size", [1, 7, 600, 10_000])
def test_pieces_of_any_size_make_the_whole(name, size):
    make, packed = PACKED[name]
    inflater = Inflater(make)
    found = bytearray()
    for start in range(0, len(packed), size):
        inflater.give(packed[start : start + size])
        found += inflater.take_all(1 << 20)
    assert (bytes(found), inflater.is_over, inflater.is_within) == (BODY, True, False)


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("most", [0, 1, 777, len(BODY), len(BODY) + 1])
def test_no_more_than_the_limit_is_made(name, most):
    make, packed = PACKED[name]
    assert inflate(make, packed, most)[0] == BODY[:most]


@pytest.mark.parametrize("name", PACKED)
def test_a_stream_that_is_cut_off_is_not_over(name):
    make, packed = PACKED[name]
    for stop in (0, 1, 20, len(packed) // 2, len(packed) - 1):
        found, inflater = inflate(make, packed[:stop], 1 << 20)
        assert BODY.startswith(found)
        assert not inflater.is_over
        assert inflater.is_within is (stop > 0)


@pytest.mark.parametrize("name", PACKED)
def test_damage_is_one_kind_of_error(name):
    make, packed = PACKED[name]
    with pytest.raises(DamagedError):
        inflate(make, b"\xff\xff\xff\xff" + packed, 1 << 20)


def test_a_wrong_checksum_is_damage():
    packed = bytearray(standard_gzip.compress(BODY))
    packed[-5] ^= 1  # CRC-32 stands before the size (RFC 1952 2.3.1)
    with pytest.raises(DamagedError, match="incorrect data check"):
        inflate(gzip, bytes(packed), 1 << 20)


def test_bytes_after_the_only_stream_are_left():
    inflater = Inflater(gzip)
    inflater.give(standard_gzip.compress(b"abc") + b"rest")
    assert (inflater.take_all(100), inflater.rest(), inflater.is_starved) == (b"abc", b"rest", True)
    assert inflater.take(100) == b""


def test_what_has_another_signature_is_no_further_stream():
    member = standard_gzip.compress(b"abc")
    for rest in (b"\x1e", b"PK", b"\x1f\x8c"):
        inflater = Inflater(gzip, b"\x1f\x8b")
        inflater.give(member + bytes(2000) + member + rest)
        assert (inflater.take_all(100), inflater.is_over) == (b"abcabc", True)


def test_beginning_of_gzip():
    packed = standard_gzip.compress(BODY)
    assert beginning_of_gzip(packed, 10) == BODY[:10]
    assert beginning_of_gzip(b"\x1f\x8bnonsense", 10) == b""
    assert beginning_of_gzip(b"", 10) == b""


# ------------------------------------------------------------------ members of a zip

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def archive_of(method: int, body: bytes = BODY) -> zipfile.ZipFile:
    """Return an archive of one member, as zipfile writes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a", body)
    return zipfile.ZipFile(stream)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("most", [0, 1, 9999, len(BODY), len(BODY) + 1])
def test_members_of_each_method(method, most):
    archive = archive_of(method)
    assert read_member(archive, archive.getinfo("a"), most) == archive.read("a")[:most]


@pytest.mark.parametrize("method", METHODS)
def test_a_member_with_another_checksum_is_damaged(method):
    archive = archive_of(method)
    info = archive.getinfo("a")
    info.CRC ^= 1
    with pytest.raises(DamagedError, match="CRC-32"):
        read_member(archive, info, 1 << 20)
    assert read_member(archive, info, 10) == BODY[:10], "a part has no checksum"


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_member_that_is_shorter_than_it_says_is_damaged(method):
    archive = archive_of(method)
    info = archive.getinfo("a")
    info.file_size += 1
    with pytest.raises(DamagedError, match=f"{len(BODY)} bytes of {len(BODY) + 1}"):
        read_member(archive, info, 1 << 20)


def test_an_unknown_method_is_named():
    archive = archive_of(zipfile.ZIP_DEFLATED)
    info = archive.getinfo("a")
    info.compress_type = 99
    with pytest.raises(NotImplementedError, match="compression method 99"):
        read_member(archive, info, 10)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x09\x14\x05\x00\x5d",
        b"\x09\x14\x04\x00\x5d\0\0\1\0",
        b"\x09\x14\x05\x00\xe1\0\0\1\0",
    ],
    ids=["empty", "cut off", "4 properties", "properties of 225"],
)
def test_headers_of_lzma_that_cannot_be(head):
    with pytest.raises(DamagedError, match="its LZMA"):
        lzma_of_zip(head, 1000)


def test_a_dictionary_of_lzma_is_no_larger_than_the_member():
    """4 GiB that a header asks for are not taken: APPNOTE 5.8.8 has version, size, properties."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 4096, "lc": 3, "lp": 0, "pb": 2}]
    stream = lzma.compress(b"abc" * 100, lzma.FORMAT_RAW, filters=filters)
    make, rest = lzma_of_zip(b"\x09\x14\x05\x00\x5d\xff\xff\xff\xff" + stream, 300)
    assert inflate(make, rest, 300)[0] == b"abc" * 100
