"""Renderings of Python are within one grey level of DCMTK's."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import load_image
from pyloader.pixels.output.voi import display
from tests.support import dcmtk, renderings
from tests.support.renderings import Rendering

pytestmark = pytest.mark.skipif(not dcmtk.is_installed(), reason="DCMTK is not installed")
TITLE = "image, what it covers, largest difference of Python's rendering to DCMTK's"


@pytest.mark.parametrize("row", renderings.ALL, ids=lambda row: row.name)
async def test_python_shows_what_dcmtk_shows(context, transport, add_row, row: Rendering) -> None:
    transport.answers["https://host/a"] = row.source()
    found = display(await load_image(f"wadouri:https://host/a?frame={row.frame}", context))
    expected = row.expected()
    assert found.shape == expected.shape
    assert len(np.unique(expected)) > 1, "a picture"
    difference = np.abs(found.astype(int) - expected).max()
    add_row(TITLE, f"{row.name:35} {row.covers:45} {difference}")
    assert difference <= 1
