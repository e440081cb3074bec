"""Dates, times and date-times in all spellings of files."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pyloader.dicom.moments import Moment, is_date, read_date_time, read_moment, read_offset

NOON = datetime(2008, 4, 18, 10, 28)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("day", ["20080418", "2008.04.18", "2008-04-18", "2008/04/18", "20080418 "])
@pytest.mark.parametrize(
    ("time", "later", "precision"),
    [
        ("102800", 0, timedelta()),
        ("10:28:00", 0, timedelta()),
        (" 102800.000000", 0, timedelta()),
        ("102800.25", 0.25, timedelta()),
        ("10:28:00,25", 0.25, timedelta()),
        ("102800.1234567", 0.123456, timedelta()),
        ("102760", 0, timedelta()),
        ("1028", 0, MINUTE),
        ("10:28", 0, MINUTE),
        ("10", -28 * 60, HOUR),
    ],
)
def test_date_and_time(day, time, later, precision):
    assert read_moment(day, time) == Moment(NOON + timedelta(seconds=later), precision)


def test_missing_parts_make_a_moment_less_precise():
    assert read_moment("20080418", "") == Moment(datetime(2008, 4, 18), DAY)
    assert read_moment("200804", "102800").precision > 27 * DAY
    assert read_date_time("2008").precision > 364 * DAY


@pytest.mark.parametrize(
    ("day", "time"),
    [
        *(("20081332", "102800"), ("00010101", "102800"), ("99991231", "102800"), ("", "102800")),
        *(("17991231", "102800"), ("22010101", "102800"), ("2008.0418", "102800")),
        *(("20080418", "240000"), ("20080418", "24:00"), ("20080418", "106000")),
        *(("20080418", "10:2800"), ("20080418", "noon"), ("20080418", "102800-103000")),
        *((None, None), (["20080418"], "102800")),
    ],
)
def test_invalid_dates_and_times_are_none(day, time):
    assert read_moment(day, time) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20080418102800", Moment(NOON)),
        ("20080418102800.000", Moment(NOON)),
        ("20080418102800+0200", Moment(NOON, timedelta(), 2 * HOUR)),
        ("20080418102800.0-0530", Moment(NOON, timedelta(), -5.5 * HOUR)),
        ("200804181028", Moment(NOON, MINUTE)),
        ("20080418", Moment(datetime(2008, 4, 18), DAY)),
    ],
)
def test_date_times(text, moment):
    assert read_date_time(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", None, "now", "20080418240000", "20080418102800+9900", "20080418102800+02:00", "00010101"],
)
def test_invalid_date_times_are_none(text):
    assert read_date_time(text) is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [("+0200", 2), ("-0330", -3.5), ("+0000", 0), ("-1200", -12), ("+1400", 14)],
)
def test_offsets(text, hours):
    assert read_offset(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "0200", "+2", "+0260", "-0000", "+1401", "-1201", "Z"])
def test_invalid_offsets_are_none(text):
    assert read_offset(text) is None


def test_a_moment_has_the_time_zone_of_the_file():
    utc = read_date_time("20080417233000+0000")
    assert utc.at(2 * HOUR) == datetime(2008, 4, 18, 1, 30)
    assert utc.at(None) is None
    assert read_date_time("20080417233000").at(None) == datetime(2008, 4, 17, 23, 30)


@pytest.mark.parametrize("text", ["20080418", "2008.04.18", "2008", "18000101", "22001231235959"])
def test_possible_dates(text):
    assert is_date(text)


@pytest.mark.parametrize("text", ["00010101", "20080431", "today", "0", "99991231235959+0000"])
def test_impossible_dates(text):
    assert not is_date(text)
