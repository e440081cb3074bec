"""From nothing to the first image: first visit, later visits, a slow link; and what was fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, BrowserType

from tests.bench import files
from tests.bench.figures import Row
from tests.bench.server import BenchServer, Link, Served, packed, read
from tests.bench.visits import SCRIPT, TIMEOUT_MS, check

SLOW = Link(bits_per_second=20e6, delay=0.04)
MEGABYTE = 1e6
# While the user looks at the first image; pyloader may put things by for the next visit.
LOOKING_MS = 4000
PAGE = """<!DOCTYPE html><title>start</title><body></body>
<script src="/{subject}/pyloader.js"></script>
<script>
  globalThis.first = pyloader.loadImage('wadouri:/made/first.dcm', {{ useRGBA: false }})
    .then((image) => ({{ image, milliseconds: performance.now() }}));
</script>
"""
RESULT = """
first.then(async ({image, milliseconds}) => (
  {milliseconds, digests: await bench.digests([image])}
))
"""


class Starts:
    """Visits of a page in browsers of their own, each with a new profile.

    Parameters
    ----------
    chromium : BrowserType
    program : str
        Of Chromium.
    arguments : sequence of str
    """

    def __init__(self, chromium: BrowserType, program: str, arguments: Sequence[str]) -> None:
        self.chromium = chromium
        self.program = program
        self.arguments = arguments
        # Of the last first visit, by subject.
        self.fetched: dict[str, list[Served]] = {}

    @contextmanager
    def browser(self, profile: str) -> Iterator[BrowserContext]:
        """Start a browser with a profile."""
        context = self.chromium.launch_persistent_context(
            profile, executable_path=self.program, args=list(self.arguments)
        )
        yield context
        context.close()

    def run(
        self, roots: dict[str, Path], subject: str, turn: int, link: Link | None
    ) -> Iterator[Row]:
        """Visit for the first time, again, and with the browser started anew."""
        name = "slow link: " if link else ""
        server = BenchServer(roots, link=link, compresses=link is not None)
        server.made["/made/first.dcm"] = files.slice_of("raw").body
        server.made["/start.html"] = PAGE.format(subject=subject).encode()
        server.start()
        with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            with self.browser(profile) as context:
                yield visit(server, context, (f"{name}first visit", subject, turn))
                self.fetched[subject] = assets(server.served, subject)
                if link is None:
                    yield visit(server, context, ("later visit", subject, turn))
            with self.browser(profile) as context:
                yield visit(server, context, (f"{name}after a restart", subject, turn))
        server.stop()


def visit(server: BenchServer, context: BrowserContext, what: tuple[str, str, int]) -> Row:
    """Open the page, and wait for its first image."""
    case, subject, turn = what
    server.served.clear()
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{server.url}/start.html", wait_until="commit")
    page.wait_for_function("globalThis.first")
    page.add_script_tag(content=SCRIPT)
    found = page.evaluate(RESULT)
    fetched = assets(server.served, subject)
    further = {"requests": len(fetched), "MB": sum(each.size for each in fetched) / MEGABYTE}
    check(subject, case, found["digests"], files.slice_of("raw").digests)
    page.wait_for_timeout(LOOKING_MS)
    page.close()
    return Row("start", case, subject, turn, found["milliseconds"], None, further)


def assets(served: Sequence[Served], subject: str) -> list[Served]:
    """Return what was served of a subject's ``dist/``."""
    return [each for each in served if each.path.startswith(f"/{subject}/")]


def weights(served: Sequence[Served], root: Path) -> list[tuple[str, int, int, int]]:
    """Return name, requests, bytes and bytes in gzip of each asset, the largest first."""
    names = [each.path.split("/", 2)[2] for each in served if each.status == 200]
    found = [
        (name, names.count(name), len(read(root / name)), len(packed(root / name)))
        for name in dict.fromkeys(names)
    ]
    return sorted(found, key=lambda each: -each[2])
