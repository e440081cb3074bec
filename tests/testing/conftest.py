"""Runs tests of the contract on loaders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.film import LOADER, Film


@pytest.fixture
def contract(tmp_path: Path) -> Any:
    """Return a function that runs one test of the contract on a loader's text."""

    def check(name: str, source: str = LOADER, **changes: Any) -> None:
        path = tmp_path / f"loader_{time.monotonic_ns()}.py"
        path.write_text(source)
        case = type("TestFilm", (Film,), {"loader": path, **changes})()
        case.setup_method()
        try:
            getattr(case, name)()
        finally:
            case.teardown_method()

    return check
