"""Windows, and items of lookup tables, to modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRBigEndian

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.luts import read_modality_lut, read_voi_lut
from pyloader.dicom.parse import parse_part10
from pyloader.image import ModalityLut, VoiLut
from tests.support import builders
from tests.support.enhanced import PIXELS, group, item, multiframe, reread, single


def test_windows():
    frame = single(
        WindowCenter=[40, 400],
        WindowWidth=[80, 2000],
        WindowCenterWidthExplanation=["BRAIN", "BONE"],
        VOILUTFunction="LINEAR_EXACT",
    )
    assert read_voi_lut(frame) == VoiLut((40, 400), (80, 2000), ("BRAIN", "BONE"), "LINEAR_EXACT")


def test_center_without_width_is_no_window():
    voi = read_voi_lut(single(WindowCenter=[40, 400], WindowWidth=80))
    assert (voi.window_center, voi.window_width) == ((40,), (80,))


def table(descriptor: list[int], values: bytes | list[int], **attributes: Any) -> Dataset:
    """Return an item of a LUT Sequence."""
    lut = item(**attributes)
    lut.add_new("LUTDescriptor", "US", descriptor)
    lut.add_new("LUTData", "OW" if isinstance(values, bytes) else "US", values)
    return lut


def test_modality_lut_sequence():
    lut = table([3, 10, 16], [100, 200, 65535], LUTExplanation="density")
    found = read_modality_lut(reread(builders.header(PIXELS, ModalityLUTSequence=[lut]))).lut
    assert found is not None
    assert (found.first_value_mapped, found.bits_per_entry) == (10, 16)
    assert found.entries.tolist() == [100, 200, 65535]
    assert found.entries.dtype == np.uint16
    assert found.explanation == "density"


@pytest.mark.parametrize(("representation", "expected"), [(0, 64512), (1, -1024)])
def test_first_value_is_signed_as_the_pixels_are(representation, expected):
    lut = table([2, 64512, 16], [0, 1])
    frame = single(ModalityLUTSequence=[lut], PixelRepresentation=representation)
    found = read_modality_lut(frame).lut
    assert found is not None
    assert found.first_value_mapped == expected


def test_no_entries_mean_all_there_can_be():
    entries = np.arange(65536, dtype="<u2")[::-1]
    lut = table([0, 0, 16], entries.tobytes())
    (found,) = read_voi_lut(reread(builders.header(PIXELS, VOILUTSequence=[lut]))).luts
    assert np.array_equal(found.entries, entries)


def test_entries_of_8_bits_may_be_packed_two_in_a_word():
    lut = table([256, 0, 8], bytes(range(256)))
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == list(range(256))
    assert found.entries.dtype == np.uint16


def test_entries_of_8_bits_in_words():
    entries = np.arange(256, dtype="<u2")
    lut = table([256, 0, 8], entries.tobytes())
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == list(range(256))


def test_padding_behind_the_entries_is_left_out():
    lut = table([3, 0, 8], bytes([1, 2, 3, 0]))
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == [1, 2, 3]


def test_several_tables_keep_their_order():
    luts = [table([1, first, 16], [first]) for first in (5, 3, 9)]
    found = read_voi_lut(single(VOILUTSequence=luts)).luts
    assert [lut.first_value_mapped for lut in found] == [5, 3, 9]


def test_incomplete_tables_are_left_out():
    without_values, without_descriptor = table([2, 0, 16], [1, 2]), table([2, 0, 16], [1, 2])
    del without_values.LUTData
    del without_descriptor.LUTDescriptor
    luts = [without_values, table([2, 7, 16], [1, 2]), without_descriptor]
    found = read_voi_lut(single(VOILUTSequence=luts)).luts
    assert [lut.first_value_mapped for lut in found] == [7]


def test_lut_of_a_big_endian_file():
    item = Dataset()
    item.LUTDescriptor = [3, 0, 16]
    item.add_new("LUTData", "OW", np.array([1, 2, 256], ">u2").tobytes())
    dataset = builders.header(np.zeros((2, 2), "u2"), VOILUTSequence=Sequence([item]))
    dataset.PixelData = bytes(8)
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRBigEndian))
    assert read_voi_lut(Frame(instance.dataset, 0)).luts[0].entries.tolist() == [1, 2, 256]


def test_each_frame_has_its_own_rescale():
    transformation = "PixelValueTransformationSequence"
    dataset = multiframe(
        group(transformation, RescaleSlope=2, RescaleIntercept=-10, RescaleType="US"),
        Dataset(),
        group(transformation, RescaleSlope=4, RescaleIntercept=0, RescaleType="HU"),
    )
    assert read_modality_lut(Frame(dataset, 0)) == ModalityLut(2, -10, "US")
    assert read_modality_lut(Frame(dataset, 1)) == ModalityLut(4, 0, "HU")


def test_each_frame_has_its_own_window():
    voi = "FrameVOILUTSequence"
    dataset = multiframe(
        group(voi, WindowCenter=40, WindowWidth=80, VOILUTFunction="SIGMOID"),
        Dataset(),
        group(voi, WindowCenter=[50, 60], WindowWidth=[100, 120]),
    )
    assert read_voi_lut(Frame(dataset, 0)) == VoiLut((40,), (80,), (), "SIGMOID")
    assert read_voi_lut(Frame(dataset, 1)) == VoiLut((50, 60), (100, 120))
