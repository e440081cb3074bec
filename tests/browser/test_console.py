"""Prints in a page: whole lines, by the name of who prints."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator

from pyloader import Context, Image, ImageId, load_image, register_loader
from pyloader.browser.console import Console
from pyloader.context import speaker
from pyloader.loaders import schemes

Lines = list[tuple[str, str]]


@contextlib.contextmanager
def printed() -> Iterator[Lines]:
    """Collect what is printed within."""
    found: Lines = []
    console = Console(lambda name, text: found.append((name, text)))
    with contextlib.redirect_stdout(console), contextlib.redirect_stderr(console):
        yield found


def test_print_is_one_message():
    with printed() as lines:
        print("a", 1)
        print("b\nc")
        assert lines == [("pyloader", "a 1"), ("pyloader", "b\nc")]


def test_line_that_is_not_ended_waits():
    with printed() as lines:
        print("a", end="")
        assert lines == []
        print("b")
        assert lines == [("pyloader", "ab")]


def test_flush_ends_the_line():
    with printed() as lines:
        print("a", end="", flush=True)
        print("b", end="", flush=True)
        print(end="", flush=True)
        assert lines == [("pyloader", "a"), ("pyloader", "b")]


def test_empty_line_is_a_line():
    with printed() as lines:
        print()
        assert lines == [("pyloader", "")]


def test_speakers_do_not_end_each_others_lines():
    with printed() as lines:
        print("a", end="")
        token = speaker.set("other.py")
        print("b")
        speaker.reset(token)
        print("c")
        assert lines == [("other.py", "b"), ("pyloader", "ac")]


def test_stream_is_what_libraries_expect():
    with printed() as lines:
        assert sys.stdout.encoding == "utf-8"
        assert not sys.stdout.isatty()
        assert sys.stdout.writable()
        sys.stdout.writelines(["\u00e4\n"])
    assert lines == [("pyloader", "\u00e4")]


async def test_loader_prints_by_the_name_of_its_file(context):
    with printed() as lines:

        async def load(image_id: ImageId, context: Context) -> Image:
            print("begin", image_id.rest)
            await asyncio.sleep(0)
            print("end", image_id.rest)
            return Image.from_array([[1, 2], [3, 4]])

        load.__module__ = "my_loader.py"
        register_loader("mine")(load)
        try:
            await asyncio.gather(load_image("mine:a", context), load_image("mine:b", context))
        finally:
            schemes.drop("my_loader.py")
        print("after")
        assert lines == [
            *[("my_loader.py", f"begin {name}") for name in "ab"],
            *[("my_loader.py", f"end {name}") for name in "ab"],
            ("pyloader", "after"),
        ]
