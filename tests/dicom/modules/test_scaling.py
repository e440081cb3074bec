"""Standardized uptake values and dose: a factor where all attributes agree, else none.

Expected factors follow QIBA's pseudo-code, by hand: weight over the remaining dose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence

from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from pyloader.loaders.instance_source import make_image
from pyloader.pixels.output.modality import own_factor, to_modality
from tests.support import builders

PIXELS = builders.ramp(4, 8)
WEIGHT, DOSE = 80_000, 354752544
F18, C11, O15, ZR89 = "6588", "1223.4", "122.24", "282276"
EXPLICIT = "1.2.840.10008.1.2.1"


def item(**attributes: Any) -> Dataset:
    """Return a data set of attributes; None leaves one out."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def pet(tracer: dict[str, Any] | None = None, **attributes: Any) -> Dataset:
    """Return a PET image whose tracer was given at 09:28, an hour before the scan."""
    given = {
        "RadionuclideTotalDose": str(DOSE),
        "RadionuclideHalfLife": F18,
        "RadiopharmaceuticalStartTime": "092800",
    }
    told = {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": "80",
        "SeriesDate": "20080418",
        "SeriesTime": "102800",
        "AcquisitionDate": "20080418",
        "AcquisitionTime": "102800",
        "RadiopharmaceuticalInformationSequence": Sequence([item(**given | (tracer or {}))]),
    } | attributes
    found = {keyword: value for keyword, value in told.items() if value is not None}
    dataset = builders.header(PIXELS, **found)
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def read(dataset: Dataset) -> tuple[dict[str, Any], str]:
    """Return the factors of an image, equal in its header and DICOM JSON, and its warnings."""
    body = builders.part10(dataset, EXPLICIT)
    image = make_image(parse_part10(body), 0)
    found = dict(image.modules.get("scaling", {}))
    with noting():
        text = instance_json(parse_part10(body).dataset)
        for modules in (header(parse_part10(body), 0), header(parse_json(text), 0)):
            assert modules.get("scaling", {}) == found
    return found, " ".join(image.warnings)


def by_hand(seconds: float, half_life: str = F18) -> float:
    """Return the factor after a number of seconds of decay."""
    return WEIGHT / (DOSE * 2 ** (-seconds / float(half_life)))


def check(dataset: Dataset, seconds: float | None, half_life: str = F18) -> str:
    """Compare the factor with the one by hand, None for no factor, and return the warnings."""
    found, notes = read(dataset)
    if seconds is None:
        assert not {"suvbw", "suvlbm", "suvbsa"} & set(found)
    else:
        assert found["suvbw"] == pytest.approx(by_hand(seconds, half_life), rel=1e-6)
        assert notes == ""
    return notes


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    "half_life", ["-1", "1E-300", "1E20", "1E300", "inf", "nan", "1.83", "109.8\\6588", "9E999"]
)
def test_impossible_half_life_gives_no_factor(half_life):
    assert check(pet({"RadionuclideHalfLife": half_life.split("\\")}), None)


@pytest.mark.parametrize("dose", ["-1", "354.75", "3.5E13", "1E300", "nan", "354752544\\370000000"])
def test_impossible_dose_gives_no_factor(dose):
    assert check(pet({"RadionuclideTotalDose": dose.split("\\")}), None)


@pytest.mark.parametrize("weight", ["-80", "1E9", "80000", "1E-300", "nan", "80\\70"])
def test_impossible_weight_gives_no_factor(weight):
    assert check(pet(PatientWeight=weight.split("\\")), None)


@pytest.mark.parametrize("weight", ["0.025", "3.1", "300"])
def test_mice_newborn_and_heavy_patients_have_factors(weight):
    found, _ = read(pet(PatientWeight=weight))
    assert found["suvbw"] == pytest.approx(by_hand(3600) * float(weight) / 80)


@pytest.mark.parametrize("size", ["1E-300", "-1.8", "1E300", "nan"])
def test_impossible_size_keeps_the_factor_by_weight(size):
    found, notes = read(pet(PatientSize=size, PatientSex="M"))
    assert set(found) == {"suvbw"}
    assert "size" in notes.lower()


