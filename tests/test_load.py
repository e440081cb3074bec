"""Loading: which loader an imageId goes to, and what is made of its result or its failure."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import (
    Context,
    Image,
    ImageId,
    list_image_ids,
    load_image,
    load_metadata,
    register_loader,
)
from pyloader.errors import (
    CustomLoaderError,
    FormatError,
    HttpStatusError,
    ImageIdError,
    LoaderError,
    NetworkError,
    PackageError,
    UnknownSchemeError,
)
from pyloader.host import EXTRAS, PlainHost
from pyloader.loaders import schemes
from pyloader.transport import Response
from tests.support import builders

PIXELS = np.arange(12, dtype="u2").reshape(3, 4)


@pytest.fixture(autouse=True)
def own_schemes() -> Iterator[None]:
    """Take back what a test registered."""
    yield
    for module in (__name__, "elsewhere"):
        schemes.drop(module)


def register_result(result: Any, scheme: str = "mine") -> None:
    """Register a loader that returns `result`, or raises it."""

    @register_loader(scheme)
    async def load(image_id: ImageId, context: Context) -> Image:
        if isinstance(result, BaseException):
            raise result
        return result


# ------------------------------------------------------------------ dispatch


async def test_loader_gets_the_parsed_imageid_and_the_context(context):
    seen = []

    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        seen.append((image_id, context))
        return Image.from_array(PIXELS)

    image = await load_image("mine:a?frame=3", context)
    [(image_id, given)] = seen
    assert image_id == ImageId.parse("mine:a?frame=3")
    assert given.cache is context.cache
    assert given.options is context.options
    assert image.pixels is PIXELS


async def test_scheme_is_found_in_any_case(context):
    register_result(Image.from_array(PIXELS), scheme="MiNe")
    assert (await load_image("mInE:a", context)).pixels is PIXELS


async def test_unknown_scheme_lists_those_there_are(context):
    expected = (
        r"no image loader for scheme 'foo' \(imageId 'foo:1'\); registered: "
        r"dicomfile, dicomweb, http, .*localfile, .*, wadouri, web, zarr\. "
        r"Load a Python loader first"
    )
    with pytest.raises(UnknownSchemeError, match=expected):
        await load_image("foo:1", context)


async def test_unknown_scheme_of_metadata(context):
    with pytest.raises(UnknownSchemeError, match="no image loader for scheme 'foo'"):
        await load_metadata("foo:1", context)


# ------------------------------------------------------------------ failures name the image


async def test_imageid_error_names_the_image(context):
    with pytest.raises(ImageIdError, match="has no scheme") as caught:
        await load_image("nothing", context)
    assert caught.value.image_id == "nothing"


@pytest.mark.parametrize("load", [load_image, load_metadata])
async def test_transport_error_names_the_image(context, load):
    with pytest.raises(NetworkError, match="could not fetch https://host/a") as caught:
        await load("wadouri:https://host/a?frame=2", context)
    assert caught.value.image_id == "wadouri:https://host/a?frame=2"


async def test_image_that_was_named_keeps_its_name(context):
    """A loader that builds on another's image fails with the name of the inner one."""

    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        return await load_image(image_id.rest, context)

    with pytest.raises(UnknownSchemeError) as caught:
        await load_image("mine:foo:1", context)
    assert caught.value.image_id == "foo:1"


# ------------------------------------------------------------------ a user's loader


async def test_exception_of_a_loader_is_the_cause(context):
    failure = KeyError("rows")
    register_result(failure)
    expected = r"the loader of scheme 'mine' failed on 'mine:a': KeyError: 'rows'"
    with pytest.raises(CustomLoaderError, match=expected) as caught:
        await load_image("mine:a", context)
    assert caught.value.__cause__ is failure
    assert caught.value.image_id == "mine:a"


async def test_loader_error_of_a_loader_stays_what_it_is(context):
    failure = FormatError("not one of ours")
    register_result(failure)
    with pytest.raises(FormatError, match="not one of ours") as caught:
        await load_image("mine:a", context)
    assert caught.value is failure


