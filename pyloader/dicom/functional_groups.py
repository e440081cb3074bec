"""Resolve the functional groups of a frame (PS3.3 C.7.6.16), here and nowhere else.

A value is looked up in the frame's own macro, in the shared macro, in the attributes that a
converter left outside the macros, then at the top level. An attribute missing at the top level is
looked up in all of these, because enhanced objects moved it. The cost does not grow with the number
of frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from pyloader.dicom.keywords import snake
from pyloader.dicom.values import (
    NUMERIC,
    as_numbers,
    as_tuple,
    count_of,
    element_of,
    is_single,
    is_unusable,
    item_of,
    items_of,
    nth_of,
    tag_of,
    value_at,
    value_of,
    vr_of,
)

Module = dict[str, Any]
# Legacy converted objects keep attributes here that fit no macro (PS3.3 C.7.6.16.2.21, .22).
UNASSIGNED = (
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)


# Smallest possible pixel size in mm: atoms are larger.
SMALLEST = 1e-9


@dataclass(frozen=True)
class Frame:
    """One frame of a data set, with its functional groups.

    Attributes
    ----------
    dataset : Dataset
    index : int
        From 0.
    """

    dataset: Dataset
    index: int

    @property
    def byte_order(self) -> str:
        """Byte order of the data set as read: ``>`` for big endian, else ``<``."""
        return ">" if self.dataset.original_encoding[1] is False else "<"

    @cached_property
    def groups(self) -> tuple[Dataset, ...]:
        """The functional groups that apply to the frame: its own, then the shared ones."""
        return tuple(each for each in (self.own_groups, self.shared_groups) if each is not None)

    @cached_property
    def own_groups(self) -> Dataset | None:
        """The frame's own functional groups."""
        return item_of(self.dataset, "PerFrameFunctionalGroupsSequence", self.index)

    @cached_property
    def shared_groups(self) -> Dataset | None:
        """The functional groups that all frames share."""
        return item_of(self.dataset, "SharedFunctionalGroupsSequence")

    @cached_property
    def index_in_source(self) -> int | None:
        """The index, from 0, among all frames of a concatenation (C.7.6.16.2.2.4).

        Outside a concatenation it is `index`. It is None if a later part does not say how many
        frames precede it. Functional groups are indexed within the part.
        """
        before = self.integer("ConcatenationFrameOffsetNumber")
        if before is None:
            before = 0 if (self.integer("InConcatenationNumber") or 1) == 1 else -1
        return self.index + before if before >= 0 else None

    @cached_property
    def unassigned(self) -> tuple[Dataset, ...]:
        """The data sets with attributes of functional groups that are outside a macro."""
        found = (item_of(group, keyword) for keyword in UNASSIGNED for group in self.groups)
        return (*(each for each in found if each is not None), *self.groups)

    @cached_property
    def moved(self) -> Mapping[BaseTag, Dataset]:
        """The data set of the functional groups that has a tag, by tag; macros count least."""
        macros = (macro for group in reversed(self.groups) for macro in macros_of(group))
        owners = (*macros, *reversed(self.unassigned))
        return {tag: owner for owner in owners for tag in owner.keys()}  # noqa: SIM118

    def macro(self, group: str) -> Dataset | None:
        """Return the item of a functional group macro: the frame's own, else the shared one.

        An empty item counts as absent. Attributes of the two are not mixed: a window from one must
        not be combined with the VOI LUT function of the other.
        """
        found = (item_of(each, group) for each in self.groups)
        return next((item for item in found if item), None)

    def owners(self, group: str) -> tuple[Dataset, ...]:
        """Return the data sets that may have an attribute, in order of precedence.

        `group` names the macro of the attribute; "" means the top level.
        """
        if not self.groups:
            return (self.dataset,)
        if not group:
            return (self.dataset, *self.unassigned)
        macro = self.macro(group)
        return (*(() if macro is None else (macro,)), *self.unassigned, self.dataset)

    def items(self, keyword: str, group: str = "") -> tuple[Dataset, ...]:
        """Return the items of a sequence: from the macro `group` if given, else the top level."""
        if group:
            owners = self.owners(group)
            return next((tuple(items) for each in owners if (items := items_of(each, keyword))), ())
        found = items_of(self.dataset, keyword)
        if found or not self.groups:
            return tuple(found)
        owner = self.moved.get(tag_of(keyword))
        return () if owner is None else tuple(items_of(owner, keyword))

    def get(self, keyword: str, group: str = "") -> Any:
        """Return a plain value: from the macro `group` first, then from the top level."""
        for owner in self.owners(group) if group and self.groups else ():
            value = value_of(owner, keyword)
            if value is not None:
                return value
        value = value_of(self.dataset, keyword)
        if value is not None or group or not self.groups:
            return value
        elsewhere = self.moved.get(tag_of(keyword))
        return None if elsewhere is None else value_of(elsewhere, keyword)

    def text(self, keyword: str, group: str = "") -> str | None:
        """Return the first value as text; None when it is absent."""
        found = as_tuple(self.get(keyword, group))
        return str(found[0]) if found and found[0] is not None else None

    def nth(self, keyword: str) -> Any:
        """Return the value of this frame in a top-level attribute with one value for each frame."""
        before = self.values_before(keyword)
        return None if before is None else nth_of(self.dataset, keyword, before + self.index)

    def values_before(self, keyword: str) -> int | None:
        """Return the number of values before this part's first frame; None when unknown.

        It is not 0 if a part of a concatenation has the values of all parts.
        """
        source = self.index_in_source
        if source == self.index:
            return 0
        if count_of(self.dataset, keyword) <= (self.integer("NumberOfFrames") or 1):
            return 0
        return None if source is None else source - self.index

    def numbers(self, keyword: str, group: str = "", count: int = 0) -> tuple[float, ...] | None:
        """Return a value as floats; None when it is absent or not `count` numbers (any, if 0)."""
        return as_numbers(self.get(keyword, group), count)

    def number(self, keyword: str, group: str = "") -> float | None:
        """Return the first number of a value; None when it is absent."""
        found = self.numbers(keyword, group)
        return found[0] if found else None

    def unusable(self, keywords: Sequence[str], group: str = "") -> str | None:
        """Return the first keyword whose value was left out as invalid, None if all are valid.

        Attributes that belong together, such as slope and intercept, are useless when one of them
        is invalid: the other one alone has another meaning.
        """
        for keyword in keywords:
            for owner in self.owners(group):
                if is_unusable(owner, keyword):
                    return keyword
                if value_of(owner, keyword) is not None:
                    break
        return None

    def spacing(self, keyword: str, group: str = "") -> tuple[float, ...] | None:
        """Return two distances; None unless both are above 0 (PS3.3 10.7.1.3)."""
        found = self.numbers(keyword, group, 2)
        return found if found and min(found) >= SMALLEST else None

    def integer(self, keyword: str, group: str = "") -> int | None:
        """Return the first number of a value as an integer; None when it is absent."""
        found = self.number(keyword, group)
        return None if found is None else int(found)

    def pick(self, keywords: tuple[str, ...], group: str = "") -> Module:
        """Return the attributes of `keywords` that are present, by snake_case name."""
        if not group:
            return pick(self.dataset, keywords, self.moved if self.groups else None)
        found: Module = {}
        for owner in reversed(self.owners(group)):
            found |= pick(owner, keywords)
        return found