def test_one_number_or_two_equal_ones():
    check(pet({"RadionuclideHalfLife": [F18, F18]}), 3600)


@pytest.mark.parametrize(
    ("reference", "duration"),
    [("1E300", "60000"), ("-1", "60000"), ("1000", "1E300"), ("1000", "-60000"), ("1E9", "60000")],
)
def test_impossible_frame_times_give_no_factor(reference, duration):
    late = pet(SeriesTime="110000", FrameReferenceTime=reference, ActualFrameDuration=duration)
    assert check(late, None)


def test_a_frame_acquired_before_its_scan_gives_no_factor():
    # In a frame of an hour, average counts are those after half an hour, not after one second.
    late = pet(SeriesTime="110000", FrameReferenceTime="1000", ActualFrameDuration="3600000")
    assert "the scan began at" in check(late, None)


@pytest.mark.parametrize("factor", ["-0.001", "nan", "1E300", "1000", "20080418", "0.001\\0.002"])
def test_impossible_factor_of_philips_is_ignored(factor):
    dataset = pet(Units="CNTS")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", factor.split("\\"))
    check(dataset, None)


@pytest.mark.parametrize(("activity", "is_certain"), [("1.0", True), ("1.02", True), ("9", False)])
def test_both_factors_of_philips_give_the_same(activity, is_certain):
    dataset = pet(Units="CNTS")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", f"{by_hand(3600):.10g}")
    block.add_new(0x09, "DS", activity)
    found, notes = read(dataset)
    assert found == (pytest.approx({"suvbw": by_hand(3600)}) if is_certain else {})
    assert is_certain or "the manufacturer's factor is" in notes


def test_several_tracers_give_no_factor():
    dataset = pet()
    sequence = dataset.RadiopharmaceuticalInformationSequence
    sequence.append(sequence[0])
    assert "2 tracers were given" in check(dataset, None)


# ------------------------------------------------------------------ long after the injection


@pytest.mark.parametrize(
    ("start", "half_life", "seconds"),
    [
        ("20080418092800", F18, 3600),
        ("20080418052800", F18, 5 * 3600),
        ("20080417092800", F18, None),
        ("20080101092800", F18, None),
        ("20050418092800", F18, None),
        ("20080418102600", O15, 120),
        ("20080416092800", O15, None),
        ("20080418094800", C11, 2400),
        ("20080417102800", C11, None),
        ("20080415102800", ZR89, 3 * 86400),
        ("20080411102800", ZR89, 7 * 86400),
        ("20070411102800", ZR89, None),
    ],
)
def test_remaining_dose_follows_the_half_life(start, half_life, seconds):
    tracer = {
        "RadiopharmaceuticalStartTime": None,
        "RadiopharmaceuticalStartDateTime": start,
        "RadionuclideHalfLife": half_life,
    }
    notes = check(pet(tracer), seconds, half_life)
    assert seconds or "half-lives, nothing is left" in notes


def test_a_scan_on_the_first_day_of_the_calendar_gives_no_factor():
    days = {"SeriesDate": "00010101", "AcquisitionDate": "00010101"}
    times = {"SeriesTime": "001000", "AcquisitionTime": "001000"}
    check(pet({"RadiopharmaceuticalStartTime": "231000"}, **days, **times), None)


# ------------------------------------------------------------------ one moment, several spellings


@pytest.mark.parametrize(
    "spelling",
    [
        {"SeriesDate": "2008.04.18", "SeriesTime": "10:28:00", "AcquisitionDate": "2008.04.18"},
        {"SeriesTime": "102800.000000", "AcquisitionTime": "10:28:00"},
        {"SeriesTime": "1028", "AcquisitionTime": "1028"},
        {"SeriesTime": "102760"},
    ],
)
def test_spellings_of_the_scan(spelling):
    check(pet(**spelling), 3600)


@pytest.mark.parametrize("time", ["09:28:00", "092800.000", "0928", "092760"])
def test_spellings_of_the_injection(time):
    check(pet({"RadiopharmaceuticalStartTime": time}), 3600)


@pytest.mark.parametrize("time", ["09", "240000", "noon", "092800-100000", "096100", ""])
def test_an_imprecise_injection_time_gives_no_factor(time):
    check(pet({"RadiopharmaceuticalStartTime": time}), None)


