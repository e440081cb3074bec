"""Make the sample pictures: web images, and the files that the demo's own loaders read."""

import json
import math
import random
from array import array
from collections.abc import Iterator

from web.build.archives import Files
from web.samples import head, phantom
from web.samples.phantom import Ellipse, paint
from web.samples.picture_file import gif, png, tiff
from web.samples.volume_file import compressed, content, mgh, nifti, npy

SLICE = 20  # of the chest, for files with a single picture
PAGES = range(0, phantom.SLICES, 4)
BEATS = 16
MILLISECONDS = 50

TISSUE, LUNG, MUSCLE, BLOOD = 480, 60, 300, 860
LABELS = {phantom.LUNG: 1, phantom.BLOOD: 2, phantom.SPHERE: 3}
TINTS = [(0, 0, 0, 0), (70, 160, 255, 120), (255, 84, 84, 170), (255, 205, 60, 220)]


def files() -> Files:
    """Return the files by their path in dist/samples/."""
    chest = phantom.noise_rows()
    brain = head.volume()
    return {
        "nifti/head.nii.gz": compressed(nifti(brain, "pyloader: a head, six times")),
        "nifti/sagittal.nii": nifti(brain.at(4).sagittal(), "pyloader: a sagittal scan"),
        "loaders/head.mgz": compressed(mgh(brain.at(4))),
        "loaders/slice.raw": phantom.pixels(SLICE, chest),
        "loaders/labels.npy": npy(labels(), (phantom.SIZE, phantom.SIZE), "|u1"),
        "loaders/heart.film": film(),
        "web/slice.png": slice_png(phantom.pixels(SLICE, chest)),
        "web/skin.png": skin(360, 270),
        "web/pages.tif": tiff(
            [phantom.pixels(index, chest) for index in PAGES], phantom.SIZE, phantom.SIZE
        ),
        "web/heart.gif": heart_gif(192),
        "web/labels.png": labels_png(),
    }


# ---------------------------------------------------------------- the chest


def slice_png(pixels: bytes) -> bytes:
    """Return a slice's stored values as a 16-bit PNG, which is big-endian."""
    swapped = bytearray(len(pixels))
    swapped[::2], swapped[1::2] = pixels[1::2], pixels[::2]
    width = 2 * phantom.SIZE
    rows = [bytes(swapped[at : at + width]) for at in range(0, len(swapped), width)]
    return png(rows, phantom.SIZE, bits=16)


def labels() -> bytes:
    """Return the label of each pixel of the slice: 1 lung, 2 blood, 3 the sphere, 0 the rest."""
    rows = [array("h", [0]) * phantom.SIZE for _ in range(phantom.SIZE)]
    for ellipse in phantom.anatomy(SLICE):
        paint(rows, ellipse._replace(value=LABELS.get(ellipse.value, 0)))
    return b"".join(bytes(row.tolist()) for row in rows)


def labels_png() -> bytes:
    """Return the labels as half transparent colours; pixels without a label are transparent."""
    size = phantom.SIZE
    tinted = b"".join(bytes(TINTS[label]) for label in labels())
    rows = [tinted[at : at + 4 * size] for at in range(0, 4 * size * size, 4 * size)]
    return png(rows, size, samples=4)


# ---------------------------------------------------------------- a beating heart


def film() -> bytes:
    """Return a film in the format of the demo's loader: a line of JSON, then 16-bit frames."""
    modules = {
        "general_series": {"modality": "MR", "series_description": "A beating heart"},
        "cine": {"frame_time": MILLISECONDS},
        "multiframe": {"number_of_frames": BEATS},
    }
    frames = (content(row, "little") for beat in range(BEATS) for row in heart(128, beat))
    header = {"attributes": {"pixel_spacing": [2.4, 2.4]}, "modules": modules}
    return json.dumps(header).encode() + b"\n" + b"".join(frames)


def heart_gif(size: int) -> bytes:
    """Return the heart as an animation with 256 grey levels."""
    frames = [
        bytes(min(max(value // 4, 0), 255) for row in heart(size, beat) for value in row)
        for beat in range(BEATS)
    ]
    palette = bytes(level for grey in range(256) for level in (grey, grey, grey))
    return gif(frames, size, palette, MILLISECONDS // 10)


def heart(size: int, beat: int) -> list["array[int]"]:
    """Return the rows of a short-axis picture, values from 0 to about 1000."""
    noise = random.Random(beat)
    rows = [array("h", [20]) * size for _ in range(size)]
    squeeze = 0.5 - 0.5 * math.cos(2 * math.pi * beat / BEATS)
    for column, row, width, height, value in chambers(squeeze):
        paint(rows, Ellipse(size * column, size * row, size * width, size * height, value))
    return [
        array("h", [max(value + round(noise.gauss(0, 12)), 0) for value in row]) for row in rows
    ]


def chambers(squeeze: float) -> Iterator[Ellipse]:
    """Yield the ellipses of a picture of width 1, the outer ones first."""
    yield Ellipse(0.5, 0.5, 0.48, 0.4, 700)
    yield Ellipse(0.5, 0.5, 0.45, 0.37, TISSUE)
    yield Ellipse(0.24, 0.5, 0.15, 0.27, LUNG)
    yield Ellipse(0.78, 0.52, 0.14, 0.26, LUNG)
    yield Ellipse(0.42, 0.48, 0.17, 0.16 - 0.03 * squeeze, MUSCLE)
    yield Ellipse(0.42, 0.48, 0.15 - 0.05 * squeeze, 0.14 - 0.05 * squeeze, BLOOD)
    yield Ellipse(0.56, 0.52, 0.165, 0.165, MUSCLE)
    pool = 0.115 - 0.05 * squeeze
    yield Ellipse(0.56, 0.52, pool, pool, BLOOD)
    for side in (-1, 1):
        yield Ellipse(0.56 + side * 0.45 * pool, 0.5, 0.018, 0.022, MUSCLE)
    yield Ellipse(0.52, 0.78, 0.035, 0.035, BLOOD)


# ---------------------------------------------------------------- a photograph


def skin(columns: int, rows: int) -> bytes:
    """Return an RGB picture of a mole on skin."""
    grain = random.Random(7)
    lines = []
    for row in range(rows):
        line = bytearray()
        for column in range(columns):
            x, y = (column - columns / 2) / rows, row / rows - 0.5
            line += shade(x, y, grain.random() - 0.5)
        lines.append(bytes(line))
    return png(lines, columns, samples=3)


def shade(x: float, y: float, grain: float) -> bytes:
    """Return the colour at a point; the picture has height 1 and its middle at 0."""
    angle, distance = math.atan2(y, x), math.hypot(x * 0.85, y)
    border = 0.24 + 0.025 * math.sin(3 * angle + 0.7) + 0.015 * math.sin(7 * angle)
    inside = 1 / (1 + math.exp((distance - border) * 60))
    net = 0.5 + 0.5 * math.sin(62 * x + 5 * math.sin(19 * y)) * math.sin(
        58 * y + 4 * math.sin(23 * x)
    )
    furrows = math.sin(75 * x + 30 * y) + math.sin(40 * y - 66 * x)
    light = 1 - 0.35 * math.hypot(x, y)
    dark = inside * (0.62 + 0.2 * net - 0.25 * distance)
    plain = (226 + 4 * furrows, 178 + 4 * furrows, 152 + 4 * furrows)
    mole = (88, 46, 30)
    mixed = (
        light * (p * (1 - dark) + m * dark) + 9 * grain for p, m in zip(plain, mole, strict=True)
    )
    return bytes(round(min(max(value, 0), 255)) for value in mixed)
