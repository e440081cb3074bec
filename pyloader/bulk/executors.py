"""Run batches of images on a Dask cluster, in processes, or in this process alone."""

from __future__ import annotations

import signal
import sys
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from typing import Any, Protocol

from pyloader.bulk.chunks import Batch, plan
from pyloader.bulk.tasks import Failed, Job, Loads, run_batch
from pyloader.errors import CustomLoaderError, LoaderError

# Batches for each worker that are running, or done and not consumed.
BATCHES_UNDER_WAY = 2
# Names of dask.config for working in this process.
SYNCHRONOUS = ("sync", "synchronous", "single-threaded", "threads", "threading")


Outcomes = Generator[Any, None, None]


class Executor(Protocol):
    """Loads images."""

    def outcomes(self, job: Job, image_ids: Iterable[str]) -> Outcomes:
        """Yield the outcome of each image, in order: its result, or `Failed`."""
        ...


class InProcess:
    """Loads images in this process."""

    def outcomes(self, job: Job, image_ids: Iterable[str]) -> Outcomes:
        """Yield the outcome of each image."""
        loads = Loads()
        try:
            yield from loads.outcomes(job, image_ids)
        finally:
            loads.close()


class Pool(Protocol):
    """Runs batches, and returns the outcomes of their images."""

    width: int

    def submit(self, image_ids: Sequence[str]) -> Any:
        """Start a batch, and return its future."""
        ...

    def result(self, batch: Any) -> list[Any]:
        """Wait for a batch, and return its outcomes."""
        ...

    def close(self, batches: Sequence[Any]) -> None:
        """Cancel batches, and end what was started for them."""
        ...


def spread(pool: Pool, image_ids: Iterable[str]) -> Outcomes:
    """Yield the outcome of each image, in order, with just enough batches to keep `pool` busy."""
    batches = plan(image_ids, pool.width)
    under_way: deque[tuple[Batch, Any]] = deque()
    ready: dict[int, Any] = {}
    position = 0
    try:
        while True:
            while len(under_way) < BATCHES_UNDER_WAY * pool.width:
                batch = next(batches, None)
                if batch is None:
                    break
                under_way.append((batch, pool.submit(batch.image_ids)))
            if not under_way:
                return
            batch, future = under_way[0]
            ready.update(zip(batch.positions, collect(pool, batch, future), strict=True))
            under_way.popleft()
            while position in ready:
                yield ready.pop(position)
                position += 1
    finally:
        pool.close([future for _, future in under_way])


def collect(pool: Pool, batch: Batch, future: Any) -> list[Any]:
    """Return the outcomes of a batch; when it was lost, `Failed` for each of its images."""
    try:
        return pool.result(future)
    except LoaderError:
        raise
    except Exception as error:
        return [Failed(lost(image_id, error)) for image_id in batch.image_ids]


def lost(image_id: str, error: Exception) -> CustomLoaderError:
    """Return the error of an image that no worker could return."""
    found = CustomLoaderError(
        f"no worker could return {image_id!r}: {type(error).__name__}: {error}. Either a worker "
        "has ended, for example out of memory, or the function, or its result, cannot be pickled "
        "or imported there"
    )
    found.image_id = image_id
    found.__cause__ = error
    return found


class Cluster:
    """The workers of a `distributed.Client`."""

    # A cluster that scales by demand must see some.
    least_width = 8

    def __init__(self, client: Any) -> None:
        if getattr(client, "asynchronous", True):
            raise TypeError(
                f"load_images needs a distributed.Client that is not asynchronous, not {client!r}"
            )
        self.client = client
        self.job: Any = None
        self.width = max(self.least_width, sum(client.nthreads().values()))

    def outcomes(self, job: Job, image_ids: Iterable[str]) -> Outcomes:
        """Yield the outcome of each image."""
        self.job = job
        return spread(self, image_ids)

    def submit(self, image_ids: Sequence[str]) -> Any:
        """Send a batch as a task."""
        return self.client.submit(run_batch, self.job, image_ids, pure=False)

    def result(self, batch: Any) -> list[Any]:
        """Wait for a task; the cluster frees its result when its future is deleted."""
        found: list[Any] = batch.result()
        return found

    def close(self, batches: Sequence[Any]) -> None:
        """Cancel tasks that have not started."""
        if batches:
            self.client.cancel(list(batches))


class Processes:
    """Processes of this machine, as Dask is configured."""

    def __init__(self, width: int, context: str) -> None:
        self.width = width
        self.job = b""
        self.pickle = import_module("cloudpickle")
        self.pool = ProcessPoolExecutor(
            width, mp_context=get_context(context), initializer=ignore_interrupt
        )

    def outcomes(self, job: Job, image_ids: Iterable[str]) -> Outcomes:
        """Yield the outcome of each image."""
        self.job = self.pickle.dumps(job)
        return spread(self, image_ids)

    def submit(self, image_ids: Sequence[str]) -> Future[bytes]:
        """Hand a batch to the next process."""
        try:
            return self.pool.submit(run_pickled, self.job, image_ids)
        except BrokenProcessPool as error:
            raise broken(error) from error

    def result(self, batch: Future[bytes]) -> list[Any]:
        """Wait for a batch, and return its outcomes."""
        try:
            found: list[Any] = self.pickle.loads(batch.result())
        except BrokenProcessPool as error:
            raise broken(error) from error
        return found

    def close(self, batches: Sequence[Future[bytes]]) -> None:
        """Drop batches that have not started, and end the processes."""
        self.pool.shutdown(cancel_futures=True)


def run_pickled(job: bytes, image_ids: Sequence[str]) -> bytes:
    """Run a batch; cloudpickle pickles its job and its results."""
    pickle = import_module("cloudpickle")
    pickled: bytes = pickle.dumps(run_batch(pickle.loads(job), image_ids))
    return pickled


def ignore_interrupt() -> None:
    """Ignore Ctrl-C, which a terminal sends to all processes: the first one handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def broken(error: Exception) -> CustomLoaderError:
    """Return the error for a process that has ended."""
    return CustomLoaderError(
        f"a process that loads images has ended: {error}. A script has to call load_images below "
        '`if __name__ == "__main__":`, since each process runs the script\'s beginning again; '
        "or memory ran out; or dask.config.set(scheduler='synchronous') keeps it in one process"
    )


def choose_executor(client: Any) -> Executor:
    """Return the client's workers, processes when Dask is installed, else this process."""
    if client is not None:
        return Cluster(client)
    if is_in_task():
        return InProcess()
    client = current_client()
    if client is not None:
        return Cluster(client)
    try:
        dask = import_module("dask")
    except ImportError:
        return InProcess()
    if dask.config.get("scheduler", None) in SYNCHRONOUS:
        return InProcess()
    width = dask.config.get("num_workers", None) or import_module("dask.system").CPU_COUNT
    return Processes(width, dask.config.get("multiprocessing.context", "spawn"))


def current_client() -> Any:
    """Return the current `distributed.Client`, or None."""
    # Importing it takes long, and a script with a client has imported it.
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def is_in_task() -> bool:
    """Return whether this runs in a task of Dask's, which should not wait for other tasks."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True
