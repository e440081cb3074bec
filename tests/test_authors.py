"""Mistakes in loaders of users: each ends in an error that names the author's file and line."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pyloader import Context, list_image_ids, load_image, load_metadata
from pyloader.custom import define_loaders
from pyloader.errors import CustomLoaderError, FormatError, LoaderError
from pyloader.image import modules_of
from pyloader.loaders import schemes
from pyloader.wire import wire_error, wire_modules

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

HEAD = """
import numpy as np
from dataclasses import replace
from pyloader import Image, register_loader
from pyloader.image import *
from pyloader.volume import Volume, register_volume
ZEROS = np.zeros((2, 3), 'i2')
GOOD = Image.from_array(ZEROS)
"""
LOAD = """
@register_loader("mine")
async def load(image_id, context):
    {}
"""
LISTS = """
async def listed(image_id, context):
    {}

@register_loader("mine", image_ids=listed)
async def load(image_id, context):
    return GOOD
"""
METADATA = """
async def described(image_id, context):
    {}

@register_loader("mine", metadata=described)
async def load(image_id, context):
    return GOOD
"""
VOLUME = """
@register_volume("mine")
async def read(image_id, context):
    {}
"""
PLAIN = """
@register_loader("mine")
def load(image_id, context):
    {}
"""


@pytest.fixture(autouse=True)
def own_file() -> Iterator[None]:
    """Take back what a test ran."""
    yield
    schemes.drop("mine.py")
    sys.modules.pop("mine.py", None)
    gc.collect()  # coroutines that nobody awaited


async def failure(source: str, context: Context, function: Any = load_image) -> dict[str, Any]:
    """Return the error of a load, as a page gets it."""
    define_loaders("mine.py", HEAD + source)
    with pytest.raises(LoaderError) as caught:
        await function("mine:a", context)
    return wire_error(caught.value, "mine:a")


def check(error: dict[str, Any], text: str) -> None:
    """Assert that an error is the author's, says a text, and names the file and a line."""
    assert error["code"] in ("loader", "format")
    assert re.search(text, error["message"]), error["message"]
    said = error["message"] + error.get("traceback", "")
    assert re.search(r'mine\.py"?, line \d+', said), said
    if text.startswith("^"):  # a value that was given there
        assert 'mine.py", line' in error["traceback"][error["traceback"].rindex("File ") :]


RETURNED = {
    "return None": "returned NoneType, expected pyloader.Image",
    "return ZEROS": "returned ndarray, expected",
    "return Volume.from_array(ZEROS)": "returned Volume, expected",
    "return context.load('mine:b')": "returned coroutine, expected .* is an `await` missing",
    "return replace(GOOD, pixels=ZEROS.astype('c8'))": "not dtype complex64",
    "return replace(GOOD, pixels=np.zeros((4, 4), 'i2'))": "is described as",
    "return replace(GOOD, pixel=PixelModule.of(ZEROS, bits_stored=99))": "bits_stored 99",
    "return replace(GOOD, pixel=None)": "pixel of an image is PixelModule, not NoneType",
    "return replace(GOOD, plane=PlaneModule(pixel_spacing=(0.5,)))": "pixel_spacing is 2 numbers",
    "return replace(GOOD, plane=PlaneModule(pixel_spacing=0.5))": "pixel_spacing is 2 numbers",
    "return replace(GOOD, plane={'pixel_spacing': (1, 1)})": "plane of an image is PlaneModule",
    "return replace(GOOD, modality_lut=ModalityLut('2'))": "rescale_slope is a number",
    "return replace(GOOD, voi_lut=VoiLut(40, 400))": None,
    "return replace(GOOD, modules={'odd': {'x': print}})": "cannot cross to JavaScript",
    "return replace(GOOD, modules=[1])": "modules of an image is Mapping",
    "return replace(GOOD, warnings='text')": "warnings of an image is tuple, not str",
    "return Image.from_array(ZEROS, pixel_spacing=0.5)": "^pixel_spacing is 2 numbers",
    "return Image.from_array(ZEROS, modules={'odd': 5})": "^modules are mappings .* 'odd' is 5",
    "return Image.from_array(context.load('mine:b'))": "is an `await` missing",
    "return GOOD.with_pixels(ZEROS + 1, plane=5)": "plane of an image is PlaneModule, not int",
    "return GOOD.with_pixels(ZEROS, planes=5)": "no field 'planes'",
    "return 1 / 0": "ZeroDivisionError",
    "yield GOOD": "returned async_generator: return a list instead of yielding",
}


