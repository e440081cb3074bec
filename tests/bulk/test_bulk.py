"""Thousands of images: by workers of Dask, by processes, by this process; always the same."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import dask
import distributed
import pytest
from numpy.testing import assert_array_equal

from pyloader import Image, load_image, load_images
from pyloader.bulk.executors import current_client
from pyloader.errors import CustomLoaderError, LoaderError
from pyloader.image import modules_of
from pyloader.loaders import schemes
from tests.support.bulk import FRAMES, LOADER, total, where

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client() -> Iterator[distributed.Client]:
    """Return a cluster of two processes; it is not the current client."""
    with (
        # A task whose worker dies is not tried again.
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


# ------------------------------------------------------------------ a cluster


def test_cluster_loads_what_a_loop_loads(client, image_ids, loader, expected):
    found = list(load_images(image_ids, where, loaders=[loader], client=client))
    assert len(found) == 1000
    assert [each for each, _ in found] == expected
    workers = {process for _, process in found}
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_images_come_back_without_a_function(client, image_ids, loader):
    chosen = image_ids[795:805]
    found = list(load_images(chosen, loaders=[loader], client=client))
    for image_id, image in zip(chosen, found, strict=True):
        alone = next(iter(load_images([image_id], loaders=[loader], client=client)))
        assert_array_equal(image.pixels, alone.pixels)
        assert modules_of(image).keys() == modules_of(alone).keys()
    plain = asyncio.run(load_image(chosen[0]))
    assert_array_equal(found[0].pixels, plain.pixels)
    assert found[0].pixel == plain.pixel
    assert found[0].modules == plain.modules


def test_functions_of_a_notebook_can_be_sent(client, image_ids):
    factor = 3
    found = list(load_images(image_ids[:3], lambda image: total(image) * factor, client=client))
    assert found == [3 * each for each in load_images(image_ids[:3], total, client=client)]


def test_current_client_is_used(client, image_ids, expected):
    with client.as_current():
        assert current_client() is client
        process = next(load_images(image_ids[:5], where))[1]
    assert process != os.getpid()


def test_interleaved_sources_keep_their_order(client, image_ids, expected):
    order = [index for frame in range(FRAMES) for index in range(frame, 200, FRAMES)]
    found = load_images([image_ids[index] for index in order], total, client=client)
    assert list(found) == [expected[index] for index in order]


def test_one_failing_image_is_raised(client, image_ids, expected):
    ids = [*image_ids[:30], "wadouri:nowhere.dcm", *image_ids[30:60]]
    found = load_images(ids, total, client=client)
    assert list(islice(found, 30)) == expected[:30]
    with pytest.raises(LoaderError, match=r"could not fetch nowhere\.dcm") as caught:
        next(found)
    assert caught.value.image_id == "wadouri:nowhere.dcm"
    assert caught.value.url == "nowhere.dcm"
    assert list(found) == []


def test_failing_images_are_returned(client, image_ids, expected, loader, tmp_path):
    (tmp_path / "short.raw").write_bytes(bytes(10))
    bad = ["wadouri:nowhere.dcm", "nonsense", f"raw:{tmp_path}/short.raw", "nobody:a"]
    ids = [*image_ids[:3], *bad, *image_ids[3:6]]
    found = list(load_images(ids, total, client=client, loaders=[loader], errors="return"))
    assert [*found[:3], *found[7:]] == expected[:6]
    assert [type(error).__name__ for error in found[3:7]] == [
        "NetworkError",
        "ImageIdError",
        "FormatError",
        "UnknownSchemeError",
    ]
    assert [error.image_id for error in found[3:7]] == bad


def test_failing_function_names_image_and_line(client, image_ids):
    def fail(image: Image) -> None:
        raise KeyError("rows")

    [error] = load_images(image_ids[:1], fail, client=client, errors="return")
    assert isinstance(error, CustomLoaderError)
    assert error.image_id == image_ids[0]
    assert "the function given to load_images failed on" in str(error)
    [note] = error.__notes__
    assert 'raise KeyError("rows")' in note


def test_result_that_cannot_travel(client, image_ids):
    [error] = load_images(
        image_ids[:1], lambda image: threading.Lock(), client=client, errors="return"
    )
    assert "no worker could return" in str(error)
    assert error.image_id == image_ids[0]


def test_loader_that_cannot_be_run_there(client, image_ids, tmp_path):
    path = tmp_path / "typo.py"
    path.write_text("x = 1\ndef (:\n")
    with pytest.raises(CustomLoaderError, match="cannot be run: SyntaxError") as caught:
        list(load_images(image_ids[:1], client=client, loaders=[str(path)], errors="return"))
    assert "def (:" in caught.value.__notes__[0]


def test_loader_that_was_changed_is_run_again(client, image_ids, tmp_path):
    path = tmp_path / "changing.py"
    chosen = image_ids[-1].replace("raw:", "changing:")
    values = []
    for value in (1, 2):
        changed = LOADER.replace('"raw"', '"changing"')
        path.write_text(changed.replace("np.frombuffer", f"{value} + 0 * np.frombuffer"))
        [found] = load_images([chosen], total, client=client, loaders=[str(path)])
        values.append(found)
    assert values == [32, 64]


def test_not_all_is_loaded_at_once(client, image_ids):
    taken = 0

    def many() -> Iterator[str]:
        nonlocal taken
        for index in range(100_000):
            taken = index
            yield image_ids[index % 800]

    found = load_images(many(), total, client=client)
    for _ in islice(found, 100):
        pass
    assert taken < 2000
    found.close()


def test_consumer_that_has_seen_enough_ends_the_rest(client, image_ids):
    def slowly(image: Image) -> None:
        time.sleep(0.01)

    found = load_images(image_ids[:800] * 5, slowly, client=client)
    next(found)
    assert tasks(client)
    found.close()
    deadline = time.monotonic() + 10
    while tasks(client) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert tasks(client) == 0


def tasks(client: distributed.Client) -> int:
    """Return how many tasks the cluster has."""
    return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))


def test_client_that_is_asynchronous_is_refused(image_ids):
    class Asynchronous:
        asynchronous = True

    with pytest.raises(TypeError, match=r"needs a distributed\.Client that is not asynchronous"):
        load_images(image_ids, client=Asynchronous())


def test_task_of_a_cluster_loads_by_itself(client, image_ids, expected):
    def task(ids: list[str]) -> list[int]:
        return list(load_images(ids, lambda image: int(image.pixels.sum())))

    assert client.submit(task, image_ids[:5]).result() == expected[:5]


def test_lost_worker_is_an_error(client, image_ids):
    """The last that uses the cluster, since one of its workers dies."""
    [error] = load_images(image_ids[:1], lambda image: os._exit(3), client=client, errors="return")
    assert "KilledWorker" in str(error)
    assert "a worker has ended, for example out of memory" in str(error)


# ------------------------------------------------------------------ processes


def test_processes_load_what_a_loop_loads(image_ids, loader, expected):
    with dask.config.set(num_workers=2):
        ids = [*image_ids[::10], "wadouri:nowhere.dcm"]
        found = list(load_images(ids, where, loaders=[loader], errors="return"))
    assert [each for each, _ in found[:-1]] == expected[::10]
    assert os.getpid() not in {process for _, process in found[:-1]}
    assert isinstance(found[-1], LoaderError)


def test_script_without_a_guard_is_told_so(tmp_path, image_ids):
    script = tmp_path / "script.py"
    script.write_text(
        "import dask\nfrom pyloader import load_images\ndask.config.set(num_workers=1)\n"
        f"list(load_images([{image_ids[0]!r}]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 1
    assert 'below `if __name__ == "__main__":`' in found.stderr


# ------------------------------------------------------------------ this process


@pytest.mark.usefixtures("no_dask")
def test_this_process_loads_what_a_loop_loads(image_ids, loader, expected):
    found = list(load_images(image_ids, where, loaders=[loader]))
    assert [each for each, _ in found] == expected
    assert {process for _, process in found} == {os.getpid()}


@pytest.mark.usefixtures("no_dask")
async def test_running_event_loop_is_no_hindrance(image_ids, expected):
    assert list(load_images(image_ids[:50], total)) == expected[:50]


@pytest.mark.usefixtures("no_dask")
def test_function_runs_in_the_thread_that_asks(image_ids):
    [found] = load_images(image_ids[:1], lambda image: threading.current_thread())
    assert found is threading.current_thread()


@pytest.mark.usefixtures("no_dask")
def test_failure_has_its_cause(image_ids):
    with pytest.raises(CustomLoaderError, match=r"ZeroDivisionError: .* by zero") as caught:
        list(load_images(image_ids[:1], lambda image: 1 // 0))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.usefixtures("no_dask")
def test_thread_ends_with_the_iteration(image_ids):
    for count in (3, 1):
        found = load_images(image_ids[:3], total)
        list(islice(found, count))
        found.close()
        assert not [each for each in threading.enumerate() if each.name == "pyloader.bulk"]


@pytest.mark.usefixtures("no_dask")
def test_iteration_that_is_forgotten_ends(image_ids):
    next(load_images(image_ids[:3], total))
    gc.collect()
    assert not [each for each in threading.enumerate() if each.name == "pyloader.bulk"]


@pytest.mark.usefixtures("no_dask")
def test_interrupt_ends_the_loads(image_ids, tmp_path):
    path = tmp_path / "sleeping.py"
    path.write_text(
        "import asyncio\nfrom pyloader import register_loader\nENDED = []\n"
        "@register_loader('sleeping')\nasync def load(image_id, context):\n"
        "    try:\n        await asyncio.sleep(60)\n"
        "    finally:\n        ENDED.append(image_id.text)\n"
    )
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(load_images([f"sleeping:{n}" for n in range(20)], loaders=[str(path)]))
        assert time.monotonic() - started < 10
        assert len(sys.modules[str(path)].ENDED) == 8
    finally:
        schemes.drop(str(path))


@pytest.mark.usefixtures("no_dask")
def test_no_more_is_read_than_is_loaded_ahead(image_ids):
    taken = []
    found = load_images((taken.append(each) or each for each in image_ids), total)
    next(found)
    assert len(taken) <= 16
    found.close()


def test_dask_is_not_needed_and_nothing_is_imported_before():
    code = (
        "import sys, pyloader\n"
        "wanted = ('dask', 'distributed', 'pyloader.bulk.executors')\n"
        "print([name for name in wanted if name in sys.modules])\n"
        "sys.modules['dask'] = sys.modules['distributed'] = None\n"
        "[error] = pyloader.load_images(['nobody:a'], errors='return')\n"
        "print(type(error).__name__)"
    )
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (found.stdout, found.stderr) == ("[]\nUnknownSchemeError\n", "")


# ------------------------------------------------------------------ what is asked for


def test_one_imageid_is_no_list():
    with pytest.raises(TypeError, match=r"takes a list of imageIds, not one: \['wadouri:a'\]"):
        load_images("wadouri:a")


def test_errors_is_one_of_two():
    with pytest.raises(ValueError, match="errors is 'ignore'; expected 'raise' or 'return'"):
        load_images([], errors="ignore")


def test_loader_that_is_not_there():
    with pytest.raises(CustomLoaderError, match=r"'nowhere\.py' cannot be read"):
        load_images([], loaders=["nowhere.py"])


def test_page_has_no_threads(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(NotImplementedError, match=r"use asyncio\.gather"):
        load_images(["wadouri:a"])


@pytest.mark.usefixtures("no_dask")
def test_nothing_is_nothing():
    assert list(load_images([])) == []
