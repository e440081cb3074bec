"""Load images: parse the imageId, open its source, make the image and check it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as dataclass_replace
from functools import cache
from typing import Any

from pyloader.cache import Cache
from pyloader.context import Context, speaker
from pyloader.errors import ImageIdError, UnknownSchemeError, about
from pyloader.facts import LIMITS
from pyloader.image import Image
from pyloader.imageid import SCHEME, ImageId
from pyloader.loaders import schemes
from pyloader.loaders.user_functions import (
    ListImageIds,
    Load,
    LoadMetadata,
    check_image,
    open_function,
)
from pyloader.network import Network
from pyloader.rules import shown
from pyloader.source import Modules, Open, Series, Source

CACHE_BYTES = LIMITS["sourceBytes"]
ImageIdOrPath = str | os.PathLike[str]
"""An imageId; in plain Python also a path."""


async def load_image(image_id: ImageIdOrPath, context: Context | None = None) -> Image:
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
        Stored values, (rows, columns) or (rows, columns, 3), and their description.

    Raises
    ------
    LoaderError
        Always this, whatever failed; `pyloader.errors` lists the kinds.
    """
    return (await load_of_source(image_id, context))[0]


async def load_of_source(image_id: ImageIdOrPath, context: Context | None) -> tuple[Image, Source]:
    """Load one image, as `load_image` does; return it and its source."""
    with load_scope(image_id, context) as (open_source, parsed, context):
        source = await open_source(parsed, context)
        ready = await source.fetch(parsed, context)
        return check_image(ready.make(context), parsed), source


def make_of_source(image_id: str, source: Source, context: Context) -> Image | None:
    """Make another image of an open source, without waiting; None when it is not ready.

    Raises
    ------
    LoaderError
        As `load_image`.
    """
    with load_scope(image_id, context) as (_, parsed, context):
        ready = source.ready(parsed)
        return None if ready is None else check_image(ready.make(context), parsed)


async def load_metadata(image_id: ImageIdOrPath, context: Context | None = None) -> Modules:
    """Load the metadata of an image, without its pixels where the scheme can do that.

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
    with load_scope(image_id, context) as (open_source, parsed, context):
        source = await open_source(parsed, context, pixels=False)
        return (await source.fetch(parsed, context, pixels=False)).describe(context)


async def list_image_ids(source: ImageIdOrPath, context: Context | None = None) -> list[str]:
    """List the imageIds of all images of a source: frames of a file, slices of a volume.

    A DICOM source may also be a zip archive, a DICOMDIR, or in plain Python a folder.

    Parameters
    ----------
    source : str or path
        An imageId with or without a frame, such as ``"nifti:https://host/brain.nii.gz"``; in plain
        Python also the path of a file or a folder, as the command line takes it.

    Returns
    -------
    list of str
        In the order of the source. Only the imageId itself, when sources of its scheme have one
        image.

    Raises
    ------
    LoaderError
        As `load_image`.
    """
    return [each for series in await list_series(source, context) for each in series.image_ids]


async def list_series(source: ImageIdOrPath, context: Context | None = None) -> list[Series]:
    """List the images of a source by series; see `list_image_ids`."""
    with load_scope(source, context) as (open_source, parsed, context):
        opened = await open_source(parsed, context, pixels=False)
        return list(await opened.list_series(parsed, context))


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
        The text before the first colon of an imageId.
    metadata : async (ImageId, Context) -> mapping of str to mapping, optional
        Returns the modules of an image without its pixels (`load_metadata`).
    image_ids : async (ImageId, Context) -> sequence of str, optional
        Lists the images of a source (`list_image_ids`); `ImageId.of_frame` writes them.
    replace : bool, optional
        Take the place of another module's loader.

    Raises
    ------
    ValueError
        Another module holds the scheme and `replace` is false, or `scheme` is not a scheme.
    TypeError
        The loader, `metadata` or `image_ids` is not callable.
    """
    check_scheme(scheme, "register_loader")
    for name, function in (("metadata", metadata), ("image_ids", image_ids)):
        if function is not None:
            check_function(name, function)

    def register(load: Load) -> Load:
        check_function("a loader", load)
        open_source = open_function(load, metadata, image_ids)
        schemes.register(scheme.lower(), open_source, replace=replace)
        return load

    return register


def check_scheme(scheme: Any, decorator: str) -> None:
    """Raise when a decorator's argument is not a scheme: it may be the function itself."""
    if callable(scheme):
        name = getattr(scheme, "__name__", "it")
        raise ValueError(
            f'{decorator} takes the scheme: @{decorator}("{name}"), not @{decorator} alone'
        )
    match = SCHEME.fullmatch(f"{scheme}:")
    if match is None or match[1] != scheme:
        raise ValueError(
            f"{scheme!r} is not a scheme: a letter, then letters, digits, '+', '-', '.'"
        )


def check_function(name: str, function: Any) -> None:
    """Raise when a value that should be a function is not callable."""
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
    """Drop every source that this process has cached: the next load fetches or reads it again.

    A local file that has changed is read again even without this; a URL is not fetched again.
    """
    default_context().cache.clear()


@contextmanager
def load_scope(
    image_id: ImageIdOrPath, context: Context | None
) -> Iterator[tuple[Open, ImageId, Context]]:
    """Yield the function that opens the source, the parsed imageId and the context of one load.

    Errors within get the imageId.
    """
    context = context or default_context()
    with about(str(image_id)):
        parsed = read_image_id(image_id, context)
        loading = (*context.loading, parsed.text)
        # Files that a nested load reads count for the outer load too.
        files = context.files if context.loading else set()
        open_source = find(parsed)
        token = speaker.set(open_source.__module__)
        try:
            yield (
                open_source,
                parsed,
                dataclass_replace(
                    context, loading=loading, files=files, load_functions=LOAD_FUNCTIONS
                ),
            )
        finally:
            speaker.reset(token)


def read_image_id(image_id: ImageIdOrPath, context: Context) -> ImageId:
    """Parse an imageId, or in plain Python a path; loaders themselves may not name paths.

    Raises
    ------
    ImageIdError
        The text is neither.
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


LOAD_FUNCTIONS = {"image": load_image, "metadata": load_metadata, "image_ids": list_image_ids}


def find(image_id: ImageId) -> Open:
    """Return the function that opens the sources of an imageId's scheme."""
    if image_id.scheme not in schemes:
        raise UnknownSchemeError(
            f"no image loader for scheme {image_id.scheme!r} (imageId {image_id.text!r}); "
            f"registered: {', '.join(sorted(schemes))}. Load a Python loader first: "
            "loadPython() on a page, or an import"
        )
    return schemes[image_id.scheme]
