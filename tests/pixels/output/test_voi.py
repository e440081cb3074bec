"""Images as displayed, against pydicom's LUTs, which pyloader does not use for this."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.sequence import Sequence

from pyloader import Image, load_image
from pyloader.errors import FormatError
from pyloader.image import LookupTable, ModalityLut, VoiLut
from pyloader.pixels.codecs import encode_png
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.pixels.output.voi import display
from tests.support import builders, dcmtk
from tests.support.luts import item

CT = builders.ramp(40, 48, 12)
URL = "wadouri:https://host/a"


def image(values: Any, dtype: str = "i2", **attributes: Any) -> Image:
    """Return an image of one row, or of an array."""
    return Image.from_array(np.atleast_2d(np.asarray(values, dtype)), **attributes)


def shown(values: Any, dtype: str = "i2", **attributes: Any) -> list[int]:
    """Return one row of values as displayed."""
    return display(image(values, dtype, **attributes))[0].tolist()


def shown_of_file(values: Any, **voi_lut: Any) -> list[int]:
    """Return one row of values as displayed, with a VOI LUT written as in files."""
    return display(replace(image(values), voi_lut=VoiLut(**voi_lut)))[0].tolist()


def levels(dataset: Dataset, values: np.ndarray) -> np.ndarray:
    """Return pydicom's output of a VOI LUT, scaled to 0 to 255, not rounded."""
    bits = dataset.BitsStored
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        if dataset.PixelRepresentation
        else (
            0,
            (1 << bits) - 1,
        )
    )
    if "ModalityLUTSequence" not in dataset:
        ends = [end * dataset.get("RescaleSlope", 1) for end in (low, high)]
        low, high = (end + dataset.get("RescaleIntercept", 0) for end in ends)
    return (values - low) / (high - low) * 255


def assert_shown(found: np.ndarray, exact: np.ndarray) -> None:
    """Compare 8-bit pixels with unrounded levels."""
    assert found.dtype == np.uint8
    assert found.shape == exact.shape
    assert len(np.unique(found)) > 3, "a picture"
    assert np.abs(found - exact).max() <= 0.5 + 1e-6


# ------------------------------------------------------------------ windows


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("window", [(1000, 800), (40, 400), (300.5, 1), (1500, 4096.5)])
@pytest.mark.parametrize("rescale", [(1, -1024), (0.5, 10.25)])
async def test_window_follows_the_standard(context, transport, function, window, rescale):
    slope, intercept = rescale
    center, width = window[0] * slope + intercept, max(1, window[1] * slope)
    attributes = {"VOILUTFunction": function} if function else {}
    body = builders.native(
        CT,
        BitsStored=12,
        RescaleSlope=slope,
        RescaleIntercept=intercept,
        WindowCenter=center,
        WindowWidth=width,
        **attributes,
    )
    transport.answers["https://host/a"] = body
    dataset = dcmread(BytesIO(body))
    with np.errstate(over="ignore"):
        expected = apply_windowing(apply_modality_lut(CT, dataset), dataset)
    found = display(await load_image(URL, context))
    if width == 1 and function != "SIGMOID":
        assert set(np.unique(found)) <= {0, 255} or function == "LINEAR_EXACT"
        assert np.abs(found - levels(dataset, expected)).max() <= 0.5 + 1e-6
    else:
        assert_shown(found, levels(dataset, expected))


def test_linear_by_hand():
    """PS3.3 C.11.2.1.2.1: 0 up to c - 0.5 - (w - 1) / 2, full above c - 0.5 + (w - 1) / 2."""
    found = shown([0, 1, 2, 3, 4, 5, 6], window_center=3, window_width=4)
    assert found == [0, 0, 85, 170, 255, 255, 255]


def test_linear_of_width_one_is_a_threshold():
    assert shown([1, 2, 3, 4], window_center=3, window_width=1) == [0, 0, 255, 255]


def test_linear_exact_by_hand():
    found = shown(
        [0, 1, 2, 3, 4, 5], window_center=3, window_width=4, voi_lut_function="LINEAR_EXACT"
    )
    assert found == [0, 0, 64, 128, 191, 255]


def test_sigmoid_by_hand():
    found = shown(
        [-30000, 1, 3, 5, 30000], window_center=3, window_width=4, voi_lut_function="SIGMOID"
    )
    # 255 / (1 + exp(2)) and 255 / (1 + exp(-2))
    assert found == [0, 30, 128, 225, 255]


def test_sigmoid_does_not_overflow():
    found = shown([-30000, 0], window_center=0, window_width=0.001, voi_lut_function="SIGMOID")
    assert found == [0, 128]


