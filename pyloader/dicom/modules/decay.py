"""Compute the dose of a PET tracer that is left at the moment that decay is corrected to.

A file gives each moment up to three times, in different spellings and time zones. If two of them
disagree, or a number is impossible, nothing is certain: `NotCertainError`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from pydicom import Dataset
from pydicom.tag import BaseTag

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.moments import Moment, read_date_time, read_moment, read_offset
from pyloader.dicom.values import as_numbers, element_of, plain, value_of

# No manufacturer writes more than a few private blocks into one group.
BLOCKS = range(0x10, 0x20)
GE_SCAN_START = ("GEMS_PETD_01", 0x0009, 0x0D)
# Bq, from a mouse's dose to more than any patient's: one in MBq is below.
DOSES = (1e5, 1e11)
# Seconds, from carbon 10 to sodium 22.
HALF_LIVES = (10.0, 1e8)
# After this many half-lives less than 2 % is left, which nobody measures.
MOST_HALF_LIVES = 6.0
# Limit for the time from an injection without a date to the scan, and for the duration of a scan.
LONGEST = timedelta(hours=12)
# Clocks of two computers differ by up to this.
SKEW = timedelta(minutes=1)
# One of two equal times may lack its fraction of a second.
SECOND = timedelta(seconds=1)
# As parts of a half-life: the largest difference of two moments that count as equal, which is 1.4 %
# of an SUV; and the coarsest precision of a usable moment.
EQUAL, COARSEST = 2e-2, 1e-2


class NotCertainError(Exception):
    """A factor cannot be computed for certain; the text says why."""


def dose_at_scan(frame: Frame) -> float | None:
    """Return the dose in Bq that is left at the moment of decay correction; None when unknown.

    Raises
    ------
    NotCertainError
        A number is impossible, or two moments contradict each other.
    """
    isotopes = frame.items("RadiopharmaceuticalInformationSequence")
    if len(isotopes) > 1:
        raise NotCertainError(f"{len(isotopes)} tracers were given, expected one")
    if not isotopes:
        return None
    dose = bounded(value_of(isotopes[0], "RadionuclideTotalDose"), "dose", DOSES)
    correction = frame.text("DecayCorrection")
    if correction == "ADMIN":
        return dose
    half_life = bounded(value_of(isotopes[0], "RadionuclideHalfLife"), "half-life", HALF_LIVES)
    if dose is None or half_life is None:
        return None
    seconds = Times(frame, isotopes[0], half_life).uptake(correction)
    if seconds is None or seconds < 0:
        return None
    if seconds > MOST_HALF_LIVES * half_life:
        delay = f"{seconds / 3600:.1f} h after the injection"
        raise NotCertainError(f"{delay}, {seconds / half_life:.0f} half-lives, nothing is left")
    return float(dose * 2 ** (-seconds / half_life))


def bounded(value: Any, name: str, limits: tuple[float, float]) -> float | None:
    """Return a number; None when it is absent, or 0, which means unknown.

    Raises
    ------
    NotCertainError
        The number is not within `limits`, or there are several different ones.
    """
    found = as_numbers(value)
    if found is None or not found[0]:
        return None
    if len(set(found)) > 1 or not limits[0] <= found[0] <= limits[1]:
        text = "\\".join(f"{each:g}" for each in found)
        raise NotCertainError(f"the {name} is {text}, expected {limits[0]:g} to {limits[1]:g}")
    return found[0]


@dataclass(frozen=True)
class Times:
    """Times of the injection and of the scan, read from a file."""

    frame: Frame
    isotope: Dataset
    half_life: float

    def uptake(self, correction: str | None) -> float | None:
        """Return the seconds from the injection to the moment that decay is corrected to.

        Return None when either is unknown.
        """
        if correction == "START":
            scan = self.scan_start()
        elif correction is None and self.frame.text("DecayCorrected") == "YES":
            # Enhanced PET gives this moment directly (PS3.3 C.8.22.3).
            scan = self.exact(read_date_time(self.frame.get("DecayCorrectionDateTime")))
        else:
            return None
        start = scan and self.injection(scan)
        return (scan - start).total_seconds() if scan and start else None

    def injection(self, scan: datetime) -> datetime | None:
        """Return the time of the injection; a time without a date is the last one before `scan`."""
        full, time = (
            read_date_time(self.tracer_value("StartDateTime")),
            self.tracer_value("StartTime"),
        )
        if full is not None and full.precision > timedelta(days=1):
            return None  # a month or a year without the day
        if full is not None:
            day = full.at(self.zone) or full.clock
            given = self.exact(read_moment(f"{day:%Y%m%d}", time))
            if full.precision >= timedelta(days=1):
                return given
            return self.agreed("the injection", [self.exact(full), given])
        given = self.exact(read_moment(f"{scan:%Y%m%d}", time))
        if given is not None and given > scan:
            given -= timedelta(days=1)
        return given if given is not None and scan - given < LONGEST else None

    def scan_start(self) -> datetime | None:
        """Return the moment that ``START`` corrects decay to (PS3.3 C.8.9.1.1.5).

        It is the time of the series, unless software rewrote that after the scan.
        """
        series, acquisition = self.date_and_time("Series"), self.acquisition()
        text = private_value(self.frame, GE_SCAN_START)
        own = self.exact(read_date_time(text))
        if series is None:
            return None
        if acquisition is None or series <= acquisition + SECOND:
            start = self.agreed("the scan's start", [series, own])
        else:
            start = own if text else self.counted_back(acquisition)
        if start and acquisition and not -SECOND <= acquisition - start <= LONGEST:
            raise NotCertainError(f"the scan began at {start}, but was acquired at {acquisition}")
        return start

    def acquisition(self) -> datetime | None:
        """Return the time at which this frame was acquired; None when unknown."""
        own = read_date_time(self.frame.get("FrameAcquisitionDateTime", "FrameContentSequence"))
        whole = None if own else read_date_time(self.frame.get("AcquisitionDateTime"))
        moments = [self.exact(own or whole), self.date_and_time("Acquisition")]
        return self.agreed("the acquisition", moments)

    def counted_back(self, acquisition: datetime) -> datetime | None:
        """Compute the start of a scan from one frame: the time of its average counts, minus offset.

        Acquisition Time is the start of this bed position. Frame Reference Time (PS3.3
        C.8.9.4.1.1) is the time from the start of the scan to the moment of average counts.
        """
        most = LONGEST.total_seconds() * 1000
        own = self.frame.get("FrameAcquisitionDuration", "FrameContentSequence")
        value = own or self.frame.get("ActualFrameDuration")
        duration = bounded(value, "frame duration", (1.0, most))
        value = self.frame.get("FrameReferenceTime")
        reference = bounded(value, "frame reference time", (0.0, most))
        if reference is None or duration is None:
            return None
        decay = math.log(2) / self.half_life
        during = decay * duration / 1000
        average = math.log(during / -math.expm1(-during)) / decay
        return acquisition + timedelta(seconds=average - reference / 1000)

    def date_and_time(self, name: str) -> datetime | None:
        """Return the date and time of the ``Series`` or ``Acquisition``; None when unknown."""
        return self.exact(moment_of(self.frame, name))

    def exact(self, moment: Moment | None) -> datetime | None:
        """Return a moment in the time zone of the file; None when it is absent or too imprecise.

        Raises
        ------
        NotCertainError
            The moment is in UTC, and the time zone of the file is unknown.
        """
        if moment is None or moment.precision.total_seconds() > COARSEST * self.half_life:
            return None
        if moment.offset is None:
            return moment.clock
        found = moment.at(self.zone)
        # Software that writes an offset other than 0 writes that of its own local time zone.
        if found is None and moment.offset and self.frame.get("TimezoneOffsetFromUTC") is None:
            return moment.clock
        if found is None:
            raise NotCertainError(
                f"{moment.clock} is in UTC, but the time zone of other times is unknown: "
                "(0008,0201) Timezone Offset From UTC is absent or cannot be read"
            )
        return found

    @cached_property
    def zone(self) -> timedelta | None:
        """The offset from UTC of dates and times in the file; None when unknown.

        Without Timezone Offset From UTC, take it from a moment that the file gives both with an
        offset and, at the same clock time, without one.
        """
        text = self.frame.get("TimezoneOffsetFromUTC")
        if text is not None:
            return read_offset(text)
        for date_time, time in (
            (self.tracer_value("StartDateTime"), self.tracer_value("StartTime")),
            (self.frame.get("AcquisitionDateTime"), self.frame.get("AcquisitionTime")),
        ):
            given = read_date_time(date_time)
            other = given and read_moment(f"{given.clock:%Y%m%d}", time)
            if given and other and abs(other.clock - given.clock) <= SECOND:
                return given.offset
        return None

    def tracer_value(self, name: str) -> Any:
        """Return an attribute of the radiopharmaceutical, such as ``StartTime``."""
        return value_of(self.isotope, f"Radiopharmaceutical{name}")

    def agreed(self, event: str, moments: Sequence[datetime | None]) -> datetime | None:
        """Return the first known moment; raise `NotCertainError` if the known ones differ."""
        known = [each for each in moments if each is not None]
        most = EQUAL * self.half_life
        if known and (max(known) - min(known)).total_seconds() > most:
            times = " and ".join(map(str, known))
            raise NotCertainError(f"{event} has different times: {times}")
        return known[0] if known else None


def moment_of(frame: Frame, name: str) -> Moment | None:
    """Return the date and time of the ``Series``, ``Acquisition`` or ``Content``."""
    return read_moment(frame.get(f"{name}Date"), frame.get(f"{name}Time"))


def is_older_than_series(frame: Frame) -> bool:
    """Return whether pixels are older than their series, whose time was then rewritten.

    An acquisition before the series does not count; `Times` handles that case.
    """
    content, series = moment_of(frame, "Content"), moment_of(frame, "Series")
    if content is None or series is None or content.latest >= series.clock - SKEW:
        return False
    acquisition = moment_of(frame, "Acquisition")
    return acquisition is None or acquisition.latest >= series.clock


def private_value(frame: Frame, name: tuple[str, int, int]) -> Any:
    """Return a private attribute, from the block of its creator, wherever a converter put it."""
    found = (private_of(owner, name) for owner in frame.owners(""))
    return next((value for value in found if value is not None), None)


def private_of(dataset: Dataset, name: tuple[str, int, int]) -> Any:
    """Return a private attribute of a data set, as text or number; None when it is absent."""
    creator, group, element = name
    present = dataset.keys()
    for tag in creators_of(group):
        owner = element_of(dataset, tag) if tag in present else None
        if owner is not None and text_of(owner.value) == creator:
            block = tag & 0xFF
            found = element_of(dataset, BaseTag(group << 16 | block << 8 | element))
            return None if found is None else text_of(found.value)
    return None


@cache
def creators_of(group: int) -> tuple[BaseTag, ...]:
    """Return the tags of the creators of a private group (PS3.5 7.8.1)."""
    return tuple(BaseTag(group << 16 | block) for block in BLOCKS)


def text_of(value: Any) -> Any:
    """Return a value as text or number; its VR may be unknown."""
    found = plain(value)
    return found.decode("ascii", "replace").strip(" \0") if isinstance(found, bytes) else found
