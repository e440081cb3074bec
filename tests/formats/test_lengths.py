"""Units of length by all their names, and affines that place no voxel."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader.formats.lengths import UNUSABLE, factors_of, is_unknown, millimetres_of, usable_affine


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mm", "MM", "millimeter", "Millimetre", "millimeters", '"mm"', " 'mm' "], 1.0),
        (["um", "µm", "μm", "micrometer", "Micrometres", "micron", "microns", "u", "UM"], 1e-3),
        (["nm", "nanometer", "NM"], 1e-6),
        (["m", "meter", "metres"], 1e3),
        (["cm", "centimeter", "CM"], 10.0),
        (["in", "inch", "inches", "IN"], 25.4),
        (["ft", "foot", "feet"], 12 * 25.4),
        (["yd", "yard", "yards"], 36 * 25.4),
        (["A", "Å", "\u212b", "angstrom", "ångström", "Angstroms"], 1e-7),
        (["mile", "miles"], 1760 * 36 * 25.4),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else str(each),
)
def test_names_of_a_unit(names, expected):
    assert [millimetres_of(name) for name in names] == [pytest.approx(expected)] * len(names)


@pytest.mark.parametrize("name", ["Mm", "mM", "s", "second", "pixel", "kg", "metermeter", "", "  "])
def test_other_names_are_no_length(name):
    assert millimetres_of(name) is None


@pytest.mark.parametrize("name", ["", "???", '"??"', "None", " unknown ", "Unspecified"])
def test_placeholders_count_as_millimetres(name):
    assert is_unknown(name)
    assert factors_of([name, "um"]) == [1, 1e-3]


def test_one_unit_that_is_no_length_leaves_no_factors():
    assert factors_of(["mm", "mm", "s"]) is None
    assert factors_of([]) == []


def test_an_affine_places_each_voxel_or_is_left_out_with_a_warning():
    affine = np.diag([0.5, 2.0, -3.0, 1.0])
    assert usable_affine(affine) == (affine, ())
    affine = affine.copy()
    affine[:3, 2] = affine[:3, 0]  # two axes in one direction
    assert usable_affine(affine) == (None, (UNUSABLE,))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_numbers_that_place_nothing(value):
    assert usable_affine(np.diag([1.0, 1.0, value, 1.0]))[0] is None
