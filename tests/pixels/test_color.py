"""Colour as a canvas shows it."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import Image
from pyloader.pixels.color import to_8_bit, to_rgba
from pyloader.pixels.output.delivery import Delivery, deliver
from tests.support import builders


@pytest.mark.parametrize(
    ("bits", "value", "expected"),
    [(16, 65535, 255), (16, 0x12FF, 0x12), (12, 4095, 255), (12, 0x7FF, 0x7F), (10, 1023, 255)],
)
def test_wide_color_keeps_its_upper_8_bits(bits, value, expected):
    wide = Image.from_array(np.full((2, 2, 3), value, "u2"), bits_stored=bits)
    delivered = deliver(wide, Delivery())
    assert delivered.pixels.dtype == np.uint8
    assert (delivered.pixels == expected).all()
    assert (delivered.pixel.bits_allocated, delivered.pixel.bits_stored) == (8, 8)


def test_float_color_is_from_0_to_1():
    values = np.array([-1, 0, 0.5, 1, 7], "f4")
    assert to_8_bit(values, 32).tolist() == [0, 0, 128, 255, 255]


def test_to_rgba_leaves_its_argument_alone():
    pixels = builders.color(2, 2)
    before = pixels.copy()
    to_rgba(pixels)[:] = 0
    assert np.array_equal(pixels, before)
