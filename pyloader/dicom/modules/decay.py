"""The dose of a PET tracer that was left at the moment to which decay is corrected.

A file tells each moment up to three times, in other spellings and time zones. One that is told
once is taken; where two disagree, or a number cannot be, nothing is certain: `NotCertainError`.
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

# No maker has written more than a few into a group.
BLOCKS = range(0x10, 0x20)
GE_SCAN_START = ("GEMS_PETD_01", 0x0009, 0x0D)
# Bq, from a mouse's dose to more than any patient's: one in MBq is below.
DOSES = (1e5, 1e11)
# Seconds, from carbon 10 to sodium 22.
HALF_LIVES = (10.0, 1e8)
# Half-lives after which less than 2 % is left, which nobody measures.
MOST_HALF_LIVES = 6.0
# Between an injection whose day is not written and the scan, and of a scan.
LONGEST = timedelta(hours=12)
# Clocks of two computers differ.
SKEW = timedelta(minutes=1)
# Fractions of seconds are left out of some of two times.
SECOND = timedelta(seconds=1)
# Of a half-life, by how much two moments may differ that are the same, which is 1.4 % of an SUV;
# and how much of a moment may be untold.
SAME, UNTOLD = 2e-2, 1e-2


class NotCertainError(Exception):
    """A factor cannot be given; the text says why."""


def dose_at_scan(frame: Frame) -> float | None:
    """Return the dose in Bq that values were decay-corrected to, None when that is not told.

    Raises
    ------
    NotCertainError
        A number of it cannot be, or two moments contradict each other.
    """
    isotopes = frame.items("RadiopharmaceuticalInformationSequence")
    if len(isotopes) > 1:
        raise NotCertainError(f"{len(isotopes)} tracers were given")
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
        hours = f"{seconds / 3600:.1f} h after the injection"
        raise NotCertainError(f"{hours}, {seconds / half_life:.0f} half-lives, nothing is left")
    return float(dose * 2 ** (-seconds / half_life))


def bounded(value: Any, name: str, limits: tuple[float, float]) -> float | None:
    """Return a number, None when it is absent, or 0, which stands for unknown.

    Raises
    ------
    NotCertainError
        It is not within `limits`.
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
    """Times of the injection and of the scan, as a file has them."""

    frame: Frame
    isotope: Dataset
    half_life: float

    def uptake(self, correction: str | None) -> float | None:
        """Return the seconds from the injection to the moment that decay is corrected to."""
        if correction == "START":
            scan = self.scan_start()
        elif correction is None and self.frame.text("DecayCorrected") == "YES":
            # Enhanced PET says the moment itself (PS3.3 C.8.22.3).
            scan = self.exact(read_date_time(self.frame.get("DecayCorrectionDateTime")))
        else:
            return None
        start = scan and self.injection(scan)
        return (scan - start).total_seconds() if scan and start else None

    def injection(self, scan: datetime) -> datetime | None:
        """Return when the tracer was given; a time without a date is the last one before `scan`."""
        told, time = read_date_time(self.told("StartDateTime")), self.told("StartTime")
        if told is not None and told.precision > timedelta(days=1):
            return None  # a month or a year, of which the day is not known
        if told is not None:
            day = told.at(self.zone) or told.clock
            given = self.exact(read_moment(f"{day:%Y%m%d}", time))
            if told.precision >= timedelta(days=1):
                return given
            return self.same("the injection", [self.exact(told), given])
        given = self.exact(read_moment(f"{scan:%Y%m%d}", time))
        if given is not None and given > scan:
            given -= timedelta(days=1)
        return given if given is not None and scan - given < LONGEST else None

    def scan_start(self) -> datetime | None:
        """Return the moment that ``START`` corrects decay to (PS3.3 C.8.9.1.1.5).

        It is the series', unless that was written anew after the scan.
        """
        series, acquisition = self.of("Series"), self.acquisition()
        text = private_value(self.frame, GE_SCAN_START)
        own = self.exact(read_date_time(text))
        if series is None:
            return None
        if acquisition is None or series <= acquisition + SECOND:
            start = self.same("the scan's start", [series, own])
        else:
            start = own if text else self.counted_back(acquisition)
        if start and acquisition and not -SECOND <= acquisition - start <= LONGEST:
            raise NotCertainError(f"the scan began at {start}, but was acquired at {acquisition}")
        return start

    def acquisition(self) -> datetime | None:
        """Return when this frame was acquired."""
        own = read_date_time(self.frame.get("FrameAcquisitionDateTime", "FrameContentSequence"))
        whole = None if own else read_date_time(self.frame.get("AcquisitionDateTime"))
        told = [self.exact(own or whole), self.of("Acquisition")]
        return self.same("the acquisition", told)

    def counted_back(self, acquisition: datetime) -> datetime | None:
        """Return the start of a scan from one frame: when its counts were average, and its offset.

        Acquisition Time is where this bed position began, Frame Reference Time (PS3.3 C.8.9.4.1.1)
        how long after the start of the scan its counts were as on average.
        """
        most = LONGEST.total_seconds() * 1000
        own = self.frame.get("FrameAcquisitionDuration", "FrameContentSequence")
        told = own or self.frame.get("ActualFrameDuration")
        duration = bounded(told, "frame duration", (1.0, most))
        told = self.frame.get("FrameReferenceTime")
        reference = bounded(told, "frame reference time", (0.0, most))
        if reference is None or duration is None:
            return None
        decay = math.log(2) / self.half_life
        during = decay * duration / 1000
        average = math.log(during / -math.expm1(-during)) / decay
        return acquisition + timedelta(seconds=average - reference / 1000)

    def of(self, name: str) -> datetime | None:
        """Return the date and time of the ``Series`` or ``Acquisition``."""
        return self.exact(moment_of(self.frame, name))

    def exact(self, moment: Moment | None) -> datetime | None:
        """Return a moment in the time zone of the file, None for one that is not told well enough.

        Raises
        ------
        NotCertainError
            It is in UTC, and the file does not tell its own time zone.
        """
        if moment is None or moment.precision.total_seconds() > UNTOLD * self.half_life:
            return None
        if moment.offset is None:
            return moment.clock
        found = moment.at(self.zone)
        # Who writes another offset than that of UTC writes his own, as clocks around him show it.
        if found is None and moment.offset and self.frame.get("TimezoneOffsetFromUTC") is None:
            return moment.clock
        if found is None:
            raise NotCertainError(
                f"{moment.clock} is in UTC, and the time zone of other times is not told: "
                "(0008,0201) Timezone Offset From UTC is absent or cannot be read"
            )
        return found

    @cached_property
    def zone(self) -> timedelta | None:
        """The offset of dates and times from UTC: as it is told, or as a moment shows it.

        A moment with an offset that is written without one too shows it by its own clock.
        """
        text = self.frame.get("TimezoneOffsetFromUTC")
        if text is not None:
            return read_offset(text)
        for date_time, time in (
            (self.told("StartDateTime"), self.told("StartTime")),
            (self.frame.get("AcquisitionDateTime"), self.frame.get("AcquisitionTime")),
        ):
            given = read_date_time(date_time)
            other = given and read_moment(f"{given.clock:%Y%m%d}", time)
            if given and other and abs(other.clock - given.clock) <= SECOND:
                return given.offset
        return None

    def told(self, name: str) -> Any:
        """Return an attribute of the tracer, such as ``StartTime``."""
        return value_of(self.isotope, f"Radiopharmaceutical{name}")

    def same(self, what: str, told: Sequence[datetime | None]) -> datetime | None:
        """Return the first of several moments, which are to be the same."""
        known = [each for each in told if each is not None]
        most = SAME * self.half_life
        if known and (max(known) - min(known)).total_seconds() > most:
            times = " and ".join(map(str, known))
            raise NotCertainError(f"{what} is told as {times}")
        return known[0] if known else None


def moment_of(frame: Frame, name: str) -> Moment | None:
    """Return the date and time of the ``Series``, ``Acquisition`` or ``Content``."""
    return read_moment(frame.get(f"{name}Date"), frame.get(f"{name}Time"))


def is_older_than_series(frame: Frame) -> bool:
    """Tell whether pixels were there before their series, which then was written anew.

    That an acquisition was before it too is known to `Times`.
    """
    content, series = moment_of(frame, "Content"), moment_of(frame, "Series")
    if content is None or series is None or content.latest >= series.clock - SKEW:
        return False
    acquisition = moment_of(frame, "Acquisition")
    return acquisition is None or acquisition.latest >= series.clock


def private_value(frame: Frame, name: tuple[str, int, int]) -> Any:
    """Return a private attribute, in the block of its creator, wherever a converter put that."""
    found = (private_of(owner, name) for owner in frame.owners(""))
    return next((value for value in found if value is not None), None)


def private_of(dataset: Dataset, name: tuple[str, int, int]) -> Any:
    """Return a private attribute of a data set, as text or number; None when it has none."""
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
    """Return a value whose VR may be unknown, as text or number."""
    found = plain(value)
    return found.decode("ascii", "replace").strip(" \0") if isinstance(found, bytes) else found
