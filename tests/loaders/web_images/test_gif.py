"""GIFs that break the rules a little, or show nothing in places, as browsers show them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import FormatError
from tests.support.gifs import TABLE, TRAILER, control, frame, gif, pixels
from tests.support.pictures import load, read, rgba_of

ROWS, COLUMNS = 20, 30
FIRST, SECOND = pixels(ROWS, COLUMNS, 1), pixels(8, 9, 2)
BLOCKS = (control(), frame(0, 0, FIRST), control(), frame(4, 5, SECOND))
EMPTY_COMMENT, EMPTY_APPLICATION = b"\x21\xfe\0", b"\x21\xff\0"


def colors(indices: np.ndarray) -> np.ndarray:
    """Return RGBA."""
    return rgba_of(TABLE[indices])


def second() -> np.ndarray:
    """Return the screen when the second frame of `BLOCKS` is shown."""
    screen = colors(FIRST)
    screen[4:12, 5:14] = colors(SECOND)
    return screen


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (gif(ROWS, COLUMNS, *BLOCKS), None),
        (gif(ROWS, COLUMNS, *BLOCKS, end=b""), "no trailer"),
        (gif(ROWS, COLUMNS, *BLOCKS, control(), end=b""), "no trailer"),
        (gif(ROWS, COLUMNS, *BLOCKS[:2], b"\0", *BLOCKS[2:]), "zeros between blocks"),
        (gif(ROWS, COLUMNS, BLOCKS[0], b"\0\0", *BLOCKS[1:]), "zeros between blocks"),
        (gif(ROWS, COLUMNS, *BLOCKS, b"\0\0", end=b""), "zeros between blocks"),
        (gif(ROWS, COLUMNS, EMPTY_COMMENT, *BLOCKS), "empty extensions"),
        (gif(ROWS, COLUMNS, *BLOCKS, EMPTY_APPLICATION), "empty extensions"),
        (gif(ROWS, COLUMNS, b"\x21\x77\3abc\0", *BLOCKS), None),
        (gif(ROWS, COLUMNS, *BLOCKS, end=TRAILER + b"more"), "4 bytes after the end of the GIF"),
    ],
)
async def test_blocks_that_break_the_rules(body, note):
    for index, expected in enumerate((colors(FIRST), second())):
        image = await load(body, f"#frame={index + 1}")
        assert_array_equal(rgba_of(image.pixels), expected)
        assert bool(image.warnings) == (note is not None)
        assert note is None or note in image.warnings[0]


@pytest.mark.parametrize(
    ("place", "screen"),
    [((0, 0), (10, 10)), ((0, 0), (0, 0)), ((0, 0), (8, 40)), ((5, 6), (10, 9))],
)
async def test_first_frame_widens_the_screen(place, screen):
    """As Pillow and browsers have it; where there is no frame, the latter show nothing."""
    body = gif(*screen, frame(*place, FIRST))
    image = await load(body)
    shown = read(body, "RGB")
    assert image.pixels.shape[:2] == shown.shape[:2]
    row, column = place
    found = rgba_of(image.pixels)
    assert_array_equal(found[row : row + ROWS, column : column + COLUMNS], colors(FIRST))
    assert int((found[..., 3] == 0).sum()) == shown.shape[0] * shown.shape[1] - FIRST.size
    [note] = image.warnings
    assert "frame 1 of the GIF ends at row" in note
    assert f"beyond its screen of {screen[0]} x {screen[1]}" in note


@pytest.mark.parametrize(("row", "column"), [(15, 0), (0, 25), (15, 25), (25, 40)])
async def test_later_frame_beyond_the_screen_is_cut(row, column):
    """As browsers show it."""
    body = gif(ROWS, COLUMNS, frame(0, 0, FIRST), control(), frame(row, column, SECOND))
    expected = np.zeros((60, 60, 4), "u1")
    expected[:ROWS, :COLUMNS] = colors(FIRST)
    expected[row : row + 8, column : column + 9] = colors(SECOND)
    image = await load(body, "#frame=2")
    assert_array_equal(rgba_of(image.pixels), expected[:ROWS, :COLUMNS])
    assert f"frame 2 of the GIF ends at row {row + 8}" in image.warnings[0]


@pytest.mark.parametrize(("disposal", "is_restored"), [(1, True), (2, False), (3, True)])
async def test_frame_that_is_taken_away(disposal, is_restored):
    """A removed frame leaves nothing, or what was there before; browsers know no background."""
    third = pixels(2, 2, 3)
    blocks = (control(disposal), frame(4, 5, SECOND), control(), frame(0, 0, third))
    body = gif(ROWS, COLUMNS, control(), frame(0, 0, FIRST), *blocks)
    expected = {1: second(), 2: second(), 3: colors(FIRST)}[disposal]
    expected[4:12, 5:14] *= is_restored
    expected[:2, :2] = colors(third)
    found = rgba_of((await load(body, "#frame=3")).pixels)
    assert_array_equal(found, expected)


async def test_screen_that_no_frame_fills():
    body = gif(40, 40, frame(3, 4, FIRST))
    expected = np.zeros((40, 40, 4), "u1")
    expected[3 : 3 + ROWS, 4 : 4 + COLUMNS] = colors(FIRST)
    assert_array_equal((await load(body)).pixels, expected)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (gif(ROWS, COLUMNS, *BLOCKS[:2], b"xyz", *BLOCKS[2:]), "unknown block at byte"),
        (gif(ROWS, COLUMNS, b"\x21\xf9\0", *BLOCKS), "extension of the GIF has 3 bytes, not 8"),
        (gif(ROWS, COLUMNS, b"\x21\xf9\2\1\2\0", *BLOCKS), "extension of the GIF has 6 bytes"),
        (gif(ROWS, COLUMNS, *BLOCKS, end=b"")[:-1], "before its trailer: it is cut off"),
        (gif(ROWS, COLUMNS, *BLOCKS, end=b"")[:-20], "before its trailer: it is cut off"),
        (gif(ROWS, COLUMNS, *BLOCKS, end=b"\x21\xfe\5ab"), "before its trailer: it is cut off"),
        (
            gif(ROWS, COLUMNS, frame(65_000, 65_000, FIRST), frame(65_530, 0, FIRST)),
            "beyond the largest size",
        ),
    ],
)
async def test_gif_that_is_damaged(body, match):
    with pytest.raises(FormatError, match=match):
        await load(body)


async def test_frames_together_beyond_the_limit():
    """The area that the frames fit into is decoded, which is more than the screen."""
    body = gif(ROWS, COLUMNS, frame(0, 0, FIRST), control(), frame(9000, 9000, SECOND))
    with pytest.raises(FormatError, match=r"whose frames end at 9008 x 9009, needs"):
        await load(body, decoded_bytes=1 << 20)
