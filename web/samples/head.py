"""
Make the sample head: an MR volume over several timepoints, with a lesion that takes up contrast.

Tissues are ellipsoids, painted one over the other as rows of labels. A table for each timepoint
converts labels to signals. The noise is seeded, so that the files are the same in every build.
"""

import math
import random
from array import array
from typing import NamedTuple

from web.samples.volume_file import Volume

COLUMNS, ROWS, SLICES, TIMEPOINTS = 80, 96, 64, 6
SPACING = (2.4, 2.4, 2.8)
TILT, TURN = math.radians(16), math.radians(-7)  # around the axes to the left and to the head

AIR, SCALP, SKULL, FLUID, GREY, WHITE, VENTRICLE, EYE, LESION, CORE, VESSEL = range(11)
SIGNALS = (0, 820, 130, 240, 520, 700, 200, 330, 560, 380, 480)
# Signal that contrast adds to lesion and vessels at each timepoint, as a share of its peak.
UPTAKE = ((0, 0), (0.15, 1), (0.55, 0.7), (0.9, 0.45), (1, 0.3), (0.85, 0.22))
PEAKS = {LESION: 620, CORE: 90, VESSEL: 900}
NOISE = 14

Row = bytearray


class Ellipsoid(NamedTuple):
    """A filled ellipsoid; the volume spans -1 to 1, to the left, the front and the head."""

    label: int
    center: tuple[float, float, float]
    halves: tuple[float, float, float]


def volume() -> Volume:
    """Return the head: columns go to the patient's left, rows to the front, slices upwards."""
    labels = paint_all()
    grain = noise_rows()
    voxels = array("h")
    for time in range(TIMEPOINTS):
        table = signals(time)
        for number, row in enumerate(labels):
            noise = grain[(number * 7 + time * 1009) % len(grain)]
            pairs = zip(row, noise, strict=True)
            voxels.extend([table[label] + (label and more) for label, more in pairs])
    return Volume((COLUMNS, ROWS, SLICES, TIMEPOINTS), voxels, affine())


def signals(time: int) -> list[int]:
    """Return the signal of each label at a timepoint."""
    lesion, vessel = UPTAKE[time]
    shares = {LESION: lesion, CORE: lesion, VESSEL: vessel}
    return [
        signal + round(shares.get(label, 0) * PEAKS.get(label, 0))
        for label, signal in enumerate(SIGNALS)
    ]


def noise_rows() -> list[list[int]]:
    """Return rows of noise, too small to make any tissue negative."""
    source = random.Random(20240608)
    return [[round(source.gauss(0, NOISE)) for _ in range(COLUMNS)] for _ in range(2003)]


def affine() -> list[list[float]]:
    """
    Return the matrix from (column, row, slice, 1) to mm to the right, the front and the head (RAS).

    The head is tilted and turned in the scanner; the middle of the volume is at the origin.
    """
    tilt: list[list[float]] = [
        [1, 0, 0],
        [0, math.cos(TILT), -math.sin(TILT)],
        [0, math.sin(TILT), math.cos(TILT)],
    ]
    turn: list[list[float]] = [
        [math.cos(TURN), -math.sin(TURN), 0],
        [math.sin(TURN), math.cos(TURN), 0],
        [0, 0, 1],
    ]
    # Columns go to the left, against the first axis of RAS.
    steps = [-SPACING[0], SPACING[1], SPACING[2]]
    matrix = [
        [sum(turn[i][k] * tilt[k][j] for k in range(3)) * steps[j] for j in range(3)]
        for i in range(3)
    ]
    middle = [(size - 1) / 2 for size in (COLUMNS, ROWS, SLICES)]
    rows = [[*row, -sum(a * b for a, b in zip(row, middle, strict=True))] for row in matrix]
    return [*rows, [0.0, 0.0, 0.0, 1.0]]


# ---------------------------------------------------------------- anatomy


def paint_all() -> list[Row]:
    """Return the rows of labels, from the lowest slice upwards."""
    rows = [bytearray(COLUMNS) for _ in range(ROWS * SLICES)]
    for ellipsoid in anatomy():
        paint(rows, ellipsoid)
    return rows


def paint(rows: list[Row], ellipsoid: Ellipsoid) -> None:
    """Fill an ellipsoid into the volume."""
    label, center, halves = ellipsoid
    for index in covered(center[2], halves[2], SLICES):
        height = (coordinate(index, SLICES) - center[2]) / halves[2]
        for number in covered(center[1], halves[1], ROWS):
            depth = (coordinate(number, ROWS) - center[1]) / halves[1]
            rest = 1 - height * height - depth * depth
            if rest > 0:
                across = covered(center[0], halves[0] * math.sqrt(rest), COLUMNS)
                row = rows[index * ROWS + number]
                row[across.start : across.stop] = bytes([label]) * len(across)


