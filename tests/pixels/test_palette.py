"""Palettes, entry by entry."""

from __future__ import annotations

import numpy as np

from tests.support import builders
from tests.support.loading import load


async def test_palette_of_16_bit_entries(context, transport):
    indices = np.arange(256, dtype="u1").reshape(16, 16)
    entries = np.arange(256, dtype="<u2") * 257
    body = builders.native(
        indices,
        PhotometricInterpretation="PALETTE COLOR",
        RedPaletteColorLookupTableDescriptor=[256, 0, 16],
        GreenPaletteColorLookupTableDescriptor=[256, 0, 16],
        BluePaletteColorLookupTableDescriptor=[256, 0, 16],
        RedPaletteColorLookupTableData=entries.tobytes(),
        GreenPaletteColorLookupTableData=entries[::-1].tobytes(),
        BluePaletteColorLookupTableData=bytes(512),
    )
    image = await load(context, transport, body)
    assert np.array_equal(image.pixels[..., 0], entries[indices])
    assert np.array_equal(image.pixels[..., 1], entries[::-1][indices])
    assert not image.pixels[..., 2].any()
    assert image.pixel.photometric_interpretation == "RGB"
