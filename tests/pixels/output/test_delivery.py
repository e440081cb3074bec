"""Stored values to what a page asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyloader import Image
from pyloader.cli.report import facts_of
from pyloader.image import LookupTable, ModalityLut, PlaneModule
from pyloader.pixels.color import to_8_bit, to_rgba
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.pixels.output.padding import value_range
from tests.support import builders

CT = {"bits_stored": 12, "rescale_slope": 1.0, "rescale_intercept": -1024.0}


def image(values: Any, dtype: str = "u2", **attributes: Any) -> Image:
    """Return an image of one row, or of an array."""
    return Image.from_array(np.atleast_2d(np.asarray(values, dtype)), **attributes)


def rescaled(found: Image, **delivery: Any) -> Image:
    """Deliver in modality units."""
    return deliver(found, Delivery(rescale=True, **delivery))


# ------------------------------------------------------------------ options


def test_options_that_are_not_there_keep_their_default():
    assert Delivery.from_options({}) == Delivery()
    assert Delivery.from_options({"rgba": None, "factor": None}) == Delivery()


def test_options_of_the_page():
    options = {"rgba": True, "factor": 0.5, "dtype": "int16", "rows": 2, "columns": 3, "else": 1}
    assert Delivery.from_options(options) == Delivery(
        rgba=True, factor=0.5, dtype="int16", rows=2, columns=3
    )


def test_options_may_say_no():
    assert Delivery.from_options({"rescale": False, "factor": 0.0}) == Delivery(factor=0.0)


def test_nothing_asked_changes_nothing():
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
    """Whatever they are named, and whatever is looked for in a mapping of that name."""
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


def test_alpha_that_is_there_is_kept():
    pixels = np.dstack([builders.color(4, 6), np.arange(24, dtype="u1").reshape(4, 6)])
    delivered = deliver(Image.from_array(pixels), Delivery(rgba=True))
    assert np.array_equal(delivered.pixels, pixels)


@pytest.mark.parametrize(("alpha", "seen"), [(255, 1), (0, 0), (51, 0.2)])
def test_rgb_of_rgba_is_seen_on_black(alpha, seen):
    pixels = np.dstack([builders.color(4, 6), np.full((4, 6), alpha, "u1")])
    delivered = deliver(Image.from_array(pixels), Delivery())
    assert np.abs(delivered.pixels - pixels[..., :3] * seen).max() <= 0.5
    assert delivered.pixel.samples_per_pixel == 3


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


def test_color_is_not_rescaled():
    delivered = rescaled(Image.from_array(builders.color(2, 2), rescale_slope=2.0))
    assert np.array_equal(delivered.pixels, builders.color(2, 2))
    assert not delivered.is_rescaled


def test_to_rgba_leaves_its_argument_alone():
    pixels = builders.color(2, 2)
    before = pixels.copy()
    to_rgba(pixels)[:] = 0
    assert np.array_equal(pixels, before)


# ------------------------------------------------------------------ rescale


def test_rescale_applies_slope_and_intercept():
    delivered = rescaled(
        image([0, 1024, 4095], bits_stored=12, rescale_slope=2.0, rescale_intercept=-1024.0)
    )
    assert delivered.pixels.tolist() == [[-1024, 1024, 7166]]
    assert delivered.is_rescaled


def test_rescale_says_so_also_when_nothing_changes():
    delivered = rescaled(image([1, 2]))
    assert delivered.pixels.tolist() == [[1, 2]]
    assert delivered.is_rescaled
    assert delivered.modality_lut == ModalityLut()


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
def test_class_follows_from_bits_slope_and_intercept(dtype, bits, slope, intercept, expected):
    lut = {"rescale_slope": float(slope), "rescale_intercept": float(intercept)}
    delivered = rescaled(image([0, 1], dtype, bits_stored=bits, **lut))
    assert delivered.pixels.dtype == expected
    assert delivered.pixels.tolist() == [[intercept, slope + intercept]]


@pytest.mark.parametrize("values", [[0, 0], [0, 4095], [1000, 1001]])
def test_slices_of_a_series_have_one_class(values):
    assert rescaled(image(values, **CT)).pixels.dtype == np.int16


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


def test_ends_of_a_class_do_not_wrap():
    delivered = rescaled(image([-32768, 32767], "i2", rescale_intercept=32768.0))
    assert delivered.pixels.tolist() == [[0, 65535]]


def test_factor_multiplies_modality_units():
    stored = image([0, 100], bits_stored=12, rescale_slope=2.0, rescale_intercept=10.0)
    delivered = rescaled(stored, factor=0.25)
    assert delivered.pixels.dtype == np.float32
    assert delivered.pixels.tolist() == [[2.5, 52.5]]


def test_stored_pixels_are_not_written_to():
    stored = image([0, 4095], **CT)
    rescaled(stored)
    assert stored.pixels.tolist() == [[0, 4095]]


def test_rescaled_pixels_are_described_as_they_are_now():
    delivered = rescaled(image([0, 4095], photometric_interpretation="MONOCHROME1", **CT))
    assert delivered.pixel.photometric_interpretation == "MONOCHROME1"
    assert (delivered.pixel.bits_allocated, delivered.pixel.pixel_representation) == (16, 1)
    assert delivered.pixel.stored_range == (-32768, 32767)


def test_modality_lut_table_is_baked():
    table = LookupTable(10, 16, np.array([100, 300, 65535], "u2"))
    delivered = rescaled(image([0, 10, 11, 12, 500], lut=table))
    assert delivered.pixels.tolist() == [[100, 100, 300, 65535, 65535]]
    assert delivered.is_rescaled


def test_modality_lut_table_may_begin_below_zero():
    table = LookupTable(-2, 8, np.array([7, 8, 9], "u2"))
    delivered = rescaled(image([-5, -2, -1, 0, 5], "i2", lut=table))
    assert delivered.pixels.tolist() == [[7, 7, 8, 9, 9]]


# ------------------------------------------------------------------ class wanted


@pytest.mark.parametrize("wanted", ["uint16", "int16", "float32"])
def test_wanted_class_is_kept_to_when_all_values_fit(wanted):
    delivered = rescaled(image([0, 4095], bits_stored=12), dtype=wanted)
    assert delivered.pixels.dtype == wanted
    assert delivered.pixels.tolist() == [[0, 4095]]


@pytest.mark.parametrize(
    ("values", "wanted"), [([0, 1024], "uint16"), ([0, 1400], "int8"), ([0, 4095], "uint8")]
)
def test_wanted_class_is_left_when_a_value_does_not_fit(values, wanted):
    delivered = rescaled(image(values, **CT), dtype=wanted)
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[value - 1024 for value in values]]


def test_wanted_class_is_left_when_a_value_is_too_large():
    delivered = rescaled(image([0, 300], bits_stored=12), dtype="uint8")
    assert delivered.pixels.tolist() == [[0, 300]]


def test_floats_round_to_the_wanted_integers():
    stored = image([0, 1, 3], bits_stored=12, rescale_slope=0.6)
    delivered = rescaled(stored, dtype="int16")
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[0, 1, 2]]


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


def test_what_is_no_number_becomes_the_smallest():
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


# ------------------------------------------------------------------ range


def test_range_of_integers():
    assert value_range(np.array([[3, -7], [5, 0]], "i2")) == (-7, 5)


def test_range_leaves_out_what_is_no_number():
    assert value_range(np.array([np.nan, 1, -np.inf, 2, np.inf])) == (1, 2)


def test_range_of_nothing_but_nan():
    assert value_range(np.array([np.nan])) == (0, 0)


def test_range_is_of_python_numbers():
    assert {type(end) for end in value_range(np.array([1, 2], "u1"))} == {int}
    assert {type(end) for end in value_range(np.array([1, 2], "f4"))} == {float}


# ------------------------------------------------------------------ what was wrong once


def test_resampled_wide_color_keeps_its_bits():
    wide = image(np.full((4, 4, 3), 4095), bits_stored=12)
    assert deliver(wide, Delivery(rows=2, columns=2)).pixels.max() == 255


def test_resampled_slices_keep_the_class_of_their_bits():
    slices = image(np.full((4, 4), 4095), bits_stored=12, rescale_intercept=-1024)
    small = deliver(slices, Delivery(rows=2, columns=2, rescale=True))
    assert small.pixels.dtype == "i2"
    assert small.pixels.max() == 4095 - 1024
    assert (small.pixel.rows, small.pixel.columns) == (2, 2)


def test_values_changed_within_their_dtype_may_use_all_its_bits():
    found = rescaled(image([[2000, -5]], "i2", bits_stored=12, rescale_slope=3))
    assert found.pixels.tolist() == [[6000, -15]]
    assert (found.pixel.bits_stored, found.pixel.high_bit) == (16, 15)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_float(value):
    found = deliver(image([[1.5, value]], "f4"), Delivery(rescale=True, dtype="int16"))
    assert found.pixels.dtype == "f4"


def test_class_that_nobody_knows_is_left_alone():
    assert deliver(image([[1]]), Delivery(dtype="uint8clamped")).pixels.dtype == "u2"


def test_class_is_kept_to_without_rescaling_too():
    assert deliver(image([[1]]), Delivery(dtype="float32")).pixels.dtype == "f4"


def with_table(sop_class: str) -> Image:
    """Return an image with a modality LUT as a table."""
    table = LookupTable(0, 16, np.array([7, 8, 9], "u2"))
    modules = {"sop_common": {"sop_class_uid": sop_class}}
    return Image.from_array(np.array([[0, 2]], "u2"), lut=table, modules=modules)


def test_viewer_of_integers_is_spared_the_table():
    ct = with_table("1.2.840.10008.5.1.4.1.1.2")
    assert deliver(ct, Delivery(integers=True)).pixels.tolist() == [[7, 9]]
    assert deliver(ct, Delivery()).pixels.tolist() == [[0, 2]]


def test_table_of_projection_xray_is_not_for_display():
    angio = with_table("1.2.840.10008.5.1.4.1.1.12.1")
    assert deliver(angio, Delivery(integers=True)).pixels.tolist() == [[0, 2]]


def test_factor_multiplies_a_table_too():
    found = deliver(with_table(""), Delivery(rescale=True, factor=0.5))
    assert found.pixels.tolist() == [[3.5, 4.5]]
