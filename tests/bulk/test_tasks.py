"""Pickle jobs and outcomes between processes, and run the batches of one of them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import Image
from pyloader.bulk.tasks import Failed, Job, Loads, portable, run_batch
from pyloader.errors import FormatError, HttpStatusError
from pyloader.image import LookupTable
from tests.support import builders
from tests.support.bulk import FRAMES, total


@pytest.mark.parametrize("make", [pickle.dumps, lambda value: pickle.dumps(value, 2)])
def test_image_survives(make: Callable[[Any], bytes]):
    table = LookupTable(3, 12, np.arange(5, dtype="u2"), "curve")
    image = Image.from_array(
        builders.ramp(4, 5), pixel_spacing=(1, 2), luts=(table,), window_center=3, window_width=4,
        modules={"general_series": {"modality": "MR"}},
    )  # fmt: skip
    found = pickle.loads(make(image))
    assert_array_equal(found.pixels, image.pixels)
    assert (found.pixel, found.plane, found.modules) == (image.pixel, image.plane, image.modules)
    assert_array_equal(found.voi_lut.luts[0].entries, table.entries)
    assert found.voi_lut.luts[0].explanation == "curve"


def test_error_of_an_author_travels_as_one_of_ours():
    class OwnError(FormatError):
        def __init__(self, handle: Any) -> None:
            super().__init__("broken")
            self.handle = handle

    error = OwnError(threading.Lock())
    error.image_id = "mine:a"
    found = pickle.loads(pickle.dumps(portable(error)))
    assert type(found) is FormatError
    assert (str(found), found.image_id) == ("broken", "mine:a")


def test_status_travels():
    found = pickle.loads(pickle.dumps(portable(HttpStatusError("gone", "https://host/a", 404))))
    assert (found.url, found.status) == ("https://host/a", 404)


def test_batch_of_a_worker(image_ids, expected):
    [first, second] = run_batch(Job(total), [image_ids[0], "nobody:a"])
    assert first == expected[0]
    assert isinstance(second, Failed)


def test_source_is_read_once_for_its_frames(image_ids, monkeypatch):
    asked = []
    loads = Loads()
    send = loads.context.network.transport.send

    async def count(request: Any, *more: Any) -> Any:
        asked.append(request.url)
        return await send(request, *more)

    monkeypatch.setattr(loads.context.network.transport, "send", count)
    try:
        assert len(list(loads.outcomes(Job(total), image_ids[: 2 * FRAMES]))) == 2 * FRAMES
    finally:
        loads.close()
    assert len(asked) == 2
