"""Completeness of JPEG data: scans, restart intervals, Huffman codes, and what may be filling."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest

from pyloader.pixels.codestream.jpeg import JpegHeader, Scan, read_jpeg
from pyloader.pixels.codestream.jpeg_truncation import (
    CANARIES,
    check_restarts,
    check_scans,
    check_whole,
    count_predicted_pixels,
    count_uniform_rows,
    count_units,
    is_suspect,
    may_be_filled,
    read_tables,
    with_canary,
    zero_codes,
)
from tests.support.encoded import GREY8, GREY12, RGB, jpeg
from tests.support.reference import jpeg_writer

# ISO 10918-1 Table K.3: the codes of luminance DC; K.4: of chrominance DC.
LUMINANCE_DC = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]) + bytes(range(12))
CHROMINANCE_DC = bytes([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]) + bytes(range(12))
LOSSLESS = jpeg_writer.encode_lossless(GREY12, 12, jpeg_writer.Lossless(1, 2, 0))


def header(**changes: Any) -> JpegHeader:
    """Return the header of grey baseline JPEG of 40 x 48 pixels, with changes."""
    return replace(read_jpeg(jpeg(GREY8)), **changes)


def scan(components: bytes, first: int = 0, last: int = 63, low_bit: int = 0) -> Scan:
    """Return a scan."""
    return Scan(components, bytes(len(components)), first, last, low_bit, 0, 0, 0)


# ------------------------------------------------------------------ scans


def test_each_component_has_a_scan():
    color = header(components=b"\1\2\3", sampling=(0x11,) * 3)
    check_scans(replace(color, scans=(scan(b"\1\2\3"),)))
    check_scans(replace(color, scans=(scan(b"\3"), scan(b"\1\2"))))
    with pytest.raises(ValueError, match="scans of component 2 are missing"):
        check_scans(replace(color, scans=(scan(b"\1"), scan(b"\3"))))


@pytest.mark.parametrize(
    ("bands", "is_whole"),
    [
        ([(0, 0, 0), (1, 63, 0)], True),
        ([(0, 0, 0), (1, 5, 0), (6, 63, 0)], True),
        ([(0, 0, 1), (1, 63, 2), (1, 63, 1), (0, 0, 0), (1, 63, 0)], True),
        ([(0, 0, 0), (1, 62, 0)], False),
        ([(0, 0, 0), (2, 63, 0)], False),
        ([(0, 0, 1), (1, 63, 0)], False),
        ([(0, 0, 0), (1, 63, 1)], False),
    ],
)
def test_progressive_scans_reach_every_coefficients_lowest_bit(bands, is_whole):
    found = header(process=0xC2, scans=tuple(scan(b"\1", *band) for band in bands))
    if is_whole:
        check_scans(found)
    else:
        with pytest.raises(ValueError, match="scans of component 1 are missing"):
            check_scans(found)


# ------------------------------------------------------------------ restart intervals


@pytest.mark.parametrize(
    ("sampling", "components", "expected"),
    [
        ((0x11,), b"\1", 5 * 6),
        ((0x22, 0x11, 0x11), b"\1\2\3", 3 * 3),
        ((0x21, 0x11, 0x11), b"\1\2\3", 5 * 3),
        ((0x22, 0x11, 0x11), b"\1", 5 * 6),
        ((0x22, 0x11, 0x11), b"\2", 3 * 3),
        ((0x41, 0x11, 0x11), b"\3", 5 * 2),
        ((0,), b"\1", 5 * 6),
    ],
)
def test_units_of_blocks_by_sampling(sampling, components, expected):
    """ISO 10918-1 A.2: a scan of one component counts its own blocks, of several the MCUs."""
    found = header(components=b"\1\2\3"[: len(sampling)], sampling=sampling)
    assert count_units(scan(components), found) == expected


def test_units_of_a_lossless_process_are_samples():
    assert count_units(scan(b"\1"), header(process=0xC3)) == 40 * 48


@pytest.mark.parametrize("frame", [LOSSLESS, jpeg(RGB, restart_marker_blocks=2)])
def test_a_restart_interval_that_is_missing_is_noticed(frame):
    found = read_jpeg(frame)
    check_restarts(frame, found)
    place = frame.index(b"\xff\xd1")
    damaged = frame[:place] + frame[place + 2 :]
    with pytest.raises(ValueError, match=r"a scan has \d+ restart markers, \d+ were expected"):
        check_restarts(damaged, read_jpeg(damaged))


# ------------------------------------------------------------------ Huffman codes


def test_tables_of_a_segment_by_their_index():
    segment = b"\x00" + LUMINANCE_DC + b"\x11" + CHROMINANCE_DC
    found = read_tables(segment)
    assert found == {
        0: (LUMINANCE_DC[:16], LUMINANCE_DC[16:]),
        1: (CHROMINANCE_DC[:16], CHROMINANCE_DC[16:]),
    }
    assert read_tables(segment[:17]) == {}
    assert read_tables(b"") == {}


def codes_of(table: bytes, tables: bytes = b"\0") -> list[str]:
    """Return the codes of difference 0 of a scan behind a table."""
    body = b"\0" + table
    frame = b"\xff\xd8\xff\xc4" + struct.pack(">H", len(body) + 2) + body
    return [*zero_codes(frame, replace(scan(b"\1"), tables=tables, start=len(frame)))]


def test_codes_of_difference_0():
    """Table K.3 has 00 for category 0, and so has K.4; with another order it is another code."""
    assert codes_of(LUMINANCE_DC) == ["00"]
    assert codes_of(CHROMINANCE_DC) == ["00"]
    assert codes_of(LUMINANCE_DC[:16] + bytes([1, 2, 3, 4, 5, 0, *range(6, 12)])) == ["110"]
    # One code of 2 bits (00), five of 3 (010 to 110), then 1110: the seventh.
    assert codes_of(LUMINANCE_DC[:16] + bytes([1, 2, 3, 4, 5, 6, 0, *range(7, 12)])) == ["1110"]
    assert codes_of(LUMINANCE_DC[:16] + bytes(range(1, 13))) == []


def test_each_component_has_the_code_of_its_own_table():
    assert codes_of(LUMINANCE_DC, tables=bytes([0x00, 0x00])) == ["00", "00"]
    assert codes_of(LUMINANCE_DC, tables=bytes([0x00, 0x10])) == ["00"]


# ------------------------------------------------------------------ filling


@pytest.mark.parametrize("shape", [(40, 5), (33, 7, 3), (1, 1), (16, 2)])
def test_uniform_rows_are_counted_from_the_last(shape):
    chance = random.Random(4)
    for _ in range(20):
        pixels = np.zeros(shape, "u1")
        start = chance.randrange(shape[0] + 1)
        if start:
            pixels[start - 1].flat[chance.randrange(pixels[0].size)] = 1
        expected = shape[0] - start
        if start == shape[0] and pixels[-1].all():
            expected = 1  # every sample of the last row is 1
        assert count_uniform_rows(pixels) == expected


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("samples", [1, 3])
def test_predicted_pixels_are_those_whose_difference_is_0(predictor, samples):
    """Compare with the prediction of the tests' own encoder."""
    chance = np.random.default_rng(predictor)
    pixels = chance.integers(0, 3, (12, 6, samples))
    pixels[7:] = 2
    pixels[7, :3] = chance.integers(0, 3, (3, samples))
    expected = (jpeg_writer.predict(pixels, predictor, 128) == pixels).all(axis=-1).ravel()
    # Rows are looked at as far as two before those that are all alike.
    seen = expected[-(count_uniform_rows(pixels) + 1) * 6 :]
    count = seen.size if seen.all() else int(np.argmin(seen[::-1]))
    found = count_predicted_pixels(pixels if samples > 1 else pixels[..., 0], predictor)
    assert found == count


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [
        ((128, 128, 128), True),
        ((128, 0, 0), True),
        ((90, 150, 120), True),  # luminance 128.6
        ((0, 255, 255), False),
        ((1, 2), True),
    ],
)
def test_colour_that_may_have_the_middle_of_luminance(pixel, expected):
    assert may_be_filled(np.array(pixel), 128) is expected


