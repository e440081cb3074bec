"""The spine: an imageId to its loader, and what the loader returns, checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace as dataclass_replace
from functools import cache
from typing import Any

from pyloader.arrays import check_pixels
from pyloader.cache import Cache
from pyloader.context import Context, speaker
from pyloader.errors import CustomLoaderError, LoaderError, UnknownSchemeError, about
from pyloader.image import Image
from pyloader.imageid import SCHEME, ImageId
from pyloader.loaders import ListImageIds, Load, Loader, LoadMetadata, schemes
from pyloader.loaders.lending import Loan, borrow, lend
from pyloader.network import Network
from pyloader.wire import modules_of

CACHE_BYTES = 256 << 20


async def load_image(image_id: str, context: Context | None = None) -> Image:
    """Load one image.

    Parameters
    ----------
    image_id : str
        ``scheme:rest``, such as ``"wadouri:https://host/ct.dcm?frame=2"``; frames from 1.
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
        return check_image(await run(loader.load, parsed, context), parsed)


async def load_metadata(
    image_id: str, context: Context | None = None
) -> Mapping[str, Mapping[str, Any]]:
    """Load what describes an image, without its pixels where the scheme can do that.

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
            return modules_of(check_image(await run(loader.load, parsed, context), parsed))
        modules: Mapping[str, Mapping[str, Any]] = await run(loader.metadata, parsed, context)
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


async def list_image_ids(source: str, context: Context | None = None) -> list[str]:
    """List the imageIds of all images of a source: frames of a file, slices of a volume.

    Of DICOM also those of a zip archive, of a DICOMDIR, and in plain Python of a folder.

    Parameters
    ----------
    source : str
        An imageId with or without a frame, such as ``"nifti:https://host/brain.nii.gz"``.

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
            return [source]
        return list(await run(loader.image_ids, parsed, context))


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
    """
    match = SCHEME.fullmatch(f"{scheme}:")
    if match is None or match[1] != scheme:
        raise ValueError(f"{scheme!r} is no scheme: a letter, then letters, digits, '+', '-', '.'")

    def register(load: Load) -> Load:
        loader = Loader(load, metadata, image_ids)
        schemes.register(scheme.lower(), loader, replace=replace)
        return load

    return register


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
def asked(image_id: str, context: Context | None) -> Iterator[tuple[Loader, ImageId, Context]]:
    """Yield the loader of an imageId, its parts and its context; name the imageId on errors."""
    context = context or default_context()
    with about(image_id):
        parsed = ImageId.parse(image_id)
        loading = (*context.loading, image_id)
        # What a load within a load reads is read for both.
        files = context.files if context.loading else set()
        yield (
            find(parsed),
            parsed,
            dataclass_replace(context, loading=loading, files=files, spines=SPINES),
        )


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
    function: Callable[[ImageId, Context], Awaitable[Any]], image_id: ImageId, context: Context
) -> Any:
    """Await a loader's function; what a user's own raises becomes a `CustomLoaderError` from it."""
    module = schemes[image_id.scheme].module
    token = speaker.set(module)
    try:
        return await function(image_id, context)
    except LoaderError:
        raise
    except (Exception, SystemExit) as error:
        if module.startswith("pyloader."):
            raise
        raise CustomLoaderError(
            f"the loader of scheme {image_id.scheme!r} failed on {image_id.text!r}: "
            f"{type(error).__name__}: {error}"
        ) from error
    finally:
        speaker.reset(token)


def check_image(image: Any, image_id: ImageId) -> Image:
    """Return what a loader returned, if it is an image that agrees with its own description."""
    if not isinstance(image, Image):
        raise CustomLoaderError(
            f"the loader of scheme {image_id.scheme!r} returned {type(image).__name__}, "
            "expected pyloader.Image; Image.from_array(pixels) makes one of an array"
        )
    check_pixels(image.pixels)
    described = (image.pixel.rows, image.pixel.columns, image.pixel.samples_per_pixel)
    if (*image.pixels.shape, 1)[:3] != described:
        raise CustomLoaderError(
            f"the image of {image_id.text!r} is described as {described} (rows, columns, "
            f"samples), but its array is {image.pixels.shape}; image.with_pixels(array) "
            "describes another array"
        )
    if image.pixel.bits_allocated != image.pixels.dtype.itemsize * 8 or (
        image.pixel.pixel_representation != int(image.pixels.dtype.kind == "i")
    ):
        sign = "signed" if image.pixel.pixel_representation else "unsigned"
        raise CustomLoaderError(
            f"the image of {image_id.text!r} is described as {image.pixel.bits_allocated} bits, "
            f"{sign}, but its array is of {image.pixels.dtype}; image.with_pixels(array) describes "
            "another array"
        )
    return image
