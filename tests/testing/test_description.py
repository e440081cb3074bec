"""Descriptions that contradict their image, or cannot be."""

from __future__ import annotations

import pytest

from pyloader.errors import FormatError
from tests.support.film import changed

DESCRIBE = "Image.from_array(pixels, pixel_spacing=(1, 2), window_center=9, window_width=5)"
REPLACED = "dataclasses.replace(image, pixel=dataclasses.replace(image.pixel, {}))"


def described(attributes: str) -> str:
    """Return the loader with other attributes."""
    return changed(DESCRIBE, f"Image.from_array(pixels, {attributes})")


def redescribed(attributes: str) -> str:
    """Return the loader with another pixel module than its array has."""
    replaced = REPLACED.format(attributes)
    return "import dataclasses\n" + changed(
        f"return {DESCRIBE}", f"image = {DESCRIBE}\n    return {replaced}"
    )


def placed(attributes: str, part: str = "plane=PlaneModule") -> str:
    """Return the loader with a module of its own making, whose limits no load looks at."""
    replaced = f"dataclasses.replace({DESCRIBE}, {part}({attributes}))"
    return "import dataclasses\nfrom pyloader.image import *\n" + changed(
        f"return {DESCRIBE}", f"return {replaced}"
    )


DESCRIPTIONS = {
    "bits": (described("bits_stored=4"), "values go from 7 to 18, but bits_stored=4 .* 0 to 15"),
    "spacing": (placed("pixel_spacing=(0, 1)"), r"pixel_spacing is 2 numbers above 0, .*\(0, 1\)"),
    "axes": (placed("image_orientation_patient=(1, 0, 0, 1, 0, 0)"), "at a right angle"),
    "lengths": (placed("image_orientation_patient=(2, 0, 0, 0, 1, 0)"), "of length 1"),
    "slope": (placed("rescale_slope=0", "modality_lut=ModalityLut"), "rescale_slope is .* not 0"),
    "windows": (described("window_center=1"), "window_center has 1 values, window_width 0"),
    "width": (
        placed("window_center=(1,), window_width=(0,)", "voi_lut=VoiLut"),
        r"window_width is numbers above 0, not \(0,\)",
    ),
}


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_wrong_description_fails(contract, case):
    source, text = DESCRIPTIONS[case]
    with pytest.raises(AssertionError, match=f"described wrongly:\n- .*{text}"):
        contract("test_image_agrees_with_its_description", source)


def test_all_that_is_wrong_is_told_at_once(contract):
    source = placed("pixel_spacing=(1, 0), slice_thickness=-1").replace(
        "pixel_spacing=(1, 2), window_center=9", "bits_stored=4, window_center=9"
    )
    expected = r"\n- values .*\n- pixel_spacing .*\n- slice_thickness"
    with pytest.raises(AssertionError, match=expected):
        contract("test_image_agrees_with_its_description", source)


REFUSED = {
    "more bits": (redescribed("bits_stored=17"), "bits_stored 17 .* of uint16, 16 bits"),
    "no bits": (redescribed("bits_stored=0"), "bits_stored 0 and"),
    "colour": (redescribed("photometric_interpretation='RGB'"), "'RGB', but its array is"),
    "spacings": (placed("pixel_spacing=(1, 1, 1)"), "pixel_spacing is 2 numbers"),
    "position": (placed("image_position_patient='abc'"), "image_position_patient is 3 numbers"),
    "nowhere": (placed("image_position_patient=(0, 0, np.nan)"), "is 3 numbers, not .* nan"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_description_of_another_kind_is_refused_by_the_load(contract, case):
    source, text = REFUSED[case]
    with pytest.raises(FormatError, match=f"{text}.* returned .*line"):
        contract("test_image_agrees_with_its_description", source)


def test_shape_that_is_not_the_array_fails(contract):
    with pytest.raises(Exception, match=r"is described as \(4, 4, 1\)"):
        contract("test_image_agrees_with_its_description", redescribed("rows=4"))
