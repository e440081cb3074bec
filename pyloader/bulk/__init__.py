"""Thousands of images: loaded by the workers of Dask where there are some, in order, as they come.

Nothing but this file is imported before the first call.
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
    """Load many images, and yield them, or what `function` makes of each, in their order.

    This is a plain function, also for notebooks whose event loop runs. Where the images are loaded:

    - by the workers of `client`, else of the current `distributed.Client`;
    - without a client, but with Dask: by as many processes as its configuration says
      (``num_workers``, ``multiprocessing.context``), since parsing and most functions hold Python's
      lock, so that threads would wait for each other. As with all of Python's processes, a script
      then needs ``if __name__ == "__main__":``. ``dask.config.set(scheduler="synchronous")``
      keeps it in this process;
    - without Dask, or in a task of Dask's: in this process, several requests at a time.

    Images of one source go to one worker, up to 16 together; it fetches and parses a source once.
    However many there are, at most 32 for each worker, and 256 in all when those are few, are
    under way or wait to be taken; up to 512 when the images of many sources are interleaved.

    Parameters
    ----------
    image_ids : iterable of str or path
        As `load_image` takes them. Up to 512 are read ahead. Files of a worker are those of its own
        machine.
    function : Image -> anything, optional
        Runs where the image is loaded, so that only its result travels. Dask pickles it by
        cloudpickle; a lambda will do.
    loaders : sequence of str, optional
        Files of Python loaders. They are read here, and run by each worker before its first image.
    client : distributed.Client, optional
    errors : {"raise", "return"}
        Whether the first failure ends it, or each takes the place of its image, as `LoaderError`.

    Yields
    ------
    Image, or what `function` returned, or LoaderError

    Raises
    ------
    LoaderError
        An image failed, a worker was lost, or a file of `loaders` cannot be run. What `function`
        raised is the cause of a `CustomLoaderError`.
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

    from pyloader.bulk.executors import choose_crew
    from pyloader.bulk.tasks import Job
    from pyloader.custom import read_loader

    job = Job(function, tuple(read_loader(path) for path in loaders))
    texts = (os.fspath(each) for each in image_ids)
    return results(choose_crew(client).outcomes(job, texts), errors == "raise")


def results(outcomes: Generator[Any, None, None], is_strict: bool) -> Iterator[Any]:
    """Yield results, and failures as errors; or raise the first of them."""
    from pyloader.bulk.tasks import Failed

    # Closed with this generator, not when it is collected: that ends what is under way.
    with closing(outcomes):
        for outcome in outcomes:
            if not isinstance(outcome, Failed):
                yield outcome
            elif is_strict:
                raise outcome.error
            else:
                yield outcome.error