@pytest.mark.parametrize("body", RETURNED)
async def test_image_of_a_loader(context, body):
    text = RETURNED[body]
    if text is None:  # one number where several may stand
        define_loaders("mine.py", HEAD + LOAD.format(body))
        return await load_image("mine:a", context)
    check(await failure(LOAD.format(body), context), text)
    return None


async def test_modules_that_were_put_into_an_image_cross(context):
    body = (
        "return replace(GOOD, modules={'odd': {'x': np.arange(3), 'y': np.float32(2), 'z': b'1'}})"
    )
    define_loaders("mine.py", HEAD + LOAD.format(body))
    image = await load_image("mine:a", context)
    found = wire_modules(modules_of(image))["oddModule"]
    assert {name: np.asarray(value).tolist() for name, value in found.items()} == {
        "x": [0, 1, 2],
        "y": 2,
        "z": [49],
    }


async def test_line_of_a_wrong_value_is_the_authors_own(context):
    error = await failure(LOAD.format("return Image.from_array(ZEROS, bits_stored=99)"), context)
    number = (HEAD + LOAD).splitlines().index("    {}") + 1
    assert f'File "mine.py", line {number}, in load\n' in error["traceback"]
    assert "return Image.from_array(ZEROS, bits_stored=99)" in error["traceback"]
    assert error["code"] == "format"


LISTED = {
    "return None": "lists imageIds, .*, not None",
    "return 'mine:x'": "not 'mine:x'",
    "return b'mine:x'": "not b'mine:x'",
    "return [1, 2]": "not 1",
    "return ['mine:x', None]": "not None",
    "return ['slice 1']": "not 'slice 1'",
    "return {'mine:x': 1}": "not {'mine:x': 1}",
    "return 5": "not 5",
    "yield 'mine:x'": "returned async_generator: return a list",
    "return (each / 0 for each in [1])": "ZeroDivisionError",
    "raise ValueError('no')": "ValueError: no",
}


@pytest.mark.parametrize("body", LISTED)
async def test_list_of_a_loader(context, body):
    check(await failure(LISTS.format(body), context, list_image_ids), LISTED[body])


@pytest.mark.parametrize("body", ["('mine:x',)", "['mine:x']", "(each for each in ['mine:x'])"])
async def test_list_of_any_order_will_do(context, body):
    define_loaders("mine.py", HEAD + LISTS.format(f"return {body}"))
    assert await list_image_ids("mine:a", context) == ["mine:x"]


DESCRIBED = {
    "return None": "modules are a mapping of names to mappings, .*, not None",
    "return [1]": "modules are a mapping",
    "return 'MR'": "modules are a mapping",
    "return {'general_series': 'MR'}": "modules are mappings .* 'general_series' is 'MR'",
    "return {'general_series': {'x': print}}": "cannot cross to JavaScript",
    "return {1: {}}": "named by texts",
    "return {'image_plane': {'pixel_spacing': 0.5}}": "pixel_spacing of module 'image_plane' is 2",
    "return {'image_plane': {'pixel_spacing': (0, 1)}}": "is 2 numbers above 0",
    "return {'image_plane': PlaneModule(pixel_spacing=(0.5,))}": "pixel_spacing is 2 numbers",
    "return {'patient_study': {'patient_weight': '80'}}": "patient_weight .* is a number",
    "yield {}": "returned async_generator",
}


@pytest.mark.parametrize("body", DESCRIBED)
async def test_metadata_of_a_loader(context, body):
    check(await failure(METADATA.format(body), context, load_metadata), DESCRIBED[body])


