"""A user's Python file: run, run again, and what becomes of one that fails."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator

import pytest

from pyloader import Context, load_image
from pyloader.custom import define_loaders, read_loader
from pyloader.errors import CustomLoaderError
from pyloader.loaders import schemes
from pyloader.wire import user_failure, wire_error

NAMES = ("a.py", "b.py")
LOADER = """
import numpy as np
from pyloader import Image, register_loader

@register_loader({scheme!r})
async def load(image_id, context):
    return Image.from_array(np.full((2, 3), {value}, "u1"))
"""


@pytest.fixture(autouse=True)
def own_files() -> Iterator[None]:
    """Take back what a test ran."""
    yield
    for name in NAMES:
        schemes.drop(name)
        sys.modules.pop(name, None)


def loader(scheme: str = "mine", value: int = 1, *more: str) -> str:
    """Return a file that serves a scheme."""
    return "\n".join([LOADER.format(scheme=scheme, value=value), *more])


async def value_of(image_id: str, context: Context) -> int:
    """Return the value of all pixels."""
    image = await load_image(image_id, context)
    return int(image.pixels.min())


async def test_file_registers_its_schemes(context):
    source = loader("mine") + loader("his", 2)
    assert define_loaders("a.py", source) == ["his", "mine"]
    assert [await value_of(f"{scheme}:x", context) for scheme in ("mine", "his")] == [1, 2]


def test_file_may_register_nothing():
    assert define_loaders("a.py", "x = 1") == []


async def test_file_that_stands_to_the_right(context):
    indented = "".join(f"      {line}\n" for line in loader().splitlines())
    assert define_loaders("a.py", indented) == ["mine"]
    assert await value_of("mine:x", context) == 1


async def test_running_again_replaces_all_of_it(context):
    define_loaders("a.py", loader("mine", 1) + loader("his", 1))
    assert define_loaders("a.py", loader("mine", 2)) == ["mine"]
    assert await value_of("mine:x", context) == 2
    assert "his" not in schemes


def test_file_is_a_module():
    define_loaders("a.py", "from dataclasses import dataclass\n\n@dataclass\nclass A:\n    x: int")
    assert sys.modules["a.py"].A(1).__class__.__module__ == "a.py"


def test_file_does_not_inherit_how_ours_are_compiled():
    define_loaders("a.py", "def f(x: int): pass")
    assert sys.modules["a.py"].f.__annotations__ == {"x": int}


# ------------------------------------------------------------------ failures


def test_syntax_error_points_at_its_line():
    with pytest.raises(CustomLoaderError, match=r"'a\.py' cannot be run: SyntaxError") as caught:
        define_loaders("a.py", "x = 1\ndef (:\n")
    shown = wire_error(caught.value, None)["traceback"]
    assert 'File "a.py", line 2' in shown
    assert "def (:" in shown
    assert "a.py" not in sys.modules


def test_exception_shows_the_line_and_none_of_ours():
    with pytest.raises(CustomLoaderError, match="ZeroDivisionError: division by zero") as caught:
        define_loaders("a.py", "x = 1\n\ny = x / 0\n")
    shown = wire_error(caught.value, None)["traceback"]
    assert 'File "a.py", line 3, in <module>\n    y = x / 0' in shown
    assert "custom.py" not in shown


@pytest.mark.parametrize("end", ["raise ValueError('no')", "1 +", "import sys; sys.exit(3)"])
async def test_failing_again_keeps_what_was_there(context, end):
    define_loaders("a.py", loader("mine", 1))
    module = sys.modules["a.py"]
    with pytest.raises(CustomLoaderError, match=r"'a\.py' cannot be run"):
        define_loaders("a.py", loader("mine", 2, loader("his", 2), end))
    assert await value_of("mine:x", context) == 1
    assert "his" not in schemes
    assert sys.modules["a.py"] is module


@pytest.mark.parametrize("source", ["raise ValueError('no')", "1 +", "raise SystemExit"])
def test_failing_file_leaves_nothing(source):
    with pytest.raises(CustomLoaderError):
        define_loaders("a.py", loader("mine", 1, source))
    assert "a.py" not in sys.modules
    assert schemes.owned_by("a.py") == {}


def test_exit_is_an_error_with_its_cause():
    with pytest.raises(CustomLoaderError, match="cannot be run: SystemExit: 3") as caught:
        define_loaders("a.py", "raise SystemExit(3)")
    assert isinstance(user_failure(caught.value), SystemExit)


async def test_interrupt_passes_through_and_keeps_what_was_there(context):
    define_loaders("a.py", loader("mine", 1))
    with pytest.raises(KeyboardInterrupt):
        define_loaders("a.py", "raise KeyboardInterrupt")
    assert await value_of("mine:x", context) == 1


def test_scheme_of_another_file_is_refused():
    define_loaders("a.py", loader("mine"))
    with pytest.raises(CustomLoaderError, match=r"'mine' is already registered by a\.py"):
        define_loaders("b.py", loader("mine"))
    assert schemes.owner("mine") == "a.py"


def test_built_in_scheme_is_back_when_its_substitute_goes():
    order = list(schemes)
    source = loader("wadouri").replace("'wadouri'", "'wadouri', replace=True")
    assert define_loaders("a.py", source) == ["wadouri"]
    define_loaders("a.py", "x = 1")
    assert schemes.owner("wadouri") == "pyloader.loaders.wadouri.source"
    assert list(schemes) == order


async def test_traceback_of_a_load_shows_the_line(context):
    body = 'return Image.from_array(np.full((2, 3), 1 // 0, "u1"))'
    define_loaders("a.py", loader("mine", "1 // 0"))
    with pytest.raises(CustomLoaderError) as caught:
        await load_image("mine:x", context)
    shown = wire_error(caught.value, "mine:x")["traceback"]
    assert 'File "a.py", line 7, in load' in shown
    assert body in shown
    assert body in "".join(traceback.format_exception(caught.value.__cause__))


# ------------------------------------------------------------------ files


def test_file_is_read_in_its_encoding(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nx = 'ä'\n".encode("latin-1"))
    assert read_loader(path) == (str(path), "# -*- coding: latin-1 -*-\nx = 'ä'\n")


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(CustomLoaderError, match=r"nowhere\.py' cannot be read: .*No such file"):
        read_loader(tmp_path / "nowhere.py")


@pytest.mark.parametrize("body", [b"x = '\xff'\n", b"# coding: nonsense\n"])
def test_file_that_is_no_text(tmp_path, body):
    path = tmp_path / "a.py"
    path.write_bytes(body)
    with pytest.raises(CustomLoaderError, match=r"cannot be read: .* expected a Python file"):
        read_loader(path)
