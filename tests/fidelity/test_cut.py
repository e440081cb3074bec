"""Codestreams that are cut off: decoders go on with half an image, or never return."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Picture
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import (
    JPEG_PROGRESSIVE,
    JPEG_XL_LOSSLESS,
)
from pyloader.errors import DecodeError, FormatError
from pyloader.pixels.codestream.jpeg import read_jpeg
from pyloader.pixels.codestream.jpeg_truncation import is_suspect
from tests.support import builders
from tests.support.encoded import GREY8, GREY12, RGB, jpeg, loaded
from tests.support.reference import jpeg_writer


def whole_frames() -> dict[str, tuple[bytes, UID, np.ndarray, dict[str, Any]]]:
    """Return a frame of each codec, with its header."""
    found: dict[str, tuple[bytes, UID, np.ndarray, dict[str, Any]]] = {}
    for syntax, encode in builders.ENCODERS.items():
        bits = 8 if syntax == uid.JPEGBaseline8Bit else 12
        pixels = GREY8 if bits == 8 else GREY12
        found[UID(syntax).keyword] = (encode(pixels), UID(syntax), pixels, {"BitsStored": bits})
    ybr = {"PhotometricInterpretation": "YBR_FULL_422"}
    restarts = jpeg_writer.encode_lossless(GREY12, 12, jpeg_writer.Lossless(2, 1, 0))
    tiles = imagecodecs.htj2k_encode(GREY12, reversible=True, tile=(32, 32))
    constant = np.full((40, 48), 77, "u1")
    return found | {
        "progressive": (jpeg(RGB, progressive=True), JPEG_PROGRESSIVE, RGB, ybr),
        "colour": (jpeg(RGB), uid.JPEGBaseline8Bit, RGB, ybr),
        "mcu": (jpeg(RGB, restart_marker_blocks=2), uid.JPEGBaseline8Bit, RGB, ybr),
        "restarts": (restarts, uid.JPEGLossless, GREY12, {"BitsStored": 12}),
        "tiles": (tiles, uid.HTJ2KLossless, GREY12, {"BitsStored": 12}),
        "constant": (jpeg(constant), uid.JPEGBaseline8Bit, constant, {}),
        "rle": (builders.rle_encode_frame(RGB), uid.RLELossless, RGB, {}),
        "xl": (imagecodecs.jpegxl_encode(GREY8, lossless=True), JPEG_XL_LOSSLESS, GREY8, {}),
    }


WHOLE = whole_frames()


@pytest.mark.parametrize("name", WHOLE)
def test_codestream_that_is_cut_off_is_refused(name):
    """At many lengths: refused, or, where only the end marker is missing, the same image."""
    frame, syntax, pixels, attributes = WHOLE[name]
    expected = loaded(frame, pixels, syntax, **attributes).pixels
    # An odd frame is padded by a byte, which may be the one that was cut off.
    near_end = range(len(frame) - 8, len(frame))
    refused = 0
    lengths = {*np.linspace(4, len(frame) - 8, 40).astype(int).tolist(), *near_end}
    for length in sorted(length for length in lengths if length % 2 == 0):
        try:
            image = loaded(frame[:length], pixels, syntax, **attributes)
        except (DecodeError, FormatError):
            refused += 1
            continue
        assert length > len(frame) - 4, f"{length} of {len(frame)} bytes were taken for an image"
        assert np.array_equal(image.pixels, expected)
    assert refused > 15


@pytest.mark.parametrize("name", ["constant", "JPEGBaseline8Bit", "JPEGLosslessSV1", "colour"])
@pytest.mark.parametrize("kept", [0.5, 0.7, 0.9])
def test_jpeg_that_is_cut_off_and_has_an_end_is_refused(name, kept):
    """The missing part is grey, or goes on as the last sample did."""
    frame, syntax, pixels, attributes = WHOLE[name]
    scan = frame.index(b"\xff\xda") + 14
    cut = frame[: scan + int((len(frame) - scan) * kept)].rstrip(b"\xff")
    with pytest.raises(DecodeError, match="the data end before the last pixel"):
        loaded(cut + b"\xff\xd9", pixels, syntax, **attributes)


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_jpeg_without_its_last_restart_intervals_is_refused(end):
    """Cut between two of them, where nothing is broken."""
    frame, syntax, pixels, attributes = WHOLE["restarts"]
    places = [place for place in range(len(frame)) if frame[place : place + 2] == b"\xff\xd3"]
    assert len(places) == 5
    for place in places:
        with pytest.raises(DecodeError, match=r"restart markers, 39 were expected: the codestream"):
            loaded(frame[:place] + end, pixels, syntax, **attributes)


def test_progressive_jpeg_without_its_last_scans_is_refused():
    frame = jpeg(RGB, progressive=True)
    for count in range(2, frame.count(b"\xff\xda")):
        places = [index for index in range(len(frame)) if frame[index : index + 2] == b"\xff\xda"]
        cut = frame[: places[count - 1]] + b"\xff\xd9"
        with pytest.raises(DecodeError, match=r"scans of component \d+ are missing"):
            loaded(cut, RGB, JPEG_PROGRESSIVE, PhotometricInterpretation="YBR_FULL_422")


def test_broken_frames_leave_nothing_behind():
    """A broken frame, a good one, a broken one: never the pixels of another."""
    good = builders.ENCODERS[uid.JPEG2000Lossless](GREY12)
    other = builders.ENCODERS[uid.JPEG2000Lossless](GREY12[::-1])
    frames = [good[: len(good) // 2], other, good[:200], good]
    for index, expected in enumerate((None, GREY12[::-1], None, GREY12)):
        if expected is None:
            with pytest.raises(DecodeError, match=f"frame {index + 1}, JPEG 2000"):
                loaded(frames, GREY12, uid.JPEG2000Lossless, index, BitsStored=12)
        else:
            image = loaded(frames, GREY12, uid.JPEG2000Lossless, index, BitsStored=12)
            assert np.array_equal(image.pixels, expected)


def circle(value: int, columns: int = 48) -> np.ndarray:
    """Return noise in a circle, as CT has it, with one value around it."""
    down, across = np.mgrid[:64, :columns]
    inside = (down - 32) ** 2 + (across - columns / 2) ** 2 < 20**2
    noise = np.random.default_rng(5).integers(0, 4096, inside.shape)
    return np.where(inside, noise, value).astype("u2")


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("value", [0, 777])
def test_lossless_jpeg_with_one_value_around_is_cut_off_before_its_end_marker(predictor, value):
    """The rest would be filled with that value, as whole images have it."""
    pixels = circle(value)
    frame = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=12)
    body = frame.rstrip(b"\0")[:-2]
    refused = 0
    for length in range(len(frame) // 16, len(body), 7):
        try:
            image = loaded(body[:length] + b"\xff\xd9", pixels, uid.JPEGLossless, BitsStored=12)
        except (DecodeError, FormatError):
            refused += 1
        else:
            assert np.array_equal(image.pixels, pixels), f"{length} of {len(body)} bytes"
    assert refused > len(body) // 7 * 0.7


@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg_with_one_value_around_is_decoded_once(predictor):
    pixels = circle(777)
    frame = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=12)
    assert not is_suspect(frame, read_jpeg(frame), pixels)
    colors = np.stack([pixels // 16] * 3, axis=-1).astype("u1")
    frame = imagecodecs.jpeg8_encode(colors, lossless=True, predictor=predictor)
    assert not is_suspect(frame, read_jpeg(frame), colors)


def test_lossless_jpeg_cut_off_in_what_is_alike_at_its_start():
    """The data end with the codes of alike samples, but there are too few of them."""
    pixels = np.full((64, 48), 777, "u2")
    pixels[40:] = circle(777)[:24] + 5
    frame = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=12)
    start = read_jpeg(frame).scans[0].start
    for length in range(start + 40, start + 200, 10):
        with pytest.raises(DecodeError, match=r"cut off|before the last"):
            loaded(frame[:length] + b"\xff\xd9", pixels, uid.JPEGLossless, BitsStored=12)


@pytest.mark.parametrize("subsampling", ["4:2:2", "4:2:0"])
@pytest.mark.parametrize("columns", [33, 40, 49])
def test_colour_jpeg_whose_last_luminance_is_missing_is_refused(subsampling, columns):
    """Half chroma of the last column may be interpolated with that of the block before."""
    photo = np.random.default_rng(columns).integers(0, 256, (33, columns, 3)).astype("u1")
    whole = jpeg(photo, subsampling=subsampling)
    refused = 0
    for kept in range(len(whole) - 400, len(whole) - 2):
        frame = whole[:kept] + b"\xff\xd9"
        with Picture.open(BytesIO(frame)) as picture:
            luminance = np.asarray(picture.convert("YCbCr"))[-1, -1, 0]
        if luminance == 128:
            with pytest.raises(DecodeError):
                loaded(frame, photo, uid.JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL_422")
            refused += 1
    assert refused > 10
