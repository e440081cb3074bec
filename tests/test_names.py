"""One word has one meaning: no two classes of pyloader have the same name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pyloader

ROOT = Path(pyloader.__file__).parent


def test_no_two_classes_have_one_name():
    places = defaultdict(list)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
    assert len(places) > 100


def test_the_reader_of_a_header_says_of_which():
    """`read_header` is the name of one function at most."""
    found = [
        path
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "read_header"
    ]
    assert len(found) <= 1
