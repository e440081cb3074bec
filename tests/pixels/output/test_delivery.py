"""Stored values to the form that a page asks for."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import Image
from pyloader.cli.report import facts_of
from pyloader.image import PlaneModule
from pyloader.pixels.output.delivery import Delivery, deliver
from tests.support import builders
from tests.support.delivered import CT, image, rescaled, with_table

# ------------------------------------------------------------------ options


def test_absent_options_keep_their_default():
    assert Delivery.from_options({}) == Delivery()
    assert Delivery.from_options({"rgba": None, "factor": None}) == Delivery()


def test_options_of_the_page():
    options = {"rgba": True, "factor": 0.5, "dtype": "int16", "rows": 2, "columns": 3, "else": 1}
    assert Delivery.from_options(options) == Delivery(
        rgba=True, factor=0.5, dtype="int16", rows=2, columns=3
    )


def test_options_may_be_false():
    assert Delivery.from_options({"rescale": False, "factor": 0.0}) == Delivery(factor=0.0)


def test_default_delivery_changes_nothing():
    stored = image([0, 4095], **CT)
    assert deliver(stored, Delivery()) == stored


@pytest.mark.parametrize(
    "delivery",
    [Delivery(), Delivery(rescale=True), Delivery(integers=True), Delivery(rgba=True)],
)
@pytest.mark.parametrize("samples", [(), (3,), (4,)])
def test_result_is_contiguous(delivery, samples):
    pixels = np.ones((8, 6, *samples), "u2")[::2, ::2]
    assert not pixels.flags.c_contiguous
    assert deliver(Image.from_array(pixels), delivery).pixels.flags.c_contiguous


# ------------------------------------------------------------------ colour


@pytest.mark.parametrize("name", ["segment", "general_series", "sop_common", "scaling"])
def test_modules_of_an_author_may_be_dataclasses(name):
    """Also under names of modules that delivery itself reads as mappings."""
    found = image([[1, 2]], pixel_padding_value=2, modules={name: PlaneModule()})
    for delivery in (Delivery(darken=True), Delivery(rescale=True, factor=None), Delivery()):
        assert deliver(found, delivery).modules == found.modules
    assert dict(facts_of(found))["dtype"].startswith("uint16")


def test_rgba_adds_opaque_alpha():
    pixels = builders.color(4, 6)
    delivered = deliver(Image.from_array(pixels), Delivery(rgba=True))
    assert np.array_equal(delivered.pixels[..., :3], pixels)
    assert (delivered.pixels[..., 3] == 255).all()
    assert delivered.pixel.samples_per_pixel == 4
    assert delivered.pixel.photometric_interpretation == "RGB"


def test_existing_alpha_is_kept():
    pixels = np.dstack([builders.color(4, 6), np.arange(24, dtype="u1").reshape(4, 6)])
    delivered = deliver(Image.from_array(pixels), Delivery(rgba=True))
    assert np.array_equal(delivered.pixels, pixels)


@pytest.mark.parametrize(("alpha", "seen"), [(255, 1), (0, 0), (51, 0.2)])
def test_rgb_of_rgba_is_blended_with_black(alpha, seen):
    pixels = np.dstack([builders.color(4, 6), np.full((4, 6), alpha, "u1")])
    delivered = deliver(Image.from_array(pixels), Delivery())
    assert np.abs(delivered.pixels - pixels[..., :3] * seen).max() <= 0.5
    assert delivered.pixel.samples_per_pixel == 3


def test_color_is_not_rescaled():
    delivered = rescaled(Image.from_array(builders.color(2, 2), rescale_slope=2.0))
    assert np.array_equal(delivered.pixels, builders.color(2, 2))
    assert not delivered.is_rescaled


# ------------------------------------------------------------------ size


def test_resample_takes_the_nearest_pixels():
    pixels = np.arange(24, dtype="u2").reshape(4, 6)
    delivered = deliver(Image.from_array(pixels), Delivery(rows=2, columns=3))
    assert delivered.pixels.tolist() == [[0, 2, 4], [12, 14, 16]]
    assert (delivered.pixel.rows, delivered.pixel.columns) == (2, 3)


def test_resample_may_enlarge():
    delivered = deliver(image([[1, 2], [3, 4]]), Delivery(rows=4, columns=2))
    assert delivered.pixels.tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]]


def test_resample_keeps_color_together():
    pixels = builders.color(4, 6)
    delivered = deliver(Image.from_array(pixels), Delivery(rows=2, columns=3))
    assert np.array_equal(delivered.pixels, pixels[::2, ::2])


@pytest.mark.parametrize("size", [(0, 0), (0, 3), (2, 0), (4, 6)])
def test_no_size_or_the_same_keeps_the_array(size):
    stored = Image.from_array(np.arange(24, dtype="u2").reshape(4, 6))
    rows, columns = size
    assert deliver(stored, Delivery(rows=rows, columns=columns)).pixels is stored.pixels


# ------------------------------------------------------------------ integers


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
def test_integers_of_16_bits_stay(dtype):
    stored = image([0, 100], dtype, rescale_slope=2.0)
    delivered = deliver(stored, Delivery(integers=True))
    assert delivered.pixels is stored.pixels
    assert delivered.modality_lut == stored.modality_lut


def test_wide_integers_of_small_values_become_narrow():
    stored = image([-5, 300], "i4", rescale_slope=2.0)
    delivered = deliver(stored, Delivery(integers=True))
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[-5, 300]]
    assert delivered.modality_lut == stored.modality_lut
    assert delivered.pixel.bits_stored == 16


@pytest.mark.parametrize("dtype", ["i4", "u4", "f4", "f8"])
def test_wide_values_are_quantised_and_the_lut_undoes_it(dtype):
    values = np.linspace(0, 2e9, 1000).astype(dtype)
    stored = image(values, dtype, rescale_slope=0.5, rescale_intercept=-5e8)
    delivered = deliver(stored, Delivery(integers=True))
    lut = delivered.modality_lut
    assert delivered.pixels.dtype == np.uint16
    assert (delivered.pixels.min(), delivered.pixels.max()) == (0, 65535)
    found = delivered.pixels[0] * lut.slope + lut.intercept
    expected = values.astype("f8") * 0.5 - 5e8
    assert np.abs(found - expected).max() <= lut.slope * 0.51


def test_quantised_floats_below_zero():
    delivered = deliver(image([-1.5, 0, 1.5], "f4"), Delivery(integers=True))
    lut = delivered.modality_lut
    found = delivered.pixels[0] * lut.slope + lut.intercept
    assert np.allclose(found, [-1.5, 0, 1.5], atol=lut.slope)


def test_values_that_are_not_finite_are_quantised():
    values = [np.nan, 2.0, np.inf, -np.inf, 4.0]
    delivered = deliver(image(values, "f4"), Delivery(integers=True))
    assert delivered.pixels.tolist() == [[0, 0, 65535, 0, 65535]]


@pytest.mark.parametrize("value", [7.5, np.nan])
def test_constant_floats_are_quantised_too(value):
    delivered = deliver(image([value, value], "f4"), Delivery(integers=True))
    assert delivered.pixels.tolist() == [[0, 0]]
    assert delivered.modality_lut.intercept == (0 if np.isnan(value) else value)


def test_rescaled_floats_are_quantised_from_their_modality_units():
    stored = image([0, 1000], bits_stored=12, rescale_slope=0.5, rescale_intercept=10.0)
    delivered = deliver(stored, Delivery(rescale=True, integers=True))
    lut = delivered.modality_lut
    assert not delivered.is_rescaled
    assert np.allclose(delivered.pixels[0] * lut.slope + lut.intercept, [10, 510])


# ------------------------------------------------------------------ further cases


def test_resampled_wide_color_keeps_its_bits():
    wide = image(np.full((4, 4, 3), 4095), bits_stored=12)
    assert deliver(wide, Delivery(rows=2, columns=2)).pixels.max() == 255


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_stay_float(value):
    found = deliver(image([[1.5, value]], "f4"), Delivery(rescale=True, dtype="int16"))
    assert found.pixels.dtype == "f4"


def test_table_is_applied_for_viewers_of_integers():
    ct = with_table("1.2.840.10008.5.1.4.1.1.2")
    assert deliver(ct, Delivery(integers=True)).pixels.tolist() == [[7, 9]]
    assert deliver(ct, Delivery()).pixels.tolist() == [[0, 2]]


def test_table_of_projection_xray_is_not_for_display():
    angio = with_table("1.2.840.10008.5.1.4.1.1.12.1")
    assert deliver(angio, Delivery(integers=True)).pixels.tolist() == [[0, 2]]
