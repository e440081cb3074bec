"""Files of the races, made in code, with the SHA-256 of the pixels they were made of."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO

import numpy as np
from PIL import Image as Picture
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.support import builders, nifti_builders

SLICE = (512, 512)
BITS = 12
# Slices that differ; a longer series has each of them several times, at other addresses.
DISTINCT = 20
FRAMES = 120
FRAME = (480, 640)
VOLUME = (256, 256, 128)
# Name in the table -> transfer syntax, "" for none.
ENCODINGS = {
    "raw": "",
    "RLE": RLELossless,
    "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
}


@dataclass(frozen=True, slots=True)
class Made:
    """One file.

    Attributes
    ----------
    digests : tuple of str
        SHA-256 in hexadecimal of each of its images' pixels.
    pixel_bytes : int
        Of one image.
    """

    body: bytes
    digests: tuple[str, ...]
    pixel_bytes: int


def made(body: bytes, *images: np.ndarray) -> Made:
    """Return a file with the digests of its images."""
    found = tuple(sha256(np.ascontiguousarray(image)).hexdigest() for image in images)
    return Made(body, found, images[0].nbytes)


@cache
def ramp() -> np.ndarray:
    """Return the pixels that all slices are made of."""
    return builders.ramp(*SLICE, BITS)


@cache
def slice_of(encoding: str, index: int = 0) -> Made:
    """Make a slice; those of another `index` differ."""
    pixels = np.roll(ramp(), index * 7, axis=0)
    syntax = ENCODINGS[encoding]
    if syntax:
        return made(builders.encode(pixels, syntax, BitsStored=BITS), pixels)
    return made(builders.native(pixels, BitsStored=BITS), pixels)


@cache
def square(megabytes: float) -> Made:
    """Make one uncompressed image of about so many megabytes."""
    side = round((megabytes * 1e6 / 2) ** 0.5)
    pixels = np.resize(ramp(), (side, side))
    return made(builders.native(pixels, BitsStored=BITS), pixels)


@cache
def small() -> Made:
    """Make a slice of 128 x 128, as the smallest that scanners write."""
    pixels = builders.ramp(128, 128, 16, signed=True)
    return made(builders.native(pixels), pixels)


@cache
def photograph() -> Made:
    """Make a colour JPEG of one frame."""
    return film(1)


@cache
def film(count: int = FRAMES) -> Made:
    """Make a colour JPEG of many frames; what it holds is read back by Pillow."""
    pixels = builders.color(*FRAME)
    encoder = builders.ENCODERS[JPEGBaseline8Bit]
    frames = [encoder(np.roll(pixels, index * 4, axis=1)) for index in range(count)]
    body = builders.encapsulated(
        frames, pixels, JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL_422"
    )
    return made(body, *(np.asarray(Picture.open(BytesIO(frame))) for frame in frames))


@cache
def volume(compressed: bool) -> Made:
    """Make a NIfTI volume; its images are the slices as they are stored."""
    columns, rows, slices = VOLUME
    low = builders.ramp(rows, columns, BITS).astype("i2").T
    voxels = np.stack([np.roll(low, index, axis=0) for index in range(slices)], axis=2)
    body = nifti_builders.make(voxels).single
    images = [voxels[:, :, index].T for index in range(slices)]
    return made(gzip.compress(body, 6) if compressed else body, *images)
