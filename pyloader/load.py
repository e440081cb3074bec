"""The spine: an imageId to its loader, and what the loader returns, checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace as dataclass_replace
from functools import cache
from inspect import isasyncgen, isawaitable, iscoroutine
from typing import Any

from pyloader.arrays import check_pixels, disagreement
from pyloader.authors import OWN_PACKAGE, at, entries_of, hint, is_own
from pyloader.cache import Cache
from pyloader.context import Context, speaker
from pyloader.errors import (
    CustomLoaderError,
    FormatError,
    ImageIdError,
    LoaderError,
    UnknownSchemeError,
    about,
)
from pyloader.image import Image
from pyloader.imageid import SCHEME, ImageId
from pyloader.loaders import ListImageIds, Load, Loader, LoadMetadata, schemes
from pyloader.loaders.offload import Loan, borrow, lend
from pyloader.modules import checked_modules
from pyloader.network import Network
from pyloader.rules import shown
from pyloader.wire import modules_of

CACHE_BYTES = 256 << 20
Call = Callable[[ImageId, Context], Awaitable[Any]]
Check = Callable[[Any, str], Any]
Source = str | os.PathLike[str]


async def load_image(image_id: Source, context: Context | None = None) -> Image:
    """Load one image.

    Parameters
    ----------
    image_id : str or path
        ``scheme:rest``, such as ``"wadouri:https://host/ct.dcm?frame=2"``; frames from 1. In plain
        Python also the path of a file, as the command line takes it: ``"us.dcm?frame=2"``.
    context : Context, optional
        Where bytes come from; by default http, https and local files.

    Returns
    -------
    Image
        Stored values, (rows, columns) or (rows, columns, 3), and what describes them.

    Raises
    ------
    LoaderError
        Always this, whatever failed; `LoaderError` lists the kinds.
    """
    with asked(image_id, context) as (loader, parsed, context):
        return await load_checked(loader, parsed, context)


async def load_checked(loader: Loader, image_id: ImageId, context: Context) -> Image:
    """Load an image with its loader, and check it."""

    def check(image: Any, where: str) -> Image:
        return check_image(image, image_id, where)

    image: Image = await run(loader.load, image_id, context, check)
    return image


async def load_metadata(
    image_id: Source, context: Context | None = None
) -> Mapping[str, Mapping[str, Any]]:
    """Load what describes an image, without its pixels where the scheme can do that.

    Parameters
    ----------
    image_id : str or path
        As `load_image` takes it.

    Returns
    -------
    mapping of str to mapping
        Modules by snake_case name (``"image_plane"``), attributes by snake_case keyword.

    Raises
    ------
    LoaderError
        As `load_image`.
    """
    with asked(image_id, context) as (loader, parsed, context):
        if loader.metadata is None:
            return modules_of(await load_checked(loader, parsed, context))
        modules: Mapping[str, Mapping[str, Any]] = await run(
            loader.metadata, parsed, context, check_metadata
        )
        return modules


def is_at_hand(image_id: str, context: Context) -> bool:
    """Tell whether all images of a source can be made without waiting for anything."""
    parsed = ImageId.parse(image_id)
    told = find(parsed).is_at_hand
    return told is not None and told(parsed, context)


async def lend_frame(image_id: str, context: Context, known: str | None) -> Loan | None:
    """Return a frame for another interpreter to decode, or None; see `lend`.

    Raises
    ------
    LoaderError
        As `load_image`.
    """
    with asked(image_id, context) as (loader, parsed, context):
        if loader.encoded is None:
            return None
        instance = await run(loader.encoded, parsed, context)
        return await lend(instance, parsed, context, known)


async def borrow_frame(loan: Loan, image_id: str, context: Context) -> Image:
    """Decode a frame that another interpreter has lent; see `borrow`.

    Raises
    ------
    LoaderError
        As `load_image`; also when the lender has to be asked again.
    """
    with asked(image_id, context) as (_, parsed, context):
        return check_image(await borrow(loan, parsed, context), parsed)


async def list_image_ids(source: Source, context: Context | None = None) -> list[str]:
    """List the imageIds of all images of a source: frames of a file, slices of a volume.

    Of DICOM also those of a zip archive, of a DICOMDIR, and in plain Python of a folder.

    Parameters
    ----------
    source : str or path
        An imageId with or without a frame, such as ``"nifti:https://host/brain.nii.gz"``; in plain
        Python also the path of a file or a folder, as the command line takes it.

    Returns
    -------
    list of str
        In the order of the source; the imageId itself, when its scheme has one image a source.

    Raises
    ------
    LoaderError
        As `load_image`.
    """
    with asked(source, context) as (loader, parsed, context):
        if loader.image_ids is None:
            return [parsed.text]
        image_ids: list[str] = await run(loader.image_ids, parsed, context, check_image_ids)
        return image_ids


def register_loader(
    scheme: str,
    *,
    metadata: LoadMetadata | None = None,
    image_ids: ListImageIds | None = None,
    replace: bool = False,
) -> Callable[[Load], Load]:
    """Register the decorated ``async (image_id, context) -> Image`` for `scheme`.

    Parameters
    ----------
    scheme : str
        What stands before the first colon of an imageId.
    metadata : async (ImageId, Context) -> mapping of str to mapping, optional
        Returns the modules of an image without its pixels (`load_metadata`).
    image_ids : async (ImageId, Context) -> sequence of str, optional
        Lists the images of a source (`list_image_ids`); `ImageId.of_frame` writes them.
    replace : bool, optional
        Take the place of another module's loader.

    Raises
    ------
    ValueError
        Another module holds the scheme and `replace` is false, or it is no scheme.
    TypeError
        What is to be called is no function.
    """
    check_scheme(scheme, "register_loader")
    for name, function in (("metadata", metadata), ("image_ids", image_ids)):
        if function is not None:
            check_function(name, function)

    def register(load: Load) -> Load:
        check_function("a loader", load)
        loader = Loader(load, metadata, image_ids)
        schemes.register(scheme.lower(), loader, replace=replace)
        return load

    return register


def check_scheme(scheme: Any, decorator: str) -> None:
    """Raise when a decorator was given no scheme, such as the function itself."""
    if callable(scheme):
        name = getattr(scheme, "__name__", "it")
        raise ValueError(
            f'{decorator} takes the scheme: @{decorator}("{name}"), not @{decorator} alone'
        )
    match = SCHEME.fullmatch(f"{scheme}:")
    if match is None or match[1] != scheme:
        raise ValueError(f"{scheme!r} is no scheme: a letter, then letters, digits, '+', '-', '.'")


def check_function(name: str, function: Any) -> None:
    """Raise when a function is none."""
    if not callable(function):
        raise TypeError(
            f"{name} is a function, `async def f(image_id, context)`, not {shown(function)}"
        )


@cache
def default_context() -> Context:
    """Return the context of plain CPython: http, https and files, one cache for the process."""
    from pyloader.transport.native import NativeTransport  # a page never needs it

    return Context(Network(NativeTransport()), Cache(CACHE_BYTES))


def purge() -> None:
    """Forget every source that this process has fetched or read: the next load asks for it anew.

    A local file that was written anew is read anew without this; what a server sends is not asked
    for again.
    """
    default_context().cache.clear()


@contextmanager
def asked(image_id: Source, context: Context | None) -> Iterator[tuple[Loader, ImageId, Context]]:
    """Yield the loader of an imageId, its parts and its context; name the imageId on errors."""
    context = context or default_context()
    with about(str(image_id)):
        parsed = read_image_id(image_id, context)
        loading = (*context.loading, parsed.text)
        # What a load within a load reads is read for both.
        files = context.files if context.loading else set()
        yield (
            find(parsed),
            parsed,
            dataclass_replace(context, loading=loading, files=files, spines=SPINES),
        )


def read_image_id(image_id: Source, context: Context) -> ImageId:
    """Read an imageId; in plain Python also a path, which is no part of a loader's business.

    Raises
    ------
    ImageIdError
        It is neither.
    """
    text = os.fspath(image_id) if isinstance(image_id, os.PathLike) else image_id
    if not isinstance(text, str):
        raise ImageIdError(f"an imageId is a text, such as 'wadouri:/ct.dcm', not {shown(text)}")
    scheme = SCHEME.match(text)
    is_path = scheme is None or (scheme[1].lower() == "file" and "file" not in schemes)
    if is_path and not context.loading and sys.platform != "emscripten":
        from pyloader.loaders.filesets.paths import image_id_of  # a page never needs it

        text = image_id_of(text)
    return ImageId.parse(text)


SPINES = {"image": load_image, "metadata": load_metadata, "image_ids": list_image_ids}


def find(image_id: ImageId) -> Loader:
    """Return the loader of an imageId's scheme."""
    if image_id.scheme not in schemes:
        raise UnknownSchemeError(
            f"no image loader for scheme {image_id.scheme!r} (imageId {image_id.text!r}); "
            f"registered: {', '.join(sorted(schemes))}. A Python loader has to be brought in "
            "first: loadPython() on a page, or an import"
        )
    return schemes[image_id.scheme]


