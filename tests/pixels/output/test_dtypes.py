"""The dtype that a viewer gets, and when a wanted dtype is not used."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader.pixels.output.delivery import Delivery, deliver
from tests.support.delivered import CT, image, rescaled


@pytest.mark.parametrize(
    ("dtype", "bits", "slope", "intercept", "expected"),
    [
        ("u1", 8, 1, 0, "u1"),
        ("u2", 8, 1, 0, "u1"),
        ("u2", 12, 1, 0, "i2"),
        ("u2", 16, 1, 0, "u2"),
        ("i2", 16, 1, 0, "i2"),
        ("i2", 8, 1, 0, "i2"),
        ("i2", 12, 1, 2048, "i2"),
        ("u2", 12, 1, -1024, "i2"),
        ("u2", 15, 1, 0, "i2"),
        ("u2", 15, 1, 1, "u2"),
        ("u2", 16, 1, -1024, "i2"),
        ("u2", 16, 1, 1, "u2"),
        ("u2", 16, 2, -1024, "f4"),
        ("i2", 16, 1, 32768, "u2"),
        ("u2", 12, 16, 0, "u2"),
        ("u2", 12, 17, 0, "f4"),
        ("u2", 12, -1, 0, "i2"),
        ("u2", 12, 0.5, 0, "f4"),
        ("u2", 12, 1, 0.5, "f4"),
        ("i4", 32, 1, 0, "f4"),
        ("f4", 32, 1, 0, "f4"),
        ("f8", 64, 1, 0, "f4"),
    ],
)
def test_dtype_follows_from_bits_slope_and_intercept(dtype, bits, slope, intercept, expected):
    lut = {"rescale_slope": float(slope), "rescale_intercept": float(intercept)}
    delivered = rescaled(image([0, 1], dtype, bits_stored=bits, **lut))
    assert delivered.pixels.dtype == expected
    assert delivered.pixels.tolist() == [[intercept, slope + intercept]]


@pytest.mark.parametrize("values", [[0, 0], [0, 4095], [1000, 1001]])
def test_slices_of_a_series_have_one_dtype(values):
    assert rescaled(image(values, **CT)).pixels.dtype == np.int16


def test_ends_of_a_dtype_do_not_wrap():
    delivered = rescaled(image([-32768, 32767], "i2", rescale_intercept=32768.0))
    assert delivered.pixels.tolist() == [[0, 65535]]


@pytest.mark.parametrize("wanted", ["uint16", "int16", "float32"])
def test_wanted_dtype_is_used_when_all_values_fit(wanted):
    delivered = rescaled(image([0, 4095], bits_stored=12), dtype=wanted)
    assert delivered.pixels.dtype == wanted
    assert delivered.pixels.tolist() == [[0, 4095]]


@pytest.mark.parametrize(
    ("values", "wanted"), [([0, 1024], "uint16"), ([0, 1400], "int8"), ([0, 4095], "uint8")]
)
def test_wanted_dtype_is_not_used_when_a_value_does_not_fit(values, wanted):
    delivered = rescaled(image(values, **CT), dtype=wanted)
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[value - 1024 for value in values]]


def test_wanted_dtype_is_not_used_when_a_value_is_too_large():
    delivered = rescaled(image([0, 300], bits_stored=12), dtype="uint8")
    assert delivered.pixels.tolist() == [[0, 300]]


def test_floats_round_to_the_wanted_integers():
    stored = image([0, 1, 3], bits_stored=12, rescale_slope=0.6)
    delivered = rescaled(stored, dtype="int16")
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[0, 1, 2]]


def test_resampled_slices_keep_the_dtype_of_their_bits():
    slices = image(np.full((4, 4), 4095), bits_stored=12, rescale_intercept=-1024)
    small = deliver(slices, Delivery(rows=2, columns=2, rescale=True))
    assert small.pixels.dtype == "i2"
    assert small.pixels.max() == 4095 - 1024
    assert (small.pixel.rows, small.pixel.columns) == (2, 2)


def test_values_changed_within_their_dtype_may_use_all_its_bits():
    found = rescaled(image([[2000, -5]], "i2", bits_stored=12, rescale_slope=3))
    assert found.pixels.tolist() == [[6000, -15]]
    assert (found.pixel.bits_stored, found.pixel.high_bit) == (16, 15)


def test_unknown_dtype_is_ignored():
    assert deliver(image([[1]]), Delivery(dtype="uint8clamped")).pixels.dtype == "u2"


def test_wanted_dtype_is_used_without_rescaling_too():
    assert deliver(image([[1]]), Delivery(dtype="float32")).pixels.dtype == "f4"
