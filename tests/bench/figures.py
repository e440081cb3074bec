"""The arithmetic of the benchmark: medians of rounds, ratios, slopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

NEW, OLD = "new", "old"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes
    ----------
    race, case : str
        What was measured: ``"latency"`` of ``"JPEG-LS"``.
    subject : str
        Whose ``dist/``: `NEW`, or `OLD` of ``--against``.
    turn : int
        The round, from 0.
    milliseconds : float
    floor : float or None
        Milliseconds that the browser takes for the same bytes without pyloader, in the same page.
    further : dict
        What else was measured, by name with its unit: ``{"gap ms": 12.0}``.
    """

    race: str
    case: str
    subject: str
    turn: int
    milliseconds: float
    floor: float | None = None
    further: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the table: medians of all rounds.

    Attributes
    ----------
    to_floor : float or None
        The median of the rounds' ratios of `NEW` to its floor.
    old : float or None
        Milliseconds of `OLD`.
    to_old : float or None
        The median of the rounds' ratios of `NEW` to `OLD`.
    further : dict
        Medians of what else was measured, of `NEW`, and of `OLD` as ``"old ..."``.
    """

    race: str
    case: str
    milliseconds: float
    floor: float | None
    to_floor: float | None
    old: float | None
    to_old: float | None
    further: dict[str, float]


def summarise(rows: Iterable[Row]) -> list[Summary]:
    """Return one line for each race and case, in the order of the rows."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.race, row.case), []).append(row)
    return [summary_of(race, case, group) for (race, case), group in groups.items()]


def summary_of(race: str, case: str, group: Sequence[Row]) -> Summary:
    """Return the line of one case."""
    new = [row for row in group if row.subject == NEW]
    old = {row.turn: row for row in group if row.subject == OLD}
    floors = [row for row in new if row.floor]
    pairs = [(row, old[row.turn]) for row in new if row.turn in old]
    return Summary(
        *(race, case, median(row.milliseconds for row in new)),
        middle(row.floor for row in floors),
        middle(row.milliseconds / (row.floor or 1) for row in floors),
        middle(row.milliseconds for row in old.values()),
        middle(a.milliseconds / b.milliseconds for a, b in pairs),
        {**medians(new), **{f"old {name}": each for name, each in medians(old.values()).items()}},
    )


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of the values that are there, None of none."""
    found = [value for value in values if value is not None]
    return median(found) if found else None


def medians(rows: Iterable[Row]) -> dict[str, float]:
    """Return the medians of what else was measured, by name."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.further.items():
            found.setdefault(name, []).append(value)
    return {name: median(values) for name, values in found.items()}


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return slope and intercept of the line of least squares through (x, y) points."""
    count = len(points)
    x_mean = sum(x for x, _ in points) / count
    y_mean = sum(y for _, y in points) / count
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    found = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    return found, y_mean - found * x_mean


def as_json(rows: Sequence[Row], conditions: dict[str, Any]) -> dict[str, Any]:
    """Return a run as plain values."""
    summaries = summarise(rows)
    return {
        "conditions": conditions,
        "summary": [asdict(each) for each in summaries],
        "rows": [asdict(row) for row in rows],
    }
