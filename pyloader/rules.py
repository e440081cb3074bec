"""Rules for the attribute values that an author gives: type, number of values, limits.

Type and number come from the field of `pyloader.image`, or from VR and VM of the DICOM keyword
(PS3.6 6). `LIMITS` says which values make sense.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from math import isfinite
from numbers import Integral, Real
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from pyloader.arrays import EXACT
from pyloader.dicom.keywords import vr_and_vm
from pyloader.errors import FormatError

KINDS: Mapping[str, type[Any]] = {
    **dict.fromkeys(("DS", "FD", "FL"), float),
    **dict.fromkeys(("IS", "SL", "SS", "SV", "UL", "US", "UV"), int),
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN"), str),
    **dict.fromkeys(("SH", "ST", "TM", "UC", "UI", "UR", "UT"), str),
}
NOUNS = {
    float: ("a number", "numbers"),
    int: ("an integer", "integers"),
    str: ("a text", "texts"),
    bool: ("True or False", "of True and False"),
    np.ndarray: ("an array of integers, one-dimensional and not empty", "arrays"),
}
SPACING = "above 0, in mm between rows, then between columns"
# Float pixels may be padded with NaN.
MAY_BE_NAN = frozenset({"pixel_padding_value", "pixel_padding_range_limit"})


def above_0(values: Sequence[Any]) -> bool:
    """Return whether all values are above 0."""
    return all(value > 0 for value in values)


def not_below_0(values: Sequence[Any]) -> bool:
    """Return whether no value is below 0."""
    return all(value >= 0 for value in values)


def among(*terms: Any) -> tuple[str, Callable[[Sequence[Any]], bool]]:
    """Return the limit of an attribute with enumerated values: a phrase and a check."""
    words = f"among {', '.join(map(repr, terms))}"
    return words, lambda values: all(term_of(value) in terms for value in values)


def term_of(value: Any) -> Any:
    """Return a value; a text stripped and in upper case, as DICOM writes its terms."""
    return value.strip().upper() if isinstance(value, str) else value


def are_orthonormal(cosines: Sequence[Any]) -> bool:
    """Return whether two directions have length 1 and a right angle (PS3.3 C.7.6.2.1.1)."""
    across, down = np.reshape(np.asarray(cosines, "f8"), (2, 3))
    products = [across @ across, down @ down, across @ down]
    return bool(np.allclose(products, (1, 1, 0), rtol=0, atol=1e-3))


LIMITS: Mapping[str, tuple[str, Callable[[Sequence[Any]], bool]]] = {
    "bits_stored": ("above 0", above_0),
    "image_orientation_patient": (
        "of two directions of length 1 at a right angle: along a row, then along a column",
        are_orthonormal,
    ),
    "imager_pixel_spacing": (SPACING, above_0),
    "photometric_interpretation": among("MONOCHROME1", "MONOCHROME2", "RGB"),
    "pixel_aspect_ratio": ("above 0, the height of a pixel, then its width", above_0),
    "pixel_representation": among(0, 1),
    "pixel_spacing": (SPACING, above_0),
    "planar_configuration": among(0),
    "rescale_slope": ("other than 0", all),
    "slice_thickness": ("of at least 0, in mm", not_below_0),
    "voi_lut_function": among("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "window_width": ("above 0", above_0),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The type and number of an attribute's values.

    Attributes
    ----------
    kind : type
        float, int, str, bool, or a class.
    least, most : int, int or None
        How many there may be; None for any number.
    is_tuple : bool
        True when even a single value is stored as a tuple.
    is_optional : bool
        True when the attribute may be None.
    """

    kind: type[Any]
    least: int = 1
    most: int | None = 1
    is_tuple: bool = False
    is_optional: bool = True

    def says(self, name: str) -> str:
        """Return a phrase for the values that an attribute may have."""
        one, many = NOUNS.get(self.kind, (f"a {self.kind.__name__}", f"{self.kind.__name__}s"))
        noun = one if self.most == 1 else f"{self.least} {many}"
        if self.least != self.most:
            noun = many if self.most is None else f"{self.least} to {self.most} {many}"
        return " ".join([noun, *LIMITS.get(name, ())[:1]])


@cache
def field_rules(kind: type[Any]) -> Mapping[str, Rule]:
    """Return the rules of the fields of a dataclass."""
    hints = get_type_hints(kind)
    return {item.name: rule_of_hint(item.name, hints[item.name]) for item in fields(kind)}


def rule_of_hint(name: str, hint: Any) -> Rule:
    """Return the rule of a field: the type from its annotation, the number from DICOM's VM."""
    is_optional = isinstance(hint, UnionType)
    if is_optional:
        hint = next(each for each in get_args(hint) if each is not type(None))
    origin = get_origin(hint) or hint
    if origin is not tuple:
        return Rule(origin, is_optional=is_optional)
    known = keyword_rule(name)
    least, most = (known.least, known.most) if known else (0, None)
    return Rule(get_args(hint)[0], least, most, is_tuple=True, is_optional=is_optional)


@cache
def keyword_rule(name: str) -> Rule | None:
    """Return the rule of a DICOM keyword in snake_case; None for other names and other VRs."""
    vr, vm = vr_and_vm(name)
    kind = next((KINDS[each] for each in vr.split(" or ") if each in KINDS), None)
    if kind is None:
        return None
    least, _, most = vm.partition("-")
    if kind is str and vm != "1":
        return Rule(kind, 1, None)  # files have fewer or more than VM allows
    return Rule(kind, int(least), None if "n" in most else int(most or least))