def coordinate(index: int, size: int) -> float:
    """Return the position of a voxel's centre, from -1 to 1."""
    return (2 * index + 1) / size - 1


def covered(center: float, half: float, size: int) -> range:
    """Return the voxels whose centres are within `half` of `center`."""
    first = math.ceil(((center - half + 1) * size - 1) / 2)
    last = math.floor(((center + half + 1) * size - 1) / 2)
    return range(max(first, 0), min(last, size - 1) + 1)


def anatomy() -> list[Ellipsoid]:
    """Return the ellipsoids, the outer ones first."""
    return [
        Ellipsoid(SCALP, (0, -0.1, -0.85), (0.5, 0.55, 0.6)),
        Ellipsoid(SCALP, (0, 0.72, -0.42), (0.14, 0.24, 0.2)),
        Ellipsoid(SCALP, (0, 0, 0.02), (0.82, 0.9, 0.92)),
        Ellipsoid(SKULL, (0, 0, 0.03), (0.76, 0.84, 0.86)),
        Ellipsoid(FLUID, (0, 0, 0.04), (0.7, 0.78, 0.8)),
        *folds(),
        *middle(),
        *([Ellipsoid(EYE, (side * 0.3, 0.72, -0.3), (0.15, 0.15, 0.15)) for side in (-1, 1)]),
        *(Ellipsoid(GREY, (side * 0.26, -0.46, -0.5), (0.26, 0.26, 0.2)) for side in (-1, 1)),
        Ellipsoid(WHITE, (0, -0.16, -0.6), (0.11, 0.14, 0.4)),
        # On the patient's left, so that a mirrored image is noticed.
        Ellipsoid(LESION, (0.4, 0.22, 0.24), (0.17, 0.16, 0.18)),
        Ellipsoid(CORE, (0.4, 0.22, 0.24), (0.08, 0.08, 0.08)),
    ]


def folds() -> list[Ellipsoid]:
    """Return both hemispheres, their folds and the gap between them."""
    ellipsoids = [Ellipsoid(GREY, (0, 0, 0.06), (0.66, 0.74, 0.74))]
    ellipsoids += [
        Ellipsoid(FLUID, at(step, 160, 0.68), (0.045, 0.05, 0.06)) for step in range(160)
    ]
    ellipsoids += [Ellipsoid(WHITE, (0, 0, 0.05), (0.52, 0.6, 0.56))]
    ellipsoids += [Ellipsoid(WHITE, at(step, 110, 0.56), (0.06, 0.06, 0.08)) for step in range(110)]
    ellipsoids += [Ellipsoid(GREY, at(step, 90, 0.5), (0.05, 0.05, 0.06)) for step in range(90)]
    ellipsoids += [Ellipsoid(FLUID, (0, 0, 0.3), (0.018, 0.76, 0.52))]
    return ellipsoids


def at(step: int, count: int, reach: float) -> tuple[float, float, float]:
    """Return one of `count` points spread evenly on an ellipsoid (golden spiral)."""
    height = 1 - (2 * step + 1) / count
    angle = step * math.pi * (3 - math.sqrt(5))
    ring = math.sqrt(1 - height * height)
    x, y, z = ring * math.cos(angle), ring * math.sin(angle), height
    return x * reach * 0.95, y * reach * 1.05, z * reach + 0.06


def middle() -> list[Ellipsoid]:
    """Return the deep structures: ventricles, nuclei, and the vessels that contrast shows."""
    ellipsoids = []
    for side in (-1, 1):
        ellipsoids += [
            Ellipsoid(GREY, (side * 0.19, 0.06, 0.0), (0.1, 0.2, 0.13)),
            Ellipsoid(VENTRICLE, (side * 0.09, 0.2, 0.17), (0.06, 0.2, 0.1)),
            Ellipsoid(VENTRICLE, (side * 0.13, -0.18, 0.17), (0.06, 0.24, 0.1)),
            Ellipsoid(VESSEL, (side * 0.2, 0.02, -0.36), (0.035, 0.035, 0.2)),
        ]
    ellipsoids.append(Ellipsoid(VESSEL, (0, -0.73, 0.1), (0.03, 0.05, 0.5)))
    ellipsoids.append(Ellipsoid(VESSEL, (0, 0.0, 0.77), (0.03, 0.5, 0.05)))
    return ellipsoids