def test_requested_window_comes_first():
    table = LookupTable(0, 8, np.zeros(4, "u2"))
    stored = image([0, 1, 2, 3], window_center=100, window_width=2, luts=(table,))
    assert display(stored, (2, 4))[0].tolist() == [0, 85, 170, 255]


def test_requested_window_keeps_the_function():
    stored = image([0, 1, 2, 3, 4, 5], voi_lut_function="LINEAR_EXACT")
    assert display(stored, (3, 4))[0].tolist() == [0, 0, 64, 128, 191, 255]


def test_window_is_in_modality_units():
    found = shown(
        [0, 500, 1000],
        rescale_slope=2,
        rescale_intercept=-1000,
        window_center=0.5,
        window_width=2001,
    )
    assert found == [0, 128, 255]


@pytest.mark.parametrize("intercept", [0, 100])
async def test_slope_of_0_is_no_rescale(context, transport, intercept):
    """DCMTK ignores the modality transformation then, too."""
    body = builders.native(
        CT, RescaleSlope=0, RescaleIntercept=intercept, WindowCenter=2000, WindowWidth=900
    )
    transport.answers["https://host/a"] = body
    found = await load_image(URL, context)
    assert len(found.warnings) == 1
    assert "RescaleSlope is 0" in found.warnings[0]
    assert found.modality_lut.is_identity
    assert_array_equal(deliver(found, Delivery(rescale=True)).pixels, CT)
    difference = display(found).astype(int) - dcmtk.render(body, "+Wi", "1")
    assert set(np.unique(difference)) <= {0, 1}


def test_slope_of_0_from_python_is_no_rescale():
    found = image([0, 50, 100], window_center=50, window_width=101)
    found = replace(found, modality_lut=ModalityLut(rescale_slope=0))
    assert display(found)[0].tolist() == [1, 129, 255]
    delivered = deliver(found, Delivery(rescale=True))
    assert delivered.pixels[0].tolist() == [0, 50, 100]
    assert deliver(found, Delivery()).modality_lut.rescale_slope is None
    assert "rescale_slope is 0" in delivered.warnings[0]


def test_values_that_are_rescaled_already_are_not_rescaled_again():
    stored = image([0, 1, 2, 3], rescale_intercept=1000.0, window_center=2, window_width=4)
    assert display(replace(stored, is_rescaled=True))[0].tolist() == [0, 85, 170, 255]


def test_first_of_many_windows():
    found = shown([0, 1, 2, 3], window_center=(2, 100), window_width=(4, 2))
    assert found == [0, 85, 170, 255]


@pytest.mark.parametrize("window", [(2, 0.5), (2, 0), (2, -4), (np.nan, 4), (2, np.inf)])
def test_invalid_window_is_refused(window):
    with pytest.raises(FormatError, match=r"centre .* cannot be used: for .* LINEAR .* at least 1"):
        display(image([0, 1, 2, 3]), window)


@pytest.mark.parametrize("width", [0, -1, 0.5])
def test_invalid_window_of_a_file_is_ignored(width):
    found = shown_of_file([0, 100, 200], window_center=(1,), window_width=(width,))
    assert found == [0, 128, 255]


@pytest.mark.parametrize("name", ["CURVE", "NONE", "LINEAR EXACT", "SIGMOIDAL", "1"])
def test_unknown_function_is_linear(name):
    """PS3.3 C.11.2.1.3 has Defined Terms, so files may have others; LINEAR is the default."""
    window = {"window_center": (3,), "window_width": (4,)}
    with pytest.warns(UserWarning, match=f"is '{name}'; known are LINEAR, LINEAR_EXACT, SIGMOID"):
        found = shown_of_file([0, 2, 3, 6], voi_lut_function=name, **window)
    assert found == shown_of_file([0, 2, 3, 6], **window)


@pytest.mark.parametrize("term", ["CURVE", "linear exact"])
async def test_unknown_function_refuses_no_file(context, transport, term):
    window = {"WindowCenter": "2000", "WindowWidth": "900"}
    transport.answers["https://host/b"] = builders.native(CT, **window)
    transport.answers["https://host/a"] = builders.native(CT, **window, VOILUTFunction=term)
    plain, odd = await load_image(URL[:-1] + "b", context), await load_image(URL, context)
    assert odd.warnings == (
        f"(0028,1056) VOI LUT Function is {term!r}; known are LINEAR, LINEAR_EXACT, SIGMOID: "
        "windows are taken as LINEAR",
    )
    assert_array_equal(display(odd), display(plain))
    doubled = Delivery(rescale=True, factor=2.0)
    assert deliver(odd, doubled).voi_lut == deliver(plain, doubled).voi_lut


