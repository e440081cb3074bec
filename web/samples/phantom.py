"""
Make the sample CT volume: a chest with lungs, heart, spine, vessels and a bright sphere.

Shapes are ellipses in each slice, painted one over the other in Hounsfield units. The noise is
seeded, so that the files are the same in every build.
"""

import math
import random
import sys
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from web.samples.dicom_file import CT_IMAGE_STORAGE, Element, part10, uid

SIZE = 256
SLICES = 40
PIXEL_SPACING = 0.8
SLICE_SPACING = 2.0
INTERCEPT = -1024

AIR, LUNG, FAT, MUSCLE, BLOOD, MARROW, BONE, SPHERE = -1000, -850, -95, 50, 45, 180, 700, 320
CONTRAST = 260


class Ellipse(NamedTuple):
    """A filled ellipse in one slice, in pixels, with its value in Hounsfield units."""

    column: float
    row: float
    half_width: float
    half_height: float
    value: int


def files() -> dict[str, bytes]:
    """Return the series: slice-01.dcm (lowest) to slice-40.dcm."""
    noise = noise_rows()
    return {
        f"slice-{index + 1:02}.dcm": slice_file(index, pixels(index, noise))
        for index in range(SLICES)
    }


def noise_rows() -> list[list[int]]:
    """Return rows of noise (standard deviation 12 HU), more rows than a slice has."""
    source = random.Random(20240607)
    return [[round(source.gauss(0, 12)) for _ in range(SIZE)] for _ in range(2 * SIZE + 1)]


def pixels(index: int, noise: list[list[int]]) -> bytes:
    """Return one slice's stored values, signed 16 bit, row after row."""
    rows = [array("h", [AIR]) * SIZE for _ in range(SIZE)]
    for ellipse in anatomy(index):
        paint(rows, ellipse)
    stored = array("h")
    for number, row in enumerate(rows):
        grain = noise[(number * 7 + index * 101) % len(noise)]
        stored.extend(
            max(value + more, AIR) - INTERCEPT for value, more in zip(row, grain, strict=True)
        )
    if sys.byteorder == "big":
        stored.byteswap()
    return stored.tobytes()


def paint(rows: list["array[int]"], ellipse: Ellipse) -> None:
    """Fill an ellipse into a slice."""
    first = max(math.ceil(ellipse.row - ellipse.half_height), 0)
    last = min(math.floor(ellipse.row + ellipse.half_height), len(rows) - 1)
    for number in range(first, last + 1):
        height = (number - ellipse.row) / ellipse.half_height
        half = ellipse.half_width * math.sqrt(max(1 - height * height, 0))
        row = rows[number]
        start = max(round(ellipse.column - half), 0)
        stop = min(round(ellipse.column + half), len(row))
        if stop > start:
            row[start:stop] = array("h", [ellipse.value]) * (stop - start)


def anatomy(index: int) -> Iterator[Ellipse]:
    """Yield the ellipses of a slice, the outer ones first."""
    level = index / (SLICES - 1)
    yield Ellipse(128, 132, 112, 84, FAT)
    yield Ellipse(128, 132, 104, 76, MUSCLE)
    yield from ribs(level)
    yield from lungs(index, level)
    yield from ball(index, Ellipse(141, 112, 36, 30, BLOOD), middle=12, half_depth=17)
    yield from spine(index)
    yield Ellipse(146, 158, 10, 10, CONTRAST)
    if level > 0.4:
        yield Ellipse(128, 116 + 10 * level, 7, 7, AIR)
    yield from ball(index, Ellipse(72, 146, 12, 12, SPHERE), middle=22, half_depth=4.8)


def ribs(level: float) -> Iterator[Ellipse]:
    """Yield the cuts through ribs, which slope down to the front and so move with the level."""
    for step in range(14):
        angle = 2 * math.pi * (step + 2 * level) / 14
        column, row = 128 + 97 * math.cos(angle), 132 + 70 * math.sin(angle)
        yield Ellipse(column, row, 6, 4.5, BONE)
        yield Ellipse(column, row, 3.5, 2.5, MARROW)


