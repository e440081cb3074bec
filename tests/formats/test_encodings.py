"""Bytes, text, hexadecimal and compressed bytes to arrays of the length that is declared."""

from __future__ import annotations

import bz2
import gzip as standard_gzip
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest

from pyloader.errors import FormatError
from pyloader.formats.encodings import (
    bunzip2,
    check_shape,
    from_bytes,
    from_hex,
    from_text,
    gunzip,
)

I2 = np.dtype("<i2")
BODY = bytes(range(256)) * 20
WHAT = "the pixels"


# ------------------------------------------------------------------ shapes


def test_elements_are_counted_before_they_are_made(context):
    assert check_shape(context, (3, 4, 5), I2, WHAT) == 60
    assert check_shape(context, (), I2, WHAT) == 1
    with pytest.raises(FormatError, match=r"the pixels, \(1000, 1000\) of int16"):
        check_shape(replace(context, decoded_bytes=1_999_999), (1000, 1000), I2, WHAT)
    assert check_shape(replace(context, decoded_bytes=2_000_000), (1000, 1000), I2, WHAT) == 10**6


@pytest.mark.parametrize("shape", [(0,), (3, 0), (-1, 4), (2, -(10**30))])
def test_lengths_are_1_or_more(context, shape):
    with pytest.raises(FormatError, match="each length to be 1 or more"):
        check_shape(context, shape, I2, WHAT)


# ------------------------------------------------------------------ bytes


def test_elements_are_not_copied():
    body = bytearray(b"\0\1\0\2\0\3\0")
    found = from_bytes(body, np.dtype("<u2"), 2, WHAT, 1)
    body[1] = 9
    assert found.tolist() == [9, 2]


@pytest.mark.parametrize(("start", "there"), [(0, 6), (1, 5), (6, 0), (99, 0), (-2, 6)])
def test_bytes_that_are_missing_are_counted(start, there):
    with pytest.raises(FormatError, match=rf"{there} bytes of pixels, expected 8 \(4 of int16\)"):
        from_bytes(bytes(6), I2, 4, WHAT, start)


# ------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [
        (b"1 2\n3\t-4 ", "i2", [1, 2, 3, -4]),
        (b"1,2,3,4", "u1", [1, 2, 3, 4]),
        (b"1.5 -2e3 nan .25", "f8", [1.5, -2000, np.nan, 0.25]),
        (b"7.0 8. 1e2 0", "u1", [7, 8, 100, 0]),
        (b"-9223372036854775808 9223372036854775807 0 1", "i8", [-(2**63), 2**63 - 1, 0, 1]),
    ],
)
def test_numbers_of_a_text(text, dtype, expected):
    found = from_text(text, np.dtype(dtype), 4, WHAT)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array(expected, dtype))


@pytest.mark.parametrize(
    ("text", "dtype", "reason"),
    [
        (b"1 2 3", "u1", "3 numbers written out, expected 2"),
        (b"1", "u1", "1 numbers written out, expected 2"),
        (b"", "u1", "numbers"),
        (b"1 x", "u1", "something other than numbers"),
        (b"1 2 \0", "u1", "something other than numbers"),
        (b"1 2.5", "u1", "numbers that are not integers"),
        (b"1 256", "u1", "do not fit uint8"),
        (b"1 -1", "u2", "do not fit uint16"),
        (b"1 1e300", "i4", "not integers"),
    ],
)
def test_texts_that_are_refused(text, dtype, reason):
    with pytest.raises(FormatError, match=reason):
        from_text(text, np.dtype(dtype), 2, WHAT)


# ------------------------------------------------------------------ hexadecimal


@pytest.mark.parametrize("text", [b"0100FEff", b" 01 00\nfe\tff", b"0 1 0 0feff", b"0100FEff zz"])
def test_digits_of_a_text(text):
    assert from_hex(text, I2, 2, WHAT).tolist() == [1, -2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"0100", "cut off: 2 bytes of pixels, expected 4"),
        (b"0100f", "other than hexadecimal"),
        (b"0100fexx", "other than hexadecimal"),
        (b"0100fe\xff\xff", "other than hexadecimal"),
    ],
)
def test_digits_that_are_none(text, reason):
    with pytest.raises(FormatError, match=reason):
        from_hex(text, I2, 2, WHAT)


# ------------------------------------------------------------------ compressed bytes

PACKED = {
    "gzip": (gunzip, standard_gzip.compress(BODY)),
    "zlib": (gunzip, zlib.compress(BODY)),
    "bzip2": (bunzip2, bz2.compress(BODY)),
    "gzip of two members": (
        gunzip,
        standard_gzip.compress(BODY[:999]) + standard_gzip.compress(BODY[999:]),
    ),
    "gzip, zeros behind": (gunzip, standard_gzip.compress(BODY) + bytes(9)),
    "bzip2 of two streams": (bunzip2, bz2.compress(BODY[:999]) + bz2.compress(BODY[999:])),
}


@pytest.mark.parametrize("name", PACKED)
def test_streams_of_the_declared_size(name):
    unpack, body = PACKED[name]
    assert unpack(body, len(BODY), WHAT) == BODY


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize(
    ("size", "found"),
    [(len(BODY) + 1, f"{len(BODY)} bytes"), (len(BODY) - 1, f"more than {len(BODY) - 1} bytes")],
)
def test_another_size_is_refused(name, size, found):
    unpack, body = PACKED[name]
    with pytest.raises(FormatError, match=f"declares: {found}, expected {size}"):
        unpack(body, size, WHAT)


@pytest.mark.parametrize("name", ["gzip", "zlib", "bzip2"])
@pytest.mark.parametrize("kept", [0, 1, 0.5, -1])
def test_a_stream_that_is_cut_off_is_named(name, kept):
    unpack, body = PACKED[name]
    stop = int(len(body) * kept) if isinstance(kept, float) else kept
    with pytest.raises(FormatError, match="it is cut off"):
        unpack(body[:stop], len(BODY), WHAT)


@pytest.mark.parametrize("name", ["gzip", "zlib", "bzip2"])
def test_a_wrong_checksum_is_damage(name):
    unpack, body = PACKED[name]
    wrong = body[:-4] + bytes(each ^ 0xFF for each in body[-4:])
    with pytest.raises(FormatError, match="the pixels is damaged"):
        unpack(wrong, len(BODY), WHAT)


def test_no_more_than_the_declared_size_is_made():
    bomb = zlib.compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(FormatError, match="more than 10 bytes, expected 10"):
        gunzip(bomb, 10, WHAT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
