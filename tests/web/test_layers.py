"""Allowed imports of web/'s modules: read from the sources, so nothing is run for it."""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
# Wing -> those that its modules may import from, and whose types they may name.
WINGS = {
    "shared": {"shared"},
    "viewers": {"shared", "viewers"},
    "scheduler": {"scheduler", "shared"},
    "page": {"page", "scheduler", "shared", "viewers"},
    "boot": {"boot", "shared"},
    "worker": {"boot", "shared", "worker"},
    "build": {"boot", "build"},
    # The public faces: pyloader.js, and module.js with a default export.
    "": {"", "page", "scheduler", "shared", "viewers"},
}
IMPORT = re.compile(r"""\b(?:from|import)\s*['"](\.\.?/[^'"]+)['"]""")
OF_TYPES = re.compile(r"""import\(['"](\.\.?/[^'"]+)['"]\)(?=\.)""")


def modules() -> list[Path]:
    """Return all scripts of the wings."""
    found = [path for wing in WINGS if wing for path in (WEB / wing).glob("*.*js")]
    return sorted([*found, *WEB.glob("*.js")])


def code_of(path: Path) -> str:
    """Return a script without its comments, but for the types that they name."""
    return re.sub(r"/\*(?!\*).*?\*/", "", path.read_text(), flags=re.DOTALL)


@cache
def edges() -> dict[Path, tuple[set[Path], set[Path]]]:
    """Return what each module imports, and whose types it names."""
    found = {}
    for path in modules():
        text = code_of(path)
        typed = {(path.parent / name).resolve() for name in OF_TYPES.findall(text)}
        named = {(path.parent / name).resolve() for name in IMPORT.findall(text)}
        found[path] = ({each for each in named if each.suffix in {".js", ".mjs"}}, typed)
    return found


def wing_of(path: Path) -> str:
    """Return the wing of a module, "" for those at the top."""
    parts = path.relative_to(WEB).parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("wing", WINGS)
def test_wings_know_only_those_below(wing):
    found = {
        (path.relative_to(WEB).as_posix(), wing_of(other))
        for path, (imported, _) in edges().items()
        if wing_of(path) == wing
        for other in imported
    }
    assert {name for name, other in found if other not in WINGS[wing]} == set()
    assert found, "the pattern of imports finds some"


@pytest.mark.parametrize("wing", WINGS)
def test_wings_name_types_only_of_those_below(wing):
    allowed = WINGS[wing]
    found = {
        (path.relative_to(WEB).as_posix(), other.relative_to(WEB).as_posix())
        for path, (_, typed) in edges().items()
        if wing_of(path) == wing
        for other in typed
        if other.is_relative_to(WEB) and wing_of(other) not in allowed
    }
    assert found == set()


def test_no_import_goes_round_in_a_circle():
    graph = {path: imported for path, (imported, _) in edges().items()}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index(WEB / "shared/errors.js") < order.index(WEB / "pyloader.js")


def test_every_script_has_a_wing():
    folders = {path.name for path in WEB.iterdir() if path.is_dir() and any(path.glob("*.js"))}
    assert folders - {"demo", "node_modules"} == {wing for wing in WINGS if wing}
    assert {path.name for path in WEB.glob("*.js")} == {"module.js", "pyloader.js"}


def test_every_module_is_imported_or_an_entry():
    imported = set().union(*(found for found, _ in edges().values()))
    entries = {"module.js", "worker/worker.js", "viewers/ohif.js"}
    alone = {
        path.relative_to(WEB).as_posix()
        for path in modules()
        if path not in imported and wing_of(path) != "build"
    }
    assert alone == entries
