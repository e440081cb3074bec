"""A buffer that takes a file in pieces and returns it decompressed, or as it is."""

from __future__ import annotations

import gzip
import random

import pytest

from pyloader.errors import FormatError
from pyloader.loaders.nifti.gunzip import GunzipBuffer

BODY = random.Random(2).randbytes(3000) + bytes(3000)
PACKED = gzip.compress(BODY)


def unpacked(body: bytes, size: int, most: int = 700) -> tuple[bytes, GunzipBuffer]:
    """Give a file in pieces of a size, and take all there is after each."""
    buffer, found = GunzipBuffer("a.nii"), bytearray()
    for start in range(0, len(body), size):
        buffer.give(body[start : start + size])
        while not buffer.is_starved and not buffer.is_over:
            part = buffer.take(most)
            assert len(part) <= most
            found += part
    return bytes(found), buffer


@pytest.mark.parametrize("size", [1, 2, 13, 5000, 100_000])
def test_gzip_is_decompressed_in_pieces_of_any_size(size):
    found, buffer = unpacked(PACKED, size)
    assert found == BODY
    assert (buffer.is_gzip, buffer.arrived, buffer.taken) == (True, len(PACKED), len(BODY))
    assert not buffer.is_within_member


@pytest.mark.parametrize("size", [1, 2, 13, 100_000])
@pytest.mark.parametrize("body", [BODY, b"\x1f\x8a" + BODY, b"\x1e\x8b" + BODY, b"\0" + PACKED])
def test_other_files_are_unchanged(size, body):
    found, buffer = unpacked(body, size)
    assert found == body
    assert (buffer.is_gzip, buffer.arrived, buffer.taken) == (False, len(body), len(body))


def test_a_single_byte_decides_nothing():
    buffer = GunzipBuffer("a.nii")
    buffer.give(b"\x1f")
    assert (buffer.is_gzip, buffer.is_starved, buffer.take(10)) == (None, True, b"")
    buffer.give(b"\x8b")
    assert buffer.is_gzip


@pytest.mark.parametrize("between", [b"", bytes(1), bytes(5000)])
def test_members_follow_each_other_with_zeros_between(between):
    body = gzip.compress(BODY[:999]) + between + gzip.compress(BODY[999:])
    assert unpacked(body, 100)[0] == BODY


def test_bytes_behind_the_last_member_are_left():
    found, buffer = unpacked(PACKED + b"tail", 50)
    assert found == BODY
    assert buffer.is_over


def test_the_checksum_is_part_of_the_member():
    found, buffer = unpacked(PACKED[:-8], 50)
    assert found == BODY
    assert buffer.is_within_member
    assert buffer.is_starved


def test_damage_names_the_file_and_the_place():
    wrong = bytearray(PACKED)
    wrong[-5] ^= 1
    with pytest.raises(FormatError, match=r"a\.nii is damaged: after \d{4} bytes .*data check"):
        unpacked(bytes(wrong), 5000, 700)


def test_what_was_decompressed_elsewhere_is_skipped():
    buffer = GunzipBuffer("a.nii")
    for part in (PACKED[:1], PACKED[1:100], PACKED[100:]):
        buffer.give(part)
    assert buffer.peek() == PACKED
    buffer.skip(len(BODY))
    assert (buffer.peek(), buffer.taken, buffer.is_starved) == (b"", len(BODY), True)
    buffer.give(gzip.compress(b"more"))
    assert buffer.take(10) == b"more"