def test_a_minute_more_or_less_matters_to_a_short_half_life():
    times = {"SeriesTime": "0930", "AcquisitionTime": "0930"}
    check(pet({"RadionuclideHalfLife": O15}, **times), None)
    times = {"SeriesTime": "093000", "AcquisitionTime": "093000"}
    check(pet({"RadionuclideHalfLife": O15}, **times), 120, O15)


@pytest.mark.parametrize(
    ("start", "zone", "seconds"),
    [
        ("20080418072800+0000", "+0200", 3600),
        ("20080418122800+0500", "+0200", 3600),
        ("20080418092800+0200", "+0200", 3600),
        ("20080418015800-0530", "+0200", 3600),
        ("20080418092800", "+0200", 3600),
        ("20080418", "+0200", 3600),
        ("20080418092800+0200", None, 3600),  # its clock shows the same as Start Time
        ("20080418092800+0000", None, 3600),
        ("20080418072800+0000", None, None),
        ("20080418102800+0200", "+0300", None),  # Start Time contradicts it
        ("20080418072800+0000", "somewhere", None),
        ("20080418072800", "+0200", None),
    ],
)
def test_offsets_from_utc(start, zone, seconds):
    tracer = {"RadiopharmaceuticalStartDateTime": start}
    check(pet(tracer, TimezoneOffsetFromUTC=zone), seconds)


@pytest.mark.parametrize(("zone", "seconds"), [("+0200", 3600), ("-1100", None), (None, None)])
def test_an_injection_in_utc_alone(zone, seconds):
    tracer = {
        "RadiopharmaceuticalStartDateTime": "20080418072800+0000",
        "RadiopharmaceuticalStartTime": None,
    }
    check(pet(tracer, TimezoneOffsetFromUTC=zone), seconds)


def test_midnight_of_another_time_zone():
    tracer = {
        "RadiopharmaceuticalStartDateTime": "20080417223000+0000",
        "RadiopharmaceuticalStartTime": "003000",
    }
    times = {"SeriesTime": "013000", "AcquisitionTime": "013000"}
    check(pet(tracer, TimezoneOffsetFromUTC="+0200", **times), 3600)


WITHOUT = {"AcquisitionDate": None, "AcquisitionTime": None}


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ({**WITHOUT, "AcquisitionDateTime": "20080418102800"}, 3600),
        ({**WITHOUT, "AcquisitionDateTime": "20080418103500.5"}, 3600),
        ({**WITHOUT, "AcquisitionDateTime": "20080418082800+0000"}, None),
        (
            {
                **WITHOUT,
                "AcquisitionDateTime": "20080418082800+0000",
                "TimezoneOffsetFromUTC": "+0200",
            },
            3600,
        ),
        ({"AcquisitionDateTime": "20080418102800"}, 3600),
        ({"AcquisitionDateTime": "20080418102800+0200"}, 3600),
        ({"AcquisitionDateTime": "20080418112800"}, None),
        ({**WITHOUT, "SeriesTime": "110000", "AcquisitionDateTime": "20080418102800"}, None),
        ({"SeriesTime": "110000"}, None),
        ({"SeriesDate": "20080417"}, None),
        ({"AcquisitionDate": "20080420"}, None),
        ({"ContentDate": "20080418", "ContentTime": "103500"}, 3600),
        ({"ContentDate": "20080418", "ContentTime": "102730"}, 3600),
        ({**WITHOUT, "ContentDate": "20080418", "ContentTime": "100000"}, None),
        ({"ContentDate": "20080418", "ContentTime": "100000"}, None),
        ({"ContentDate": "20080417", "ContentTime": "103000"}, None),
        ({"ContentDate": "20080418"}, 3600),
        ({"ContentDate": "20080417"}, None),
        ({"ContentDate": "20080418", "ContentTime": "10"}, 3600),
        ({"ContentDate": "20080418", "ContentTime": "1028"}, 3600),
        ({"ContentDate": "20080418", "ContentTime": "09"}, None),
        ({"ContentDate": "20080418", "ContentTime": "100000", "AcquisitionTime": None}, None),
    ],
)
def test_all_times_of_the_scan_agree(attributes, seconds):
    check(pet(**attributes), seconds)


