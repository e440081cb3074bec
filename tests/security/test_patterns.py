"""A repeat within a repeat matches in one way only, in every pattern of pyloader.

Where an inner repeat can give to the outer one what it has taken, the ways to match grow
exponentially with the text, and a few bytes keep a worker busy for ever.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import pyloader
from tests.support.patterns import ambiguous_repeats

ROOT = Path(pyloader.__file__).parent
CALLS = {"compile", "match", "search", "fullmatch", "sub", "split", "findall", "finditer", "subn"}


def literals(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the patterns that a file writes out where it uses them, with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr in CALLS and ast.unparse(node.func.value) == "re":
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield node.lineno, first.value


def compiled() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the patterns that modules hold, also those that are put together."""
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] != "pyloader":
            continue
        for key, value in vars(module).items():
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, re.Pattern):
                    yield f"{name}.{key}", each


def import_all() -> None:
    """Import all modules; those that need what is in Pyodide alone write their patterns out."""
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(["pyloader", *path.relative_to(ROOT).with_suffix("").parts])
        needed = {name.split(".")[0] for name in imports_of(path)}
        if path.stem != "__main__" and all(map(find_spec, needed)):
            import_module(module.removesuffix(".__init__"))


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports at its top."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def every_pattern() -> list[tuple[str, Any, int]]:
    """Return all patterns of pyloader: where, text and flags."""
    import_all()
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text, 0)
        for path in sorted(ROOT.rglob("*.py"))
        for line, text in literals(path)
    ]
    return found + [(name, each.pattern, each.flags & ~re.UNICODE) for name, each in compiled()]


def test_no_pattern_of_pyloader_is_ambiguous():
    patterns = every_pattern()
    assert len(patterns) > 50, "they have been found"
    bad = [(where, text) for where, text, flags in patterns if ambiguous_repeats(text, flags)]
    assert bad == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a*)*b",
        r"\s*(<!--.*?-->\s*)*<svg",
        r"(<.*?>\s*)*<svg",
        r"(a|aa)+b",
        r"(?:\d+,?)+x",
        r"(?:a?b?)*c",
        r"((x+)y*)+z",
    ],
)
def test_what_can_match_in_many_ways_is_found(pattern):
    assert ambiguous_repeats(pattern, re.S)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+(?:\\\d+)*",
        r"(?:[^\"\\]|\\.)*",
        r"([A-Za-z][A-Za-z0-9]*:)*nifti:",
        r"(?:\d\d){0,3}",
        r"(?>a+)*b",
        r"(?:a++)*b",
        r"(\.(0|[1-9]\d*))*",
    ],
)
def test_what_matches_in_one_way_is_not(pattern):
    assert ambiguous_repeats(pattern, 0) == []
