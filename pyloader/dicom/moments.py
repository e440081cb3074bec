"""Parse dates, times and date-times (PS3.5 6.2: DA, TM, DT), also in older spellings.

ACR-NEMA wrote ``2008.04.18`` and ``10:28:00``. A `Moment` records its precision: a time with fewer
digits is less precise. A moment without an offset from UTC is in the time zone of its file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

DATE = re.compile(r"(\d{4})(?:([./-]?)(\d\d)(?:\2(\d\d))?)?")
TIME = re.compile(r"(\d\d)(?:(:?)(\d\d)(?:\2(\d\d)(?:[.,](\d+))?)?)?")
DATE_TIME = re.compile(r"(\d{4,8})((?:\d\d){0,3}(?:[.,]\d+)?)([+-]\d{4})?")
OFFSET = re.compile(r"([+-])(\d\d)(\d\d)")
# Years in which patients can be born and images made.
YEARS = range(1800, 2201)
# Smallest and largest valid offset from UTC (PS3.5 6.2).
OFFSETS = (timedelta(hours=-12), timedelta(hours=14))
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
UNKNOWN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time.

    Attributes
    ----------
    clock : datetime
        Local time on the clock, without a time zone.
    precision : timedelta
        How much later the true time may be, because the last digits are not written.
    offset : timedelta or None
        Offset of the clock from UTC; None for the time zone of the file.
    """

    clock: datetime
    precision: timedelta = timedelta()
    offset: timedelta | None = None

    @property
    def latest(self) -> datetime:
        """The latest time it can be, by the same clock."""
        return self.clock + self.precision

    def at(self, zone: timedelta | None) -> datetime | None:
        """Return the local time in the time zone of the file; None when that zone is unknown."""
        if self.offset is None:
            return self.clock
        return None if zone is None else self.clock + (zone - self.offset)


@lru_cache(maxsize=256)
def is_date(text: str) -> bool:
    """Return whether a DA or DT begins with a valid date from 1800 to 2200."""
    text = text.strip()
    match = DATE.fullmatch(text)
    if match is None and (found := DATE_TIME.fullmatch(text)):
        match = DATE.fullmatch(found[1])
    return match is not None and day_of(match) is not None


def read_date_time(text: Any) -> Moment | None:
    """Return the moment of a DT; None for an invalid text."""
    match = DATE_TIME.fullmatch(str(text or "").strip())
    if match is None:
        return None
    offset = read_offset(match[3]) if match[3] else None
    found = read_moment(match[1], match[2])
    if found is None or (match[3] and offset is None):
        return None
    return Moment(found.clock, found.precision, offset)


def read_moment(day: Any, time: Any) -> Moment | None:
    """Return the moment of a DA and a TM; the TM may be empty. None for invalid texts."""
    match = DATE.fullmatch(str(day or "").strip())
    date_ = match and day_of(match)
    if match is None or date_ is None:
        return None
    start = datetime(date_.year, date_.month, date_.day)
    if match[4] is None:
        return Moment(start, UNKNOWN)
    if not time:
        return Moment(start, DAY)
    found = read_time(time)
    return found and Moment(start + found[0], found[1])


def day_of(match: re.Match[str]) -> date | None:
    """Return the date of a match of `DATE`; a missing month or day is taken as the first."""
    year, month, day = (int(match[group] or 1) for group in (1, 3, 4))
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def read_time(text: Any) -> tuple[timedelta, timedelta] | None:
    """Return the time since midnight of a TM, and its precision; None for an invalid text.

    Second 60 is a leap second; midnight is 00:00 and never 24:00 (PS3.5 6.2).
    """
    match = TIME.fullmatch(str(text).strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(match[group] or 0) for group in (1, 3, 4))
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    fraction = int((match[5] or "")[:6].ljust(6, "0"))
    precision = HOUR if match[3] is None else MINUTE if match[4] is None else timedelta()
    since = timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)
    return since, precision


def read_offset(text: Any) -> timedelta | None:
    """Return an offset from UTC, such as ``+0130``; None if invalid (PS3.3 C.12.1.1.8)."""
    match = OFFSET.fullmatch(str(text or "").strip())
    if match is None or int(match[3]) > 59 or match[0] == "-0000":
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    found = -size if match[1] == "-" else size
    return found if OFFSETS[0] <= found <= OFFSETS[1] else None
