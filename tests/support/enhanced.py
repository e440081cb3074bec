"""Objects with functional groups (PS3.3 C.7.6.16), group by group."""

from __future__ import annotations

from typing import Any

from pydicom import Dataset, Sequence

from tests.support import builders

CORONAL = [1.0, 0, 0, 0, 0, -1]  # rows to the left, columns to the feet: normal (0, 1, 0)
SLICE = builders.ramp(4, 8)


def item(**attributes: Any) -> Dataset:
    """Return a data set of attributes."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def group(keyword: str, **attributes: Any) -> Dataset:
    """Return functional groups that hold one macro."""
    return item(**{keyword: Sequence([item(**attributes)])})


def merged(*groups: Dataset) -> Dataset:
    """Return functional groups that hold several macros."""
    everything = Dataset()
    for one in groups:
        everything.update(one)
    return everything


def enhanced(shared: Dataset, frames: list[Dataset], **attributes: Any) -> Dataset:
    """Return an object with functional groups."""
    return several(
        len(frames),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
        **attributes,
    )


def several(count: int, **attributes: Any) -> Dataset:
    """Return an object of `count` frames."""
    dataset = builders.header(SLICE, NumberOfFrames=count, **attributes)
    dataset.PixelData = SLICE.tobytes() * count
    dataset["PixelData"].VR = "OW"
    return dataset
