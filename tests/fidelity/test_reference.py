"""The reference table under CPython: every row exact, or within the bound that it states."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import load_image
from pyloader.errors import LoaderError
from tests.support.reference import table
from tests.support.reference.refusals import Refusal, refusals

ROWS = table.rows()
REFUSALS = {each.name: each for each in refusals()}


@pytest.mark.parametrize("name", ROWS)
async def test_row(context, transport, name):
    row = ROWS[name]
    transport.answers["https://host/image.dcm"] = row.made.body
    frames = [
        (await load_image(f"wadouri:https://host/image.dcm?frame={number}", context)).pixels
        for number in range(1, len(row.made.pixels) + 1)
    ]
    table.check(np.stack(frames), name)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
async def test_what_cannot_be_shown_is_refused(context, transport, refusal: Refusal):
    transport.answers["https://host/image.dcm"] = refusal.body
    with pytest.raises(LoaderError) as caught:
        await load_image("wadouri:https://host/image.dcm", context)
    assert caught.value.code == refusal.code
    assert [words for words in refusal.words if words not in str(caught.value)] == []


def test_the_table_is_as_long_as_it_is_said_to_be():
    assert len(ROWS) >= 200
    assert len({row.syntax for row in ROWS.values()}) >= 22


def test_most_rows_have_an_independent_decoder():
    """The others are held to what was encoded, without loss or within a bound."""
    alone = [row.name for row in ROWS.values() if not row.decoders]
    assert len(alone) < len(ROWS) / 3, alone


def test_a_difference_is_seen_in_each_class():
    for dtype in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"):
        limits = np.iinfo(dtype)
        low, high = np.full(3, limits.min, dtype), np.full(3, limits.max, dtype)
        assert table.largest_difference(low, low) == 0
        assert table.largest_difference(low, high) == 2 ** (limits.bits) - 1
    assert table.largest_difference(np.zeros(2, "f4"), np.array([0, 0.5], "f4")) == 0.5