# Five values from 0 to 1.
FRACTIONS = {
    "float64": {"values": [0, 0.25, 0.5, 0.75, 1], "dtype": "f8"},
    "float32": {"values": [0, 0.25, 0.5, 0.75, 1], "dtype": ">f4"},
    "slope": {"values": [0, 1, 2, 3, 4], "rescale_slope": 0.25},
    "intercept": {"values": [-1, 0, 1, 2, 3], "rescale_slope": 0.25, "rescale_intercept": 0.25},
}


@pytest.mark.parametrize("name", FRACTIONS)
def test_window_of_fractions_may_be_narrower_than_one(name):
    """LINEAR would divide by width - 1 (PS3.3 C.11.2.1.2.1)."""
    expected = [0, 0, 128, 255, 255]
    assert shown(**FRACTIONS[name], window_center=0.5, window_width=0.5) == expected
    function = {"voi_lut_function": "LINEAR", "window_center": (0.5, 9), "window_width": (0.5, 9)}
    assert shown(**FRACTIONS[name], **function) == expected
    assert display(image(**FRACTIONS[name]), (0.5, 0.5))[0].tolist() == expected


def test_window_of_fractions_from_1_on_follows_the_standard():
    values = [0.0, 0.5, 1.0, 1.5, 2.0]
    assert shown(values, "f8", window_center=1.5, window_width=2) == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("window", [(0.5, 0), (0.5, -0.5), (np.nan, 0.5)])
def test_invalid_window_of_fractions(window):
    with pytest.raises(FormatError, match="cannot be used"):
        display(image(**FRACTIONS["float64"]), window)


def test_function_in_small_letters_with_blanks():
    found = shown([0, 3, 6], window_center=3, window_width=4, voi_lut_function=" linear_exact ")
    assert found == [0, 128, 255]


# ------------------------------------------------------------------ tables


@pytest.mark.parametrize(("bits", "count"), [(10, 3000), (12, 3000), (16, 300)])
async def test_voi_table_follows_the_standard(context, transport, bits, count):
    entries = np.sort(np.random.default_rng(1).integers(0, 1 << bits, count))
    body = builders.native(
        CT,
        BitsStored=12,
        VOILUTSequence=Sequence([item(count, 500, bits, entries)]),
        WindowCenter=10,
        WindowWidth=10,
    )
    transport.answers["https://host/a"] = body
    expected = apply_voi(CT, dcmread(BytesIO(body))) / ((1 << bits) - 1) * 255
    assert_shown(display(await load_image(URL, context)), expected)


@pytest.mark.parametrize("packed", ["u1", "<u2"])
async def test_table_of_8_bits(context, transport, packed):
    """By hand: pydicom indexes such a table with 8 bits, whatever its length."""
    entries = np.arange(1000) // 4 + 3
    table = item(1000, 500, 8, entries)
    table.LUTData = entries.astype(packed).tobytes()
    transport.answers["https://host/a"] = builders.native(
        CT, BitsStored=12, VOILUTSequence=Sequence([table])
    )
    expected = entries[np.clip(CT.astype(int) - 500, 0, 999)]
    assert_array_equal(display(await load_image(URL, context)), expected)


async def test_modality_table_follows_the_standard(context, transport):
    entries = np.linspace(0, 40000, 4096).astype("u2") ** 2 % 50000
    sequence = Sequence([item(4096, 0, 16, entries, ModalityLUTType="US")])
    attributes = {"BitsStored": 12, "ModalityLUTSequence": sequence}
    body = builders.native(CT, WindowCenter=20000, WindowWidth=30000, **attributes)
    transport.answers["https://host/a"] = body
    dataset = dcmread(BytesIO(body))
    values = apply_modality_lut(CT, dataset).astype("f8")
    expected = np.clip((values - 19999.5) / 29999 + 0.5, 0, 1) * 255
    assert_shown(display(await load_image(URL, context)), expected)


