"""A user's functions as a source: what they may return, and what their errors name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pyloader import Image, ImageId
from pyloader.errors import CustomLoaderError, FormatError, HttpStatusError, LoaderError
from pyloader.image import PixelModule
from pyloader.loaders.user_functions import (
    FunctionSource,
    NamedReady,
    check_image,
    check_image_ids,
    check_metadata,
    naming,
    open_function,
)
from pyloader.source import ImageReady, Series

ID = ImageId.parse("mine:a")
GOOD = Image.from_array(np.zeros((2, 3), "i2"))
WHERE = " (load in mine.py, line 7)"
HERE = r"test_user_functions\.py, line \d+"


async def load(image_id: ImageId, context: Any) -> Image:
    """Return an image."""
    return GOOD


async def metadata(image_id: ImageId, context: Any) -> Any:
    """Return modules."""
    return {"general_series": {"modality": "MR"}}


def returning(value: Any) -> Any:
    """Return a function that returns a value when it is awaited."""

    async def function(image_id: ImageId, context: Any) -> Any:
        return value

    return function


# ------------------------------------------------------------------ the source


async def test_there_is_one_image_unless_they_are_listed(context):
    assert await FunctionSource(load).list_series(ID, context) == [Series({}, ["mine:a"])]
    source = FunctionSource(load, image_ids=returning(("mine:x", "mine:y")))
    assert await source.list_series(ID, context) == [Series({}, ["mine:x", "mine:y"])]


async def test_metadata_come_without_pixels_from_their_own_function(context):
    source = FunctionSource(load, metadata)
    found = await source.fetch(ID, context, pixels=False)
    assert found.describe(context) == {"general_series": {"modality": "MR"}}
    assert (await source.fetch(ID, context)).make(context) is GOOD
    whole = await FunctionSource(load).fetch(ID, context, pixels=False)
    assert whole.make(context) is GOOD


async def test_nothing_is_kept_and_nothing_is_ready(context):
    source = FunctionSource(load)
    assert (source.nbytes, source.is_encoded) == (0, False)
    assert source.ready(ID) is None


async def test_the_source_belongs_to_the_module_of_its_function(context):
    opened = open_function(load)
    assert opened.__module__ == load.__module__
    assert (await (await opened(ID, context)).fetch(ID, context)).make(context) is GOOD
    assert open_function(np.add).__module__ == "numpy"


# ------------------------------------------------------------------ what they return


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda image_id, context: GOOD, r"asynchronous, but returned Image: write `async def`"),
        (lambda image_id, context: None, r"asynchronous, but returned NoneType"),
        (returning(None), r"returned NoneType, expected pyloader\.Image"),
        (returning([GOOD]), r"returned list, expected pyloader\.Image"),
    ],
)
async def test_what_is_no_image_is_named_with_the_functions_line(context, function, text):
    with pytest.raises(CustomLoaderError, match=rf"scheme 'mine' .*{text}.*{HERE}"):
        await FunctionSource(function).fetch(ID, context)


async def test_an_asynchronous_generator_is_named(context):
    async def images(image_id: ImageId, context: Any) -> Any:
        yield GOOD

    with pytest.raises(CustomLoaderError, match="return a list instead of yielding"):
        await FunctionSource(images).fetch(ID, context)


def test_images_agree_with_their_description():
    assert check_image(GOOD, ID) is GOOD
    other = replace(GOOD, pixel=PixelModule.of(np.zeros((3, 2), "i2")))
    with pytest.raises(CustomLoaderError, match=r"with_pixels\(array\)"):
        check_image(other, ID)
    with pytest.raises(FormatError, match="not dtype complex128") as caught:
        check_image(replace(GOOD, pixels=np.zeros((2, 3), "c16")), ID, WHERE)
    assert str(caught.value).endswith(f"the loader returned this image{WHERE}")


def test_modules_of_users_are_checked_and_those_of_pyloader_taken_as_they_are():
    modules = {"odd": {"x": print}}
    assert check_metadata(modules, "") is modules
    with pytest.raises(FormatError, match="the loader returned this metadata"):
        check_metadata(modules, WHERE)


@pytest.mark.parametrize("given", [["mine:x"], ("mine:x",), iter(["mine:x"])])
def test_lists_of_image_ids(given):
    assert check_image_ids(given, WHERE) == ["mine:x"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [(None, "None"), ("mine:x", "'mine:x'"), ({"mine:x": 1}, r"\{'mine:x': 1\}"), ([1], "1")],
)
def test_lists_of_something_else(given, shown):
    with pytest.raises(CustomLoaderError, match=f"not {shown} .*mine.py, line 7"):
        check_image_ids(given, WHERE)


# ------------------------------------------------------------------ what they raise


async def test_an_exception_is_an_error_that_names_the_image_id(context):
    async def failing(image_id: ImageId, context: Any) -> Image:
        raise ZeroDivisionError("by 0")

    with pytest.raises(CustomLoaderError, match="failed on 'mine:a': ZeroDivisionError") as caught:
        await FunctionSource(failing).fetch(ID, context)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "test_user_functions.py" not in str(caught.value), "the traceback has the line"


@pytest.mark.parametrize("error", [HttpStatusError("no", "u", status=404), FormatError("odd")])
def test_errors_of_pyloader_pass_as_they_are(error):
    with pytest.raises(LoaderError) as caught, naming(load, ID):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_the_program_passes(error):
    with pytest.raises(type(error)), naming(load, ID):
        raise error


def test_an_exit_is_an_error_of_the_loader():
    with pytest.raises(CustomLoaderError, match="SystemExit: 3"), naming(load, ID):
        raise SystemExit(3)


def test_functions_of_pyloader_are_not_named():
    with naming(Image.from_array, ID) as where:
        assert where == ""
    with pytest.raises(ZeroDivisionError), naming(Image.from_array, ID):
        raise ZeroDivisionError


def test_an_image_of_another_function_names_it(context):
    ready = NamedReady(ImageReady(replace(GOOD, pixels=np.zeros((2, 3), "O"))), ID, load)
    with pytest.raises(FormatError, match=rf"not dtype object.*\(load in .*{HERE}"):
        ready.make(context)
    assert ready.encoded() is None
    assert NamedReady(ImageReady(GOOD), ID, load).describe(context)["image_pixel"]
