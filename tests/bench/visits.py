"""Pages in Chromium: one for each measurement, with its renderer's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bench.figures import NEW, OLD
from tests.bench.server import BenchServer

BLANK = b"<!DOCTYPE html><title>bench</title><body></body>"
SCRIPT = (Path(__file__).parent / "page.js").read_text()
TIMEOUT_MS = 300_000
MEGABYTE = 1 << 20
# What is written to clear_refs to reset the peak (proc(5)).
RESET_PEAK = "5"


class WrongPixels(Exception):
    """A race that does not count."""


@dataclass(frozen=True, slots=True)
class Track:
    """The place of the races.

    Attributes
    ----------
    browser : Browser
    server : BenchServer
        Which serves the subjects' ``dist/`` below ``/new/`` and ``/old/``.
    subjects : sequence of str
        `NEW`, and `OLD` if there is one.
    """

    browser: Browser
    server: BenchServer
    subjects: Sequence[str] = (NEW, OLD)

    def in_turn(self, turn: int) -> Sequence[str]:
        """Return the subjects in the order of a round: back and forth, so that drift evens out."""
        return self.subjects if turn % 2 == 0 else tuple(reversed(self.subjects))

    @contextmanager
    def visit(self, subject: str, workers: int | str = 1) -> Iterator[Page]:
        """Open a page where Python of `subject` has started."""
        context = self.browser.new_context()
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(self.server.url + self.put("/blank.html", BLANK))
        page.add_script_tag(url=f"/{subject}/pyloader.js")
        page.add_script_tag(content=SCRIPT)
        page.evaluate("(workers) => pyloader.init({workers})", workers)
        yield page
        context.close()

    def put(self, path: str, body: bytes) -> str:
        """Serve a body, and return its path."""
        self.server.made[path] = body
        return path


def check(subject: str, case: str, found: Sequence[str], expected: Sequence[str]) -> None:
    """Compare the digests of what was loaded with those of what was made.

    Raises
    ------
    WrongPixels
    """
    wrong = [index for index, digest in enumerate(found) if digest != expected[index]]
    if wrong or len(found) != len(expected):
        raise WrongPixels(
            f"{case} by {subject}: of {len(found)} images, {len(expected)} expected, "
            f"{len(wrong)} have other pixels than were encoded, the first is number {wrong[:1]}"
        )


class Memory:
    """The memory of a page and its workers, which share a process.

    Parameters
    ----------
    browser : Browser
        With one page; what else it has open takes little.
    """

    def __init__(self, browser: Browser) -> None:
        session = browser.new_browser_cdp_session()
        processes: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        renderers = [int(each["id"]) for each in processes if each["type"] == "renderer"]
        self.process = max(renderers, key=lambda process: read_status(process, "VmRSS"))
        self.before = read_status(self.process, "VmRSS")
        Path(f"/proc/{self.process}/clear_refs").write_text(RESET_PEAK)

    @property
    def peak(self) -> float:
        """The most since the beginning, in megabytes."""
        return read_status(self.process, "VmHWM")


def read_status(process: int, name: str) -> float:
    """Return a figure of a process in megabytes; 0 when it has gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0.0
    [line] = [line for line in text.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024 / MEGABYTE
