"""Instances: their frames, their size in memory, and whether pixels are missing."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    BasicTextSRStorage,
    CTImageStorage,
    EnhancedUSVolumeStorage,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RTDoseStorage,
    RTPlanStorage,
    SegmentationStorage,
)

from pyloader.dicom.instance import Instance, PixelElement, lacks_pixels, one_frame
from pyloader.dicom.parse import parse_part10
from pyloader.errors import ImageIdError
from tests.support import builders
from tests.support.enhanced import item
from tests.support.instances import PIXELS

PRIVATE = "1.3.12.2.1107.5.9.1"


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize(
    ("value", "expected"), [(None, 1), ("", 1), ("0", 1), ("-2", 1), ("1", 1), ("7", 7)]
)
def test_number_of_frames(value, expected):
    attributes = {} if value is None else {"NumberOfFrames": value}
    assert parse_part10(builders.native(PIXELS, **attributes)).number_of_frames == expected


def test_number_of_frames_that_is_no_number():
    body = builders.native(PIXELS, NumberOfFrames="12")
    assert parse_part10(body.replace(b"IS\x02\x0012", b"IS\x02\x00x2")).number_of_frames == 1


def test_frame_index_in_range():
    instance = parse_part10(builders.native(np.stack([PIXELS] * 3), NumberOfFrames=3))
    assert [instance.check_frame(index) for index in range(3)] == [0, 1, 2]
    for index in (-1, 3):
        expected = f"frame {index + 1} was asked for, but the instance has 3 frames; .* from 1"
        with pytest.raises(ImageIdError, match=expected):
            instance.check_frame(index)


# ------------------------------------------------------------------ pixels


def test_value_is_a_view():
    body = bytearray(b"headpixelstail")
    value = PixelElement("PixelData", "OB", body, 4, 10).value
    body[4:6] = b"PI"
    assert bytes(value) == b"PIxels"


def test_bytes_in_memory_are_those_of_the_file():
    pixels = PixelElement("PixelData", "OB", bytes(100), 90, 92)
    assert Instance(Dataset(), ExplicitVRLittleEndian, pixels).nbytes == 100
    assert Instance(Dataset(), ExplicitVRLittleEndian, None).nbytes == 0


@pytest.mark.parametrize(
    ("syntax", "is_encapsulated"), [(ExplicitVRLittleEndian, False), (JPEGLSLossless, True)]
)
def test_one_frame_keeps_the_header_and_the_transfer_syntax(syntax, is_encapsulated):
    instance = Instance(item(NumberOfFrames=9), syntax, None, ("a note",))
    found = one_frame(instance, 7, b"frame", "OB")
    assert found.pixels is not None
    assert bytes(found.pixels.value) == b"frame"
    assert (found.pixels.frame_index, found.pixels.vr) == (7, "OB")
    assert found.pixels.is_encapsulated is is_encapsulated
    assert (found.dataset, found.transfer_syntax_uid) == (instance.dataset, syntax)
    assert (found.warnings, found.number_of_frames) == (("a note",), 9)
    assert instance.pixels is None


# ------------------------------------------------------------------ missing pixels


def without_pixels(sop_class: str | None, of_file: str | None = None, **attributes: int) -> bool:
    """Tell whether an instance of these SOP Classes, which has no pixels, lacks them."""
    dataset = item(**attributes)
    if sop_class is not None:
        dataset.SOPClassUID = sop_class
    if of_file is not None:
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.MediaStorageSOPClassUID = of_file
    return lacks_pixels(Instance(dataset, ExplicitVRLittleEndian, None))


@pytest.mark.parametrize(
    "sop_class",
    [
        CTImageStorage,
        SegmentationStorage,
        RTDoseStorage,
        EnhancedUSVolumeStorage,
        "1.2.840.10008.5.1.4.1.1.66.7",  # label map segmentation, unknown to pydicom 3.0
        "1.2.840.10008.5.1.4.1.1.81.1",  # ophthalmic thickness map
    ],
)
def test_images_lack_their_pixels(sop_class):
    assert without_pixels(sop_class)
    assert without_pixels(None, sop_class)


@pytest.mark.parametrize("sop_class", [BasicTextSRStorage, RTPlanStorage])
def test_documents_and_plans_lack_none(sop_class):
    assert not without_pixels(sop_class, sop_class, Rows=4)


def test_rows_decide_for_a_private_class():
    assert without_pixels(PRIVATE, Rows=4)
    assert not without_pixels(PRIVATE)
    assert without_pixels(PRIVATE, CTImageStorage)


def test_without_a_class_pixels_are_expected():
    assert without_pixels(None)


def test_pixels_that_are_there_are_not_missing():
    pixels = PixelElement("PixelData", "OB", b"", 0, 0)
    dataset = item(SOPClassUID=CTImageStorage)
    assert not lacks_pixels(Instance(dataset, ExplicitVRLittleEndian, pixels))
