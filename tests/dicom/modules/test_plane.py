"""Image planes: each frame has its own position, and no value is guessed."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.parse import parse_part10
from pyloader.image import PlaneModule
from tests.support import builders
from tests.support.enhanced import PIXELS, group, merged, multiframe, single


def test_frame_wins_over_shared_over_top_level():
    spacing = "PixelMeasuresSequence"
    dataset = multiframe(
        group(spacing, PixelSpacing=[2.0, 2.0]),
        group(spacing, PixelSpacing=[3.0, 3.0]),
        Dataset(),
        PixelSpacing=[1.0, 1.0],
    )
    assert read_plane_module(Frame(dataset, 0)).pixel_spacing == (3, 3)
    assert read_plane_module(Frame(dataset, 1)).pixel_spacing == (2, 2)
    del dataset.SharedFunctionalGroupsSequence
    assert read_plane_module(Frame(dataset, 1)).pixel_spacing == (1, 1)


def test_each_frame_has_its_own_place():
    frames = [
        group("PlanePositionSequence", ImagePositionPatient=[0.0, 0.0, 2.5 * index])
        for index in range(3)
    ]
    orientation = [1.0, 0, 0, 0, 0, -1.0]
    shared = merged(
        group("PlaneOrientationSequence", ImageOrientationPatient=orientation),
        group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SliceThickness=2.5),
    )
    dataset = multiframe(shared, *frames, FrameOfReferenceUID="1.2.3")
    for index in range(3):
        assert read_plane_module(Frame(dataset, index)) == PlaneModule(
            frame_of_reference_uid="1.2.3",
            image_position_patient=(0, 0, 2.5 * index),
            image_orientation_patient=(1, 0, 0, 0, 0, -1),
            pixel_spacing=(0.5, 0.25),
            slice_thickness=2.5,
        )


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], ""])
def test_value_of_another_multiplicity_is_absent(values):
    assert read_plane_module(single(PixelSpacing=values)).pixel_spacing is None


def test_non_numeric_value_is_absent():
    body = builders.native(PIXELS, SliceThickness="2.5 ")
    broken = body.replace(b"2.5 ", b"thin")
    assert broken != body
    frame = Frame(parse_part10(broken).dataset, 0)
    with pytest.warns(UserWarning, match=r"\(0018,0050\) SliceThickness is 'thin', which is no"):
        assert read_plane_module(frame).slice_thickness is None
