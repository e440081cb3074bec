"""The five loaders of the guide: what each is given, and the pixels that it must make."""

from __future__ import annotations

import gzip
import json
import struct
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.support import builders

WEB = Path(__file__).parents[2] / "web"
LOADERS = WEB / "demo" / "loaders"
NAMES = ["raw", "film", "volume", "denoise", "overlay"]
RANDOM = np.random.default_rng(3)
RAW = RANDOM.integers(0, 4096, (256, 256)).astype("<i2")
FRAMES = RANDOM.integers(0, 4096, (3, 128, 128)).astype("<u2")
MODULES = {"cine": {"frame_time": 50}, "multiframe": {"number_of_frames": 3}}
ATTRIBUTES = {"pixel_spacing": [2, 3], "window_center": 40, "window_width": 80}
HEADER = {"attributes": ATTRIBUTES, "modules": MODULES}
FILM = json.dumps(HEADER).encode() + b"\n" + FRAMES.tobytes()
VOXELS = RANDOM.integers(-500, 500, (6, 5, 4)).astype(">i2")  # slices, rows, columns
SPACING, CENTER = (1.5, 2.0, 2.5), (10.0, -20.0, 30.0)
# Columns to the right, rows to the feet, slices to the front, as FreeSurfer's own volumes.
COSINES = ((-1, 0, 0), (0, 0, -1), (0, 1, 0))
GREY = RANDOM.integers(0, 1000, (20, 24)).astype("u2")
NO_LABELS = "numpy:https://host/b.npy"
LABELS = RANDOM.integers(0, 4, (20, 24)).astype("u1")


def mgh() -> bytes:
    """Return `VOXELS` as FreeSurfer's MGH file (surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial)."""
    head = struct.pack(">7ih3f", 1, 4, 5, 6, 1, 4, 0, 1, *SPACING)
    head += struct.pack(">12f", *(value for axis in COSINES for value in axis), *CENTER)
    return gzip.compress(head.ljust(284, b"\0") + VOXELS.tobytes())


def npy(array: np.ndarray) -> bytes:
    """Return an array as numpy saves it."""
    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def dicom(**attributes: object) -> bytes:
    """Return `GREY` as a DICOM file with a place and a window."""
    return builders.native(
        GREY,
        PixelSpacing=[0.5, 0.75],
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        RescaleSlope=2,
        RescaleIntercept=-100,
        WindowCenter=800,
        WindowWidth=1000,
        **attributes,
    )


def median(pixels: np.ndarray) -> np.ndarray:
    """Return the median of 3 x 3 pixels, one pixel after the other."""
    rows, columns = pixels.shape
    found = np.empty_like(pixels)
    for row, column in np.ndindex(rows, columns):
        near = [
            pixels[min(max(row + y, 0), rows - 1), min(max(column + x, 0), columns - 1)]
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
        ]
        found[row, column] = sorted(near)[4]
    return found


def mixed() -> np.ndarray:
    """Return the overlay's pixels, one after the other (window: PS3.3 C.11.2.1.2.1)."""
    colors = [(0, 0, 0), (70, 160, 255), (255, 84, 84), (255, 205, 60)]
    found = np.empty((*GREY.shape, 3), "u1")
    for place in np.ndindex(*GREY.shape):
        value = int(GREY[place]) * 2 - 100
        shade = np.rint(255 * np.clip((value - 799.5) / 999 + 0.5, 0, 1))
        share = 0.4 if LABELS[place] else 0
        color = np.array(colors[LABELS[place]])
        found[place] = np.rint((1 - share) * shade + share * color)
    return found


class Raw:
    """An array from a URL."""

    loader = LOADERS / "raw.py"
    image_id = "raw:https://host/a.raw"
    answers: ClassVar = {"https://host/a.raw": RAW.tobytes()}
    expected = RAW
    allowed = (ValueError,)


class Film:
    """Many images in one file."""

    loader = LOADERS / "film.py"
    image_id = "film:https://host/a.film?frame=2"
    answers: ClassVar = {"https://host/a.film": FILM}
    expected = FRAMES[1]
    allowed = (ValueError,)


class Volume:
    """A volume and its slices: the second axial one, from right to left, from front to back."""

    loader = LOADERS / "volume.py"
    image_id = "mgz:https://host/a.mgz#z-1"
    answers: ClassVar = {"https://host/a.mgz": mgh()}
    expected = VOXELS[::-1, 1, :]
    allowed = (EOFError, OSError, TypeError)


class Denoise:
    """A filter."""

    loader = LOADERS / "denoise.py"
    image_id = "denoise:wadouri:https://host/a.dcm"
    answers: ClassVar = {"https://host/a.dcm": dicom()}
    expected = median(GREY)


class Overlay:
    """An overlay from two sources."""

    loader = LOADERS / "overlay.py"
    image_id = "overlay:wadouri:https://host/a.dcm|numpy:https://host/labels.npy"
    answers: ClassVar = {"https://host/a.dcm": dicom(), "https://host/labels.npy": npy(LABELS)}
    expected = mixed()
    broken: ClassVar = {"of another size": {"https://host/labels.npy": npy(LABELS[1:])}}
    allowed = (ValueError,)