def macros_of(groups: Dataset) -> Iterator[Dataset]:
    """Yield the items of all macros that have exactly one."""
    for tag, found in groups._dict.items():
        is_raw = type(found) is RawDataElement and vr_of(tag) == "SQ"
        element: Any = element_of(groups, tag) if is_raw else found
        if type(element) is DataElement and element.VR == "SQ" and len(element.value or ()) == 1:
            yield element.value[0]


def pick(
    dataset: Dataset, keywords: tuple[str, ...], moved: Mapping[BaseTag, Dataset] | None = None
) -> Module:
    """Return the attributes of `keywords` that a data set has, by snake_case name.

    Parameters
    ----------
    moved : mapping, optional
        Data sets to take missing attributes from, as in `Frame.moved`.
    """
    found: Module = {}
    present = dataset.keys()
    for tag, name in named_tags(keywords):
        value = value_at(dataset, tag) if tag in present else None
        if value is None and moved and tag in moved:
            value = value_at(moved[tag], tag)
        if value is not None:
            found[name] = value[0] if type(value) is list and is_single(tag, NUMERIC) else value
    return found


@cache
def named_tags(keywords: tuple[str, ...]) -> tuple[tuple[BaseTag, str], ...]:
    """Return the tags of keywords, with their snake_case names."""
    return tuple((tag_of(keyword), snake(keyword)) for keyword in keywords)
