"""Values that an author gives: taken as they were meant, or refused with the attribute's name."""

from __future__ import annotations

import datetime
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pydicom.valuerep import IS, DSdecimal, DSfloat

from pyloader import Image
from pyloader.dicom.keywords import snake
from pyloader.errors import FormatError
from pyloader.image import (
    PARTS,
    LookupTable,
    ModalityLut,
    PixelModule,
    PlaneModule,
    VoiLut,
)
from pyloader.rules import KINDS, as_kind, field_rules, keyword_rule
from pyloader.wire import wire_image

GREY = np.zeros((2, 3), "i2")
COLOR = np.zeros((2, 3, 3), "u1")
TABLE = LookupTable(0, 16, np.arange(4, dtype="u2"))
AXES = (1, 0, 0, 0, 1, 0)


def given(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of an image, as it has them."""
    image = Image.from_array(GREY, **attributes)
    parts = [getattr(image, part) for part in PARTS]
    found = [(name, part) for name in attributes for part in parts if hasattr(part, name)]
    return {name: getattr(part, name) for name, part in reversed(found)}


FIELDS = {(kind, name): rule for kind in PARTS.values() for name, rule in field_rules(kind).items()}
NONSENSE = [
    *(object(), {1: 2}, {1.0, 2.0}, lambda: 1, [[1, 2], [3, 4]], b"1", np.datetime64("2026")),
    *(datetime.date(2026, 1, 1), 1j, PlaneModule(), np.eye(2), [object()], (None, None)),
]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", sorted({name for _, name in FIELDS}))
def test_no_field_takes_nonsense(name, value):
    with pytest.raises(FormatError, match=f"^{name} is .*, not "):
        Image.from_array(GREY, **{name: value})


NUMBERS = sorted({name for (_, name), rule in FIELDS.items() if rule.kind in (int, float)})
OTHERS = sorted({name for (_, name), rule in FIELDS.items() if rule.kind is str})


@pytest.mark.parametrize("value", ["2", "", True, np.True_, ["1", "2", "3"], float("inf"), "abc"])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_a_text_or_a_truth_or_infinite(name, value):
    if name.startswith("pixel_padding") and value == float("inf"):
        pytest.skip("floats may be padded so")
    with pytest.raises(FormatError, match=f"^{name} is .*, not "):
        Image.from_array(GREY, **{name: value})


HUGE = [10**400, -(10**400), 10**5000, Fraction(10**400), Decimal("sNaN")]


@pytest.mark.parametrize("value", HUGE, ids=["1E400", "-1E400", "1E5000", "fraction", "sNaN"])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_larger_than_a_float(name, value):
    with pytest.raises(FormatError, match=f"^{name} is .*, not "):
        Image.from_array(GREY, **{name: value})


@pytest.mark.parametrize("name", sorted(n for (_, n), r in FIELDS.items() if r.kind is float))
def test_numbers_are_floats(name):
    assert as_kind(3, float, name) == 3
    assert type(as_kind(3, float, name)) is float


TABLES = [
    *(LookupTable(0, 16, entries) for entries in (None, [1, 2], "ab", np.zeros(0, "u2"))),
    *(LookupTable(0, 16, entries) for entries in (np.array(["a"]), np.zeros((2, 2), "u2"))),
    *(LookupTable(0, 16, entries) for entries in (np.zeros(2), np.zeros(2, object), np.uint16(1))),
    *(LookupTable(first, 16, TABLE.entries) for first in ("a", None, 1.5, 10**400)),
    *(LookupTable(0, bits, TABLE.entries) for bits in ("a", None, 1.5, 10**400)),
]


@pytest.mark.parametrize("table", TABLES, ids=map(str, range(len(TABLES))))
def test_tables_of_an_author_are_looked_at(table):
    text = r"^(entries|first_value_mapped|bits_per_entry) is "
    for attributes in ({"lut": table}, {"luts": (table,)}, {"luts": [TABLE, table]}):
        with pytest.raises(FormatError, match=text):
            Image.from_array(GREY, **attributes)
    good = Image.from_array(GREY)
    for part in ({"voi_lut": VoiLut(luts=(table,))}, {"modality_lut": ModalityLut(lut=table)}):
        with pytest.raises(FormatError, match=text):
            replace(good, **part).checked()


@pytest.mark.parametrize("name", ["window_center", "window_width", "luts"])
def test_fields_that_a_part_must_have_are_not_none(name):
    part = VoiLut(**{name: None})
    with pytest.raises(FormatError, match="not None"):
        replace(Image.from_array(GREY), voi_lut=part).checked()


@pytest.mark.parametrize("name", sorted({*NUMBERS} - {"pixel_padding_value"}))
def test_no_number_is_nan(name):
    if name == "pixel_padding_range_limit":
        pytest.skip("floats may be padded so")
    with pytest.raises(FormatError, match=f"^{name} is "):
        Image.from_array(GREY, **{name: float("nan")})


@pytest.mark.parametrize("value", [1, 2.5, True, ("a", 1)])
@pytest.mark.parametrize("name", OTHERS)
def test_no_text_is_a_number(name, value):
    with pytest.raises(FormatError, match=f"^{name} is .*text.*, not "):
        Image.from_array(GREY, **{name: value})


@pytest.mark.parametrize("name", sorted({name for _, name in FIELDS}))
def test_none_is_absent(name):
    assert Image.from_array(GREY, **{name: None}) is not None


COUNTS = {
    "pixel_spacing": 2,
    "imager_pixel_spacing": 2,
    "pixel_aspect_ratio": 2,
    "image_position_patient": 3,
    "image_orientation_patient": 6,
}


@pytest.mark.parametrize("name", COUNTS)
def test_fields_have_as_many_values_as_the_dictionary_says(name):
    count = COUNTS[name]
    right = AXES if count == 6 else (1,) * count
    assert given(**{name: right})[name] == right
    for wrong in ((), (1,) * (count - 1), (1,) * (count + 1), 1, 0.5):
        with pytest.raises(FormatError, match=f"^{name} is {count} "):
            Image.from_array(GREY, **{name: wrong})


LIMITS = {
    "pixel_spacing": ((0, 1), (1, -1), (0.0, 0.0)),
    "imager_pixel_spacing": ((0, 1), (-1, 1)),
    "pixel_aspect_ratio": ((0, 1), (1, -2), (0.5, 1)),
    "slice_thickness": (-1, -0.5),
    "rescale_slope": (0, 0.0),
    "window_width": (0, -400, (400, 0)),
    "bits_stored": (0, -1, 99, 17, 12.5),
    "high_bit": (3, 16, -1),
    "voi_lut_function": ("SIGMOD", ""),
    "photometric_interpretation": ("YBR_FULL", "RGB", "grey"),
    "pixel_representation": (0, 2),
    "planar_configuration": (1,),
    "rows": (3, -1, 2.5),
    "columns": (2,),
    "samples_per_pixel": (3,),
    "bits_allocated": (8, 12),
    "image_orientation_patient": (
        *((0, 0, 0, 0, 0, 0), (1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 0.1, 1, 0)),
        (0.9, 0, 0, 0, 0.9, 0),
    ),
}


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in LIMITS.items() for v in values]
)
def test_values_beyond_their_limits_are_refused(name, value):
    with pytest.raises(FormatError, match=f"^(the image .*)?({name}|described as)"):
        Image.from_array(GREY, **{name: value})


MEANT = {
    "numpy's": {"rescale_slope": np.float32(2), "slice_thickness": np.int16(3)},
    "an array": {"pixel_spacing": np.array([0.5, 0.25]), "window_center": np.array(40.0)},
    "pydicom's": {
        "pixel_spacing": MultiValue(DSfloat, ["0.5", "0.25"]),
        "rescale_slope": DSdecimal("2.5"),
        "bits_stored": IS("12"),
        "frame_of_reference_uid": UID("1.2.3"),
    },
    "Python's": {"rescale_slope": Fraction(1, 2), "rescale_intercept": Decimal("-1024")},
    "whole floats": {"bits_stored": 12.0, "smallest_pixel_value": -3.0},
    "a range": {"image_position_patient": range(3)},
    "truth": {"lossy_image_compression": np.True_},
    "directions of four digits": {"image_orientation_patient": (1, 0, 0, 0, 0.7071, -0.7071)},
    "no padding": {"pixel_padding_value": float("nan")},
    "tables": {"lut": TABLE, "luts": [TABLE]},
    "windows": {"window_center": [40, 400], "window_width": (80, 2000)},
}


def test_terms_in_small_letters_are_what_they_mean():
    assert given(voi_lut_function="sigmoid") == {"voi_lut_function": "SIGMOID"}


@pytest.mark.parametrize("attributes", MEANT.values(), ids=MEANT)
def test_what_was_meant_is_taken_as_python_has_it(attributes):
    found = given(**attributes)
    assert found.keys() == attributes.keys()
    for name, value in found.items():
        parts = value if isinstance(value, tuple) else (value,)
        assert {type(part) for part in parts} <= {int, float, str, bool, LookupTable}
        wanted = attributes[name]
        assert (
            np.array_equal(
                np.asarray(value, object), np.asarray(wanted, object).reshape(np.shape(value))
            )
            or value != value
        )
    wire_image(Image.from_array(GREY, **attributes))


def test_more_windows_than_widths():
    with pytest.raises(FormatError, match="window_center has 2 values and window_width 1"):
        Image.from_array(GREY, window_center=(1, 2), window_width=3)


def test_colour_is_no_grey():
    with pytest.raises(
        FormatError, match="photometric_interpretation 'MONOCHROME2', but its array"
    ):
        Image.from_array(COLOR, photometric_interpretation="MONOCHROME2")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"plane": (1, 2)}, "plane of an image is PlaneModule, not tuple"),
        ({"voi_lut": None}, "voi_lut of an image is VoiLut, not NoneType"),
        ({"modules": [1]}, "modules of an image is Mapping, not list"),
        ({"warnings": "text"}, "warnings of an image is tuple, not str"),
        ({"planes": PlaneModule()}, "no field 'planes' .* it has plane, "),
        ({"pixel": None}, "no field 'pixel' that can be changed"),
    ],
)
def test_other_fields_for_an_image(changes, text):
    with pytest.raises(FormatError, match=text):
        Image.from_array(GREY).with_pixels(GREY + 1, **changes)


# ------------------------------------------------------------------ all rules


def test_every_keyword_has_a_rule_that_can_be_read():
    found = {entry[0] for entry in DicomDictionary.values() if keyword_rule(snake(entry[4]))}
    assert KINDS.keys() <= {vr for each in found for vr in each.split(" or ")}


def test_parts_of_an_image_are_looked_at():
    good = Image.from_array(GREY)
    assert good.checked() is good
    wrong = [
        {"plane": PlaneModule(pixel_spacing=(0.5,))},
        {"plane": PlaneModule(pixel_spacing=0.5)},  # type: ignore[arg-type] -- the mistake
        {"voi_lut": VoiLut(window_center="40")},  # type: ignore[arg-type] -- the mistake
        {"pixel": PixelModule.of(GREY, bits_stored=99)},
        {"modules": {"odd": {"x": object()}}},
        {"plane": None},
        {"warnings": "text"},
    ]
    for changes in wrong:
        with pytest.raises(FormatError):
            good.__class__(**{**parts_of(good), **changes}).checked()


def parts_of(image: Image) -> dict[str, Any]:
    """Return the fields of an image."""
    return {item.name: getattr(image, item.name) for item in fields(image)}