def test_modality_table_of_projection_xray_is_not_for_display():
    table = LookupTable(0, 16, np.array([9, 9, 9, 9], "u2"))
    stored = image([0, 1, 2, 3], "u2", lut=table, window_center=2, window_width=4)
    xray = {"sop_common": {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.12.1"}}
    assert display(replace(stored, modules=xray))[0].tolist() == [0, 85, 170, 255]
    assert display(stored)[0].tolist() == [255] * 4


def test_table_has_ends():
    table = LookupTable(-2, 8, np.array([10, 20, 30], "u2"))
    assert shown([-100, -2, -1, 0, 100], luts=(table,)) == [10, 10, 20, 30, 30]


def test_table_with_entries_beyond_its_declared_bits():
    table = LookupTable(0, 8, np.array([0, 65535], "u2"))
    assert shown([0, 1], luts=(table,)) == [0, 255]


# ------------------------------------------------------------------ no window


def test_range_of_the_image():
    assert shown([-100, 0, 100]) == [0, 128, 255]


def test_constant_image_is_dark():
    assert shown([7, 7]) == [0, 0]


def test_bits_are_black_and_white():
    assert shown([0, 1], "u1", bits_stored=1) == [0, 255]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, [0, 223, 239, 255]),
        ({"pixel_padding_value": -2000}, [0, 0, 128, 255]),
        ({"pixel_padding_value": -2000, "pixel_padding_range_limit": -100}, [0, 0, 0, 0]),
        ({"pixel_padding_value": -100, "pixel_padding_range_limit": -2000}, [0, 0, 0, 0]),
    ],
)
def test_padding_is_left_out_of_the_range(attributes, expected):
    values = [-2000, -100, 0, 100] if len(attributes) < 2 else [-2000, -100, 0, 0]
    if not attributes:
        expected = [round((value + 2000) / 2100 * 255) for value in values]
    assert shown(values, **attributes) == expected


def test_image_of_padding_alone():
    assert shown([5, 5], pixel_padding_value=5) == [0, 0]


def test_padding_is_a_stored_value():
    found = shown([-2000, 0, 100], pixel_padding_value=-2000, rescale_intercept=-1000)
    assert found == [0, 0, 255]


def test_nan_is_shown_as_the_lowest():
    found = shown([np.nan, -np.inf, np.inf, 0.0, 0.5, 1.0], "f4")
    assert found == [0, 0, 0, 0, 128, 255]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_nan_within_a_window(function):
    found = shown(
        [np.nan, np.inf, 1.0, 9.0], "f8", window_center=2, window_width=2, voi_lut_function=function
    )
    assert found[:2] == [0, 0]
    assert found[3] == 255


def test_image_of_nan():
    assert shown([np.nan, np.inf], "f4") == [0, 0]


def test_nan_in_a_table():
    table = LookupTable(0, 8, np.array([50, 255], "u2"))
    assert shown([np.nan, 0, 1], "f4", luts=(table,)) == [0, 50, 255]


def test_large_integers():
    assert shown([0, 2**40, 2**41], "i8") == [0, 128, 255]


# ------------------------------------------------------------------ polarity and colour


def test_monochrome1_is_inverted():
    found = shown(
        [0, 1, 2, 3, 4], photometric_interpretation="MONOCHROME1", window_center=3, window_width=4
    )
    assert found == [255, 255, 170, 85, 0]


def test_stored_pixels_are_not_touched():
    stored = image([0, 1, 2], "f8", photometric_interpretation="MONOCHROME1")
    display(stored)
    assert stored.pixels.tolist() == [[0, 1, 2]]


def test_color_is_shown_unchanged():
    pixels = builders.color(5, 7)
    assert_array_equal(display(Image.from_array(pixels, window_center=1, window_width=2)), pixels)


def test_color_with_alpha():
    pixels = np.dstack([builders.color(5, 7), np.full((5, 7), 9, "u1")])
    assert_array_equal(display(Image.from_array(pixels)), pixels)


def test_color_of_16_bits_is_shown_by_its_bits_stored():
    wide = builders.color(5, 7).astype("u2")
    assert_array_equal(display(Image.from_array(wide << 8)), wide)
    assert_array_equal(display(Image.from_array(wide << 4, bits_stored=12)), wide)


def test_color_of_floats():
    assert shown_color([0.0, 0.5, 1.0]) == [0, 128, 255]


def shown_color(values: list[float]) -> list[int]:
    """Return one pixel of floats as displayed."""
    return display(Image.from_array(np.array(values, "f4").reshape(1, 1, 3))).ravel().tolist()


def test_pixels_that_are_not_square_keep_their_number():
    stored = image(np.zeros((4, 6)), pixel_spacing=(2.0, 1.0))
    assert display(stored).shape == (4, 6)


# ------------------------------------------------------------------ PNG


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3), (3, 5, 4)])
def test_png_holds_the_pixels(shape):
    pixels = np.arange(np.prod(shape), dtype="u1").reshape(shape)
    found = np.asarray(Pillow.open(BytesIO(encode_png(pixels))))
    assert_array_equal(found, pixels)


def test_png_of_pixels_that_are_not_contiguous():
    pixels = np.arange(60, dtype="u1").reshape(6, 10)[::2, ::-2].T
    assert_array_equal(np.asarray(Pillow.open(BytesIO(encode_png(pixels)))), pixels)
