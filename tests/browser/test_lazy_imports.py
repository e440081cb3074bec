"""Modules whose files come with their first import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from pyloader.browser.lazy_imports import DeferredFinder, defer
from pyloader.errors import NetworkError


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Modules of two archives that are not there yet; what was brought, in order."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    brought: list[str] = []

    def bring(archive: str) -> None:
        brought.append(archive)
        if archive == "late.zip":
            (tmp_path / "late_one").mkdir()
            (tmp_path / "late_one/__init__.py").write_text("")
            (tmp_path / "late_one/part.py").write_text("answer = 1")

    names = {"late_one": "late.zip", "late_two": "late.zip", "late_one.codec": "codec"}
    defer(names, bring)
    yield brought
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, DeferredFinder)]
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_first_import_brings_the_archive_once(archives: list[str]) -> None:
    assert import_module("late_one.part").answer == 1
    assert archives == ["late.zip"]
    with pytest.raises(ModuleNotFoundError, match="late_two"):
        import_module("late_two")
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        import_module("late_one.nothing")
    assert archives == ["late.zip"]


def test_a_module_may_have_an_archive_of_its_own(archives: list[str]) -> None:
    import_module("late_one")
    with pytest.raises(ModuleNotFoundError, match="codec"):
        import_module("late_one.codec")
    assert archives == ["late.zip", "codec"]


def test_others_are_none_of_its_business(archives: list[str]) -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("no_such_module_anywhere")
    assert archives == []


def test_archive_that_did_not_come_is_asked_for_again() -> None:
    asked: list[str] = []

    def fail(archive: str) -> None:
        asked.append(archive)
        raise OSError("no network")

    finder = DeferredFinder({"late": "late.zip"}, fail)
    for _ in range(2):
        with pytest.raises(NetworkError, match=r"late\.zip .* cannot be fetched; .* no network$"):
            finder.find_spec("late", None)
    assert asked == ["late.zip", "late.zip"]
