"""The table behind the schemes: lazy rows, and who may take whose place."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pyloader.errors import LoaderError
from pyloader.registry import Registry

LAZY = "colorsys"  # small, in the standard library, and imported by nothing here


def table(**rows: str) -> Registry[Any]:
    """Return a registry of lazy rows."""
    return Registry("image loader for scheme", rows)


def made_in(module: str) -> SimpleNamespace:
    """Return a value as if `module` had made it."""
    return SimpleNamespace(__module__=module)


def test_lazy_row_is_imported_on_first_use(monkeypatch):
    monkeypatch.delitem(sys.modules, LAZY, raising=False)
    loaders = table(a=f"{LAZY}:rgb_to_hsv")
    assert list(loaders) == ["a"]
    assert loaders.owner("a") == LAZY
    assert LAZY not in sys.modules
    first = loaders["a"]
    assert first is sys.modules[LAZY].rgb_to_hsv
    assert loaders["a"] is first


def test_owner_is_the_same_before_and_after_the_import():
    loaders = table(a="json:dumps")
    assert loaders.owner("a") == "json"
    assert loaders["a"]
    assert loaders.owner("a") == "json"


@pytest.mark.parametrize(
    ("target", "lacks"),
    [
        ("json.scanner", r"json\.scanner registered nothing for 'a'"),
        ("json.scanner:open_source", r"json\.scanner has no 'open_source'"),
    ],
)
def test_row_that_leads_to_nothing_says_how_to_write_it(target, lacks):
    for _ in range(2):
        with pytest.raises(LoaderError, match=rf"{lacks}: .* or 'json\.scanner:open_source'"):
            table(a=target)["a"]


def test_unknown_key_is_a_key_error():
    with pytest.raises(KeyError):
        table()["nothing"]


def test_nobody_owns_an_unknown_key():
    assert table().owner("nothing") is None


def test_registered_function_is_there():
    loaders, load = table(), made_in("mine")
    loaders.register("a", load)
    assert loaders["a"] is load
    assert len(loaders) == 1


def test_other_module_is_refused_and_the_row_stays():
    loaders, load = table(), made_in("mine")
    loaders.register("a", load)
    expected = "image loader for scheme 'a' is already registered by mine; pass replace=True"
    with pytest.raises(ValueError, match=expected):
        loaders.register("a", made_in("other"))
    assert loaders["a"] is load


def test_built_in_row_is_protected_without_importing_it(monkeypatch):
    monkeypatch.delitem(sys.modules, LAZY, raising=False)
    with pytest.raises(ValueError, match=f"already registered by {LAZY}"):
        table(a=f"{LAZY}:rgb_to_hsv").register("a", made_in("other"))
    assert LAZY not in sys.modules


def test_other_module_may_replace_when_it_says_so():
    loaders, other = table(a="json:dumps"), made_in("other")
    loaders.register("a", other, replace=True)
    assert loaders["a"] is other
    assert loaders.owner("a") == "other"


def test_same_module_may_take_its_own_row_again():
    loaders, second = table(), made_in("mine")
    loaders.register("a", made_in("mine"))
    loaders.register("a", second)
    assert loaders["a"] is second


def test_drop_takes_the_rows_of_one_module_only():
    loaders = table(a="json:dumps", b="json:loads", c="textwrap:dedent")
    dropped = loaders.drop("json")
    assert dropped == {"a": "json:dumps", "b": "json:loads"}
    assert list(loaders) == ["c"]


def test_restore_undoes_drop():
    loaders = table(a="json:dumps")
    loaders.restore(loaders.drop("json"))
    assert loaders.owned_by("json") == {"a": "json:dumps"}


def test_registries_do_not_share_rows():
    rows = {"a": "json:dumps"}
    first, second = Registry("x", rows), Registry("x", rows)
    first.register("b", made_in("mine"))
    assert "b" not in second
    assert "b" not in rows


def test_looking_for_a_key_imports_nothing():
    registry: Registry[Any] = Registry("thing", {"lazy": "no.such.module:name"})
    assert "lazy" in registry
    assert "other" not in registry


def test_module_may_register_itself_on_import(monkeypatch, tmp_path):
    loaders = table(a="registers_itself")
    value = made_in("registers_itself")
    monkeypatch.setitem(sys.modules, "the_table", SimpleNamespace(loaders=loaders, value=value))
    (tmp_path / "registers_itself.py").write_text(
        "from the_table import loaders, value\nloaders.register('a', value)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert loaders["a"] is value
    assert loaders["a"] is value
    assert loaders.owner("a") == "registers_itself"


def test_built_in_row_is_back_when_its_substitute_is_dropped():
    loaders = table(a="json:dumps")
    loaders.register("a", made_in("mine"), replace=True)
    loaders.drop("mine")
    assert loaders.owner("a") == "json"