def checked_fields(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked values for fields of a dataclass: Python numbers, and tuples for several.

    Raises
    ------
    FormatError
        A value breaks its rule.
    """
    rules = field_rules(kind)  # type: ignore[arg-type] # classes have a hash
    return {name: checked(name, value, rules[name]) for name, value in given.items()}


def check_part(part: Any) -> None:
    """Raise when a dataclass has values whose type or number does not fit their fields.

    Limits are not checked: a header that breaks them is described unchanged.
    """
    rules = field_rules(type(part))  # type: ignore[arg-type] # classes have a hash
    for name, rule in rules.items():
        value = getattr(part, name)
        if is_plainly(value, rule) or (value is None and rule.is_optional):
            continue
        if as_ruled(value, rule, name) is None:
            raise broken(name, value, rule)


def limit_faults(part: Any) -> Iterator[str]:
    """Yield an error text for each field of a dataclass that breaks its rule or its limits."""
    rules = field_rules(type(part))  # type: ignore[arg-type] # classes have a hash
    for name, rule in rules.items():
        try:
            if getattr(part, name) != ():
                checked(name, getattr(part, name), rule)
        except FormatError as error:
            yield str(error)


def checked(name: str, given: Any, rule: Rule, label: str = "") -> Any:
    """Return the value of an attribute, converted by its rule; None means absent.

    Raises
    ------
    FormatError
        The value breaks its rule or its limits; the text calls it `label`, else `name`.
    """
    found = as_ruled(given, rule, name)
    if given is None:
        return None
    values = found if isinstance(found, tuple) else (found,)
    if found is None or (name in LIMITS and not LIMITS[name][1](values)):
        raise broken(label or name, given, rule, name)
    return found


def is_plainly(value: Any, rule: Rule) -> bool:
    """Return whether a value is a single text or number that fits already, as nearly all do."""
    if type(value) is not rule.kind or rule.most != 1:
        return False
    if rule.kind is int:
        return abs(int(value)) <= EXACT
    return rule.kind is str or (rule.kind is float and isfinite(value))


def as_ruled(given: Any, rule: Rule, name: str, *, has_gaps: bool = False) -> Any:
    """Return a value converted by its rule; None when its type or number of values is wrong.

    With `has_gaps`, some of several values may be None, as in files.
    """
    if rule.kind is np.ndarray:
        is_table = isinstance(given, np.ndarray) and given.ndim == 1 and given.size > 0
        return given if is_table and given.dtype.kind in "iu" else None
    value = given.tolist() if isinstance(given, (np.ndarray, np.generic)) else given
    is_many = is_sequence(value)
    if is_many and rule.most == 1 and not rule.is_tuple:
        return None
    found = tuple(as_kind(each, rule.kind, name) for each in (value if is_many else (value,)))
    is_counted = rule.least <= len(found) and (rule.most is None or len(found) <= rule.most)
    is_absent = rule.most is None and not found
    gaps = value.count(None) if has_gaps and is_many else 0
    if found.count(None) > gaps or not (is_counted or is_absent):
        return None
    return found if rule.is_tuple or is_many else found[0]


def is_sequence(value: Any) -> bool:
    """Return whether a value is a sequence of values, not a text or bytes."""
    if isinstance(value, (tuple, list)):  # checking an abstract class takes ten times as long
        return True
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def broken(label: str, given: Any, rule: Rule, name: str = "") -> FormatError:
    """Return the error for a value that breaks its rule."""
    return FormatError(f"{label} is {rule.says(name or label)}, not {shown(given)}")


def as_kind(value: Any, kind: type[Any], name: str) -> Any:
    """Return one value converted to a type; None when it is of another type."""
    if kind is bool:
        return value if isinstance(value, bool) else None
    if kind is str:
        return str(value) if isinstance(value, str) else None
    if kind not in (int, float):
        return as_part(value) if isinstance(value, kind) else None
    if isinstance(value, bool):
        return None
    if kind is int and isinstance(value, Integral):
        return int(value) if abs(int(value)) <= EXACT else None
    # pydicom may give a Decimal, which is not a `Real`.
    is_number = isinstance(value, Real) or hasattr(value, "as_tuple")
    number = as_float(value) if is_number else None
    if number is None or not (isfinite(number) or name in MAY_BE_NAN):
        return None
    if kind is float:
        return number
    return int(number) if number.is_integer() and abs(number) <= EXACT else None


def as_float(value: Any) -> float | None:
    """Return a number as a float; None when it is too large, or a signalling NaN."""
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def as_part(value: Any) -> Any:
    """Return a value; check the fields of a dataclass, such as a lookup table."""
    if is_dataclass(value):
        check_part(value)
    return value


def check_windows(center: Sequence[float], width: Sequence[float]) -> None:
    """Raise when there are both centres and widths, but in different numbers."""
    if center and width and len(center) != len(width):
        raise FormatError(
            f"window_center has {len(center)} values and window_width {len(width)}: give both for "
            "each window"
        )


def shown(value: Any) -> str:
    """Return the repr of a value on one line, shortened, for an error text."""
    try:
        text = re.sub(r"\s+", " ", repr(value))
    except ValueError:  # an integer with more digits than Python converts
        text = f"a {type(value).__name__} that is too large"
    return text if len(text) <= 80 else f"{text[:77]}..."
