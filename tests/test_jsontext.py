"""Untrusted JSON: read as the standard library reads it, and refused when nested too deep."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pyloader.jsontext import MOST_DEPTH, read_json


def nested(depth: int, pair: str = "[]") -> str:
    """Return lists or objects within each other."""
    before, after = ("[", "]") if pair == "[]" else ('{"a":', "}")
    return before * depth + "1" + after * depth


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_depth_has_a_limit(pair):
    assert read_json(nested(MOST_DEPTH, pair)) == json.loads(nested(MOST_DEPTH, pair))
    for depth in (MOST_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match=f"nested deeper than {MOST_DEPTH} levels"):
            read_json(nested(depth, pair))


def test_many_brackets_beside_each_other_are_not_deep():
    text = "[" + ",".join(["[{}]"] * 1000) + "]"
    assert read_json(text) == [[{}]] * 1000


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "[" * 500, "\\\\", "}" * 500 + "[" * 500])
def test_brackets_within_strings_are_text(text):
    assert read_json(json.dumps({text: [text]})) == {text: [text]}


def test_a_string_that_does_not_end_hides_no_depth():
    with pytest.raises(ValueError, match="nested deeper than"):
        read_json('"' + "[" * 500)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_encodings_of_json(encoding):
    assert read_json('{"a": "山田"}'.encode(encoding)) == {"a": "山田"}


def test_half_a_surrogate_pair_is_kept():
    assert read_json('"\ud83d"') == "\ud83d"


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "nul", b"", b"\xff", b"\xff\xfe\x00"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 -- the text is the parser's
        read_json(text)


def test_random_values_are_read_as_the_standard_library_reads_them():
    chance = random.Random(6)

    def value(depth: int) -> Any:
        kind = chance.randrange(6 if depth else 4)
        if kind == 4:
            return [value(depth - 1) for _ in range(chance.randrange(4))]
        if kind == 5:
            return {chance.choice('ab[]{}\\"'): value(depth - 1) for _ in range(3)}
        text = "".join(chance.choices('ab[]{}\\"', k=5))
        return (None, True, chance.random(), text)[kind]

    for _ in range(200):
        text = json.dumps(value(6))
        assert read_json(text) == read_json(text.encode()) == json.loads(text)
