"""Modules of an author: taken as they were meant, or refused with the attribute's name."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pydicom.valuerep import PersonName

from pyloader import Image
from pyloader.dicom.keywords import snake
from pyloader.errors import FormatError
from pyloader.image import (
    modules_of,
)
from pyloader.wire import wire_modules

GREY = np.zeros((2, 3), "i2")


def modules(attributes: Any, name: str = "odd") -> Mapping[str, Any]:
    """Return a module of an image, as an image has it."""
    return Image.from_array(GREY, modules={name: attributes}).modules[name]


@pytest.mark.parametrize(
    "given_modules",
    ["MR", [1], 5, {"general_series": "MR"}, {"general_series": [("modality", "MR")]}, {1: {}},
     {"odd": {2: 3}}, {"odd": {"a": {3: 4}}}, {"odd": None}, {"": {}}],
    ids=str,
)  # fmt: skip
def test_modules_are_mappings_of_mappings_by_name(given_modules):
    with pytest.raises(FormatError, match=r"modules?.*, such as \{"):
        Image.from_array(GREY, modules=given_modules)


LOOP: list[Any] = []
LOOP.append(LOOP)
FOREIGN = [
    *(object(), lambda: 1, {1, 2}, datetime.datetime(2026, 1, 1), 1j, 2**53 + 1, LOOP, PersonName),
    *(np.zeros(2, "c8"), np.zeros(2, object), np.zeros(2, "M8[s]"), np.zeros(2, "g"), range),
    *(Decimal("nan"), PersonName("A^B"), Exception(), (each for each in ())),
]


@pytest.mark.parametrize("value", FOREIGN, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("place", [lambda v: v, lambda v: [v], lambda v: {"x": (1, v)}])
def test_what_has_no_form_in_javascript_is_refused(value, place):
    with pytest.raises(FormatError, match=r"x of module 'odd' .*cannot cross to JavaScript"):
        modules({"x": place(value)})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(2), 2.0),
        (np.int64(2), 2),
        (np.bool_(1), True),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([True, False]), [True, False]),
        (Decimal("2.5"), 2.5),
        (2**53, 2**53),
        (MultiValue(str, ["a", "b"]), ["a", "b"]),
        (UID("1.2"), "1.2"),
        (None, None),
        ({"y": [1, (2.5, "c")]}, {"y": [1, (2.5, "c")]}),
    ],
    ids=str,
)
def test_what_has_a_form_in_javascript_crosses(value, expected):
    found = modules({"x": value})["x"]
    assert found == expected
    wire_modules(modules_of(Image.from_array(GREY, modules={"odd": {"x": value}})))


@pytest.mark.parametrize("dtype", ["u1", "i8", "f2", ">i2", "f8"])
def test_arrays_cross(dtype):
    image = Image.from_array(GREY, modules={"odd": {"x": np.arange(3).astype(dtype)}})
    assert wire_modules(image.modules)["oddModule"]["x"].tolist() == [0, 1, 2]
    image = Image.from_array(GREY, modules={"odd": {"x": b"\1\2"}})
    assert wire_modules(image.modules)["oddModule"]["x"].tolist() == [1, 2]


NUMERIC = {"DS", "FD", "FL", "IS", "SL", "SS", "US"}
KEYWORDS = sorted(
    (snake(entry[4]), entry[0], entry[1])
    for entry in DicomDictionary.values()
    if entry[4] and not entry[3] and entry[0] in {*NUMERIC, "LO", "CS", "UI", "PN", "DA"}
)[::23]


@pytest.mark.parametrize(("name", "vr", "vm"), KEYWORDS)
def test_attributes_of_dicom_have_the_kind_that_its_dictionary_says(name, vr, vm):
    least = int(vm.split("-")[0])
    right: Any = 1 if vr in NUMERIC else "1"
    wrong: Any = "1" if vr in NUMERIC else 1
    value = right if least == 1 else [right] * least
    assert modules({name: value})[name] == value
    with pytest.raises(FormatError, match=f"^{name} of module 'odd' is .*, not "):
        modules({name: wrong if least == 1 else [wrong] * least})
    if vm == "1":
        with pytest.raises(FormatError, match=f"^{name} of module 'odd' is an? "):
            modules({name: [right, right]})


def test_name_that_was_a_keyword_once_may_be_of_another_thing():
    assert modules({"overlays": [{"rows": 2}]}) == {"overlays": [{"rows": 2}]}


def test_values_that_a_file_lacks_may_be_passed_on():
    found = {"image_type": ["DERIVED", None, "MPR"], "grid_frame_offset_vector": [0.0, None]}
    assert modules(found) == found
    with pytest.raises(FormatError, match="image_type of module 'odd' is texts, not"):
        modules({"image_type": ["DERIVED", 1]})


@pytest.mark.parametrize("name", ["image_pixel", "image_plane", "modality_lut", "voi_lut"])
def test_modules_that_an_image_has_by_itself(name):
    with pytest.raises(FormatError, match=f"has the module '{name}' by itself"):
        Image.from_array(GREY, modules={name: {}})


def test_no_integer_is_larger_than_javascript_has():
    for value in (2**53, -(2**53)):
        assert modules({"instance_number": value}) == {"instance_number": value}
    for value in (2**53 + 1, 10**400, -(10**400), Fraction(2**53 + 2)):
        for module in ({"instance_number": value}, {"patient_weight": 1.0, "x": value}):
            with pytest.raises(FormatError, match="odd"):
                modules(module)
