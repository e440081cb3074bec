"""Native pixel data: planes, unused bits, and frames that are cut off."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
)

from pyloader.errors import FormatError
from tests.support import builders
from tests.support.loading import load


async def test_planar_color(context, transport):
    pixels = builders.color(24, 32)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    dataset = builders.header(pixels, PlanarConfiguration=1)
    dataset.PixelData = planes.tobytes()
    image = await load(context, transport, builders.part10(dataset, ExplicitVRLittleEndian))
    assert np.array_equal(image.pixels, pixels)


async def test_signed_samples_with_unused_bits(context, transport):
    pixels = builders.ramp(16, 16, bits=12, signed=True)
    dirty = (pixels & 0x0FFF).astype("i2")  # the upper four bits do not repeat the sign
    body = builders.native(dirty, BitsStored=12)
    image = await load(context, transport, body)
    assert np.array_equal(image.pixels, pixels)


async def test_truncated_native_file(context, transport):
    body = builders.native(builders.ramp(32, 32))
    with pytest.raises(FormatError, match=r"needs 2048 bytes .* 100 bytes are missing"):
        await load(context, transport, body[:-100])


async def test_complete_frames_of_a_truncated_file_load(context, transport):
    frames = np.stack([builders.ramp(16, 16)] * 3)
    body = builders.native(frames, NumberOfFrames=3)[:-10]
    assert np.array_equal((await load(context, transport, body, 2)).pixels, frames[1])
    with pytest.raises(FormatError, match=r"frame 3 needs .* 10 bytes are missing"):
        await load(context, transport, body, 3)
