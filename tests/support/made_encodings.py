"""One image of 12 bits in the transfer syntaxes that DCMTK does not read, or in unusual words."""

from __future__ import annotations

import zlib
from functools import partial

import imagecodecs
import numpy as np
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from tests.support import builders
from tests.support.reference.row import with_frames

WIDE = {"BitsStored": 12, "WindowCenter": 1500, "WindowWidth": 2400}
# Losses must not lead beyond 12 bits.
MIDDLE = builders.ramp(96, 80, 12).clip(64, 4000)
JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
ENCODERS: dict[str, builders.Encoder] = {
    **builders.ENCODERS,
    JPEG_XL_LOSSLESS: partial(imagecodecs.jpegxl_encode, lossless=True, bitspersample=12),
    ENCAPSULATED_UNCOMPRESSED: lambda pixels: pixels.tobytes(),
    DEFLATED_FRAMES: lambda pixels: zlib.compress(pixels.tobytes(), wbits=-15),
}
LOSSLESS = {
    ENCAPSULATED_UNCOMPRESSED: "encapsulated uncompressed",
    DEFLATED_FRAMES: "deflated frames",
    JPEGLossless: "JPEG lossless, predictor 6",
    JPEGLSLossless: "JPEG-LS",
    JPEG2000Lossless: "JPEG 2000, lossless",
    HTJ2KLossless: "HTJ2K, lossless",
    HTJ2KLosslessRPCL: "HTJ2K, lossless, RPCL",
    JPEG_XL_LOSSLESS: "JPEG XL, lossless",
}
LOSSY = {
    JPEGLSNearLossless: "JPEG-LS, near-lossless",
    JPEG2000: "JPEG 2000",
    HTJ2K: "HTJ2K",
}


def wide() -> bytes:
    """Make an image with a wide window."""
    return builders.native(MIDDLE, **WIDE)


def compressed(syntax: str) -> bytes:
    """Make the image of `wide` in a compressed transfer syntax."""
    return with_frames(builders.header(MIDDLE, **WIDE), [ENCODERS[syntax](MIDDLE)], syntax)


def shifted() -> bytes:
    """Make the image of `wide` with its 12 bits at the top of 16, and others below."""
    words = (MIDDLE << 4) | np.arange(16, dtype="u2").repeat(6)[:, None]
    dataset = builders.header(words, **WIDE)
    dataset.HighBit = 15
    dataset.PixelData = words.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return builders.part10(dataset, ExplicitVRLittleEndian)
