"""Docstrings begin with a verb or the thing's name, and public ones keep to short sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyloader

ROOT = Path(pyloader.__file__).parent
QUESTION = re.compile(r"(What|Which|Whether|How|Where|When|Why|Who|That which)\b")
LONGEST_SENTENCE = 30
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield each docstring of pyloader, or of another folder, with the place where it stands."""
    for path in sorted(root.rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            text = ast.get_docstring(node) if isinstance(node, Documented) else None
            if text:
                yield f"{path.relative_to(root)}:{getattr(node, 'name', '')}", text


def sentences(text: str) -> list[str]:
    """Return the sentences of a docstring's prose: no lists, no code, no tables of parameters."""
    prose = re.split(r"\n\s*\n?[A-Z]\w+\n-{3,}", text)[0]
    blocks = [block for block in re.split(r"\n\s*\n", prose) if not block.startswith((" ", "::"))]
    joined = " ".join(" ".join(block.split()) for block in blocks)
    return re.split(r"(?<=[.!?:;])\s+", joined)


@pytest.mark.parametrize("root", [ROOT, ROOT.parent / "tests", ROOT.parent / "web" / "build"])
def test_docstrings_begin_with_no_question_word(root: Path):
    found = list(docstrings(root))
    assert len(found) > 200
    assert [place for place, text in found if QUESTION.match(text)] == []


def test_sentences_of_docstrings_are_short():
    long = [
        (place, sentence)
        for place, text in docstrings()
        for sentence in sentences(text)
        if len(sentence.split()) > LONGEST_SENTENCE
    ]
    assert long == []


def comments() -> Iterator[tuple[str, str]]:
    """Yield the first words of each comment of web/'s scripts, with the place where it stands."""
    web = ROOT.parent / "web"
    wings = ("page", "scheduler", "worker", "boot", "viewers", "shared")
    for path in sorted(
        [*web.glob("*.[jt]s"), *(each for w in wings for each in (web / w).glob("*.?s"))]
    ):
        before = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = re.match(r"\s*(?://|/\*\*|\*)\s*(\w.*)", line)
            is_first = not re.match(r"\s*(?://|/\*\*\s+\w|\*\s*\w)", before)
            if words and is_first:
                yield f"{path.relative_to(web)}:{number}", words[1]
            before = line


def test_comments_of_scripts_begin_with_no_question_word():
    found = list(comments())
    assert len(found) > 500
    assert [place for place, text in found if QUESTION.match(text)] == []


LONGEST_LINE = 120


def scripts() -> list[Path]:
    """Return the scripts and types of web/ and tests/, without third-party packages."""
    repository = ROOT.parent
    suffixes = (".js", ".mjs", ".ts")
    return sorted(
        path
        for folder in ("web", "tests")
        for path in (repository / folder).rglob("*")
        if path.suffix in suffixes and "node_modules" not in path.parts
    )


def test_lines_of_scripts_are_short():
    """Biome breaks code at 120 columns, but neither comments nor strings."""
    found = scripts()
    assert len(found) > 150
    assert [
        f"{path}:{number}"
        for path in found
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ] == []
