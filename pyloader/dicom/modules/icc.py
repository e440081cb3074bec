"""ICC profiles (PS3.3 C.11.15), also of the optical paths of whole-slide images (C.8.12.5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame, Module
from pyloader.dicom.modules.slide import read_slide_plane
from pyloader.dicom.values import items_of, value_of


def read_icc_profile(frame: Frame) -> Module:
    """Return the ICC profile of a frame's colours, which nothing here applies.

    ``icc_profile`` are the bytes of the profile (ISO 15076-1), ``color_space`` is its name where
    the file has one. That of the image goes first, then that of the frame's optical path.
    """
    for owner in (frame.dataset, *optical_paths(frame)):
        profile = value_of(owner, "ICCProfile")
        if isinstance(profile, bytes) and profile:
            found: Module = {"icc_profile": np.frombuffer(profile, "u1")}
            space = value_of(owner, "ColorSpace")
            return found | ({"color_space": space} if space else {})
    return {}


def optical_paths(frame: Frame) -> Sequence[Dataset]:
    """Return the optical path of a frame: the one that it names, else the only one."""
    paths = items_of(frame.dataset, "OpticalPathSequence")
    if len(paths) < 2:
        return paths
    name = read_slide_plane(frame).get("optical_path_identifier")
    return [path for path in paths if name and value_of(path, "OpticalPathIdentifier") == name][:1]
