"""Fixtures that all tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport

pytest_plugins = ["tests.servers"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: its driver's event loop cannot be shared by async tests."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture
def transport() -> MemoryTransport:
    """Return a network that tests fill: ``transport.answers[url] = body``."""
    return MemoryTransport({})


@pytest.fixture
def context(transport: MemoryTransport) -> Context:
    """Return the context of a load over `transport`, without retries."""
    return Context(Network(transport, retries=0), Cache(1 << 20))


@pytest.fixture
async def all_ended() -> AsyncIterator[None]:
    """Let requests that nobody waits for any more end before their event loop does."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=5)
