"""The dose that is left when decay is corrected to, and moments that contradict each other."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydicom import Dataset, Sequence

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.decay import (
    DOSES,
    GE_SCAN_START,
    NotCertainError,
    bounded,
    creators_of,
    dose_at_scan,
    is_older_than_series,
    private_value,
)
from tests.support.enhanced import item

DOSE, HALF_LIFE = 4e8, 6586.2  # Bq of fluorine 18


def pet(tracer: dict[str, Any] | None = None, **attributes: Any) -> Frame:
    """Return a frame of PET whose tracer was given at 9:00, an hour before the scan."""
    given = {
        "RadionuclideTotalDose": DOSE,
        "RadionuclideHalfLife": HALF_LIFE,
        "RadiopharmaceuticalStartTime": "090000",
        **(tracer or {}),
    }
    told = {
        "DecayCorrection": "START",
        "SeriesDate": "20240229",
        "SeriesTime": "100000",
        "RadiopharmaceuticalInformationSequence": Sequence([item(**given)]),
        **attributes,
    }
    return Frame(item(**told), 0)


def left_after(seconds: float) -> Any:
    """Return the dose after decay, by its definition."""
    return pytest.approx(DOSE * 0.5 ** (seconds / HALF_LIFE), rel=1e-9)


@pytest.mark.parametrize(
    ("tracer", "attributes", "seconds"),
    [
        ({}, {}, 3600),
        ({"RadiopharmaceuticalStartTime": "233000"}, {"SeriesTime": "003000"}, 3600),
        ({"RadiopharmaceuticalStartDateTime": "20240229090000"}, {}, 3600),
        (
            {"RadiopharmaceuticalStartDateTime": "20240229080000+0000"},
            {"TimezoneOffsetFromUTC": "+0100"},
            3600,
        ),
        ({}, {"AcquisitionDate": "20240229", "AcquisitionTime": "101000"}, 3600),
        ({"RadiopharmaceuticalStartTime": "100000"}, {}, 0),
    ],
    ids=["same day", "over midnight", "date and time", "UTC", "second bed", "at once"],
)
def test_dose_decays_from_the_injection_to_the_scan(tracer, attributes, seconds):
    assert dose_at_scan(pet(tracer, **attributes)) == left_after(seconds)


def test_dose_corrected_to_the_injection_is_whole():
    assert dose_at_scan(pet(DecayCorrection="ADMIN", SeriesTime=None)) == DOSE


def test_enhanced_pet_gives_the_moment_itself():
    frame = pet(
        DecayCorrection=None, DecayCorrected="YES", DecayCorrectionDateTime="20240229103000"
    )
    assert dose_at_scan(frame) == left_after(5400)


def test_a_rewritten_series_time_is_counted_back_from_the_frame():
    """The average count of a frame of 20 minutes comes before its middle, as activity falls."""
    duration, reference = 1200, 599.0
    step = 0.05  # seconds: the mean activity, summed numerically
    steps = [2.0 ** (-(index + 0.5) * step / HALF_LIFE) for index in range(int(duration / step))]
    average = -HALF_LIFE * math.log2(sum(steps) / len(steps))
    frame = pet(
        SeriesTime="120000",
        AcquisitionDate="20240229",
        AcquisitionTime="100000",
        ActualFrameDuration=duration * 1000,
        FrameReferenceTime=reference * 1000,
    )
    assert dose_at_scan(frame) == left_after(3600 + average - reference)


@pytest.mark.parametrize(
    ("tracer", "attributes"),
    [
        ({"RadionuclideTotalDose": None}, {}),
        ({"RadionuclideTotalDose": 0}, {}),
        ({"RadionuclideHalfLife": None}, {}),
        ({"RadiopharmaceuticalStartTime": None}, {}),
        ({"RadiopharmaceuticalStartDateTime": "202402"}, {}),
        ({}, {"DecayCorrection": "NONE"}),
        ({}, {"DecayCorrection": None}),
        ({}, {"SeriesTime": None}),
        ({}, {"SeriesTime": "230000"}),
    ],
)
def test_nothing_follows_from_absent_numbers_and_moments(tracer, attributes):
    assert dose_at_scan(pet(tracer, **attributes)) is None


def test_an_image_without_a_tracer_has_no_dose():
    assert dose_at_scan(Frame(Dataset(), 0)) is None


@pytest.mark.parametrize(
    ("tracer", "attributes", "reason"),
    [
        ({"RadionuclideTotalDose": 400}, {}, "the dose is 400, expected 100000 to"),
        ({"RadionuclideHalfLife": 1.83}, {}, "the half-life is 1.83"),
        ({"RadionuclideHalfLife": 300}, {}, "1.0 h after the injection, 12 half-lives"),
        (
            {"RadiopharmaceuticalStartDateTime": "20240229080000"},
            {},
            "the injection has different times",
        ),
        (
            {"RadiopharmaceuticalStartDateTime": "20240229080000+0000"},
            {},
            "in UTC, but the time zone of other times is unknown",
        ),
        (
            {},
            {"AcquisitionDate": "20240301", "AcquisitionTime": "110000"},
            "the scan began at .* but was acquired at 2024-03-01",
        ),
    ],
)
def test_contradictions_are_named(tracer, attributes, reason):
    with pytest.raises(NotCertainError, match=reason):
        dose_at_scan(pet(tracer, **attributes))


def test_several_tracers_are_not_certain():
    frame = pet(RadiopharmaceuticalInformationSequence=Sequence([Dataset(), Dataset()]))
    with pytest.raises(NotCertainError, match="2 tracers were given"):
        dose_at_scan(frame)


def test_numbers_within_bounds_may_be_there_twice():
    assert bounded([DOSE, DOSE], "dose", DOSES) == DOSE
    with pytest.raises(NotCertainError, match=r"the dose is 4e\+08\\5e\+08"):
        bounded([DOSE, 5e8], "dose", DOSES)


# ------------------------------------------------------------------ series that were rewritten


@pytest.mark.parametrize(
    ("content", "acquisition", "expected"),
    [
        ("095800", None, True),
        ("095930", None, False),  # within what clocks differ
        ("100000", None, False),
        ("0959", None, False),  # until 9:59:59
        ("095800", "095800", False),
        ("095800", "100000", True),
        (None, None, False),
    ],
)
def test_pixels_older_than_their_series(content, acquisition, expected):
    dataset = item(SeriesDate="20240229", SeriesTime="100000")
    for name, time in (("Content", content), ("Acquisition", acquisition)):
        if time is not None:
            setattr(dataset, f"{name}Date", "20240229")
            setattr(dataset, f"{name}Time", time)
    assert is_older_than_series(Frame(dataset, 0)) is expected


# ------------------------------------------------------------------ private attributes


@pytest.mark.parametrize("number", [0x10, 0x11, 0x1F])
@pytest.mark.parametrize(("vr", "value"), [("DT", "20240229100000"), ("UN", b"20240229100000\0")])
def test_private_attributes_are_in_the_block_of_their_creator(number, vr, value):
    dataset = Dataset()
    dataset.add_new(0x00090000 | number, "LO", GE_SCAN_START[0])
    dataset.add_new(0x0009000D | number << 8, vr, value)
    assert private_value(Frame(dataset, 0), GE_SCAN_START) == "20240229100000"


def test_the_block_of_another_creator_is_not_used():
    dataset = Dataset()
    dataset.add_new(0x00090010, "LO", "SOMEBODY")
    dataset.add_new(0x0009100D, "DT", "20240229100000")
    assert private_value(Frame(dataset, 0), GE_SCAN_START) is None
    dataset.add_new(0x00090011, "LO", GE_SCAN_START[0])
    assert private_value(Frame(dataset, 0), GE_SCAN_START) is None


def test_creators_are_elements_10_and_following():
    assert [f"{tag:08x}" for tag in creators_of(0x0009)[:2]] == ["00090010", "00090011"]
