"""Check the modules that an author gives: mappings whose values can cross to JavaScript.

A DICOM attribute has the type and number of values that the DICOM dictionary says. Any other name
may have any value that can cross.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from math import isfinite
from numbers import Integral
from typing import Any

import numpy as np

from pyloader.arrays import EXACT
from pyloader.errors import FormatError
from pyloader.rules import (
    as_float,
    as_ruled,
    broken,
    check_part,
    checked,
    is_plainly,
    is_sequence,
    keyword_rule,
    shown,
)

DEEPEST = 16
EXAMPLE = 'such as {"general_series": {"modality": "MR"}}'
# Modules that an image has as dataclasses; as mappings they come from an author only.
PARTS = frozenset({"image_pixel", "image_plane", "modality_lut", "voi_lut"})


def checked_modules(modules: Any) -> Mapping[str, Any]:
    """Return modules by name, with values that cross to JavaScript.

    DICOM attributes have the type and number of values that the DICOM dictionary says.

    Raises
    ------
    FormatError
        `modules` is not a mapping of mappings, or a value breaks its rule.
    """
    if not isinstance(modules, Mapping):
        raise FormatError(
            f"modules are a mapping of names to mappings, {EXAMPLE}, not {shown(modules)}"
        )
    found = {name_of(name): checked_module(name, module) for name, module in modules.items()}
    return same_or(modules, found)


def own_modules(modules: Any) -> Mapping[str, Any]:
    """Return an author's further modules, checked; raise for those that every image has."""
    found = {} if modules is None else checked_modules(modules)
    taken = PARTS & found.keys()
    if taken:
        raise FormatError(
            f"the image has the module {min(taken)!r} by itself: give its attributes, such as "
            "pixel_spacing=(0.5, 0.5), along with the array"
        )
    return found


def checked_module(name: str, module: Any) -> Any:
    """Return a checked module: its attributes by name, or a dataclass of `pyloader.image`."""
    if is_dataclass(module) and not isinstance(module, type):
        check_part(module)
        return module
    if not isinstance(module, Mapping):
        raise FormatError(
            f"modules are mappings of attributes to values, {EXAMPLE}, and {name!r} is "
            f"{shown(module)}"
        )
    found = {name_of(each): attribute(name, each, value) for each, value in module.items()}
    return same_or(module, found)


def same_or(given: Mapping[str, Any], found: dict[str, Any]) -> Mapping[str, Any]:
    """Return `given` if `found` has the same value objects, so that nothing is copied."""
    return given if all(given[name] is value for name, value in found.items()) else found


def attribute(module: str, name: str, value: Any) -> Any:
    """Return the value of an attribute of a module, checked and in a form that crosses."""
    rule = keyword_rule(name)
    if rule is not None and is_plainly(value, rule) and module not in PARTS:
        return value
    label = f"{name} of module {module!r}"
    plain = crossing(value, label)
    if rule is None or plain is None:
        return plain
    if module in PARTS:
        return checked(name, plain, rule, label)
    found = as_ruled(plain, rule, name, has_gaps=True)
    if found is None:
        raise broken(label, value, rule)
    return list(found) if isinstance(plain, list) else found


def name_of(name: Any) -> str:
    """Return a name as a plain `str`; raise when it is empty or not a text."""
    if not isinstance(name, str) or not name:
        raise FormatError(
            f"modules and their attributes are named by texts, {EXAMPLE}, not {shown(name)}"
        )
    return str(name)


def crossing(value: Any, label: str, depth: int = 0) -> Any:
    """Return a value in a form that JavaScript has.

    Raises
    ------
    FormatError
        JavaScript has no form for it.
    """
    if value is None or isinstance(value, (str, float, bool)):
        return value
    if isinstance(value, (np.ndarray, np.generic, bytes, bytearray)):
        return crossing_array(value, label)
    if is_dataclass(value) and not isinstance(value, type):
        check_part(value)
        return value
    number = crossing_number(value)
    if number is not None:
        return number
    if depth < DEEPEST and isinstance(value, (dict, Mapping)):
        return {name_of(name): crossing(part, label, depth + 1) for name, part in value.items()}
    if depth < DEEPEST and is_sequence(value):
        found = [crossing(part, label, depth + 1) for part in value]
        return tuple(found) if isinstance(value, tuple) else found
    raise FormatError(
        f"{label} has {shown(value)}, of type {type(value).__name__}, which cannot cross to "
        "JavaScript: give texts, numbers, True or False, lists and mappings of them, or arrays"
    )


def crossing_number(value: Any) -> int | float | None:
    """Return an integer that JavaScript has exactly, or a Decimal as a float; None for others."""
    if type(value) is int or isinstance(value, Integral):
        return int(value) if abs(int(value)) <= EXACT else None
    number = as_float(value) if hasattr(value, "as_tuple") else None
    return number if number is not None and isfinite(number) else None


def crossing_array(value: Any, label: str) -> Any:
    """Return bytes and arrays in a dtype that JavaScript has, numpy scalars as Python values."""
    array = np.frombuffer(value, "u1") if isinstance(value, (bytes, bytearray)) else value
    is_number = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8
    if not is_number and array.dtype.kind != "U":
        raise FormatError(
            f"{label} is of dtype {array.dtype}, which cannot cross to JavaScript: convert it, "
            "for example with .astype('f8')"
        )
    if array.ndim == 0 or array.dtype.kind in ("b", "U"):
        return array.tolist()
    if array.dtype.kind == "f":
        return array.astype("f4") if array.dtype.itemsize == 2 else array
    return array.astype("f8") if array.dtype.itemsize == 8 else array
