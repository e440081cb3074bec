"""Read the functional groups of a frame unresolved, for attributes that no other module has."""

from __future__ import annotations

from collections.abc import Container

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from pyloader.dicom.functional_groups import Frame, Module
from pyloader.dicom.keywords import snake
from pyloader.dicom.modules.known import KNOWN_TAGS
from pyloader.dicom.values import BINARY, items_of, value_of, vr_of


def read_multiframe(frame: Frame) -> Module:
    """Return the number of frames, the frame number, from 1, and the functional groups.

    The groups have the attributes that pyloader reads, by snake_case name; sequences are lists
    (PS3.3 C.7.6.16).
    """
    count = frame.integer("NumberOfFrames")
    if not count:
        return {}
    groups = {
        "per_frame_functional_information": frame.own_groups,
        "shared_functional_information": frame.shared_groups,
    }
    found = {name: nested(each, KNOWN_TAGS) for name, each in groups.items() if each is not None}
    return {"number_of_frames": count, "frame_number": frame.index + 1} | found


def nested(dataset: Dataset, tags: Container[int]) -> Module:
    """Return the attributes of `tags` in a data set, by snake_case name; a sequence is a list.

    Binary values, such as the data of a lookup table, are left out.
    """
    found: Module = {}
    for tag in dataset.keys():  # noqa: SIM118 -- iterating converts the elements
        if tag not in tags or vr_of(tag) in BINARY:
            continue
        keyword = keyword_for_tag(tag)
        is_sequence = vr_of(tag) == "SQ"
        items = [nested(item, tags) for item in items_of(dataset, keyword)] if is_sequence else None
        value = items if is_sequence else value_of(dataset, keyword)
        if value:
            found[snake(keyword)] = value
    return found