async def run(
    function: Call, image_id: ImageId, context: Context, check: Check = lambda found, _: found
) -> Any:
    """Await a loader's function and check what it returns.

    What a user's own raises becomes a `CustomLoaderError` from it. `check` gets what was returned,
    and where the function of a user is; nothing for one of ours, which needs less of a check.
    """
    module = schemes[image_id.scheme].module
    where = "" if module.startswith(OWN_PACKAGE) else at(function)
    token = speaker.set(module)
    try:
        return check(await called(function, image_id, context), where)
    except LoaderError:
        raise
    except (Exception, SystemExit) as error:
        if not where:
            raise
        raise failed(error, image_id, module, where) from error
    finally:
        speaker.reset(token)


async def called(function: Call, image_id: ImageId, context: Context) -> Any:
    """Return what a function of a loader returns in the end.

    Raises
    ------
    CustomLoaderError
        It cannot be awaited.
    """
    found = function(image_id, context)
    if isawaitable(found):
        return await found
    way = "return a list instead of yielding" if isasyncgen(found) else "write `async def`"
    raise CustomLoaderError(
        f"a function of the loader of scheme {image_id.scheme!r} has to be asynchronous, and "
        f"returned {type(found).__name__}: {way}{at(function)}"
    )


def failed(error: BaseException, image_id: ImageId, module: str, where: str) -> CustomLoaderError:
    """Return the error for what a user's function raised."""
    is_told = any(not is_own(each.tb_frame) for each in entries_of(error))
    return CustomLoaderError(
        f"the loader of scheme {image_id.scheme!r} failed on {image_id.text!r}: "
        f"{type(error).__name__}: {error}{hint(error, module)}{'' if is_told else where}"
    )


