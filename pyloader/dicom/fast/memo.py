"""`Memo`: a reader that reuses its last result when the elements it reads are byte-identical.

Images of a series differ in a few attributes. A reader is a function of the elements that it looks
at, and which these are is seen while it runs: when the next data set has the same bytes there, it
has the same result.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import update_wrapper
from itertools import repeat
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from pyloader.dicom.structure import as_tag


class FrameLike(Protocol):
    """A frame, from 0, of a data set; `functional_groups.Frame`."""

    def __init__(self, dataset: Dataset, index: int) -> None: ...

    @property
    def dataset(self) -> Dataset:
        """The whole data set."""
        ...

    @property
    def index(self) -> int:
        """Of the frame."""
        ...


Kind = TypeVar("Kind", bound=FrameLike)
Value = TypeVar("Value")
Words = tuple[Any, ...]
# What of an element its value follows from: VR, bytes, and whether these are little-endian.
WORDS = itemgetter(1, 3, 6)
ABSENT = RawDataElement(BaseTag(0), "", 0, None, 0, False, True)
RAW = {RawDataElement}
# (0028,0103) Pixel Representation: pydicom looks at it when it converts others, and may have done
# so before anybody watches.
ALWAYS = as_tag(0x00280103)
# (0008,0005) Specific Character Set.
CHARACTER_SET = as_tag(0x00080005)


class Memo(Generic[Kind, Value]):
    """A reader of the attributes of a frame that knows its last result.

    It holds for the first frame; others are read each time, since they differ by their place.

    Parameters
    ----------
    read : callable
        A function of the frame and of nothing else. Its result is shared, not to be changed.
    """

    def __init__(self, read: Callable[[Kind], Value]) -> None:
        update_wrapper(self, read)
        self.read = read
        self._known: tuple[tuple[BaseTag, ...], Words, Value] | None = None

    def __call__(self, frame: Kind) -> Value:
        """Return what `read` does."""
        # DICOM JSON has no bytes to compare.
        if frame.index or type(frame.dataset._dict.get(ALWAYS)) is DataElement:
            return self.read(frame)
        if self._known is not None:
            tags, words, value = self._known
            if words_of(frame.dataset, frame.dataset._dict, tags) == words:
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
        # What is warned of, the next data set has to be warned of as well.
        if not caught and watched.is_in_part:
            watched.asked.pop(CHARACTER_SET, None)  # of which `words_of` has what it means
            tags = tuple(as_tag(int(tag)) for tag in watched.asked)
            words = words_of(dataset, elements, tags)
            self._known = words and (tags, words, value)
        elements.update(watched.converted)
        return value


def words_of(dataset: Dataset, elements: Any, tags: Iterable[BaseTag]) -> Words | None:
    """Return what a data set says of `tags`, None when it cannot be compared any more."""
    found = list(map(elements.get, tags, repeat(ABSENT)))
    if set(map(type, found)) != RAW:
        return None
    return dataset.original_encoding, dataset.original_character_set, list(map(WORDS, found))


class Watched(dict[BaseTag, Any]):
    """The elements of a data set, which notes those that are asked for.

    Attributes
    ----------
    asked : dict
        Whose keys are the tags, also of absent elements.
    converted : dict
        Elements that took the place of what was there.
    is_in_part : bool
        Whether nobody has asked for all of them.
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
