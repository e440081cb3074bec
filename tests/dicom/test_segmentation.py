"""Segmentations: label maps, and objects whose segments have frames of their own."""

from __future__ import annotations

import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import SegmentationStorage

from pyloader.dicom.segmentation import count_segments, is_labelmap
from tests.support.enhanced import item

LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"  # PS3.6 A


def segmentation(count: int, **attributes: str) -> Dataset:
    """Return an object of `count` segments."""
    segments = [item(SegmentNumber=number) for number in range(1, count + 1)]
    return item(SegmentSequence=Sequence(segments), **attributes)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", ""])
def test_segments_have_frames_of_their_own(kind):
    found = segmentation(3, SegmentationType=kind, SOPClassUID=SegmentationStorage)
    assert (is_labelmap(found), count_segments(found)) == (False, 3)


@pytest.mark.parametrize(
    "attributes",
    [
        {"SegmentationType": "LABELMAP"},
        {"SegmentationType": "labelmap"},
        {"SOPClassUID": LABEL_MAP},
        {"SOPClassUID": LABEL_MAP, "SegmentationType": "BINARY"},
    ],
)
def test_segments_of_a_label_map_share_frames(attributes):
    found = segmentation(3, **attributes)
    assert (is_labelmap(found), count_segments(found)) == (True, 0)


def test_other_objects_have_no_segments():
    assert (is_labelmap(Dataset()), count_segments(Dataset())) == (False, 0)