async def test_refusal_that_a_loader_meets_stays_what_it_is(context, transport):
    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(np.frombuffer((await context.fetch(image_id.rest)).body, "u1"))

    transport.answers["https://host/a"] = Response("https://host/a", 404, {}, b"")
    with pytest.raises(HttpStatusError, match="status 404"):
        await load_image("mine:https://host/a", context)


async def test_cancellation_passes_through(context):
    started = asyncio.Event()

    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(load_image("mine:a", context))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("result", [None, PIXELS, {"pixels": PIXELS}])
async def test_what_is_no_image_is_refused(context, result):
    register_result(result)
    expected = f"the loader of scheme 'mine' returned {type(result).__name__}, expected"
    with pytest.raises(CustomLoaderError, match=expected):
        await load_image("mine:a", context)


@pytest.mark.parametrize("changes", [{"rows": 4}, {"columns": 3}, {"samples_per_pixel": 3}])
async def test_description_has_to_fit_the_array(context, changes):
    image = Image.from_array(PIXELS)
    register_result(dataclasses.replace(image, pixel=dataclasses.replace(image.pixel, **changes)))
    expected = r"'mine:a' is described as \(.*\) \(rows, columns, samples\), but .* \(3, 4\)"
    with pytest.raises(CustomLoaderError, match=expected):
        await load_image("mine:a", context)


async def test_array_that_is_no_image_is_refused(context):
    image = Image.from_array(PIXELS)
    register_result(dataclasses.replace(image, pixels=PIXELS.astype(complex)))
    with pytest.raises(FormatError, match="not dtype complex128") as caught:
        await load_image("mine:a", context)
    assert caught.value.image_id == "mine:a"


async def test_color_of_a_loader_is_described(context):
    register_result(Image.from_array(builders.color(3, 4)))
    image = await load_image("mine:a", context)
    assert (image.pixel.samples_per_pixel, image.pixel.photometric_interpretation) == (3, "RGB")


# ------------------------------------------------------------------ registering


