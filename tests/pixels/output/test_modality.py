"""Modality units: slope, intercept and tables, and the description of the result."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader.image import LookupTable, ModalityLut
from pyloader.pixels.output.delivery import Delivery, deliver
from tests.support.delivered import CT, image, rescaled, with_table


def test_rescale_applies_slope_and_intercept():
    delivered = rescaled(
        image([0, 1024, 4095], bits_stored=12, rescale_slope=2.0, rescale_intercept=-1024.0)
    )
    assert delivered.pixels.tolist() == [[-1024, 1024, 7166]]
    assert delivered.is_rescaled


def test_rescaled_image_is_marked_even_if_unchanged():
    delivered = rescaled(image([1, 2]))
    assert delivered.pixels.tolist() == [[1, 2]]
    assert delivered.is_rescaled
    assert delivered.modality_lut == ModalityLut()


@pytest.mark.parametrize(
    ("stored", "slope", "intercept"),
    [
        ("u2", 1, -1024),
        ("u2", 3, -5),
        ("u2", 0.25, 7.5),
        ("u2", -16, 65520),
        ("i2", 1, 2048),
        ("i2", -2, 1),
    ],
)
def test_every_stored_value_is_mapped_exactly(stored, slope, intercept):
    values = np.arange(4096) - (2048 if stored == "i2" else 0)
    lut = {"rescale_slope": float(slope), "rescale_intercept": float(intercept)}
    delivered = rescaled(image(values, stored, bits_stored=12, **lut))
    assert np.array_equal(delivered.pixels[0].astype("f8"), values * slope + intercept)


def test_factor_multiplies_modality_units():
    stored = image([0, 100], bits_stored=12, rescale_slope=2.0, rescale_intercept=10.0)
    delivered = rescaled(stored, factor=0.25)
    assert delivered.pixels.dtype == np.float32
    assert delivered.pixels.tolist() == [[2.5, 52.5]]


def test_stored_pixels_are_not_written_to():
    stored = image([0, 4095], **CT)
    rescaled(stored)
    assert stored.pixels.tolist() == [[0, 4095]]


def test_rescaled_pixels_have_a_new_description():
    delivered = rescaled(image([0, 4095], photometric_interpretation="MONOCHROME1", **CT))
    assert delivered.pixel.photometric_interpretation == "MONOCHROME1"
    assert (delivered.pixel.bits_allocated, delivered.pixel.pixel_representation) == (16, 1)
    assert delivered.pixel.stored_range == (-32768, 32767)


def test_modality_lut_table_is_applied():
    table = LookupTable(10, 16, np.array([100, 300, 65535], "u2"))
    delivered = rescaled(image([0, 10, 11, 12, 500], lut=table))
    assert delivered.pixels.tolist() == [[100, 100, 300, 65535, 65535]]
    assert delivered.is_rescaled


def test_modality_lut_table_may_begin_below_zero():
    table = LookupTable(-2, 8, np.array([7, 8, 9], "u2"))
    delivered = rescaled(image([-5, -2, -1, 0, 5], "i2", lut=table))
    assert delivered.pixels.tolist() == [[7, 7, 8, 9, 9]]


def test_factor_multiplies_a_table_too():
    found = deliver(with_table(""), Delivery(rescale=True, factor=0.5))
    assert found.pixels.tolist() == [[3.5, 4.5]]