@pytest.mark.parametrize("template", [PLAIN, LISTS, METADATA])
async def test_function_that_is_not_asynchronous(context, template):
    function = {PLAIN: load_image, LISTS: list_image_ids, METADATA: load_metadata}[template]
    source = template.replace("async def listed", "def listed")
    source = source.replace("async def described", "def described").format("return GOOD")
    check(await failure(source, context, function), "returned Image: write `async def`")


async def test_function_that_returns_what_can_be_awaited(context):
    source = "async def work(i, c):\n    return GOOD\n" + PLAIN.format(
        "return work(image_id, context)"
    )
    define_loaders("mine.py", HEAD + source)
    assert (await load_image("mine:a", context)).pixels.shape == (2, 3)


async def test_function_of_other_parameters(context):
    source = '@register_loader("mine")\nasync def load(image_id):\n    return GOOD'
    check(await failure(source, context), "TypeError: load.* takes 1 positional argument")


VOLUMES = {
    "return ZEROS": "returned ndarray, expected pyloader.volume.Volume",
    "return Volume.from_array(ZEROS, spacing=(1, 1))": "^spacing is three numbers",
    "return Volume.from_array(ZEROS, pixel_spacing=(1, 1))": "^a volume's geometry is `affine`",
    "return Volume.from_array(ZEROS, affine=np.eye(3))": "^the affine of a volume",
    "return Volume.from_array(ZEROS, rescale_slope='2')": "^rescale_slope is a number",
    "return Volume(ZEROS)": "ValueError: not enough values to unpack",
}


@pytest.mark.parametrize("body", VOLUMES)
async def test_volume_of_a_loader(context, body):
    check(await failure(VOLUME.format(body), context), VOLUMES[body])


# ------------------------------------------------------------------ what a line may lack

MISSING = {
    "response = context.fetch('x')\n    return response.body": 1,
    "response = context.fetch('x')\n\n    body = np.frombuffer(response, 'u1')": 1,
    "return context.fetch('x').body": 1,
    "a = 5\n    image = context.load('mine:b')\n    a = 6\n    return image + 1": 2,
    "return len(context.list_image_ids('mine:b'))": 1,
    "a, b = context.cached(1, load)": 1,
}


@pytest.mark.parametrize("body", MISSING)
async def test_missing_await_is_told_with_its_line(context, body):
    first = (HEAD + LOAD).splitlines().index("    {}") + 1
    error = await failure(LOAD.format(body), context)
    line = first + MISSING[body] - 1
    assert error["message"].endswith(f"; is an `await` missing in line {line}?")


async def test_package_that_is_missing_within_a_function(context):
    error = await failure(LOAD.format("import no_such_package"), context)
    check(error, r"No module named 'no_such_package'; if it is a package, a page installs it with")


# ------------------------------------------------------------------ registering


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "@register_loader\nasync def vox(i, c): pass",
            r'takes the scheme: @register_loader\("vox"',
        ),
        (
            "@register_volume\nasync def vox(i, c): pass",
            r'takes the scheme: @register_volume\("vox"',
        ),
        ("register_loader(5)", "5 is not a scheme"),
        ("register_loader('a b')", "'a b' is not a scheme"),
        ("register_loader('mine')(5)", r"a loader is a function, `async def f\(.*, not 5"),
        ("register_loader('mine', image_ids=['a'])", r"image_ids is a function, .*, not \['a'\]"),
        ("register_loader('mine', metadata={})", "metadata is a function, .*, not {}"),
        ("register_volume('mine')(None)", "a loader is a function, .*, not None"),
    ],
)
def test_what_cannot_be_registered_names_the_line(source, text):
    with pytest.raises(CustomLoaderError, match=text) as caught:
        define_loaders("mine.py", HEAD + source)
    assert 'File "mine.py", line ' in wire_error(caught.value, None)["traceback"]
    assert "mine" not in schemes


async def test_error_of_a_file_that_is_bad_is_not_the_authors(context, transport):
    transport.answers["https://host/a"] = b"nothing"
    define_loaders(
        "mine.py", HEAD + LOAD.format("return await context.load('wadouri:https://host/a')")
    )
    with pytest.raises(FormatError) as caught:
        await load_image("mine:a", context)
    assert "traceback" not in wire_error(caught.value, "mine:a")
