"""Data sets to modules: absent attributes stay absent, and values are plain."""

from __future__ import annotations

from pydicom.uid import ExplicitVRLittleEndian

from pyloader.dicom.modules import header
from pyloader.dicom.modules.luts import read_modality_lut, read_voi_lut
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.parse import parse_part10
from pyloader.image import ModalityLut, PlaneModule, VoiLut
from tests.support import builders
from tests.support.enhanced import PIXELS, item, reread, single


def test_absent_plane_and_luts_stay_absent():
    assert read_plane_module(single()) == PlaneModule()
    assert read_modality_lut(single()) == ModalityLut()
    assert read_voi_lut(single()) == VoiLut()


def test_empty_modules_are_left_out():
    modules = header(parse_part10(builders.native(PIXELS)), 0)
    absent = {"cine", "multiframe", "overlay_plane", "patient", "pet_isotope", "pet_series"}
    assert not absent & set(modules)
    assert modules["sop_common"]["sop_instance_uid"] == builders.INSTANCE
    assert modules["transfer_syntax"] == {"transfer_syntax_uid": ExplicitVRLittleEndian}


def test_non_image_object_has_no_image_modules():
    dataset = item(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", SOPInstanceUID="1.2", PatientID="p")
    modules = header(parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)), 0)
    assert modules["patient"] == {"patient_id": "p"}
    assert not {"image_pixel", "image_plane", "modality_lut", "voi_lut"} & set(modules)


def test_empty_values_are_absent():
    dataset = builders.header(PIXELS, Laterality="", ProtocolName=" ", SeriesNumber="")
    dataset.update(item(RescaleType="", PatientName=""))
    frame = reread(dataset)
    assert read_modality_lut(frame) == ModalityLut()
    for keyword in ("Laterality", "ProtocolName", "SeriesNumber", "PatientName"):
        assert frame.get(keyword) is None


def test_values_are_plain():
    dataset = builders.header(
        PIXELS, PatientName="Doe^Jane", PatientWeight="70.5", ImageType=["ORIGINAL", "PRIMARY"]
    )
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRLittleEndian))
    modules = header(instance, 0)
    assert modules["patient"] == {
        "patient_name": "Doe^Jane",
        "patient_name_groups": {"alphabetic": "Doe^Jane"},
    }
    assert type(modules["patient"]["patient_name"]) is str
    assert type(modules["patient_study"]["patient_weight"]) is float
    assert modules["general_image"]["image_type"] == ["ORIGINAL", "PRIMARY"]
    assert type(modules["sop_common"]["sop_class_uid"]) is str
