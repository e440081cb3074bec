"""The shape of pixels: their aspect ratio, and the spacing of a scanned film."""

from __future__ import annotations

import pytest

from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import parse_part10
from pyloader.loaders.instance_source import make_image
from pyloader.wire import wire_modules
from tests.support import builders

PIXELS = builders.ramp(4, 8)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(["2", "1"], (2, 1)), (["1", "3"], (1, 3)), (["1000", "977"], None)]
)
def test_the_aspect_ratio_crosses(ratio, expected):
    expected = expected or tuple(map(int, ratio))
    instance = parse_part10(builders.native(PIXELS, PixelAspectRatio=ratio))
    image = make_image(instance, 0)
    assert image.pixel.pixel_aspect_ratio == expected
    assert image.warnings == ()
    for modules in (header(instance, 0), header(parse_json(instance_json(instance.dataset)), 0)):
        assert wire_modules(modules)["imagePixelModule"]["pixelAspectRatio"] == list(expected)


@pytest.mark.parametrize(
    "ratio", [["0", "1"], ["1", "-1"], ["1", "100000"], ["0", "0"], ["1"], ["1", "2", "3"]]
)
def test_invalid_ratio_is_absent(ratio):
    image = make_image(parse_part10(builders.native(PIXELS, PixelAspectRatio=ratio)), 0)
    assert image.pixel.pixel_aspect_ratio is None
    assert len(image.warnings) == (len(ratio) == 2)


def test_the_spacing_of_a_film_crosses():
    instance = parse_part10(builders.native(PIXELS, NominalScannedPixelSpacing=["0.5", "0.25"]))
    image = make_image(instance, 0)
    assert image.plane.nominal_scanned_pixel_spacing == (0.5, 0.25)
    assert image.plane.pixel_spacing is None
    for modules in (header(instance, 0), header(parse_json(instance_json(instance.dataset)), 0)):
        plane = wire_modules(modules)["imagePlaneModule"]
        assert plane["nominalScannedPixelSpacing"] == [0.5, 0.25]
