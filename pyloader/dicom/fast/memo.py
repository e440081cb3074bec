"""Memoise module readers: reuse the last result when the elements they read are identical.

Images of a series differ in a few attributes. The result of a reader depends only on the elements
it reads, and `Memo` records these while the reader runs. If they have the same bytes in the next
data set, or the same values where it comes from DICOM JSON, the result is the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import update_wrapper
from itertools import repeat
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from pydicom import DataElement, Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from pyloader.dicom.structure import as_tag


class FrameLike(Protocol):
    """A frame of a data set, as `functional_groups.Frame`."""

    def __init__(self, dataset: Dataset, index: int) -> None: ...

    @property
    def dataset(self) -> Dataset:
        """The whole data set."""
        ...

    @property
    def index(self) -> int:
        """The index of the frame, from 0."""
        ...


Kind = TypeVar("Kind", bound=FrameLike)
Value = TypeVar("Value")
Fingerprint = tuple[Any, ...]
# The fields that determine the value of an element: VR, bytes, and whether they are little endian.
FIELDS = itemgetter(1, 3, 6)
ABSENT = RawDataElement(BaseTag(0), "", 0, None, 0, False, True)
RAW = {RawDataElement}
# Most items of a sequence, or values of a list, that are compared: more take longer than reading.
MOST_ITEMS = 8
# (0028,0103) Pixel Representation: pydicom reads it to convert other elements, and may have done so
# before a `Memo` records.
ALWAYS = as_tag(0x00280103)
# (0008,0005) Specific Character Set.
CHARACTER_SET = as_tag(0x00080005)


class Memo(Generic[Kind, Value]):
    """A reader of a frame's attributes that remembers its last result.

    It remembers results of first frames only. Other frames are read each time, because their
    values depend on their index.

    Parameters
    ----------
    read : callable
        A function of the frame alone. Callers share its result and must not change it.
    """

    def __init__(self, read: Callable[[Kind], Value]) -> None:
        update_wrapper(self, read)
        self.read = read
        self._known: tuple[tuple[BaseTag, ...], Fingerprint, Value] | None = None

    def __call__(self, frame: Kind) -> Value:
        """Return the result of `read`, the last one if the elements it read are the same."""
        if frame.index:
            return self.read(frame)
        if self._known is not None:
            tags, fingerprint, value = self._known
            if fingerprint_of(frame.dataset, frame.dataset._dict, tags) == fingerprint:
                return value
        return self._read(frame)

    def _read(self, frame: Kind) -> Value:
        dataset = frame.dataset
        elements = dataset._dict
        watched = Watched(elements)
        dataset._dict = watched
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = self.read(type(frame)(dataset, 0))
        finally:
            dataset._dict = elements
            for each in caught:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        # Do not remember a result with warnings: the next data set must warn as well.
        if not caught and watched.is_in_part:
            watched.asked.pop(CHARACTER_SET, None)  # the fingerprint has the decoded character set
            tags = tuple(as_tag(int(tag)) for tag in watched.asked)
            self._known = (tags, fingerprint_of(dataset, elements, tags), value)
        elements.update(watched.converted)
        return value


def fingerprint_of(dataset: Dataset, elements: Any, tags: Iterable[BaseTag]) -> Fingerprint:
    """Return the encoded or converted values of `tags`, for comparison."""
    found = list(map(elements.get, tags, repeat(ABSENT)))
    is_encoded = set(map(type, found)) == RAW
    values = list(map(FIELDS if is_encoded else fields_of, found))
    return dataset.original_encoding, dataset.original_character_set, values


def fields_of(element: RawDataElement | DataElement) -> Any:
    """Return what determines the value of an element: its bytes, its value, or its items."""
    if isinstance(element, RawDataElement):
        return FIELDS(element)
    value = element._value
    if isinstance(value, (bytes, str)):
        return element.VR, value
    if isinstance(value, (list, MultiValue, Sequence)) and len(value) > MOST_ITEMS:
        return object()  # equal to nothing
    if element.VR == "SQ":
        return [{tag: fields_of(each) for tag, each in item._dict.items()} for item in value or ()]
    return element.VR, repr(value)  # texts differ where numbers are equal: 1 and 1.0, 0.0 and -0.0


class Watched(dict[BaseTag, Any]):
    """The elements of a data set; records the tags that are looked up.

    Attributes
    ----------
    asked : dict
        Its keys are the tags looked up, also of absent elements.
    converted : dict
        Elements that replaced encoded ones.
    is_in_part : bool
        True unless all elements were listed at once.
    """

    def __init__(self, elements: Mapping[BaseTag, Any]) -> None:
        super().__init__(elements)
        self.asked: dict[BaseTag, None] = {ALWAYS: None}
        self.converted: dict[BaseTag, Any] = {}
        self.is_in_part = True

    def get(self, tag: BaseTag, default: Any = None) -> Any:
        self.asked[tag] = None
        return super().get(tag, default)

    def __getitem__(self, tag: BaseTag) -> Any:
        self.asked[tag] = None
        return super().__getitem__(tag)

    def __contains__(self, tag: object) -> bool:
        self.asked[tag] = None  # type: ignore[index]
        return super().__contains__(tag)

    def __setitem__(self, tag: BaseTag, element: Any) -> None:
        self.converted[tag] = element
        super().__setitem__(tag, element)

    def keys(self) -> Any:
        return self

    def __iter__(self) -> Iterator[BaseTag]:
        self.is_in_part = False
        return super().__iter__()

    def __len__(self) -> int:
        self.is_in_part = False
        return super().__len__()

    def values(self) -> Any:
        self.is_in_part = False
        return super().values()

    def items(self) -> Any:
        self.is_in_part = False
        return super().items()
