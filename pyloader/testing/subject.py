"""`LoaderUnderTest`: the loader that a contract tests, and how it is run."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from pyloader.context import Context
from pyloader.custom import define_loaders, read_loader
from pyloader.errors import LoaderError
from pyloader.image import Image
from pyloader.load import list_image_ids, load_image
from pyloader.loaders import schemes
from pyloader.testing import faults
from pyloader.testing.description import is_same
from pyloader.testing.memory import memory_context
from pyloader.testing.running import run, within
from pyloader.transport import Response

Work = Callable[[], Coroutine[Any, Any, None]]


class LoaderUnderTest:
    """A loader, an image of it, and all that the loader fetches.

    Attributes
    ----------
    loader : str, Path or module, optional
        The file that registers the loader, relative to the file of the tests, or its module.
        Without it, the scheme must be registered already.
    image_id : str
        The imageId of an image of the loader.
    answers : mapping of str to bytes or Response
        The response of each URL that is fetched for `image_id`, and for the first and last images
        that its source lists.
    expected : array, optional
        The pixels of `image_id`, computed by other means than the loader's.
    others : sequence of str, optional
        Further imageIds, of other sources, whose responses `answers` has too.
    broken : mapping of str to mapping, optional
        Responses that replace good ones, by a name for their fault; each load must end in an error,
        or in the right image.
    allowed : tuple of exception types, optional
        Exceptions that the loader may raise besides `LoaderError`, since their text says enough.
    seconds : float
        Time limit for one load.
    """

    loader: str | Path | ModuleType | None = None
    image_id: str = ""
    answers: faults.Answers = MappingProxyType({})
    expected: Any = None
    others: Sequence[str] = ()
    broken: Mapping[str, faults.Answers] = MappingProxyType({})
    allowed: tuple[type[Exception], ...] = ()
    seconds: float = 5.0

    def setup_method(self) -> None:
        """Run the loader's file; pytest calls this before each test."""
        assert self.image_id, f"{type(self).__name__} has no image_id"
        if isinstance(self.loader, ModuleType):
            if not schemes.owned_by(self.loader.__name__):
                importlib.reload(self.loader)
        elif self.loader is not None:
            define_loaders(*read_loader(self.path()))

    def teardown_method(self) -> None:
        """Take back what the file registered; pytest calls this after each test."""
        if isinstance(self.loader, (str, Path)):
            schemes.drop(str(self.path()))

    def path(self) -> Path:
        """Return the loader's file."""
        assert isinstance(self.loader, (str, Path))
        beside = Path(inspect.getfile(type(self))).parent / self.loader
        return beside if beside.exists() else Path(self.loader)

    def run(self, work: Work) -> None:
        """Run an async function in an event loop of its own, within the time of a few loads."""
        run(work, 4 * self.seconds + 1)

    async def load(self, context: Context | None = None, image_id: str = "") -> Image:
        """Load an image; by default `image_id` of the contract over its `answers`."""
        context = context or memory_context(self.answers)
        return await within(self.seconds, load_image(image_id or self.image_id, context))

    async def listed(self) -> list[str]:
        """Return the imageIds that the loader lists."""
        listing = list_image_ids(self.image_id, memory_context(self.answers))
        return await within(self.seconds, listing)

    def ends_well(self, answers: faults.Answers, name: str, may_keep: bool = False) -> None:
        """Load over `answers`: a good error, or the right image. Then load over good ones.

        With `may_keep`, the cache is cleared in between, as a viewer does it: a loader may keep a
        file whose pixels turn out to be broken later.
        """

        async def work() -> None:
            network: dict[str, bytes | Response] = dict(answers)
            context = memory_context(network)
            expected = await self.load()
            image = await self._attempt(context, name)
            assert image is None or is_same(image, expected), (
                f"{name}: the loader made another image of it: check the response, such as its "
                "length, and raise pyloader.errors.FormatError"
            )
            network.update(self.answers)
            if may_keep:
                context.cache.clear()
            assert is_same(await self.load(context), expected), (
                f"{name}: and after it, with good responses, the image is not the right one: "
                "nothing of a failed load may be kept"
            )

        self.run(work)

    async def _attempt(self, context: Context, name: str) -> Image | None:
        """Return the image, or None when the load ends in a good error."""
        try:
            return await self.load(context)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
        except LoaderError as error:
            try:
                faults.check_error(error, self.allowed)
            except AssertionError as fault:
                raise AssertionError(f"{name}: {fault}") from error
            return None
        except Exception as error:
            faults.check_error(error, self.allowed)
            raise
