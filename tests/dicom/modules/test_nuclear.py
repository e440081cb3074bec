"""Isotopes and detectors of nuclear medicine and PET."""

from __future__ import annotations

from pydicom import Dataset, Sequence

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.nuclear import read_isotope, read_nm_geometry
from tests.support.enhanced import item, single


def test_pet_isotope():
    isotope = item(
        RadiopharmaceuticalStartTime="101500", RadionuclideTotalDose=4e8, RadionuclideHalfLife=6586
    )
    frame = single(RadiopharmaceuticalInformationSequence=Sequence([isotope]))
    assert read_isotope(frame) == {
        "radiopharmaceutical_info": {
            "radiopharmaceutical_start_time": "101500",
            "radionuclide_total_dose": 4e8,
            "radionuclide_half_life": 6586,
        }
    }
    assert read_isotope(single()) == {}


def test_nuclear_medicine_geometry_is_the_first_detectors():
    detector = Dataset()
    detector.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    detector.ImagePositionPatient = [-100, 0, 50]
    dataset = Dataset()
    dataset.Modality = "NM"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    dataset.NumberOfFrames = 60
    dataset.DetectorInformationSequence = Sequence([detector])
    geometry = read_nm_geometry(Frame(dataset, 0))
    assert geometry["image_orientation_patient"] == (1, 0, 0, 0, 0, -1)
    assert geometry["image_position_patient"] == (-100, 0, 50)
    assert (geometry["image_sub_type"], geometry["number_of_frames"]) == ("RECON TOMO", 60)
    assert geometry["is_nm_reconstructable"]
    assert read_nm_geometry(Frame(Dataset(), 0)) == {}
