"""Write minimal volumes: NIfTI-1 (nifti1.h), FreeSurfer's MGH, and numpy's .npy."""

import gzip
import struct
import sys
from array import array
from typing import NamedTuple

NIFTI_INT16, MGH_INT16 = 4, 4
MILLIMETRES_AND_SECONDS = 2 | 8
SCANNER = 1  # the affine's coordinates are those of the scanner
SECONDS = 4.0  # from one timepoint to the next
MAGIC = b"\x93NUMPY\x01\x00"


class Volume(NamedTuple):
    """
    16-bit voxels and their position.

    Attributes
    ----------
    shape : (4,) int
        Columns, rows, slices, timepoints; columns vary fastest in `voxels`.
    affine : (3 or 4, 4) floats
        Matrix from (column, row, slice, 1) to mm to the right, the front and the head (RAS).
    """

    shape: tuple[int, int, int, int]
    voxels: "array[int]"
    affine: list[list[float]]

    @property
    def spacing(self) -> list[float]:
        """Return mm between columns, rows and slices."""
        return [sum(row[axis] ** 2 for row in self.affine[:3]) ** 0.5 for axis in range(3)]

    def at(self, time: int) -> "Volume":
        """Return the volume of one timepoint, from 0."""
        columns, rows, slices, _ = self.shape
        size = columns * rows * slices
        voxels = self.voxels[time * size : (time + 1) * size]
        return Volume((columns, rows, slices, 1), voxels, self.affine)

    def sagittal(self) -> "Volume":
        """Return the same volume as a sagittal scan stores it: along rows, upwards, then across."""
        columns, rows, slices, timepoints = self.shape
        assert timepoints == 1
        voxels = array("h")
        for column in range(columns):
            for number in range(rows - 1, -1, -1):
                first = number * columns + column
                voxels.extend(self.voxels[first :: rows * columns])
        x, y, z = ([row[axis] for row in self.affine[:3]] for axis in range(3))
        last = [row[3] + (rows - 1) * step for row, step in zip(self.affine[:3], y, strict=True)]
        steps = zip(z, (-step for step in y), x, last, strict=True)
        return Volume((slices, rows, columns, 1), voxels, [list(row) for row in steps])


def content(values: "array[int]", byte_order: str) -> bytes:
    """Return values in a byte order, ``"little"`` or ``"big"``."""
    if sys.byteorder != byte_order:
        values = values[:]
        values.byteswap()
    return values.tobytes()


def nifti(volume: Volume, description: str) -> bytes:
    """Return a volume as a single NIfTI-1 file, with its position in the sform."""
    shape = volume.shape if volume.shape[3] > 1 else volume.shape[:3]
    header = struct.pack(
        "<i36x8h",
        348,
        *(len(shape), *shape, *(1,) * (7 - len(shape))),
    )
    header += struct.pack("<3f4h", 0, 0, 0, 0, NIFTI_INT16, 16, 0)
    header += struct.pack("<8f", 1, *volume.spacing, SECONDS, 0, 0, 0)
    header += struct.pack("<3fh2B4f2i", 352, 1, 0, 0, 0, MILLIMETRES_AND_SECONDS, *(0,) * 6)
    header += struct.pack("<80s24s2h6f", description.encode(), b"", 0, SCANNER, *(0,) * 6)
    header += struct.pack("<12f16s4s", *(v for row in volume.affine[:3] for v in row), b"", b"n+1")
    return header + b"\0" * 4 + content(volume.voxels, "little")


def mgh(volume: Volume) -> bytes:
    """Return a volume as FreeSurfer's MGH file: big-endian, positioned by its centre."""
    spacing = volume.spacing
    cosines = [row[axis] / spacing[axis] for axis in range(3) for row in volume.affine[:3]]
    middle = [*(size / 2 for size in volume.shape[:3]), 1]
    places = volume.affine[:3]
    center = [sum(a * b for a, b in zip(row, middle, strict=True)) for row in places]
    head = struct.pack(">7ih15f", 1, *volume.shape, MGH_INT16, 0, 1, *spacing, *cosines, *center)
    return head.ljust(284, b"\0") + content(volume.voxels, "big")


def npy(values: bytes, shape: tuple[int, ...], dtype: str) -> bytes:
    """Return an array in numpy's .npy format, version 1.0."""
    words = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    length = -(-(len(MAGIC) + 2 + len(words) + 1) // 64) * 64 - len(MAGIC) - 2
    return MAGIC + struct.pack("<H", length) + f"{words:{length - 1}}\n".encode() + values


def compressed(body: bytes) -> bytes:
    """Return the gzip of a file, with the same bytes in every build."""
    return gzip.compress(body, 9, mtime=0)