def lungs(index: int, level: float) -> Iterator[Ellipse]:
    """Yield both lungs, smaller towards the top, with their vessels."""
    shrink = 1 - 0.45 * level**3
    for side, column in ((-1, 80), (1, 178)):
        yield Ellipse(column, 130, 40 * shrink, 56 * shrink, LUNG)
        for branch in range(5):
            angle = 1.2 * branch + 0.05 * index * side
            reach = (8 + 6 * branch) * shrink
            center = (column + side * 4 + reach * math.cos(angle), 130 + reach * math.sin(angle))
            radius = 4.2 - 0.5 * branch
            yield Ellipse(*center, radius, radius, BLOOD)


def spine(index: int) -> Iterator[Ellipse]:
    """Yield a vertebra with its canal, or the disc between two."""
    if index % 10 < 2:
        yield Ellipse(128, 178, 18, 14, 90)
    else:
        yield Ellipse(128, 178, 19, 15, BONE)
        yield Ellipse(128, 178, 16, 12, MARROW)
    yield Ellipse(128, 199, 11, 9, BONE)
    yield Ellipse(128, 199, 7, 6, 25)


def ball(index: int, widest: Ellipse, middle: float, half_depth: float) -> Iterator[Ellipse]:
    """Yield the cut through an ellipsoid that is `widest` at the slice `middle`, if any."""
    height = (index - middle) / half_depth
    if abs(height) < 1:
        scale = math.sqrt(1 - height * height)
        yield widest._replace(
            half_width=widest.half_width * scale, half_height=widest.half_height * scale
        )


def slice_file(index: int, pixel_bytes: bytes) -> bytes:
    """Return one slice as a CT image."""
    return part10(instance_uid(index), [*elements(index), (0x7FE00010, "OW", pixel_bytes)])


def instance_uid(index: int) -> str:
    """Return the SOP Instance UID of a slice."""
    return uid(f"pyloader sample volume, slice {index + 1}")


def elements(index: int) -> list[Element]:
    """Return the attributes of a slice, without pixels."""
    position = -SIZE * PIXEL_SPACING / 2
    return [
        *SERIES,
        (0x00080018, "UI", instance_uid(index)),
        (0x00200013, "IS", str(index + 1)),
        (0x00200032, "DS", f"{position}\\{position}\\{index * SLICE_SPACING}"),
        (0x00201041, "DS", str(index * SLICE_SPACING)),
    ]


SERIES: list[Element] = [
    (0x00080008, "CS", "DERIVED\\PRIMARY\\AXIAL"),
    (0x00080016, "UI", CT_IMAGE_STORAGE),
    (0x00080020, "DA", "20240607"),
    (0x00080030, "TM", "120000"),
    (0x00080060, "CS", "CT"),
    (0x00080070, "LO", "pyloader build"),
    (0x0008103E, "LO", "Synthetic chest"),
    (0x00100010, "PN", "Phantom^Chest"),
    (0x00100020, "LO", "PHANTOM"),
    (0x00180050, "DS", str(SLICE_SPACING)),
    (0x00185100, "CS", "HFS"),
    (0x0020000D, "UI", uid("pyloader sample volume, study")),
    (0x0020000E, "UI", uid("pyloader sample volume, series")),
    (0x00200010, "SH", "1"),
    (0x00200011, "IS", "1"),
    (0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
    (0x00200052, "UI", uid("pyloader sample volume, frame of reference")),
    (0x00280002, "US", 1),
    (0x00280004, "CS", "MONOCHROME2"),
    (0x00280010, "US", SIZE),
    (0x00280011, "US", SIZE),
    (0x00280030, "DS", f"{PIXEL_SPACING}\\{PIXEL_SPACING}"),
    (0x00280100, "US", 16),
    (0x00280101, "US", 16),
    (0x00280102, "US", 15),
    (0x00280103, "US", 1),
    (0x00281050, "DS", "40"),
    (0x00281051, "DS", "400"),
    (0x00281052, "DS", str(INTERCEPT)),
    (0x00281053, "DS", "1"),
    (0x00281054, "LO", "HU"),
]
