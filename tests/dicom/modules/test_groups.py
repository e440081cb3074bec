"""Counts and groups of multi-frame objects, as modules."""

from __future__ import annotations

from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.groups import read_multiframe
from tests.support.enhanced import multiframe, single


def test_multiframe_module_has_count_and_number():
    dataset = multiframe(Dataset(), Dataset(), Dataset())
    assert read_multiframe(Frame(dataset, 1)) == {
        "number_of_frames": 2,
        "frame_number": 2,
        "per_frame_functional_information": {},
        "shared_functional_information": {},
    }
    assert read_multiframe(single()) == {}
