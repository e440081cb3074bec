"""Frames that are fetched together: one fetch, each handed on at once, stopped with interest."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.errors import FormatError, NetworkError
from pyloader.loaders.frame_requests import (
    IDLE_SECONDS,
    MOST_BYTES,
    MOST_FRAMES,
    Fetch,
    FrameRequest,
    FrameRequests,
    frames_at_once,
    opening,
)
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport

SOURCE = "mine:a"


class Frame:
    """A frame that has its bytes."""

    def __init__(self, index: int, nbytes: int = 10) -> None:
        self.index = index
        self.nbytes = nbytes


class Fetching:
    """Fetches that go on only when they are told."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.batches: list[FrameRequest] = []
        self.contexts: list[Context] = []
        self.ends: list[asyncio.Future[None]] = []
        self.cancelled: list[list[int]] = []

    async def __call__(self, batch: FrameRequest, context: Context) -> None:
        """Be the `fetch` of `FrameRequests`: note what is asked for, and wait for the end."""
        end = asyncio.get_running_loop().create_future()
        self.asked.append(batch.missing)
        self.batches.append(batch)
        self.contexts.append(context)
        self.ends.append(end)
        try:
            await end
        except asyncio.CancelledError:
            self.cancelled.append(batch.missing)
            raise

    async def deliver(self, *indices: int, batch: int = -1) -> None:
        """Hand frames on, and let all that follows from it happen."""
        for index in indices:
            self.batches[batch].deliver(index, Frame(index))
        await settle()

    async def end(self, failure: Exception | None = None, batch: int = -1) -> None:
        """End a fetch."""
        if failure is None:
            self.ends[batch].set_result(None)
        else:
            self.ends[batch].set_exception(failure)
        await settle()


class Viewer:
    """Asks for the frames of one source."""

    def __init__(self, fetching: Fetch, most: int = 100) -> None:
        self.batches = FrameRequests(opening(SOURCE), fetching, 20, most)
        self.cache = Cache(1 << 20)
        self.context = Context(Network(MemoryTransport({})), self.cache)

    def ask(
        self, index: int, upcoming: Iterable[int] = (), listener: Callable[..., None] | None = None
    ) -> asyncio.Task[Frame]:
        """Wait for a frame in a task."""
        context = replace(self.context, upcoming=tuple(upcoming))
        if listener is not None:
            context = replace(context, listener=listener)
        return asyncio.create_task(self.batches.get(index, context))

    def keeps(self, index: int) -> bool:
        """Tell whether the cache has a frame."""
        return self.cache.has((*self.batches.key, index))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


class Clock:
    """The time of the event loop, which goes on only when it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Be the loop's `time`."""
        return self.now

    async def go_on(self, seconds: float) -> None:
        """Let time pass, and all that follows from it happen."""
        self.now += seconds
        await settle()


@pytest.fixture
def fetching() -> Fetching:
    """Return fetches that go on when they are told."""
    return Fetching()


