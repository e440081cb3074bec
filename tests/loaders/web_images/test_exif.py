"""Orientation of EXIF, compared with how Pillow turns an image."""

from __future__ import annotations

import struct

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from numpy.testing import assert_array_equal

from pyloader.loaders.web_images.exif import is_transposed, orientation_of, oriented
from tests.support import pictures

PIXELS = np.arange(6, dtype="u1").reshape(2, 3)


def exif(value: int, order: str = "<", tag: int = 0x0112, kind: int = 3) -> bytes:
    """Return a directory of two tags, the second one of Orientation (TIFF 6.0 section 2)."""
    magic = b"II*\0" if order == "<" else b"MM\0*"
    entries = [struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 7, 0)]
    entries.append(struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0))
    return magic + struct.pack(f"{order}IH", 8, 2) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_in_either_byte_order(value, order, prefix):
    assert orientation_of(prefix + exif(value, order)) == value


@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_as_pillow_writes_it(value):
    assert orientation_of(pictures.oriented(value).tobytes()) == value


@pytest.mark.parametrize(
    "body",
    [
        exif(0),
        exif(9),
        exif(6, tag=0x0113),
        exif(6, kind=4),
        b"",
        b"Exif\0\0",
        b"XX*\0" + exif(6)[4:],
        b"II*\0\xff\xff\xff\xff",
    ],
)
def test_other_blocks_leave_the_image_as_it_is(body):
    assert orientation_of(body) == 1


def test_a_block_that_is_cut_off_leaves_the_image_as_it_is():
    whole = exif(6)
    found = [orientation_of(whole[:stop]) for stop in range(len(whole))]
    first = found.index(6)
    assert first >= 8 + 2 + 12 + 10  # behind the header, the first tag, and the value itself
    assert set(found[:first]) == {1}
    assert set(found[first:]) == {6}


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("samples", [(), (3,)])
def test_pixels_are_turned_as_pillow_turns_them(value, samples):
    pixels = np.broadcast_to(PIXELS[..., None], (2, 3, 3)) if samples else PIXELS
    image = PIL.Image.fromarray(np.ascontiguousarray(pixels))
    image.getexif()[0x0112] = value
    found = oriented(pixels, value)
    assert_array_equal(found, np.asarray(PIL.ImageOps.exif_transpose(image)))
    assert is_transposed(value) is (found.shape[:2] == (3, 2))
    assert np.shares_memory(found, pixels)
