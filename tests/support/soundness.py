"""Values that no module may have: infinite numbers, distances of kilometres, doubtful factors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword

from pyloader.image import Image, modules_of
from pyloader.wire import plain

LARGEST = 10_000
# The largest integer that a number of JavaScript holds exactly.
EXACT = 1 << 53
CLOCK = re.compile(r"(\d{8})(\d\d)(\d\d)?(\d\d)?(?:\.\d+)?(?:([+-])(\d\d)\d\d)?")
NUMBER = re.compile(r" *([+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?)")


def complaints(image: Image, body: bytes) -> list[str]:
    """Return what is wrong with the modules of an image of a file."""
    modules = {name: plain(module) for name, module in modules_of(image).items()}
    found = [each for name, module in modules.items() for each in of_value(name, module)]
    return [*found, *of_factors(image.modules.get("scaling", {}), body)]


def of_value(name: str, value: Any) -> Iterator[str]:
    """Yield what is wrong with a value, or with those in it."""
    if isinstance(value, Mapping):
        parts = ((f"{name}.{key}", each) for key, each in value.items())
    else:
        parts = ((name, each) for each in (value if isinstance(value, (list, tuple)) else ()))
    for part in parts:
        yield from of_value(*part)
    if isinstance(value, np.ndarray):
        if not np.isfinite(value).all():
            yield f"{name} is not finite"
    elif isinstance(value, str):
        yield from of_text(name, value)
    elif isinstance(value, (int, float)):
        yield from of_number(name, value)


def of_number(name: str, number: float) -> Iterator[str]:
    """Yield what is wrong with a number."""
    key = name.rpartition(".")[2].lower()
    if not math.isfinite(number) or (isinstance(number, int) and abs(number) > EXACT):
        yield f"{name} is {number}"
    if key.endswith(("spacing", "thickness")) and not 0 <= number <= LARGEST:
        yield f"{name} is {number}"
    if key == "spacingbetweenslices" and not abs(number) <= LARGEST:
        yield f"{name} is {number}"


def of_text(name: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a text: a date is of a year that can be."""
    if re.search("(Date|DateTime)$", name) and not 1800 <= int(text[:4]) <= 2200:
        yield f"{name} is {text!r}"


# ------------------------------------------------------------------ factors, by another way


def of_factors(scaling: Mapping[str, Any], body: bytes) -> Iterator[str]:
    """Yield what is wrong with factors: none may be there that is not found by another formula."""
    for name in {"suvbw", "dose_grid_scaling"} & set(scaling):
        factor, told = scaling[name], Told(dcmread(BytesIO(body), force=True))
        others = told.suv() if name == "suvbw" else told.first("DoseGridScaling")
        is_confirmed = any(math.isclose(factor, other, rel_tol=0.03) for other in others)
        if not is_confirmed or not 1e-15 < factor < 1e6:
            yield f"{name} is {factor}, by other formulas {sorted(others)[:4]}"


class Told:
    """Values of one attribute anywhere in a file, as numbers and moments."""

    def __init__(self, dataset: Dataset) -> None:
        self.texts: dict[int, list[str]] = {}
        self.gather(dataset)

    def gather(self, dataset: Dataset) -> None:
        """Note all values, also of sequences."""
        for tag in list(dataset.keys()):
            raw = dataset.get_item(tag)
            value = getattr(raw, "value", None)
            if isinstance(value, bytes) and raw.VR != "SQ":
                self.texts.setdefault(int(tag), []).append(value.decode("latin-1"))
            for each in dataset[tag].value if raw.VR == "SQ" else ():
                self.gather(each)

    def all(self, keyword: str) -> list[str]:
        """Return the texts of an attribute, several of one apart."""
        found = self.texts.get(tag_for_keyword(keyword) or 0, [])
        return [each.strip(" \0") for text in found for each in text.split("\\")]

    def first(self, keyword: str) -> list[float]:
        """Return the numbers of an attribute."""
        return self.numbers(tag_for_keyword(keyword) or 0)

    def numbers(self, tag: int) -> list[float]:
        """Return the numbers of an attribute, by its tag."""
        texts = (each for text in self.texts.get(tag, []) for each in text.split("\\"))
        matches = map(NUMBER.match, texts)
        return [float(match[1].replace(",", ".")) for match in matches if match]

    def suv(self) -> set[float]:
        """Return the factors that any of the doses, weights and moments of a file lead to."""
        makers = {*self.numbers(0x70531000), *self.numbers(0x70531009)}
        doses, weights = self.first("RadionuclideTotalDose"), self.first("PatientWeight")
        lives = self.first("RadionuclideHalfLife") or [math.inf]
        found = {1.0, *makers}
        for dose, weight, life, seconds in product(doses, weights, lives, self.uptakes()):
            left = dose * math.exp(-math.log(2) * seconds / life) if life > 0 < dose else 0
            if left:
                activity = {factor * weight * 1000 / left for factor in makers}
                found |= {weight * 1000 / left, *activity}
        return found

    def uptakes(self) -> set[float]:
        """Return the seconds, up to a year, that may lie between injection and scan."""
        scans = {*self.moments("Series"), *self.counted_back()}
        scans |= set(self.date_times("DecayCorrectionDateTime"))
        scans |= {each for text in self.texts.get(0x0009100D, []) for each in clocks(text)}
        starts = set(self.date_times("RadiopharmaceuticalStartDateTime"))
        for text, scan in product(self.all("RadiopharmaceuticalStartTime"), scans):
            days = (scan, scan - timedelta(days=1))
            time = text.replace(":", "")
            starts |= {each for day in days for each in clocks(f"{day:%Y%m%d}{time}")}
        found = {(scan - start).total_seconds() for scan in scans for start in starts}
        return {0.0, *(seconds for seconds in found if 0 <= seconds < 366 * 86400)}

    def moments(self, name: str) -> list[datetime]:
        """Return what the dates and times of the ``Series`` or ``Acquisition`` may be."""
        dates, times = self.all(f"{name}Date"), self.all(f"{name}Time")
        pairs = product(dates, times)
        texts = (re.sub("[.:/-]", "", day) + time.replace(":", "") for day, time in pairs)
        return [each for text in texts for each in clocks(text)]

    def date_times(self, keyword: str) -> list[datetime]:
        """Return what moments with dates may be."""
        return [each for text in self.all(keyword) for each in clocks(text)]

    def counted_back(self) -> list[datetime]:
        """Return the starts of the scan by a frame's reference time, its half passed."""
        references, durations = self.first("FrameReferenceTime"), self.first("ActualFrameDuration")
        found = []
        for start, reference, duration in product(
            self.moments("Acquisition"), references, durations
        ):
            seconds = (duration / 2 - reference) / 1000
            if abs(seconds) < 1e6:
                found.append(start + timedelta(seconds=seconds))
        return found


def clocks(text: str) -> list[datetime]:
    """Return the moment of a text, as its clock shows it and in the time zones of the files."""
    match = CLOCK.match(text.strip(" \0"))
    if match is None:
        return []
    try:
        day = datetime.strptime(match[1], "%Y%m%d")
    except ValueError:
        return []
    if not 1800 <= day.year <= 2200:
        return []
    hours, minutes, seconds, zone = (int(match[group] or 0) for group in (2, 3, 4, 6))
    moment = day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    shift = timedelta(hours=zone if match[5] == "+" else -zone)
    zones = (timedelta(0), timedelta(hours=2), shift)
    return [moment - shift + each for each in zones]