@pytest.fixture
def viewer(fetching: Fetching) -> Viewer:
    """Return who asks for frames."""
    return Viewer(fetching)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the only clock there is."""
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    return clock


# ------------------------------------------------------------------ together


async def test_frame_alone(viewer, fetching):
    task = viewer.ask(3)
    await settle()
    await fetching.deliver(3)
    assert (await task).index == 3
    assert fetching.asked == [[3]]


async def test_frames_that_are_announced_are_fetched_with_it(viewer, fetching):
    tasks = [viewer.ask(2, [3, 4, 0]), viewer.ask(3, [4, 0]), viewer.ask(4), viewer.ask(0)]
    await settle()
    assert fetching.asked == [[2, 3, 4, 0]]
    await fetching.deliver(0, 2, 3, 4)
    assert [frame.index for frame in await asyncio.gather(*tasks)] == [2, 3, 4, 0]
    await fetching.end()
    assert len(fetching.asked) == 1


async def test_frame_is_there_before_the_others_have_come(viewer, fetching):
    tasks = {index: viewer.ask(index, [0, 1, 2]) for index in range(3)}
    await settle()
    await fetching.deliver(1)
    assert [tasks[index].done() for index in range(3)] == [False, True, False]
    assert fetching.batches[0].missing == [0, 2]
    await fetching.deliver(0, 2)
    assert (await tasks[0]).index == 0


async def test_frame_that_is_asked_for_and_announced_is_fetched_once(viewer, fetching):
    viewer.ask(1, [1, 2, 1, 2])
    await settle()
    assert fetching.asked == [[1, 2]]
    await fetching.end(FormatError("enough"))


async def test_frame_that_was_not_announced_is_another_fetch(viewer, fetching):
    tasks = [viewer.ask(0, [1]), viewer.ask(7)]
    await settle()
    assert fetching.asked == [[0, 1], [7]]
    await fetching.deliver(7)
    await fetching.deliver(0, 1, batch=0)
    assert [frame.index for frame in await asyncio.gather(*tasks)] == [0, 7]


async def test_what_is_under_way_or_there_is_not_asked_for_again(viewer, fetching):
    first = viewer.ask(0, [1, 2])
    await settle()
    second = viewer.ask(5, [1, 2, 6])
    await settle()
    assert fetching.asked == [[0, 1, 2], [5, 6]]
    await fetching.deliver(0, 1, 2, batch=0)
    await fetching.end(batch=0)
    third = viewer.ask(8, [0, 1, 2, 6, 9])
    await settle()
    assert fetching.asked[2] == [8, 9]
    await fetching.deliver(8, 9)
    await fetching.deliver(5, 6, batch=1)
    await asyncio.gather(first, second, third)


async def test_frames_in_one_batch_are_bounded(fetching):
    viewer = Viewer(fetching, most=3)
    first = viewer.ask(4, range(10))
    await settle()
    assert fetching.asked == [[4, 0, 1]]
    second = viewer.ask(2, range(10))
    await settle()
    assert fetching.asked[1] == [2, 3, 5]
    await fetching.deliver(4, 0, 1, batch=0)
    await fetching.deliver(2, 3, 5)
    assert [(await task).index for task in (first, second)] == [4, 2]


async def test_frames_that_are_not_there_are_not_fetched(viewer, fetching):
    """The page announces what waits, also for frames that do not exist."""
    viewer.ask(0, [20, 19, -1, 1000])
    await settle()
    assert fetching.asked == [[0, 19]]
    await fetching.end(FormatError("enough"))


async def test_everybody_hears_of_the_fetch(viewer, fetching):
    heard: list[list[int]] = [[], []]
    tasks = [
        viewer.ask(index, [1], lambda phase, url, loaded, *_, own=own: own.append(loaded))
        for index, own in enumerate(heard)
    ]
    await settle()
    fetching.contexts[0].progress(1)
    await fetching.deliver(0)
    fetching.contexts[0].progress(2)
    await fetching.deliver(1)
    await asyncio.gather(*tasks)
    assert heard == [[1], [1, 2]]


# ------------------------------------------------------------------ kept


async def test_frames_that_nobody_asked_for_are_kept_for_those_who_will(viewer, fetching):
    task = viewer.ask(0, [1, 2])
    await settle()
    await fetching.deliver(0, 1, 2)
    await fetching.end()
    await task
    assert all(viewer.keeps(index) for index in range(3))
    assert (await viewer.ask(2)).index == 2
    assert len(fetching.asked) == 1
    assert viewer.cache.size == 30


async def test_frames_that_were_let_go_are_fetched_again(viewer, fetching):
    task = viewer.ask(0)
    await settle()
    await fetching.deliver(0)
    await fetching.end()
    await task
    viewer.cache.discard(SOURCE)
    again = viewer.ask(0)
    await settle()
    assert fetching.asked == [[0], [0]]
    await fetching.deliver(0)
    await again


async def test_frame_that_was_let_go_meanwhile_may_be_announced_again(viewer, fetching):
    first = viewer.ask(0, [1, 2])
    await settle()
    await fetching.deliver(0, 1)
    viewer.cache.discard(SOURCE)
    second = viewer.ask(5, [1, 2])
    await settle()
    assert fetching.asked[1] == [5, 1]
    await fetching.deliver(5, 1)
    await fetching.deliver(2, batch=0)
    await asyncio.gather(first, second)


async def test_frames_are_held_by_the_cache_alone(viewer, fetching, clock):
    task = viewer.ask(0, [1])
    await settle()
    await fetching.deliver(0, 1)
    await fetching.end()
    held = weakref.ref(await task)
    del task
    fetching.batches.clear()
    fetching.contexts.clear()
    viewer.cache.discard(SOURCE)
    await clock.go_on(IDLE_SECONDS * 2)
    gc.collect()
    assert held() is None


async def test_frame_that_comes_twice_counts_once(viewer, fetching):
    task = viewer.ask(0, [1])
    await settle()
    await fetching.deliver(0)
    first = await task
    await fetching.deliver(0, 1)
    assert await viewer.ask(0) is first


async def test_frame_that_nobody_knows_is_passed_over(viewer, fetching):
    task = viewer.ask(0)
    await settle()
    await fetching.deliver(5, 0)
    await task
    assert not viewer.keeps(5)


# ------------------------------------------------------------------ failures


async def test_failure_reaches_all_who_wait_and_no_one_later(viewer, fetching):
    tasks = [viewer.ask(0, [1]), viewer.ask(1)]
    await settle()
    await fetching.end(NetworkError("no answer", "https://host/a"))
    for task in tasks:
        with pytest.raises(NetworkError, match="no answer"):
            await task
    again = viewer.ask(1)
    await settle()
    assert fetching.asked == [[0, 1], [1]]
    await fetching.deliver(1)
    assert (await again).index == 1


async def test_failure_spares_what_has_come(viewer, fetching):
    tasks = [viewer.ask(0, [1]), viewer.ask(1)]
    await settle()
    await fetching.deliver(0)
    await fetching.end(FormatError("cut off"))
    assert (await tasks[0]).index == 0
    with pytest.raises(FormatError, match="cut off"):
        await tasks[1]


async def test_one_frame_may_fail_alone(viewer, fetching):
    tasks = [viewer.ask(0, [1, 2]), viewer.ask(1)]
    await settle()
    fetching.batches[0].fail(1, FormatError("this one is broken"))
    assert fetching.batches[0].missing == [0, 2]
    with pytest.raises(FormatError, match="this one is broken"):
        await tasks[1]
    await fetching.deliver(0, 2)
    await fetching.end()
    assert (await tasks[0]).index == 0
    assert not viewer.keeps(1)


async def test_frame_that_failed_and_that_has_come_stay_so(viewer, fetching):
    tasks = [viewer.ask(0, [1]), viewer.ask(1)]
    await settle()
    batch = fetching.batches[0]
    batch.fail(0, FormatError("the first word"))
    await fetching.deliver(0, 1)
    batch.fail(0, FormatError("the last word"))
    batch.fail(1, FormatError("the last word"))
    with pytest.raises(FormatError, match="the first word"):
        await tasks[0]
    assert (await tasks[1]).index == 1


async def test_frame_that_failed_is_asked_for_anew(viewer, fetching):
    task = viewer.ask(0, [1])
    await settle()
    await fetching.deliver(0)
    fetching.batches[0].fail(1, FormatError("this one is broken"))
    await fetching.end()
    await task
    again = viewer.ask(1)
    await settle()
    assert fetching.asked == [[0, 1], [1]]
    await fetching.deliver(1)
    assert (await again).index == 1


async def test_failure_of_what_nobody_waits_for_is_no_noise(viewer, fetching, caplog):
    task = viewer.ask(0, [1])
    await settle()
    await fetching.end(FormatError("cut off"))
    with pytest.raises(FormatError, match="cut off"):
        await task
    del task
    fetching.batches.clear()
    fetching.contexts.clear()
    gc.collect()
    assert caplog.records == []


# ------------------------------------------------------------------ cancelled


async def test_single_frame_is_stopped_with_its_last_waiter(viewer, fetching, clock):
    tasks = [viewer.ask(0), viewer.ask(0)]
    await settle()
    tasks[0].cancel()
    await settle()
    assert fetching.cancelled == []
    tasks[1].cancel()
    await settle()
    assert fetching.cancelled == [[0]]
    assert all(task.cancelled() for task in tasks)


async def test_several_frames_are_stopped_when_nobody_has_come_for_a_while(viewer, fetching, clock):
    tasks = [viewer.ask(0, [1, 2]), viewer.ask(1)]
    await settle()
    await fetching.deliver(0)
    await tasks[0]
    tasks[1].cancel()
    await settle()
    await clock.go_on(IDLE_SECONDS * 0.9)
    assert fetching.cancelled == []
    await clock.go_on(IDLE_SECONDS * 0.2)
    assert fetching.cancelled == [[1, 2]]
    assert viewer.keeps(0)


async def test_several_frames_that_somebody_waits_for_are_never_stopped(viewer, fetching, clock):
    leaving, staying = viewer.ask(0, [1]), viewer.ask(1)
    await settle()
    leaving.cancel()
    await settle()
    await clock.go_on(IDLE_SECONDS * 100)
    assert fetching.cancelled == []
    await fetching.deliver(0, 1)
    assert (await staying).index == 1


async def test_who_joins_in_between_keeps_it_going(viewer, fetching, clock):
    leaving = viewer.ask(0, [1])
    await settle()
    leaving.cancel()
    await settle()
    await clock.go_on(IDLE_SECONDS * 0.9)
    joining = viewer.ask(1)
    await settle()
    await clock.go_on(IDLE_SECONDS * 100)
    assert fetching.cancelled == []
    await fetching.deliver(0, 1)
    assert (await joining).index == 1
    assert fetching.asked == [[0, 1]]


async def test_who_asks_for_what_has_come_keeps_it_going_for_a_while(viewer, fetching, clock):
    first = viewer.ask(0, [1, 2])
    await settle()
    await fetching.deliver(0, 1)
    await first
    await clock.go_on(IDLE_SECONDS * 0.9)
    await viewer.ask(1)
    await clock.go_on(IDLE_SECONDS * 0.9)
    assert fetching.cancelled == []
    await clock.go_on(IDLE_SECONDS * 2)
    assert fetching.cancelled == [[2]]


async def test_who_comes_after_it_was_stopped_begins_anew(viewer, fetching, clock):
    leaving = viewer.ask(0, [1])
    await settle()
    leaving.cancel()
    await settle()
    await clock.go_on(IDLE_SECONDS)
    again = viewer.ask(1)
    await settle()
    assert fetching.asked == [[0, 1], [1]]
    await fetching.deliver(1)
    assert (await again).index == 1


async def test_who_comes_while_it_is_being_stopped_is_not_stopped():
    """Work may take a while to end; it takes no one in any more."""
    asked, has_ended = [], asyncio.Event()

    async def fetch(batch: FrameRequest, context: Context) -> None:
        asked.append(batch.missing)
        if len(asked) > 1:
            batch.deliver(0, Frame(0))
            return
        try:
            await asyncio.Event().wait()
        finally:
            await has_ended.wait()

    viewer = Viewer(fetch)
    leaving = viewer.ask(0)
    await settle()
    leaving.cancel()
    await settle()
    assert (await viewer.ask(0)).index == 0
    assert asked == [[0], [0]]
    has_ended.set()


async def test_frame_that_has_come_does_not_stop_its_fetch_from_ending(viewer, fetching, clock):
    """A fetch still does its work after the last frame, such as to note what worked."""
    task = viewer.ask(0)
    await settle()
    await fetching.deliver(0)
    await task
    await clock.go_on(IDLE_SECONDS * 100)
    assert fetching.cancelled == []


async def test_frames_that_have_come_do_not_either(viewer, fetching, clock):
    tasks = [viewer.ask(0, [1]), viewer.ask(1)]
    await settle()
    await fetching.deliver(0, 1)
    await asyncio.gather(*tasks)
    await clock.go_on(IDLE_SECONDS * 100)
    assert fetching.cancelled == []


# ------------------------------------------------------------------ bounds


@pytest.mark.parametrize(
    ("frame_bytes", "frames"),
    [
        (0, MOST_FRAMES),
        (1, MOST_FRAMES),
        (512 * 512 * 2, MOST_FRAMES),
        (MOST_BYTES // 10, 10),
        (MOST_BYTES // 10 + 1, 9),
        (MOST_BYTES, 1),
        (MOST_BYTES * 5, 1),
    ],
)
def test_frames_at_once(frame_bytes, frames):
    assert frames_at_once(frame_bytes) == frames


async def test_frames_of_a_source_that_was_opened_again_are_not_those_of_before():
    """The source may be another file by then."""
    fetching = Fetching()
    viewer = Viewer(fetching)
    before = viewer.ask(0)
    await settle()
    await fetching.deliver(0)
    await fetching.end()
    viewer.batches = FrameRequests(opening(SOURCE), fetching, 20, 100)
    after = viewer.ask(0)
    await settle()
    assert fetching.asked == [[0], [0]]
    await fetching.deliver(0)
    assert await after is not await before
    await fetching.end()
