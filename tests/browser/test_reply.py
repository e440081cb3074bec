"""The reply for an image, and the others that come along with it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pyloader import Context, load_image
from pyloader.browser import reply
from pyloader.browser.reply import BATCH_BYTES, Clock, answer_of, batch, failed_of
from pyloader.cache import Cache
from pyloader.errors import FormatError, HttpStatusError
from pyloader.load import load_of_source
from pyloader.network import Network
from pyloader.source import Source
from pyloader.transport.memory import MemoryTransport
from tests.support import builders

URL = "https://host/film.dcm"
FRAMES = builders.ramp(6, 5, 12)[None] + np.arange(8, dtype="u2")[:, None, None]
IMAGE_IDS = [f"wadouri:{URL}?frame={number}" for number in range(1, 9)]
SIZE = FRAMES[0].nbytes


@pytest.fixture
def context() -> Context:
    """Return the context of a load of a film of eight frames."""
    film = builders.native(FRAMES, NumberOfFrames=8)
    return Context(Network(MemoryTransport({URL: film}), retries=0), Cache(1 << 20))


@pytest.fixture
async def source(context: Context) -> Source:
    """Return the film."""
    return (await load_of_source(IMAGE_IDS[0], context))[1]


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what each image takes by a clock that stands still otherwise."""
    seconds = [0.0] * 8
    clock = SimpleNamespace(now=0.0, count=0)
    make = reply.make_of_source

    def timed(image_id: str, source: Source, context: Context):
        clock.now += seconds[clock.count]
        clock.count += 1
        return make(image_id, source, context)

    monkeypatch.setattr(reply, "make_of_source", timed)
    monkeypatch.setattr(reply, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return seconds


def values(found: list) -> list[int]:
    """Return the first pixel of each answer."""
    return [int(each["arrays"]["pixels"][0]) - int(FRAMES[0, 0, 0]) for each in found]


async def test_answer_of_an_image(context):
    heard = []
    clock = Clock(lambda *report: heard.append(report))
    image = await load_image(IMAGE_IDS[2], context)
    clock.listen("end", URL, 1, 10, 10)
    found = answer_of(image, context, clock)
    assert heard == [("end", URL, 1, 10, 10)]
    assert np.array_equal(found["arrays"].pop("pixels"), FRAMES[2].reshape(-1))
    assert found["arrays"] == {}, "no exact ones"
    assert "pixels" not in found["image"]
    assert found["modules"]["imagePixelModule"]["rows"] == 6
    assert set(found["timing"]) == {"loadMilliseconds", "decodeMilliseconds"}


async def test_all_come_along_when_they_are_soon_made(context, source, seconds):
    found = batch(IMAGE_IDS[1:], source, SIZE, context, has_helpers=True)
    assert values(found) == [1, 2, 3, 4, 5, 6, 7]


async def test_those_that_would_be_too_much_do_not_come(context, source, seconds):
    found = batch(IMAGE_IDS[1:], source, BATCH_BYTES // 3, context, has_helpers=False)
    assert values(found) == [1, 2, 3]
    assert batch(IMAGE_IDS[1:], source, BATCH_BYTES + 1, context, has_helpers=False) == []


async def test_when_it_has_taken_long_the_others_stay(context, source, seconds):
    seconds[:] = [0.007] * 8
    found = batch(IMAGE_IDS[1:], source, SIZE, context, has_helpers=True)
    assert values(found) == [1, 2, 3, 4, 5], "35 ms"


@pytest.mark.parametrize(("has_helpers", "expected"), [(True, [1, 2]), (False, [1, 2, 3, 4])])
async def test_one_that_others_could_help_with_is_the_last(
    context, source, seconds, has_helpers, expected
):
    seconds[:] = [0.002, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]
    assert values(batch(IMAGE_IDS[1:], source, SIZE, context, has_helpers)) == expected


async def test_one_that_fails_does_not_stop_the_others(context, source, seconds):
    asked = [IMAGE_IDS[1], f"wadouri:{URL}?frame=9", IMAGE_IDS[2]]
    first, failed, last = batch(asked, source, SIZE, context, has_helpers=False)
    assert values([first, last]) == [1, 2]
    assert failed["error"]["imageId"] == asked[1]
    assert failed["error"]["code"] == "image-id"


def test_which_failed():
    error = FormatError("so it is")
    assert failed_of([], error) is None
    assert failed_of(["a:1", "a:2"], error) == "a:1"
    error.image_id = "a:2"
    assert failed_of(["a:1", "a:2"], error) == "a:2"
    other = HttpStatusError("gone", "https://host", 404)
    other.image_id = "b:1"
    assert failed_of(["a:1", "a:2"], other) == "a:1", "of a load within the load"
