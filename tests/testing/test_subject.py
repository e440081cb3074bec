"""The loader that a contract is for: a file beside the tests, or a module."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pyloader.loaders import schemes
from pyloader.testing import LoaderContract
from tests.support.film import LOADER, Film


def test_file_is_found_beside_the_tests_and_taken_back(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(LOADER)
    module = ModuleType("tests_of_an_author")
    module.__file__ = str(tmp_path / "tests.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    case = type("TestFilm", (Film,), {"loader": "mine.py", "__module__": module.__name__})()
    case.setup_method()
    assert schemes.owner("film") == str(tmp_path / "mine.py")
    case.test_pixels_are_as_expected()
    case.teardown_method()
    assert "film" not in schemes


def test_loader_may_be_a_module(tmp_path, monkeypatch):
    (tmp_path / "module_of_an_author.py").write_text(LOADER)
    monkeypatch.syspath_prepend(tmp_path)
    import module_of_an_author  # type: ignore[import-not-found] -- made above

    case = type("TestFilm", (Film,), {"loader": module_of_an_author})()
    for _ in range(2):
        case.setup_method()
        case.test_pixels_are_as_expected()
        case.teardown_method()
        schemes.drop("module_of_an_author")


def test_contract_without_an_image_says_so():
    with pytest.raises(AssertionError, match="TestNothing has no image_id"):
        type("TestNothing", (LoaderContract,), {})().setup_method()
