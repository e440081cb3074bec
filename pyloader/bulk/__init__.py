"""Load thousands of images, in order, with Dask's workers if there are any.

Only this file is imported before the first call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Literal

from pyloader.errors import UnsupportedError
from pyloader.image import Image


def load_images(
    image_ids: Iterable[str | os.PathLike[str]],
    function: Callable[[Image], Any] | None = None,
    *,
    loaders: Sequence[str] = (),
    client: Any = None,
    errors: Literal["raise", "return"] = "raise",
) -> Iterator[Any]:
    """Load many images, and yield each, or the result of `function` for it, in order.

    This is a plain function, which works in notebooks with a running event loop too. Images are
    loaded:

    - by the workers of `client`, else of the current `distributed.Client`;
    - without a client, but with Dask: by as many processes as its configuration says
      (``num_workers``, ``multiprocessing.context``), since parsing and most functions hold Python's
      global interpreter lock, so that threads would wait for each other. As with all processes of
      Python, a script then needs ``if __name__ == "__main__":``.
      ``dask.config.set(scheduler="synchronous")`` keeps the work in this process;
    - without Dask, or in a task of Dask's: in this process, several requests at a time.

    Images of one source go to one worker, up to 16 together; it fetches and parses a source once.
    At most 32 images for each worker, or 256 in all if that is more, are loading or wait to be
    consumed. There may be 512 when the images of many sources are interleaved.

    Parameters
    ----------
    image_ids : iterable of str or path
        As `load_image` takes them. Up to 512 are read ahead. Paths are those of the worker's own
        machine.
    function : Image -> anything, optional
        Runs where the image is loaded, so that only its result is transferred. Dask pickles it with
        cloudpickle; a lambda works.
    loaders : sequence of str, optional
        Files of Python loaders. They are read here, and run by each worker before its first image.
    client : distributed.Client, optional
    errors : {"raise", "return"}
        ``"raise"`` ends at the first failure; ``"return"`` yields a `LoaderError` in place of each
        image that fails.

    Yields
    ------
    Image, or what `function` returned, or LoaderError

    Raises
    ------
    LoaderError
        An image failed, a worker was lost, or a file of `loaders` cannot be run. An exception of
        `function` is the cause of a `CustomLoaderError`.
    UnsupportedError
        In a page: it has its own workers, and ``load_image`` is asynchronous.

    Examples
    --------
    >>> for mean in load_images(image_ids, lambda image: image.pixels.mean()):
    ...     print(mean)
    """
    if sys.platform == "emscripten":
        raise UnsupportedError(
            "load_images needs threads, which Python in a page does not have; use "
            "asyncio.gather(*map(load_image, image_ids)) there"
        )
    if isinstance(image_ids, (str, os.PathLike)):
        raise TypeError(f"load_images takes a list of imageIds, not one: [{image_ids!r}]")
    if errors not in ("raise", "return"):
        raise ValueError(f"errors is {errors!r}; expected 'raise' or 'return'")

    from pyloader.bulk.executors import choose_executor
    from pyloader.bulk.tasks import Job
    from pyloader.custom import read_loader

    job = Job(function, tuple(read_loader(path) for path in loaders))
    texts = (os.fspath(each) for each in image_ids)
    return results(choose_executor(client).outcomes(job, texts), errors == "raise")


def results(outcomes: Generator[Any, None, None], is_strict: bool) -> Iterator[Any]:
    """Yield results, and failures as errors; with `is_strict`, raise the first failure."""
    from pyloader.bulk.tasks import Failed

    # Close it with this generator, not when it is collected: this ends the running loads.
    with closing(outcomes):
        for outcome in outcomes:
            if not isinstance(outcome, Failed):
                yield outcome
            elif is_strict:
                raise outcome.error
            else:
                yield outcome.error
