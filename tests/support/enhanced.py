"""Objects with functional groups (PS3.3 C.7.6.16), group by group."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRLittleEndian

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.parse import parse_part10
from tests.support import builders

CORONAL = [1.0, 0, 0, 0, 0, -1]  # rows to the left, columns to the feet: normal (0, 1, 0)
PIXELS = builders.ramp(4, 8)


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
    dataset = builders.header(PIXELS, NumberOfFrames=count, **attributes)
    dataset.PixelData = PIXELS.tobytes() * count
    dataset["PixelData"].VR = "OW"
    return dataset


def multiframe(shared: Dataset, *frames: Dataset, **top: Any) -> Dataset:
    """Return an enhanced multi-frame object without its pixels."""
    return builders.header(
        np.stack([PIXELS] * len(frames)),
        NumberOfFrames=len(frames),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
        **top,
    )


def single(**attributes: Any) -> Frame:
    """Return the frame of a single-frame object."""
    return Frame(builders.header(PIXELS, **attributes), 0)


def reread(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Frame:
    """Write a data set and read it again, as files come."""
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    return Frame(parse_part10(builders.part10(dataset, syntax)).dataset, 0)
