"""Fixtures that all tests share."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import pytest

from pyloader import Context, Image, load_image
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport

pytest_plugins = ["tests.support.servers", "tests.support.pages"]
TABLE = "table: "
# Files of tests that take minutes: begun first, so that none is left alone at the end.
LONGEST = (
    "test_apps.py",
    "test_ohif.py",
    "test_start.py",
    "test_other_browsers.py",
    "test_citizen.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option for tests that a usual run leaves out."""
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_configure() -> None:
    """Take interrupts, which shells ignore in what they run in the background, children too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the browser's tests last: its driver's event loop cannot be shared by async tests.

    A file goes to one process as a whole, so none may have both.
    """
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("long"):
            item.add_marker(pytest.mark.skip(reason="./build.sh test --long runs it"))
        if "playwright" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    files = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: (item.path in files, item.path.name not in LONGEST))
    mixed = {item.path for item in items if item.path in files and is_async(item)}
    assert not mixed, f"async tests beside tests of the browser: {mixed}"


def is_async(item: pytest.Item) -> bool:
    """Tell whether a test is a coroutine."""
    return iscoroutinefunction(getattr(item, "function", None))


@pytest.fixture
def add_row(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Return a function ``(title, row)``: the rows of a title are printed at the end of the run."""
    return lambda title, row: record_property(TABLE + title, row)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables that tests have added rows to, also those of other processes."""
    reports = (report for found in terminalreporter.stats.values() for report in found)
    noted = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    tables: dict[str, dict[str, None]] = {}  # the reports of one test's phases repeat its rows
    for title, row in noted:
        if title.startswith(TABLE):
            tables.setdefault(title.removeprefix(TABLE), {})[row] = None
    for title, rows in tables.items():
        terminalreporter.section(title)
        terminalreporter.write("\n".join(sorted(rows)) + "\n")


@pytest.fixture
def transport() -> MemoryTransport:
    """Return a network that tests fill: ``transport.answers[url] = body``."""
    return MemoryTransport({})


@pytest.fixture
def context(transport: MemoryTransport) -> Context:
    """Return the context of a load over `transport`, without retries."""
    return Context(Network(transport, retries=0), Cache(1 << 20))


@pytest.fixture
def load(context: Context, transport: MemoryTransport) -> Callable[..., Awaitable[Image]]:
    """Return a function that loads a frame, counted from 1, of a Part 10 file."""
    url = "https://host/image.dcm"

    def load(body: bytes, frame: int = 1) -> Awaitable[Image]:
        transport.answers[url] = body
        context.cache.clear()
        return load_image(f"wadouri:{url}?frame={frame}", context)

    return load


@pytest.fixture
async def all_ended() -> AsyncIterator[None]:
    """Let requests that nobody waits for any more end before their event loop does."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=5)
