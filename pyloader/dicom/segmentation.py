"""Segmentations (PS3.3 C.8.20): label maps, or objects with frames for each segment."""

from __future__ import annotations

from pydicom import Dataset

from pyloader.dicom.values import items_of, value_of

LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"


def is_labelmap(dataset: Dataset) -> bool:
    """Return whether pixels are segment numbers, by SOP Class or Segmentation Type (C.8.20.2.3)."""
    if value_of(dataset, "SOPClassUID") == LABEL_MAP_SEGMENTATION:
        return True
    return str(value_of(dataset, "SegmentationType")).upper() == "LABELMAP"


def count_segments(dataset: Dataset) -> int:
    """Return the number of segments that have frames of their own; 0 for a label map."""
    return 0 if is_labelmap(dataset) else len(items_of(dataset, "SegmentSequence"))
