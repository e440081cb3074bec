"""`LoaderContract`: the tests that every loader should pass."""

from __future__ import annotations

import asyncio
from unittest import SkipTest

import numpy as np

from pyloader.image import modules_of
from pyloader.imageid import ImageId
from pyloader.load import load_image, load_metadata
from pyloader.testing import faults
from pyloader.testing.description import (
    check_crossing,
    check_description,
    differences,
    is_same,
    same_pixels,
)
from pyloader.testing.memory import SilentTransport, context_over, memory_context, requests_of
from pyloader.testing.running import others_end, within
from pyloader.testing.subject import LoaderUnderTest
from pyloader.wire import wire_modules

LISTED = 3


class LoaderContract(LoaderUnderTest):
    """Tests of a loader; inherit it under a name that begins with ``Test``.

    Set the attributes that `LoaderUnderTest` lists: at least `loader`, `image_id` and `answers`.
    Tests of your own can use its `run` and `load`.
    """

    # ---------------------------------------------------------------- the image

    def test_image_agrees_with_its_description(self) -> None:
        """Check bits, sign and place: if they are described wrongly, the image is shown wrongly."""

        async def work() -> None:
            check_description(await self.load())

        self.run(work)

    def test_pixels_are_as_expected(self) -> None:
        """Compare the pixels with `expected`."""
        if self.expected is None:
            raise SkipTest("give `expected`, the pixels, to have them compared")

        async def work() -> None:
            found, expected = (await self.load()).pixels, np.asarray(self.expected)
            assert found.shape == expected.shape, f"{found.shape}, expected {expected.shape}"
            places = np.argwhere((found != expected) & ((found == found) | (expected == expected)))
            assert not len(places), (
                f"{len(places)} of {found.size} values differ, the first at {places[0].tolist()}: "
                f"{found[tuple(places[0])]!r}, expected {expected[tuple(places[0])]!r}"
            )

        self.run(work)

    def test_image_can_cross_to_javascript(self) -> None:
        """Make the form that each viewer wants, with modules of values that JavaScript has."""

        async def work() -> None:
            check_crossing(await self.load())

        self.run(work)

    def test_metadata_are_those_of_the_image(self) -> None:
        """Compare metadata: a viewer places images by those that it loads before the pixels."""

        async def work() -> None:
            context = memory_context(self.answers)
            modules = await within(self.seconds, load_metadata(self.image_id, context))
            alone, of_image = wire_modules(modules), wire_modules(modules_of(await self.load()))
            # It describes the pixels as they are stored, which decoding may change.
            for each in (alone, of_image):
                each.pop("imagePixelModule", None)
            found = list(differences(alone, of_image, ""))
            assert not found, "metadata, and those of the image:\n- " + "\n- ".join(found)

        self.run(work)

    def test_listed_images_load(self) -> None:
        """Load the first few images of the list, and the last."""

        async def work() -> None:
            image_ids = await self.listed()
            assert image_ids, "the loader lists no images"
            assert len({*image_ids}) == len(image_ids), "the loader lists an imageId twice"
            scheme = ImageId.parse(self.image_id).scheme
            for image_id in dict.fromkeys([*image_ids[:LISTED], image_ids[-1]]):
                assert ImageId.parse(image_id).scheme == scheme, f"{image_id!r} is not of {scheme}:"
                check_description(await self.load(image_id=image_id))

        self.run(work)

    # ---------------------------------------------------------------- several loads

    def test_images_are_not_mixed_up(self) -> None:
        """Load images one after the other: each is the same as when it is loaded alone."""

        async def work() -> None:
            context = memory_context(self.answers)
            for image_id in (*(await self.listed())[:LISTED], self.image_id, *self.others):
                shared = await self.load(context, image_id)
                assert is_same(shared, await self.load(image_id=image_id)), (
                    f"{image_id!r} is another image after others were loaded: the key given to "
                    "context.cached has to name all that the value depends on"
                )

        self.run(work)

    def test_two_loads_at_once_are_alike(self) -> None:
        """Load an image twice at once: both are equal, and nothing cached is fetched twice."""

        async def work() -> None:
            alone = memory_context(self.answers)
            image = await self.load(alone)
            once = requests_of(alone)
            context = memory_context(self.answers)
            for found in await asyncio.gather(self.load(context), self.load(context)):
                assert is_same(found, image), "two loads of one image at once differ"
            if not context.cache.size:
                return
            assert len(requests_of(context)) <= len(once), (
                f"two loads at once sent {requests_of(context)}, one alone sends {once}: fetch "
                "within the function that is given to context.cached"
            )

        self.run(work)

    def test_pixels_of_one_load_are_not_those_of_the_next(self) -> None:
        """Write into one image: no other changes."""

        async def work() -> None:
            context = memory_context(self.answers)
            first = await self.load(context)
            before = first.pixels.copy()
            if first.pixels.flags.writeable:
                first.pixels[...] = np.where(before == 0, 1, 0)
            second = await self.load(context)
            assert same_pixels(second.pixels, before), (
                "writing into the pixels of one image changed those of the next load: return a "
                "copy of what is cached, or make it read-only with array.flags.writeable = False"
            )

        self.run(work)

    def test_cancelled_load_ends(self) -> None:
        """Cancel a load: it ends at once with CancelledError, leaves no task, the next works."""

        async def work() -> None:
            transport = SilentTransport(self.answers)
            context = context_over(transport)
            task = asyncio.ensure_future(load_image(self.image_id, context))
            asked = asyncio.ensure_future(transport.asked.wait())
            await asyncio.wait({task, asked}, timeout=self.seconds, return_when="FIRST_COMPLETED")
            asked.cancel()
            task.cancel()
            await asyncio.wait({task}, timeout=self.seconds)
            assert task.done(), "the load goes on after it was cancelled: let CancelledError pass"
            if not transport.asked.is_set():
                raise SkipTest("the loader sends no request during which it could be cancelled")
            assert task.cancelled(), (
                f"a cancelled load ended with {task.exception() or 'an image'!r}: let "
                "CancelledError pass (`except Exception` does, bare `except:` does not)"
            )
            left = await others_end(self.seconds)
            assert not left, f"after the load was cancelled, there still run {', '.join(left)}"
            transport.may_answer.set()
            assert is_same(await self.load(context), await self.load()), "the next load differs"

        self.run(work)

    # ---------------------------------------------------------------- faults of the network

    def test_answer_404(self) -> None:
        """Respond to each URL with status 404: the load ends in an error."""
        self._check_fault(faults.status_404)

    def test_no_answer(self) -> None:
        """Do not respond to each URL in turn: the load ends in an error."""
        self._check_fault(faults.nothing)

    def test_empty_answer(self) -> None:
        """Respond to each URL with an empty body: the load ends in an error."""
        self._check_fault(faults.an_empty_body)

    def test_answer_cut_in_half(self) -> None:
        """Cut the body of each URL: the load ends in an error, or in the whole image."""
        self._check_fault(faults.half_its_bytes, may_keep=True)

    def test_html_for_an_answer(self) -> None:
        """Respond to each URL with a page of HTML: the load ends in an error."""
        self._check_fault(faults.a_page_of_html)

    def test_broken_answers(self) -> None:
        """Load over each of `broken`: it ends in an error, or in the right image."""
        if not self.broken:
            raise SkipTest("give `broken`, answers with faults of your format, to have them tried")
        for name, answers in self.broken.items():
            self.ends_well({**self.answers, **answers}, name, may_keep=True)

    def _check_fault(self, fault: faults.Fault, may_keep: bool = False) -> None:
        if not self.answers:
            raise SkipTest("the loader is given no answers that could fail")
        for url in self.answers:
            name = f"{url} answered by {fault.__name__.replace('_', ' ')}"
            self.ends_well(faults.spoil(self.answers, url, fault), name, may_keep)
