"""A load leaves nothing behind that only a collection of garbage would free: pixels are large."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

import pyloader
from tests.support import builders
from tests.support.dicomweb import DicomWebServer
from tests.support.servers import own_server

FRAMES = np.broadcast_to(np.arange(12, dtype="u2")[:, None, None], (12, 64, 64))
UIDS = {"StudyInstanceUID": "1.2.6.1", "SeriesInstanceUID": "1.2.6.2", "SOPInstanceUID": "1.2.6.3"}


@pytest.fixture(scope="module")
def server() -> Iterator[DicomWebServer]:
    """Run a server of DICOMweb and files."""
    with own_server() as server:
        yield server


def garbage_of(image_ids: list[str]) -> Counter[str]:
    """Load images together, and return what was left in cycles, by type."""

    async def load_all() -> None:
        images = await asyncio.gather(*map(pyloader.load_image, image_ids))
        assert [int(image.pixels[0, 0]) for image in images] == list(range(len(image_ids)))

    async def look() -> Counter[str]:
        await load_all()  # what is made once for all
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await load_all()
            gc.collect()
            return Counter(type(each).__name__ for each in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()

    return asyncio.run(look())


@pytest.mark.parametrize("scheme", ["wadouri", "wadors"])
def test_loads_leave_no_cycles(server: DicomWebServer, scheme: str) -> None:
    body = builders.native(FRAMES, NumberOfFrames=12, **UIDS)
    if scheme == "wadors":
        image_id = f"wadors:{server.dicomweb}{server.store(body)}/frames/{{}}"
    else:
        image_id = f"wadouri:{server.url}{server.put('/film.dcm', body)}?frame={{}}"
    found = garbage_of([image_id.format(number + 1) for number in range(12)])
    assert not found
