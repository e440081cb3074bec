"""Adapt a user's functions to sources: check their results, and name them in their errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isasyncgen, isawaitable, iscoroutine
from typing import Any

from pyloader.arrays import check_pixels, disagreement
from pyloader.authors import OWN_PACKAGE, at, entries_of, hint, is_own
from pyloader.context import Context
from pyloader.errors import CustomLoaderError, FormatError, LoaderError
from pyloader.image import Image
from pyloader.imageid import SCHEME, ImageId
from pyloader.modules import checked_modules
from pyloader.rules import shown
from pyloader.source import ImageReady, MetadataReady, Modules, Open, Ready, Series, Source

Load = Callable[[ImageId, Context], Awaitable[Image]]
LoadMetadata = Callable[[ImageId, Context], Awaitable[Modules]]
ListImageIds = Callable[[ImageId, Context], Awaitable[Sequence[str]]]
EXPECTED = "Image.from_array(pixels) makes one of an array"


class FunctionSource:
    """A source of one image, never kept, whose `fetch` runs a user's functions.

    Attributes
    ----------
    load : async (ImageId, Context) -> Image
    metadata : async (ImageId, Context) -> mapping of str to module, or None
        Reads metadata without the pixels; if None, the whole image is loaded.
    image_ids : async (ImageId, Context) -> sequence of str, or None
        Lists the images; if None, there is one.
    """

    is_encoded = False

    def __init__(
        self,
        load: Load,
        metadata: LoadMetadata | None = None,
        image_ids: ListImageIds | None = None,
    ) -> None:
        self.load = load
        self.metadata = metadata
        self.image_ids = image_ids

    @property
    def nbytes(self) -> int:
        """Zero: nothing is kept."""
        return 0

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """Run the user's `image_ids`."""
        if self.image_ids is None:
            return [Series({}, [image_id.text])]
        with naming(self.image_ids, image_id) as where:
            found = await called(self.image_ids, image_id, context)
            return [Series({}, check_image_ids(found, where))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Run the user's `load`, or `metadata`."""
        if not pixels and self.metadata is not None:
            with naming(self.metadata, image_id) as where:
                found = await called(self.metadata, image_id, context)
                return MetadataReady(check_metadata(found, where))
        with naming(self.load, image_id) as where:
            return ImageReady(
                check_image(await called(self.load, image_id, context), image_id, where)
            )

    def ready(self, image_id: ImageId) -> None:
        """Return None: a user's function may wait."""


def open_function(
    load: Load, metadata: LoadMetadata | None = None, image_ids: ListImageIds | None = None
) -> Open:
    """Return the `Open` for a user's functions; it belongs to the module of `load`."""
    source = FunctionSource(load, metadata, image_ids)

    async def open_source(image_id: ImageId, context: Context, *, pixels: bool = True) -> Source:
        return source

    return owned_by(load, open_source)


def owned_by(function: Callable[..., Any], open_source: Open) -> Open:
    """Set the module of `open_source` to that of `function`, and return it."""
    vars_of: Any = open_source
    vars_of.__module__ = getattr(function, "__module__", None) or "__main__"
    return open_source


class NamedReady:
    """A `Ready` around a user's function: errors name the function."""

    def __init__(self, ready: Ready, image_id: ImageId, function: Callable[..., Any]) -> None:
        self.ready = ready
        self.image_id = image_id
        self.function = function

    def make(self, context: Context) -> Image:
        """Make and check the image."""
        with naming(self.function, self.image_id) as where:
            return check_image(self.ready.make(context), self.image_id, where)

    def describe(self, context: Context) -> Modules:
        """Describe the image and check its modules."""
        with naming(self.function, self.image_id) as where:
            modules: Modules = check_metadata(self.ready.describe(context), where)
            return modules

    def encoded(self) -> None:
        """Return None: a user's image is already decoded."""


@contextmanager
def naming(function: Callable[..., Any], image_id: ImageId) -> Iterator[str]:
    """Yield the location of a user's function, and add it to the errors that the function raises.

    For pyloader's own functions, yield an empty location and leave errors unchanged.

    Raises
    ------
    CustomLoaderError
        The function raised another error than `LoaderError`.
    """
    module = str(getattr(function, "__module__", None) or "__main__")
    where = "" if module.startswith(OWN_PACKAGE) else at(function)
    try:
        yield where
    except LoaderError:
        raise
    except (Exception, SystemExit) as error:
        if not where:
            raise
        raise failed(error, image_id, module, where) from error


async def called(function: Callable[..., Any], image_id: ImageId, context: Context) -> Any:
    """Call a loader's function, and return its awaited result.

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
        f"a function of the loader of scheme {image_id.scheme!r} has to be asynchronous, but "
        f"returned {type(found).__name__}: {way}{at(function)}"
    )


def failed(error: BaseException, image_id: ImageId, module: str, where: str) -> CustomLoaderError:
    """Build the error for an exception that a user's function raised."""
    is_told = any(not is_own(each.tb_frame) for each in entries_of(error))
    return CustomLoaderError(
        f"the loader of scheme {image_id.scheme!r} failed on {image_id.text!r}: "
        f"{type(error).__name__}: {error}{hint(error, module)}{'' if is_told else where}"
    )


def check_image(image: Any, image_id: ImageId, where: str = "") -> Image:
    """Check that a loader returned an image that agrees with its own description; return it."""
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
        raise FormatError(f"{error}; the loader returned this image{where}") from None
    fault = disagreement(found.pixel, found.pixels)
    if fault:
        raise CustomLoaderError(
            f"the image of {image_id.text!r} {fault}; image.with_pixels(array) describes another "
            f"array{where}"
        )
    return found


def check_metadata(modules: Any, where: str) -> Any:
    """Check that the modules of a loader can cross to JavaScript; return them."""
    if not where:
        return modules
    try:
        return checked_modules(modules)
    except FormatError as error:
        raise FormatError(f"{error}; the loader returned this metadata{where}") from None


def check_image_ids(image_ids: Any, where: str) -> list[str]:
    """Check the imageIds that a loader listed; return them."""
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