@pytest.mark.parametrize(
    ("start", "time", "seconds"),
    [
        ("20080418092800", "092800", 3600),
        ("20080418092800.00", "092801", 3600),
        ("20080418092800", "082800", None),
        ("20080417092800", "092800", None),
    ],
)
def test_both_times_of_the_injection_agree(start, time, seconds):
    tracer = {"RadiopharmaceuticalStartDateTime": start, "RadiopharmaceuticalStartTime": time}
    check(pet(tracer), seconds)


@pytest.mark.parametrize(
    ("start", "series", "seconds"),
    [
        ("20080418102800.00", "102800", 3600),
        ("20080418102800.00", "150000", 3600),
        ("20080418100000", "102800", None),
        ("20080418110000", "150000", None),
        ("20080417102800", "150000", None),
        ("later", "150000", None),
    ],
)
def test_the_private_scan_start_of_ge_agrees(start, series, seconds):
    dataset = pet(SeriesTime=series)
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", start)
    check(dataset, seconds)


def test_the_next_image_has_a_warning_too():
    for _ in range(3):
        assert "half-life is -1" in check(pet({"RadionuclideHalfLife": "-1"}), None)
    check(pet(), 3600)


# ------------------------------------------------------------------ multi-frame objects


def converted(is_shared: bool = True, **top: Any) -> Dataset:
    """Return the image as a converter to Legacy Converted Enhanced PET writes it."""
    dataset = pet()
    moved = Dataset()
    for keyword in (
        *("Units", "CorrectedImage", "DecayCorrection", "AcquisitionDate", "AcquisitionTime"),
        "RadiopharmaceuticalInformationSequence",
    ):
        moved[keyword] = dataset[keyword]
        del dataset[keyword]
    kind = "Shared" if is_shared else "PerFrame"
    groups = item(**{f"Unassigned{kind}ConvertedAttributesSequence": Sequence([moved])})
    empty = Sequence([Dataset()])
    dataset.SharedFunctionalGroupsSequence = Sequence([groups]) if is_shared else empty
    dataset.PerFrameFunctionalGroupsSequence = empty if is_shared else Sequence([groups])
    dataset.NumberOfFrames = 1
    dataset.update(item(**top))
    return dataset


@pytest.mark.parametrize("is_shared", [True, False])
def test_legacy_converted_objects_have_the_factor_of_their_slices(is_shared):
    check(converted(is_shared), 3600)


def test_legacy_converted_objects_have_the_modules_of_their_slices():
    found = header(parse_part10(builders.part10(converted(), EXPLICIT)), 0)
    assert found["pet_series"] == {
        "units": "BQML",
        "corrected_image": ["ATTN", "DECY"],
        "decay_correction": "START",
    }
    assert found["general_series"]["acquisition_time"] == "102800"
    tracer = found["pet_isotope"]["radiopharmaceutical_info"]
    assert tracer["radionuclide_half_life"] == 6588


def test_private_factors_that_a_converter_moved():
    dataset = converted()
    moved = dataset.SharedFunctionalGroupsSequence[0]
    moved = moved.UnassignedSharedConvertedAttributesSequence[0]
    moved.Units = "CNTS"
    moved.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0, "DS", "2E-4")
    with noting():
        found = header(parse_part10(builders.part10(dataset, EXPLICIT)), 0)
    assert found["scaling"]["suvbw"] == 2e-4


