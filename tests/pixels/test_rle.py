"""RLE, byte by byte (PS3.5 G)."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    RLELossless,
)

from tests.support import builders
from tests.support.loading import load


@pytest.mark.parametrize("bits", [8, 16])
async def test_rle_bytes_are_joined_in_order(context, transport, bits):
    pixels = (np.arange(256, dtype="u8") * 16843009 % (1 << bits)).astype(f"u{bits // 8}")
    pixels = pixels.reshape(16, 16)
    body = builders.encode(pixels, RLELossless)
    assert np.array_equal((await load(context, transport, body)).pixels, pixels)
