"""Fixtures of the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyloader.load import default_context
from pyloader.loaders import schemes
from tests.support.command_line import FILE, LOADER


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    """Let go of files: a command has its own process, and these tests share one."""
    yield
    default_context().cache.clear()


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    """Return a file."""
    path = tmp_path / "ct.dcm"
    path.write_bytes(FILE)
    return path


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Any]:
    """Return a function that writes a loader file."""
    path = tmp_path / "my_loader.py"

    def write(body: str) -> str:
        path.write_text(LOADER.format(body=body))
        return str(path)

    yield write
    schemes.drop(str(path))