def test_images_that_end_with_something_else_are_not_suspect():
    for pixels in (GREY8, np.full((40, 48), 77, "u1")):
        frame = jpeg(pixels)
        assert not is_suspect(frame, read_jpeg(frame), imagecodecs.jpeg8_decode(frame))
    frame = jpeg(np.full((40, 48), 128, "u1"))
    assert is_suspect(frame, read_jpeg(frame), imagecodecs.jpeg8_decode(frame))


# ------------------------------------------------------------------ decoding again


def test_extra_bytes_stand_behind_the_data_and_before_the_end():
    frame = jpeg(GREY8)
    found = read_jpeg(frame)
    (only,) = found.scans
    changed = with_canary(frame, found, CANARIES[0])
    assert changed == frame[: only.end] + CANARIES[0] + frame[only.end :]
    cut = frame[: only.end - 30]
    assert with_canary(cut, read_jpeg(cut), b"canary") == cut.rstrip(b"\xff\0") + b"canary\xff\xd9"


def test_extra_bytes_stand_behind_each_restart_interval():
    changed = with_canary(LOSSLESS, read_jpeg(LOSSLESS), b"canary")
    assert changed.count(b"canary") == LOSSLESS.count(b"canary") + 20
    assert changed.count(b"canary\xff\xd9") == 1


def test_whole_data_are_decoded_once():
    frame = jpeg(GREY8)

    def decode(body: bytes) -> np.ndarray:
        raise AssertionError("decoded again")

    check_whole(frame, read_jpeg(frame), imagecodecs.jpeg8_decode(frame), decode)


def test_suspects_are_decoded_again():
    frame = jpeg(np.full((40, 48), 128, "u1"))
    asked: list[bytes] = []

    def decode(body: bytes) -> np.ndarray:
        asked.append(body)
        return np.asarray(imagecodecs.jpeg8_decode(body))

    check_whole(frame, read_jpeg(frame), decode(frame), decode)
    assert asked[1:] == [with_canary(frame, read_jpeg(frame), CANARIES[0])]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_data_that_are_cut_off_change_with_the_bytes_behind_them(kept):
    whole = jpeg(GREY8)
    (only,) = read_jpeg(whole).scans
    frame = whole[: only.start + int((only.end - only.start) * kept)].rstrip(b"\xff")
    found = read_jpeg(frame)
    pixels = imagecodecs.jpeg8_decode(frame + b"\xff\xd9")
    with pytest.raises(ValueError, match="the data end before the last pixel"):
        check_whole(frame, found, pixels, lambda body: imagecodecs.jpeg8_decode(body))


def test_no_canary_ends_the_data_or_looks_like_a_marker():
    for canary in CANARIES:
        assert 0 not in canary
        assert 0xFF not in canary