def check_image(image: Any, image_id: ImageId, where: str = "") -> Image:
    """Return what a loader returned, if it is an image that agrees with its own description."""
    if not isinstance(image, Image):
        way = "is an `await` missing?" if iscoroutine(image) else EXPECTED
        raise CustomLoaderError(
            f"the loader of scheme {image_id.scheme!r} returned {type(image).__name__}, "
            f"expected pyloader.Image; {way}{where}"
        )
    try:
        check_pixels(image.pixels)
        found: Image = image.checked() if where else image
    except FormatError as error:
        if not where:
            raise
        raise FormatError(f"{error}; such an image was returned{where}") from None
    fault = disagreement(found.pixel, found.pixels)
    if fault:
        raise CustomLoaderError(
            f"the image of {image_id.text!r} {fault}; image.with_pixels(array) describes another "
            f"array{where}"
        )
    return found


EXPECTED = "Image.from_array(pixels) makes one of an array"


def check_metadata(modules: Any, where: str) -> Any:
    """Return the modules that a loader returned, when they cross to JavaScript."""
    if not where:
        return modules
    try:
        return checked_modules(modules)
    except FormatError as error:
        raise FormatError(f"{error}; such metadata were returned{where}") from None


def check_image_ids(image_ids: Any, where: str) -> list[str]:
    """Return the imageIds that a loader listed."""
    is_list = isinstance(image_ids, Iterable) and not isinstance(image_ids, (str, bytes, Mapping))
    found = list(image_ids) if is_list else []
    if where:
        strange = [each for each in found if not (isinstance(each, str) and SCHEME.match(each))]
        if strange or not is_list:
            told = shown(strange[0] if strange else image_ids)
            raise CustomLoaderError(
                f"a loader lists imageIds, such as image_id.of_frame(0) for the first frame, not "
                f"{told}{where}"
            )
    return found
