"""Fixtures of the tests of Zarr."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.network import Network
from tests.support.zarr_server import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a server of an empty folder."""
    return Folder(tmp_path)


@pytest.fixture
def remote(folder: Folder) -> Context:
    """Return the context of loads from that server."""
    return Context(Network(folder, retries=0), Cache(1 << 24))
