"""Single flight and the byte-bounded LRU behind it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import numpy as np
import pytest

from pyloader.cache import Cache, Flights, owned, size_of, source_of, start_task, whole_of


def ignore(*report: Any) -> None:
    """Take no notice."""


class Work:
    """Work that waits until it is let go, and counts."""

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.gate = asyncio.Event()
        self.started = self.finished = 0
        self.cancelled = False
        self.notify = ignore

    async def make(self, notify: Any) -> Any:
        """Be the `make` of `Cache.get`."""
        self.started += 1
        self.notify = notify
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.finished += 1
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def ask(cache: Cache, work: Work, listener: Any = ignore, key: str = "key") -> asyncio.Task[Any]:
    """Wait for the value of `key` in a task."""
    return asyncio.create_task(cache.get(key, work.make, listener))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def keep(cache: Cache, key: str, value: Any) -> Any:
    """Ask for a value that is made at once."""

    async def make(notify: Any) -> Any:
        return value

    return await cache.get(key, make, ignore)


# ------------------------------------------------------------------ single flight


async def test_all_who_ask_meanwhile_share_one_work():
    cache, work = Cache(100), Work(b"value")
    tasks = [ask(cache, work) for _ in range(3)]
    await settle()
    work.gate.set()
    values = await asyncio.gather(*tasks)
    assert work.started == 1
    assert all(value is work.value for value in values)


async def test_what_is_there_is_not_made_again():
    cache = Cache(100)
    first = await keep(cache, "key", b"first")
    assert await keep(cache, "key", b"second") is first


async def test_keys_do_not_share_work():
    cache, one, two = Cache(100), Work(b"1"), Work(b"2")
    tasks = [ask(cache, one, key="one"), ask(cache, two, key="two")]
    await settle()
    one.gate.set()
    two.gate.set()
    assert await asyncio.gather(*tasks) == [b"1", b"2"]


async def test_waiter_that_leaves_does_not_stop_the_work():
    cache, work = Cache(100), Work(b"value")
    leaving, staying = ask(cache, work), ask(cache, work)
    await settle()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert not work.cancelled
    work.gate.set()
    assert await staying == b"value"


async def test_last_one_out_cancels_the_work():
    cache, work = Cache(100), Work()
    tasks = [ask(cache, work) for _ in range(2)]
    await settle()
    for task in tasks:
        task.cancel()
    await settle()
    assert work.cancelled
    assert all(task.cancelled() for task in tasks)


async def test_work_that_is_slow_to_end_is_not_joined():
    cache, ended = Cache(100), asyncio.Event()

    async def slow_to_end(notify: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            await ended.wait()

    leaving = asyncio.create_task(cache.get("key", slow_to_end, ignore))
    await settle()
    leaving.cancel()
    await settle()
    assert await keep(cache, "key", b"second") == b"second"
    ended.set()
    await settle()
    assert await keep(cache, "key", b"third") == b"second"


async def test_failure_is_shared():
    cache, work = Cache(100), Work(ValueError("broken"))
    tasks = [ask(cache, work) for _ in range(2)]
    await settle()
    work.gate.set()
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert failures == [work.value, work.value]
    assert work.started == 1


async def test_failure_is_not_kept():
    cache, work = Cache(100), Work(ValueError("broken"))
    work.gate.set()
    with pytest.raises(ValueError, match="broken"):
        await ask(cache, work)
    assert await keep(cache, "key", b"value") == b"value"


async def test_every_waiter_hears_progress():
    cache, work = Cache(100), Work()
    first: list[tuple[int, ...]] = []
    second: list[tuple[int, ...]] = []
    early = ask(cache, work, lambda *report: first.append(report))
    await settle()
    work.notify(1, 10)
    late = ask(cache, work, lambda *report: second.append(report))
    await settle()
    work.notify(2, 10)
    work.gate.set()
    await asyncio.gather(early, late)
    assert first == [(1, 10), (2, 10)]
    assert second == [(2, 10)]


async def test_who_left_hears_no_more():
    cache, work = Cache(100), Work()
    heard: list[tuple[int, ...]] = []
    leaving, staying = ask(cache, work, lambda *report: heard.append(report)), ask(cache, work)
    await settle()
    leaving.cancel()
    await settle()
    work.notify(1, 10)
    work.gate.set()
    await staying
    assert heard == []


# ------------------------------------------------------------------ what is kept


async def test_values_used_longest_ago_go_first():
    cache = Cache(100)
    for key in "abc":
        await keep(cache, key, Sized(40))
    assert cache.size == 80
    assert isinstance(await keep(cache, "b", None), Sized)
    assert isinstance(await keep(cache, "c", None), Sized)
    assert await keep(cache, "a", "made again") == "made again"


async def test_use_makes_a_value_young():
    cache = Cache(100)
    old = await keep(cache, "old", Sized(40))
    await keep(cache, "young", Sized(40))
    await keep(cache, "old", None)
    await keep(cache, "new", Sized(40))
    assert await keep(cache, "old", None) is old
    assert await keep(cache, "young", "made again") == "made again"


async def test_value_larger_than_the_limit_is_kept_alone():
    cache = Cache(100)
    await keep(cache, "small", Sized(10))
    large = await keep(cache, "large", Sized(1000))
    assert cache.size == 1000
    assert await keep(cache, "large", None) is large
    await keep(cache, "next", Sized(10))
    assert cache.size == 10


async def test_discard_lets_go():
    cache = Cache(100)
    await keep(cache, "key", Sized(40))
    cache.discard("key")
    assert cache.size == 0
    assert await keep(cache, "key", "made again") == "made again"


async def test_discard_of_what_is_not_there_does_nothing():
    cache = Cache(100)
    cache.discard("nothing")
    assert cache.size == 0


async def test_discard_during_flight_neither_stops_nor_keeps_the_work():
    cache, work = Cache(100), Work(Sized(40))
    waiting = ask(cache, work)
    await settle()
    cache.discard("key")
    work.gate.set()
    assert await waiting is work.value
    assert cache.size == 0


async def test_who_asks_after_discard_gets_new_work():
    cache, stale, fresh = Cache(100), Work(b"stale"), Work(b"fresh")
    early = ask(cache, stale)
    await settle()
    cache.discard("key")
    late = ask(cache, fresh)
    await settle()
    fresh.gate.set()
    assert await late == b"fresh"
    stale.gate.set()
    assert await early == b"stale"
    assert await keep(cache, "key", None) == b"fresh"


async def test_discarded_work_that_ends_first_leaves_the_new_one_alone():
    cache, stale, fresh = Cache(100), Work(b"stale"), Work(b"fresh")
    early = ask(cache, stale)
    await settle()
    cache.discard("key")
    tasks = [ask(cache, fresh)]
    await settle()
    stale.gate.set()
    assert await early == b"stale"
    tasks.append(ask(cache, fresh))
    await settle()
    fresh.gate.set()
    assert await asyncio.gather(*tasks) == [b"fresh", b"fresh"]
    assert fresh.started == 1


async def test_work_that_was_discarded_still_ends_with_its_last_waiter():
    cache, work = Cache(100), Work()
    waiting = ask(cache, work)
    await settle()
    cache.discard("key")
    waiting.cancel()
    await settle()
    assert work.cancelled


async def test_clear_lets_go_of_values_and_of_work_under_way():
    cache, work = Cache(100), Work(Sized(40))
    await keep(cache, "kept", Sized(40))
    waiting = ask(cache, work)
    await settle()
    cache.clear()
    work.gate.set()
    await waiting
    assert cache.size == 0


# ------------------------------------------------------------------ parts


async def test_what_is_put_there_is_found():
    cache = Cache(100)
    assert not cache.has(("source", 0))
    cache.keep(("source", 0), b"first")
    assert cache.has(("source", 0))
    assert not cache.has(("source", 1))
    assert not cache.has("source")
    assert await keep(cache, ("source", 0), b"second") == b"first"


def test_what_is_put_there_again_takes_the_place_of_the_first():
    cache = Cache(100)
    cache.keep("source", Sized(60))
    cache.keep("source", Sized(50))
    assert cache.size == 50


def test_what_is_put_there_makes_room():
    cache = Cache(100)
    for index in range(5):
        cache.keep(("source", index), Sized(40))
    assert [cache.has(("source", index)) for index in range(5)] == [False] * 3 + [True] * 2
    assert cache.size == 80


async def test_work_under_way_is_neither_shared_nor_kept_after_a_new_beginning():
    cache, first, second = Cache(100), Work("old"), Work("new")
    cache.keep("there", 1)
    one = ask(cache, first)
    await settle()
    cache.begin_anew()
    other = ask(cache, second)
    await settle()
    assert (first.started, second.started) == (1, 1)
    second.gate.set()
    first.gate.set()
    assert (await one, await other) == ("old", "new")
    assert (cache.peek("key"), cache.peek("there")) == ("new", 1)


def test_another_size_makes_room():
    cache = Cache(1000)
    for key in "abc":
        cache.keep(key, np.zeros(100, "u1"))
    cache.resize(200)
    assert [cache.has(key) for key in "abc"] == [False, True, True]
    cache.resize(1000)
    cache.keep("a", np.zeros(100, "u1"))
    assert [cache.has(key) for key in "abc"] == [True, True, True]


def test_having_is_no_use():
    """To look whether there is something does not keep it from going."""
    cache = Cache(100)
    cache.keep("old", Sized(40))
    cache.keep("young", Sized(40))
    assert cache.has("old")
    cache.keep("new", Sized(40))
    assert not cache.has("old")


def test_discard_of_a_source_is_one_of_its_parts():
    cache = Cache(1000)
    others = ["another", ("another", 0), ("another", "source"), ("sour", 0), "source:0"]
    for key in ["source", ("source", 0), ("source", 1), ("source", "whole"), *others]:
        cache.keep(key, Sized(10))
    cache.discard("source")
    assert [key for key in others if cache.has(key)] == others
    assert not any(map(cache.has, ["source", ("source", 0), ("source", 1), ("source", "whole")]))
    assert cache.size == 10 * len(others)


async def test_discard_of_a_source_does_not_keep_parts_under_way():
    cache, part, other = Cache(100), Work(Sized(10)), Work(Sized(20))
    waiting = [
        asyncio.create_task(cache.get(key, work.make, ignore))
        for key, work in ((("source", 3), part), (("another", 3), other))
    ]
    await settle()
    cache.discard("source")
    part.gate.set()
    other.gate.set()
    await asyncio.gather(*waiting)
    assert not cache.has(("source", 3))
    assert cache.has(("another", 3))
    assert cache.size == 20


async def test_value_that_is_put_there_during_flight_gives_way_to_that_of_the_flight():
    cache, work = Cache(100), Work(Sized(10))
    waiting = ask(cache, work)
    await settle()
    cache.keep("key", Sized(30))
    work.gate.set()
    assert await waiting is work.value
    assert cache.size == 10


# ------------------------------------------------------------------ flights


async def fly(flights: Flights, work: Work, kept: list[Any] | None = None, key: Any = "key") -> Any:
    """Wait for work of a key, and note what is to be kept."""
    return await flights.join(key, work.make, ignore, None if kept is None else kept.append)


async def test_flight_keeps_once_what_it_brings():
    flights, work, kept = Flights(), Work(b"value"), []
    tasks = [asyncio.create_task(fly(flights, work, kept)) for _ in range(3)]
    await settle()
    work.gate.set()
    assert await asyncio.gather(*tasks) == [b"value"] * 3
    assert kept == [b"value"]


async def test_flight_need_not_keep_anything():
    work = Work(b"value")
    work.gate.set()
    assert await fly(Flights(), work) == b"value"


async def test_flight_that_fails_keeps_nothing():
    work, kept = Work(ValueError("broken")), []
    work.gate.set()
    with pytest.raises(ValueError, match="broken"):
        await fly(Flights(), work, kept)
    assert kept == []


async def test_flight_that_is_over_is_begun_anew():
    flights, work = Flights(), Work(b"value")
    work.gate.set()
    await fly(flights, work)
    await fly(flights, work)
    assert work.started == 2


async def test_forgotten_flights_are_not_kept_nor_joined_nor_stopped():
    flights, stale, fresh, other = Flights(), Work(b"stale"), Work(b"fresh"), Work(b"other")
    kept: list[Any] = []
    early = asyncio.create_task(fly(flights, stale, kept))
    beside = asyncio.create_task(fly(flights, other, kept, "other"))
    await settle()
    flights.forget(lambda key: key == "key")
    late = asyncio.create_task(fly(flights, fresh, kept))
    again = asyncio.create_task(fly(flights, fresh, kept, "other"))
    await settle()
    for work in (stale, fresh, other):
        work.gate.set()
    results = await asyncio.gather(early, late, beside, again)
    assert results == [b"stale", b"fresh", b"other", b"other"]
    assert sorted(kept) == [b"fresh", b"other"]


async def test_listener_may_join_twice_and_hears_twice():
    flights, work = Flights(), Work(b"value")
    heard: list[Any] = []
    tasks = [asyncio.create_task(flights.join("key", work.make, heard.append)) for _ in range(2)]
    await settle()
    work.notify(1)
    tasks[0].cancel()
    await settle()
    work.notify(2)
    work.gate.set()
    assert await tasks[1] == b"value"
    assert heard == [1, 1, 2]


# ------------------------------------------------------------------ work that does not wait

# From Python 3.12 on a task runs at once until it waits for the first time.
IS_EAGER = sys.version_info >= (3, 12)


async def test_task_that_never_waits_ends_at_once():
    async def work() -> int:
        return 7

    task = start_task(work())
    assert task.done() is IS_EAGER
    await asyncio.sleep(0)
    assert task.done()
    assert task.result() == 7


async def test_task_that_waits_goes_on_in_turns():
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        await asyncio.sleep(0)
        steps.append("over")

    task = start_task(work())
    assert steps == (["begun"] if IS_EAGER else [])
    assert not task.done()
    await task
    assert steps == ["begun", "over"]


async def test_failure_of_a_task_is_that_of_its_work():
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await start_task(work())


async def test_task_can_be_cancelled():
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = start_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_value_that_is_made_without_a_wait_is_there_at_once():
    """Also through flights within flights, as an image needs its file."""
    cache = Cache(100)

    async def outer(notify: Any) -> Any:
        return b"outer of " + await keep(cache, "inner", b"inner")

    task = start_task(cache.get("outer", outer, ignore))
    assert task.done() is IS_EAGER
    assert await task == b"outer of inner"
    assert (cache.peek("outer"), cache.peek("inner")) == (b"outer of inner", b"inner")


async def test_work_that_ends_at_once_is_over():
    flights, work, kept = Flights(), Work(b"value"), []
    work.gate.set()
    assert await fly(flights, work, kept) == b"value"
    assert await fly(flights, work, kept) == b"value"
    assert (work.started, kept) == (2, [b"value"] * 2)


async def test_work_may_start_a_task_that_wants_the_same():
    """Such a task asks for the key before the work has waited for the first time."""
    cache, work = Cache(100), Work(b"value")
    heard: list[Any] = []
    others: list[asyncio.Task[Any]] = []

    async def make(notify: Any) -> Any:
        others.append(start_task(cache.get("key", work.make, heard.append)))
        notify(1)
        await asyncio.sleep(0)
        notify(2)
        return b"first"

    assert await cache.get("key", make, ignore) == b"first"
    assert await others[0] == b"first"
    assert work.started == 0
    assert heard == ([1, 2] if IS_EAGER else [2])


async def test_work_may_end_before_a_task_that_it_has_started_sees_it():
    cache, work = Cache(100), Work(b"second")
    work.gate.set()
    others: list[asyncio.Task[Any]] = []

    async def make(notify: Any) -> Any:
        others.append(start_task(cache.get("key", work.make, ignore)))
        return b"first"

    assert await cache.get("key", make, ignore) == b"first"
    assert await others[0] == b"first"
    assert work.started == 0


async def test_work_that_waits_for_itself_can_be_cancelled():
    cache = Cache(100)
    inner: list[asyncio.Task[Any]] = []

    async def make(notify: Any) -> Any:
        task = asyncio.current_task()
        assert task is not None
        inner.append(task)
        return await cache.get("key", make, ignore)

    waiting = asyncio.create_task(cache.get("key", make, ignore))
    await settle()
    assert not waiting.done()
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    inner[0].cancel()
    await settle()
    assert len(inner) == 1
    assert inner[0].cancelled()


async def test_waiter_that_is_cancelled_before_the_work_has_waited_leaves_it_to_the_others():
    cache, work = Cache(100), Work()
    others: list[asyncio.Task[Any]] = []

    async def make(notify: Any) -> Any:
        others.append(start_task(cache.get("key", work.make, ignore)))
        others[0].cancel()
        await asyncio.sleep(0)
        return b"first"

    assert await cache.get("key", make, ignore) == b"first"
    await settle()
    assert others[0].cancelled()
    assert work.started == 0


# ------------------------------------------------------------------ sizes


class Sized:
    """A value that tells its bytes."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


def test_size_is_what_a_value_tells():
    assert size_of(Sized(12345)) == 12345


def test_size_of_containers_is_that_of_their_parts():
    assert size_of([Sized(1), (Sized(2), {"a": Sized(4)})]) == 7


def test_size_of_bytes_counts_them():
    assert 1000 <= size_of(bytes(1000)) < 1100


@pytest.mark.parametrize(
    ("key", "owner_key", "whole"),
    [
        ("a", ("a", "mine.py"), ("a", "mine.py")),
        (("a", 3), ("a", "mine.py", 3), ("a", "mine.py")),
        ((), ((), "mine.py"), ((), "mine.py")),
    ],
)
def test_keys_of_an_authors_file(key, owner_key, whole):
    assert owned(key, "mine.py") == owner_key
    assert whole_of(owned(key, "mine.py")) == whole
    assert whole_of(owner_key) == source_of(owner_key), "what a text says makes no owner"
    assert source_of(owned(key, "mine.py")) == (key[0] if isinstance(key, tuple) and key else key)