def test_decorator_returns_the_loader():
    async def load(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(PIXELS)

    assert register_loader("mine")(load) is load


async def test_own_scheme_may_be_registered_again(context):
    register_result(None)
    register_result(Image.from_array(PIXELS))
    assert (await load_image("mine:a", context)).pixels is PIXELS


def test_built_in_scheme_is_refused():
    with pytest.raises(ValueError, match=r"'wadouri' is already registered by pyloader\.loaders"):
        register_result(None, scheme="wadouri")


def test_scheme_of_another_module_is_refused():
    async def other(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(PIXELS)

    other.__module__ = "elsewhere"
    register_loader("mine")(other)
    with pytest.raises(ValueError, match="'mine' is already registered by elsewhere"):
        register_result(None)
    assert schemes["mine"].__module__ == "elsewhere"


async def test_scheme_of_another_module_may_be_replaced_on_purpose(context):
    async def load(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(PIXELS)

    register_result(None)
    load.__module__ = "elsewhere"
    register_loader("mine", replace=True)(load)
    assert (await load_image("mine:a", context)).pixels is PIXELS


# ------------------------------------------------------------------ metadata


async def test_metadata_of_a_file_need_no_pixels(context, transport):
    body = builders.native(builders.ramp(16, 16), PatientID="p1")
    transport.answers["https://host/a"] = body[:-100]
    modules = await load_metadata("wadouri:https://host/a", context)
    assert modules["patient"] == {"patient_id": "p1"}
    assert (modules["image_pixel"].rows, modules["image_pixel"].columns) == (16, 16)


async def test_metadata_of_a_frame_that_is_not_there(context, transport):
    transport.answers["https://host/a"] = builders.native(builders.ramp(16, 16))
    with pytest.raises(ImageIdError, match="frame 2 was asked for"):
        await load_metadata("wadouri:https://host/a?frame=2", context)


async def test_metadata_and_image_share_one_file(context, transport):
    transport.answers["https://host/a"] = builders.native(builders.ramp(16, 16))
    await load_metadata("wadouri:https://host/a", context)
    await load_image("wadouri:https://host/a", context)
    assert len(transport.requests) == 1


async def test_metadata_without_a_header_loader_are_those_of_the_image(context):
    series = {"general_series": {"modality": "MR"}}
    image = Image.from_array(PIXELS, modules=series, pixel_spacing=(1.0, 2.0), window_center=40)
    register_result(image)
    modules = await load_metadata("mine:a", context)
    assert modules["general_series"] == {"modality": "MR"}
    assert modules["image_plane"].pixel_spacing == (1.0, 2.0)
    assert modules["voi_lut"].window_center == (40,)
    assert modules["image_pixel"] is image.pixel


async def test_metadata_fail_as_images_do(context):
    register_result(RuntimeError("broken"))
    with pytest.raises(CustomLoaderError, match="RuntimeError: broken") as caught:
        await load_metadata("mine:a", context)
    assert caught.value.image_id == "mine:a"


def test_errors_are_built_in_ones_too():
    """So that scripts may catch them without knowing pyloader's."""
    assert isinstance(UnknownSchemeError("x"), LookupError)
    assert isinstance(FormatError("x"), ValueError)
    assert isinstance(NetworkError("x", "url"), OSError)
    assert isinstance(CustomLoaderError("x"), LoaderError)


async def test_header_of_an_imageid_that_cannot_be_read_names_it():
    with pytest.raises(ImageIdError, match="no scheme") as caught:
        await load_metadata("nonsense")
    assert caught.value.image_id == "nonsense"


async def test_scheme_that_was_taken_over_is_so_for_headers_too():
    built_in = schemes.owned_by("pyloader.loaders.wadouri")
    try:

        @register_loader("wadouri", replace=True)
        async def load(image_id: ImageId, context: Context) -> Image:
            return Image.from_array(np.zeros((2, 3), "u1"))

        assert (await load_metadata("wadouri:x"))["image_pixel"].columns == 3
    finally:
        schemes.restore(built_in)


# ------------------------------------------------------------------ loads within loads


def double(**changes: Any) -> None:
    """Register a loader that doubles another image."""

    @register_loader("double", **changes)
    async def load(image_id: ImageId, context: Context) -> Image:
        image = await context.load(image_id.inner)
        return dataclasses.replace(image, pixels=image.pixels * 2)


async def test_loader_may_load_another_image(context):
    double()
    register_result(Image.from_array(PIXELS))
    image = await load_image("double:double:mine:a?frame=2", context)
    assert_array_equal(image.pixels, PIXELS * 4)


async def test_inner_image_keeps_its_frame(context):
    seen = []

    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        seen.append((image_id.text, context.upcoming, context.loading))
        return Image.from_array(PIXELS)

    double()
    await load_image("double:mine:a?frame=7", dataclasses.replace(context, upcoming=(8, 9)))
    assert seen == [("mine:a?frame=7", (), ("double:mine:a?frame=7", "mine:a?frame=7"))]


async def test_failure_within_names_the_inner_imageid(context):
    double()
    with pytest.raises(UnknownSchemeError, match="scheme 'nobody'") as caught:
        await load_image("double:nobody:a", context)
    assert caught.value.image_id == "nobody:a"


async def test_load_that_asks_for_itself_ends(context):
    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        return await context.load(f"other:{image_id.rest}")

    @register_loader("other")
    async def load_other(image_id: ImageId, context: Context) -> Image:
        return await context.load(f"mine:{image_id.rest}")

    expected = "goes round in a circle: mine:a asks for other:a asks for mine:a"
    with pytest.raises(CustomLoaderError, match=expected):
        await load_image("mine:a", context)


async def test_load_that_always_asks_for_another_ends(context):
    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        return await context.load(f"{image_id.text}a")

    with pytest.raises(CustomLoaderError, match="goes round in a circle"):
        await load_image("mine:a", context)


async def test_loader_may_ask_for_the_metadata_of_another(context):
    @register_loader("double", metadata=lambda image_id, context: context.load_metadata("mine:a"))
    async def load(image_id: ImageId, context: Context) -> Image:
        raise AssertionError

    register_result(Image.from_array(PIXELS, pixel_spacing=(2, 3)))
    modules = await load_metadata("double:mine:a", context)
    assert modules["image_plane"].pixel_spacing == (2, 3)


# ------------------------------------------------------------------ metadata and lists of a user's


async def test_metadata_of_a_user_need_no_pixels(context):
    async def describe(image_id: ImageId, context: Context) -> Any:
        return {"general_series": {"modality": "MR"}}

    @register_loader("mine", metadata=describe)
    async def load(image_id: ImageId, context: Context) -> Image:
        raise AssertionError

    found = await load_metadata("mine:a", context)
    assert found == {"general_series": {"modality": "MR"}}


async def test_list_of_a_user(context):
    async def enumerate_frames(image_id: ImageId, context: Context) -> Any:
        return (image_id.of_frame(index) for index in range(3))

    @register_loader("mine", image_ids=enumerate_frames)
    async def load(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(PIXELS)

    found = await list_image_ids("mine:a?x=1", context)
    assert found == ["mine:a?x=1&frame=1", "mine:a?x=1&frame=2", "mine:a?x=1&frame=3"]


async def test_scheme_with_one_image_a_source(context):
    register_result(Image.from_array(PIXELS))
    assert await list_image_ids("mine:a", context) == ["mine:a"]


@pytest.mark.parametrize("call", [load_metadata, list_image_ids])
async def test_what_a_user_raises_there_is_typed_too(context, call):
    async def fail(image_id: ImageId, context: Context) -> Any:
        raise KeyError("rows")

    @register_loader("mine", metadata=fail, image_ids=fail)
    async def load(image_id: ImageId, context: Context) -> Image:
        return Image.from_array(PIXELS)

    with pytest.raises(CustomLoaderError, match="'mine' failed on 'mine:a': KeyError: 'rows'"):
        await call("mine:a", context)


@pytest.mark.parametrize("scheme", ["", "1a", "a b", "a:", "ä"])
def test_scheme_that_is_none_is_refused(scheme):
    with pytest.raises(ValueError, match="is not a scheme"):
        register_loader(scheme)


# ------------------------------------------------------------------ packages


async def test_package_that_is_there(context):
    assert await context.package("json.decoder") is sys.modules["json.decoder"]


async def test_package_that_is_not_there_says_how_to_have_it(context):
    with pytest.raises(PackageError, match=r"'no-such>=1' is needed .* pip install 'no-such>=1'"):
        await context.package("no_such", "no-such>=1")


@pytest.mark.parametrize(("package", "extra"), EXTRAS.items())
async def test_package_of_a_format_is_named_by_its_extra(package, extra):
    with pytest.raises(PackageError, match=rf"pip install 'pyloader-dicom\[{extra}\]'"):
        await PlainHost().install(package)


async def test_package_is_installed_by_the_host(context, monkeypatch):
    class Page(PlainHost):
        async def install(self, requirement: str) -> None:
            monkeypatch.setitem(sys.modules, "no_such", ModuleType(requirement))

    found = await dataclasses.replace(context, host=Page()).package("no_such", "no-such")
    assert found.__name__ == "no-such"


async def test_package_that_fails_to_import_is_not_installed_again(context, tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        await context.package("half_there")


def test_size_within_the_limit(context):
    small = dataclasses.replace(context, decoded_bytes=100)
    assert small.check_size(100, "it") == 100
    with pytest.raises(FormatError, match="'a' needs 101 bytes in memory, more than the 100"):
        small.check_size(101, "'a'")
