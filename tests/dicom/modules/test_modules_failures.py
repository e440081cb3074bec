"""A module reader that fails leaves out its module, and does not affect the image."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pyloader.dicom import modules
from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.parse import noting, parse_part10
from pyloader.errors import FormatError
from pyloader.image import ModalityLut, PlaneModule, VoiLut
from pyloader.loaders.instance_source import make_image
from tests.support import builders

PIXELS = builders.ramp(4, 8)
BODY = builders.native(PIXELS, PatientName="Doe", SliceThickness=3, WindowCenter=1, WindowWidth=2)
TABLES = ("PLAIN_READERS", "SPECIAL_MODULES", "SCALING_READERS", "IMAGE_READERS")
READERS = [(table, name) for table in TABLES for name in getattr(modules, table)]


def failing(error: Exception) -> Any:
    """Return a reader that fails."""

    def read(_: Frame) -> Any:
        raise error

    return read


def replaced(monkeypatch: pytest.MonkeyPatch, table: str, name: str, error: Exception) -> None:
    """Replace a module reader by one that fails."""
    read = failing(error)
    if isinstance(getattr(modules, table)[name], Memo):
        read = Memo(read)
    monkeypatch.setitem(getattr(modules, table), name, read)
    monkeypatch.setattr(modules.read_special, "_known", None)


@pytest.mark.parametrize(("table", "name"), READERS)
def test_a_failing_reader_leaves_out_its_module_each_time(monkeypatch, table, name):
    whole = parse_part10(BODY)
    expected = modules.header(whole, 0)
    replaced(monkeypatch, table, name, ZeroDivisionError("by 0"))
    for _ in range(3):
        instance = parse_part10(BODY)
        image = make_image(instance, 0)
        assert np.array_equal(image.pixels, PIXELS)
        note = f"module {name} cannot be read and is left out: ZeroDivisionError: by 0"
        assert image.warnings == (note,)
        with noting() as notes:
            found = modules.header(parse_part10(BODY), 0)
            of_json = modules.header(parse_json(instance_json(parse_part10(BODY).dataset)), 0)
        assert notes == [note]
        assert name not in {**found, **of_json}
        kept = [each for each in expected if each != name]
        assert [found[each] for each in kept] == [expected[each] for each in kept]


def test_an_image_without_its_modules_has_empty_ones(monkeypatch):
    for name in modules.IMAGE_READERS:
        replaced(monkeypatch, "IMAGE_READERS", name, OverflowError())
    image = make_image(parse_part10(BODY), 0)
    assert (image.plane, image.modality_lut) == (PlaneModule(), ModalityLut())
    assert image.voi_lut == VoiLut()
    assert len(image.warnings) == 3


def test_an_overlay_in_unused_bits_that_fails_leaves_the_image(monkeypatch):
    pixels = builders.ramp(4, 8, 12)
    overlay = {"BitsStored": 12}
    dataset = builders.header(pixels, **overlay)
    for element, vr, value in ((0x10, "US", 4), (0x11, "US", 8), (0x100, "US", 16)):
        dataset.add_new(0x60000000 | element, vr, value)
    dataset.add_new(0x60000102, "US", 12)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    body = builders.part10(dataset, "1.2.840.10008.1.2.1")

    def read(frame: Frame, words: Any = None) -> Any:
        raise IndexError("beyond")

    assert make_image(parse_part10(body), 0).modules["overlay_plane"]["overlays"]
    monkeypatch.setattr(modules, "read_overlays", read)
    image = make_image(parse_part10(body), 0)
    assert "overlays" not in image.modules.get("overlay_plane", {})
    assert image.warnings == (
        "module overlay_plane cannot be read and is left out: IndexError: beyond",
    )


def test_typed_errors_of_readers_are_raised(monkeypatch):
    replaced(monkeypatch, "SPECIAL_MODULES", "patient", FormatError("on purpose"))
    with pytest.raises(FormatError, match="on purpose"):
        make_image(parse_part10(BODY), 0)


def test_a_warning_that_is_an_error_is_one(monkeypatch):
    def read(_: Frame) -> Any:
        warnings.warn("of a reader", stacklevel=1)
        return {}

    monkeypatch.setitem(modules.PLAIN_READERS, "cine", read)
    with pytest.raises(UserWarning, match="of a reader"):
        modules.header(parse_part10(BODY), 0)
    assert make_image(parse_part10(BODY), 0).warnings == ("of a reader",)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_exceptions_that_end_the_program_are_raised(monkeypatch, error):
    replaced(monkeypatch, "SPECIAL_MODULES", "patient", error)
    with pytest.raises(type(error)):
        make_image(parse_part10(BODY), 0)
