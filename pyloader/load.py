"""The spine: an imageId to its loader, and what the loader returns, checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pyloader.cache import Cache
from pyloader.context import Context
from pyloader.errors import CustomLoaderError, LoaderError, UnknownSchemeError, about
from pyloader.image import Image, check_pixels
from pyloader.imageid import ImageId
from pyloader.loaders import Loader, header_loaders, image_loaders
from pyloader.network import Network
from pyloader.registry import Registry
from pyloader.transport.native import NativeTransport
from pyloader.wire import modules_of

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])
CACHE_BYTES = 256 << 20

_default_cache = Cache(CACHE_BYTES)
_default_network = Network(NativeTransport())


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
    with about(image_id):
        parsed = ImageId.parse(image_id)
        loader = find(image_loaders, parsed)
        return check_image(await run(loader, parsed, context or default_context()), parsed)


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
    with about(image_id):
        parsed = ImageId.parse(image_id)
        # A user who took the scheme over took its headers too.
        holder = header_loaders.owner(parsed.scheme)
        if holder is None or holder != image_loaders.owner(parsed.scheme):
            return modules_of(await load_image(image_id, context))
        modules: Mapping[str, Mapping[str, Any]] = await run(
            header_loaders[parsed.scheme], parsed, context or default_context()
        )
        return modules


def register_loader(scheme: str, *, replace: bool = False) -> Callable[[Loader], Loader]:
    """Register the decorated ``async (image_id, context) -> Image`` for `scheme`.

    Raises
    ------
    ValueError
        Another module holds the scheme and `replace` is false.
    """

    def register(loader: Loader) -> Loader:
        image_loaders.register(scheme.lower(), loader, replace=replace)
        return loader

    return register


def default_context() -> Context:
    """Return the context of plain CPython: http, https and files, one cache for the process."""
    return Context(_default_network, _default_cache)


def find(loaders: Registry[Function], image_id: ImageId) -> Function:
    """Return the loader of an imageId's scheme."""
    if image_id.scheme not in loaders:
        raise UnknownSchemeError(
            f"no image loader for scheme {image_id.scheme!r} (imageId {image_id.text!r}); "
            f"registered: {', '.join(sorted(loaders))}. A Python loader has to be brought in "
            "first: loadPython() on a page, or an import"
        )
    return loaders[image_id.scheme]


async def run(loader: Callable[..., Awaitable[Any]], image_id: ImageId, context: Context) -> Any:
    """Await a loader; what a user's own raises becomes a `CustomLoaderError` from it."""
    try:
        return await loader(image_id, context)
    except LoaderError:
        raise
    except Exception as error:
        if loader.__module__.startswith("pyloader."):
            raise
        raise CustomLoaderError(
            f"the loader of scheme {image_id.scheme!r} failed on {image_id.text!r}: "
            f"{type(error).__name__}: {error}"
        ) from error


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
            f"samples), but its array is {image.pixels.shape}"
        )
    return image