def enhanced(unit: str = "Bq/ml", slope: float = 2.0, **top: Any) -> Dataset:
    """Return an Enhanced PET image, with the units of a Real World Value Mapping."""
    dataset = pet(Units=None, CorrectedImage=None, DecayCorrection=None, RescaleSlope=None)
    code = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning="unit")
    line = item(RealWorldValueSlope=slope, RealWorldValueIntercept=0.0)
    line.MeasurementUnitsCodeSequence = Sequence([code])
    rescale = item(RescaleSlope="2", RescaleIntercept="0", RescaleType="US")
    factors = item(DecayFactor="1.1")
    groups = item(
        PixelValueTransformationSequence=Sequence([rescale]),
        RealWorldValueMappingSequence=Sequence([line]),
        PETFrameCorrectionFactorsSequence=Sequence([factors]),
    )
    dataset.SharedFunctionalGroupsSequence = Sequence([groups])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset()])
    dataset.NumberOfFrames = 1
    told = {
        "AttenuationCorrected": "YES",
        "DecayCorrected": "YES",
        "DecayCorrectionDateTime": "20080418102800",
    }
    dataset.update(item(**told | top))
    return dataset


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ({}, 3600),
        ({"DecayCorrectionDateTime": "20080418092800"}, 0),
        ({"DecayCorrectionDateTime": None}, None),
        ({"DecayCorrected": "NO"}, None),
        ({"AttenuationCorrected": None}, None),
        ({"unit": "{counts}"}, None),
        ({"slope": 3.0}, None),
    ],
)
def test_enhanced_pet_has_the_moment_of_its_decay_correction(attributes, seconds):
    check(enhanced(**attributes), seconds)


def test_enhanced_pet_of_uptake_values():
    assert read(enhanced("g/ml{SUVbw}"))[0] == {"suvbw": 1}


def test_enhanced_pet_has_its_decay_factor():
    found = header(parse_part10(builders.part10(enhanced(), EXPLICIT)), 0)
    assert found["pet_image"]["decay_factor"] == 1.1


# ------------------------------------------------------------------ dose


def dose(*factors: str) -> Dataset:
    """Return an RT dose."""
    dataset = pet(Modality="RTDOSE", DoseUnits="GY", DoseGridScaling=list(factors))
    dataset.DoseType = "PHYSICAL"
    return dataset


@pytest.mark.parametrize("factors", [("1E-3",), ("1E-3", "0.001")])
def test_dose_is_scaled_by_its_grid(factors):
    image = make_image(parse_part10(builders.part10(dose(*factors), EXPLICIT)), 0)
    assert image.modules["scaling"]["dose_grid_scaling"] == 0.001
    found = to_modality(image, own_factor(image)).pixels
    assert np.allclose(found, PIXELS.astype("f8") * 0.001)


@pytest.mark.parametrize(
    "factors", [("1E-3", "2"), ("-1",), ("1E300",), ("nan",), ("1E-300",), ("1E-3", "nan")]
)
def test_impossible_dose_grid_scaling_is_ignored(factors):
    image = make_image(parse_part10(builders.part10(dose(*factors), EXPLICIT)), 0)
    assert image.modules["scaling"] == {"dose_type": "PHYSICAL", "dose_units": "GY"}
    assert image.warnings
    assert np.array_equal(to_modality(image, own_factor(image)).pixels, PIXELS)


def test_a_dose_grid_scaling_of_0_is_none():
    image = make_image(parse_part10(builders.part10(dose("0"), EXPLICIT)), 0)
    assert "dose_grid_scaling" not in image.modules["scaling"]


@pytest.mark.parametrize("units", ["BQML", "GML"])
@pytest.mark.parametrize("slope", ["0", "1E-300"])
def test_values_without_a_slope_have_no_factor(units, slope):
    """A slope of 0 is ignored, so the stored values are no activity."""
    text = check(pet(Units=units, RescaleSlope=slope, RescaleIntercept="0"), None)
    assert "would make all pixels the same" in text
    assert "values have no unit" in text


@pytest.mark.parametrize(("slope", "intercept"), [("1E35", "0"), ("2", "1E35")])
def test_values_without_a_complete_rescale_have_no_factor(slope, intercept):
    text = check(pet(RescaleSlope=slope, RescaleIntercept=intercept), None)
    assert "cannot be used, so that values have no unit" in text


@pytest.mark.parametrize("told", ["2008", "200804"])
def test_an_injection_without_a_day_gives_no_factor(told):
    tracer = {"RadiopharmaceuticalStartDateTime": told, "RadionuclideHalfLife": "1E8"}
    check(pet(tracer), None)
    check(pet(tracer | {"RadiopharmaceuticalStartTime": None}), None)


def test_an_injection_at_two_times_gives_no_factor():
    check(pet({"RadiopharmaceuticalStartTime": ["092800", "093800"]}), None)
