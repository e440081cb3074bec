"""Decoding under CPython: every transfer syntax made in code, and errors."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    HTJ2K,
    MPEG2MPML,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
)

from pyloader import load_image
from pyloader.errors import DecodeError, FormatError, ImageIdError, UnsupportedError
from tests.support import builders
from tests.support.loading import load


def names(syntaxes: tuple[str, ...]) -> list:
    """Return parameters with readable ids."""
    return [pytest.param(syntax, id=UID(syntax).keyword) for syntax in syntaxes]


@pytest.mark.parametrize("syntax", names(builders.ALL))
async def test_grey(context, transport, syntax):
    body, pixels = builders.grey_file(syntax)
    image = await load(context, transport, body)
    expected = pixels if syntax in builders.NATIVE else builders.independent(body)
    assert image.pixels.dtype == pixels.dtype
    assert np.abs(image.pixels.astype(int) - expected).max() <= (syntax in builders.LOSSY)
    if syntax not in builders.LOSSY:
        assert np.array_equal(image.pixels, pixels)
    assert image.encoding.transfer_syntax_uid == syntax


@pytest.mark.parametrize("syntax", names(builders.COLOR))
async def test_color(context, transport, syntax):
    body, pixels = builders.color_file(syntax)
    image = await load(context, transport, body)
    expected = pixels if syntax in builders.NATIVE else builders.independent(body)
    bound = 3 if syntax == JPEGBaseline8Bit else int(syntax in builders.LOSSY)
    assert image.pixel.photometric_interpretation == "RGB"
    assert image.pixel.planar_configuration == 0
    assert np.abs(image.pixels.astype(int) - expected).max() <= bound


@pytest.mark.parametrize("syntax", names((*builders.NATIVE, JPEGLSLossless, JPEG2000Lossless)))
async def test_each_frame_is_its_own(context, transport, syntax):
    frames = np.stack([builders.ramp(24, 32) // (number + 1) for number in range(5)])
    if syntax in builders.NATIVE:
        body = builders.native(frames, syntax, NumberOfFrames=5)
    else:
        encoded = [builders.ENCODERS[syntax](frame) for frame in frames]
        body = builders.encapsulated(encoded, frames[0], syntax)
    for index, frame in enumerate(frames):
        image = await load(context, transport, body, index + 1)
        assert np.array_equal(image.pixels, frame), f"frame {index + 1}"
    assert len(transport.requests) == 1, "the file is fetched once for all its frames"


async def test_frames_without_offset_table(context, transport):
    frames = [builders.ramp(24, 32) // (number + 1) for number in range(4)]
    encoded = [builders.ENCODERS[JPEGLSLossless](frame) for frame in frames]
    body = builders.encapsulated(encoded, frames[0], JPEGLSLossless, offsets=False)
    image = await load(context, transport, body, 3)
    assert np.array_equal(image.pixels, frames[2])


@pytest.mark.parametrize("syntax", names((ExplicitVRLittleEndian, ImplicitVRLittleEndian)))
async def test_file_without_preamble_and_meta(context, transport, syntax):
    pixels = builders.ramp(16, 16, signed=True)
    body = builders.bare(builders.native(pixels, syntax))
    assert body[128:132] != b"DICM"
    image = await load(context, transport, body)
    assert np.array_equal(image.pixels, pixels)


# ------------------------------------------------------------------ bad input


async def test_size_that_disagrees_with_the_header(context, transport):
    small = builders.ramp(8, 8)
    frame = builders.ENCODERS[JPEG2000Lossless](small)
    body = builders.encapsulated([frame], builders.ramp(32, 32), JPEG2000Lossless)
    with pytest.raises(DecodeError, match=r"holds \(8, 8, 1\).*header says \(32, 32, 1\)"):
        await load(context, transport, body)


async def test_one_pixel_is_not_spread_over_the_frame(context, transport):
    frame = builders.ENCODERS[JPEGLSLossless](builders.ramp(1, 1))
    body = builders.encapsulated([frame], builders.ramp(32, 32), JPEGLSLossless)
    with pytest.raises(DecodeError, match="header says"):
        await load(context, transport, body)


async def test_broken_frame_leaves_nothing_behind(context, transport):
    pixels = builders.ramp(32, 32)
    good = builders.ENCODERS[JPEG2000Lossless](pixels)
    body = builders.encapsulated([good, b"\xff\x4f" + bytes(200), good], pixels, JPEG2000Lossless)
    await load(context, transport, body, 1)
    with pytest.raises(DecodeError, match=r"frame 2, JPEG 2000.*cannot be decoded"):
        await load(context, transport, body, 2)
    assert np.array_equal((await load(context, transport, body, 3)).pixels, pixels)


async def test_frame_out_of_range(context, transport):
    body = builders.native(builders.ramp(16, 16))
    with pytest.raises(ImageIdError, match="frame 2 was asked for, but the instance has 1 frame;"):
        await load(context, transport, body, 2)


async def test_video_is_unsupported(context, transport):
    body = builders.encapsulated([bytes(64)], builders.ramp(16, 16, 8), MPEG2MPML)
    with pytest.raises(UnsupportedError, match=r"MPEG2 .*1\.2\.840\.10008\.1\.2\.4\.100.*RLE"):
        await load(context, transport, body)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.999", "1.2.840.113619.5.22.4567"])
@pytest.mark.parametrize("frame", ["", "?frame=1"])
async def test_transfer_syntax_that_pydicom_does_not_know(context, transport, syntax, frame):
    """One transfer syntax of a later edition, and one private one."""
    known = HTJ2K.encode().ljust(24, b"\0")
    body = builders.encapsulated([bytes(64)], builders.ramp(16, 16, 8), HTJ2K)
    assert body.count(known) == 1
    transport.answers["https://host/file"] = body.replace(known, syntax.encode().ljust(24, b"\0"))
    with pytest.raises(UnsupportedError, match=rf"\({syntax}\) cannot be decoded; supported are"):
        await load_image(f"wadouri:https://host/file{frame}", context)


async def test_unsupported_photometric_interpretation(context, transport):
    dataset = builders.header(builders.color(8, 8), PhotometricInterpretation="HSV")
    dataset.PixelData = builders.color(8, 8).tobytes()
    with pytest.raises(UnsupportedError, match="'HSV' cannot be converted"):
        await load(context, transport, builders.part10(dataset, ExplicitVRLittleEndian))


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "PixelRepresentation"])
async def test_attribute_that_decoding_needs(context, transport, keyword):
    dataset = builders.header(builders.ramp(8, 8))
    delattr(dataset, keyword)
    dataset.PixelData = bytes(128)
    dataset["PixelData"].VR = "OW"
    with pytest.raises(FormatError, match=rf"\(0028,.*\) {keyword} is absent"):
        await load(context, transport, builders.part10(dataset, ExplicitVRLittleEndian))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is an HTML page"),
        (b"\n  <HTML><body>", "is an HTML page"),
        (bytes(range(256)) * 8, "cannot be read as a DICOM file"),
        (b"PNG", "cannot be read as a DICOM file"),
    ],
)
async def test_other_files_are_refused(context, transport, body, text):
    with pytest.raises(FormatError, match=text):
        await load(context, transport, body)
