"""Small inputs that would eat much: each row of the table ends well, within its memory and time.

Run ``python -m tests.security.test_bounds`` for the table: input, size, outcome, seconds, memory.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pyloader
from pyloader.inflate import DamagedError, Inflater, bzip2, deflate, gzip, inflate
from pyloader.jsontext import MOST_DEPTH, read_json
from tests.support.rows import MIB, ROWS, measure

ROOT = Path(pyloader.__file__).parent


@pytest.mark.parametrize("name", ROWS)
def test_small_file_takes_no_more_than_it_may(name):
    row, found = ROWS[name], measure(name)
    assert found["outcome"].startswith(row.outcome), found
    assert found["peak"] <= row.most_bytes, found
    assert found["seconds"] <= row.seconds, found


GROWING = ["empty members of gzip", "DS, many that keep the rules", "film without frame starts"]


@pytest.mark.parametrize("name", GROWING)
def test_memory_grows_no_faster_than_the_input(name):
    row = ROWS[name]
    small, large = measure(name, row.size // 4), measure(name, row.size)
    assert large["peak"] <= 4 * small["peak"] + 4 * MIB, (small, large)
    assert large["seconds"] <= 40 * small["seconds"] + 10, (small, large)


DECOMPRESSORS = re.compile(
    r"\b(zlib\.decompress|decompressobj|BZ2Decompressor|LZMADecompressor|gzip\.(open|decompress))"
)


def test_one_module_inflates():
    found = [path.name for path in ROOT.rglob("*.py") if DECOMPRESSORS.search(path.read_text())]
    assert found == ["inflate.py"]


def test_one_module_parses_json_of_elsewhere():
    found = {path.name for path in ROOT.rglob("*.py") if "json.loads" in path.read_text()}
    # Beside that module: JSON of a browser, a package index, pyloader's scripts and its own facts.
    assert found == {"bridge.py", "facts.py", "fetch.py", "jsontext.py", "packages.py"}


@pytest.mark.parametrize("make", [gzip, deflate, bzip2])
def test_no_more_is_made_than_is_asked_for(make):
    import bz2
    import zlib

    packer = zlib.compressobj(9, wbits=31 if make is gzip else -15)
    body = bytes(4 * MIB)
    packed = bz2.compress(body) if make is bzip2 else packer.compress(body) + packer.flush()
    assert inflate(make, packed, 1000)[0] == bytes(1000)
    whole, inflater = inflate(make, packed, 5 * MIB)
    assert (whole == body, inflater.is_over) == (True, True)
    assert inflate(make, packed[:-9], 5 * MIB)[1].is_over is False
    with pytest.raises(DamagedError):
        inflate(make, b"\xff" * 100, 10)


def test_streams_follow_each_other_with_zeros_between():
    import zlib

    packer = zlib.compressobj(wbits=31)
    member = packer.compress(b"abc") + packer.flush()
    inflater = Inflater(gzip, b"\x1f\x8b")
    for piece in (member[:5], member[5:] + bytes(700), bytes(3), member, b"rest"):
        inflater.give(piece)
    assert (inflater.take_all(100), inflater.is_over) == (b"abcabc", True)
    assert inflater.rest() == b"rest"


def test_json_is_read_unless_it_is_nested_too_deep():
    assert read_json("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    with pytest.raises(ValueError, match="nested deeper than"):
        read_json("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))
    brackets = "[" * 1000
    assert read_json(f'{{"a": "{brackets}\\\\", "b": "\\"[["}}') == {
        "a": f"{brackets}\\",
        "b": '"[[',
    }
    assert read_json("[1]".encode("utf-16")) == [1]


if __name__ == "__main__":
    for name, row in ROWS.items():
        found = measure(name)
        print(
            f"{name:32} {row.size:12,} {found['input']:12,} {found['seconds']:8.2f} s "
            f"{found['peak'] / MIB:9.1f} MiB  {found['outcome'][:70]}",
            flush=True,
        )
