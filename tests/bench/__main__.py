"""`./build.sh bench`: runs the races, prints a table and writes JSON.

The machine is never quiet: all figures are medians of rounds in which what is compared takes turns,
and only ratios are to be trusted. ``--against DIST`` races another ``dist/`` with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Error, Playwright, sync_playwright

from tests.bench import races, scaling
from tests.bench.blocking import blocking
from tests.bench.figures import NEW, OLD, Row, as_json, summarise
from tests.bench.server import BenchServer, Link
from tests.bench.starts import SLOW, Starts, weights
from tests.bench.table import aligned, table
from tests.bench.visits import Track, WrongPixels
from tests.support.pages import ARGUMENTS, DIST

ROOT = Path(__file__).parents[2]
OUT = ROOT / ".cache/bench/latest.json"
Race = Callable[[int], Iterator[Row]]
RACES = ("latency", "series", "frames", "nifti", "blocking", "start", "slow", "counts", "sizes")


def read_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./build.sh bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--only", default=",".join(RACES), metavar="RACE", help=f"some of {', '.join(RACES)}"
    )
    parser.add_argument("--dist", type=Path, default=DIST, help="what is raced (default: dist/)")
    parser.add_argument(
        "--against", type=Path, metavar="DIST", help="another dist/ to compare with"
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help="where the JSON goes")
    found = parser.parse_args(words)
    found.only = found.only.split(",")
    unknown = set(found.only) - set(RACES)
    if unknown:
        parser.error(f"there is no race {', '.join(unknown)}; there are {', '.join(RACES)}")
    for folder in filter(None, (found.dist, found.against)):
        if not (folder / "pyloader.js").is_file():
            parser.error(f"{folder} is no dist/: it has no pyloader.js")
    return found


class Course:
    """Chromium, a server, and the races by name."""

    def __init__(self, playwright: Playwright, roots: dict[str, Path]) -> None:
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        self.server = BenchServer(roots)
        self.server.start()
        self.browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        subjects = tuple(prefix.strip("/") for prefix in roots)
        track = Track(self.browser, self.server, subjects)
        self.starts = Starts(playwright.chromium, program, ARGUMENTS)
        self.races: dict[str, Race] = {
            "latency": partial(races.latency, track),
            "series": partial(races.series, track),
            "frames": partial(races.frames, track),
            "nifti": partial(races.nifti, track),
            "blocking": partial(blocking, track),
            "start": partial(self.start, track, None),
            "slow": partial(self.start, track, SLOW),
            "counts": partial(scaling.counts, track),
            "sizes": partial(scaling.sizes, track),
        }
        self.conditions: dict[str, Any] = {
            "date": datetime.now(UTC).isoformat(timespec="minutes"),
            "cores": os.cpu_count(),
            "chromium": self.browser.version,
        }

    def start(self, track: Track, link: Link | None, turn: int) -> Iterator[Row]:
        """Start each subject from nothing."""
        for subject in track.in_turn(turn):
            yield from self.starts.run(self.server.roots, subject, turn, link)

    def weights(self) -> list[tuple[str, int, int, int]]:
        """Return what a first visit fetches; see `starts.weights`."""
        fetched = self.starts.fetched.get(NEW, [])
        return weights(fetched, self.server.roots[f"/{NEW}/"])

    def end(self) -> None:
        """End the browser and the server."""
        self.browser.close()
        self.server.stop()


def tell(row: Row) -> None:
    """Say on the error stream what has just been measured."""
    said = [f"{row.milliseconds:.1f} ms"]
    said += [f"{row.floor:.1f} ms floor"] if row.floor is not None else []
    said += [f"{value:.1f} {name}" for name, value in row.further.items()]
    print(f"{row.turn} {row.subject} {row.race} {row.case}: {', '.join(said)}", file=sys.stderr)


def copies(dist: Path, against: Path | None, folder: Path) -> dict[str, Path]:
    """Return copies of each ``dist/`` by path, which a build meanwhile does not change."""
    found = {NEW: dist} | ({OLD: against} if against else {})
    return {f"/{name}/": copytree(root, folder / name) for name, root in found.items()}


def run(course: Course, arguments: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """Return what was measured, and which races do not count, and why."""
    rows: list[Row] = []
    failures = []
    for turn in range(arguments.rounds):
        for name in arguments.only:
            try:
                for row in course.races[name](turn):
                    rows.append(row)
                    tell(row)
            except (WrongPixels, Error) as error:
                failures.append(f"{name} does not count: {error}")
    return rows, failures


def main() -> None:
    """Run what the command line asks for."""
    arguments = read_arguments()
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        course = Course(playwright, copies(arguments.dist, arguments.against, Path(folder)))
        rows, failures = run(course, arguments)
        course.end()
        fetched = course.weights()
    print(f"\n{table(summarise(rows))}")
    if fetched:
        words = [[name, *map(str, counts)] for name, *counts in fetched]
        print(f"\n{aligned([['asset', 'requests', 'bytes', 'in gzip'], *words])}")
    for sentence in [*scaling.slopes(rows), *failures]:
        print(f"\n{sentence}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    conditions = course.conditions | {
        "rounds": arguments.rounds,
        "failures": failures,
        "assets": fetched,
    }
    arguments.out.write_text(json.dumps(as_json(rows, conditions), indent=1))
    print(f"\n{arguments.out}")
    sys.exit(len(failures) > 0)


if __name__ == "__main__":
    main()
