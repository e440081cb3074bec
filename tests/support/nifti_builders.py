"""NIfTI files made in code, headers by nibabel; how they are served, and what nibabel reads."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any

import nibabel
import numpy as np
from nibabel import nifti1, nifti2
from nibabel.affines import apply_affine

from pyloader import Context, Image, list_image_ids, load_image
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport

SHAPE = (5, 4, 3)
RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
RGBA = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
NUMBERS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "c8", "c16"]
URL = "https://host/a.nii"
# No two of its axes at right angles, and none along one of the patient's.
SHEARED = np.array(
    [[-1.8, 0.3, 0.4, 90.5], [0.25, 2.1, -0.6, -126.25], [-0.2, 0.35, 3.1, -72.0], [0, 0, 0, 1]]
)


def oblique(*, flip: bool = False) -> np.ndarray:
    """Return a left-handed affine near `SHEARED`, at right angles; or its mirror."""
    turned, triangle = np.linalg.qr(SHEARED[:3, :3])
    turned = turned * np.sign(np.diag(triangle)) * (1, 1, -1 if flip else 1)
    affine = SHEARED.copy()
    affine[:3, :3] = turned * (2.0, 2.5, 3.5)
    return affine


OBLIQUE = oblique()


@dataclass(frozen=True)
class Nifti:
    """A header, with the 4 bytes that follow it, and the voxels."""

    header: bytes
    voxels: bytes

    @property
    def single(self) -> bytes:
        """The single file."""
        return self.header + self.voxels

    def read(self) -> Any:
        """Return nibabel's image of the single file."""
        kind = nibabel.Nifti1Image if self.header[4:7] != b"n+2" else nibabel.Nifti2Image
        return kind.from_bytes(self.single)

    def read_pair(self) -> Any:
        """Return nibabel's image of the pair."""
        kind = nibabel.Nifti1Pair if self.header[4:7] != b"ni2" else nibabel.Nifti2Pair
        parts = {"header": BytesIO(self.header), "image": BytesIO(self.voxels)}
        holders = {name: nibabel.FileHolder(fileobj=part) for name, part in parts.items()}
        return kind.from_file_map(holders)


def make(
    array: np.ndarray,
    affine: np.ndarray | None = OBLIQUE,
    *,
    version: int = 1,
    order: str = "<",
    pair: bool = False,
    **fields: Any,
) -> Nifti:
    """Make a file of (columns, rows, slices, ...) voxels; `fields` are set in its header last."""
    kinds = {1: (nifti1.Nifti1Header, nifti1.Nifti1PairHeader)}
    kinds[2] = (nifti2.Nifti2Header, nifti2.Nifti2PairHeader)
    header = kinds[version][pair](endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_zooms((2.0, 2.5, 3.5, 1.5, 1.0, 1.0, 1.0)[: array.ndim])
    if affine is not None:
        header.set_sform(affine, 2)
    header["vox_offset"] = 0 if pair else header.single_vox_offset
    header["scl_slope"] = 0
    for name, value in fields.items():
        header[name] = value
    voxels = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    return Nifti(header.binaryblock + bytes(4), voxels)


def numbers(dtype: str | np.dtype = "i4", shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Return voxels that differ, up to the ends of their type."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    if dtype.names:
        samples = np.random.default_rng(7).integers(0, 256, (count, len(dtype.names)), "u1")
        return samples.view(dtype).reshape(shape)
    if dtype.kind == "c":
        parts = np.random.default_rng(7).normal(size=(2, count)) * 1000
        return (parts[0] + 1j * parts[1]).astype(dtype).reshape(shape)
    if dtype.kind == "f":
        return (np.arange(count) / 7 - 3).astype(dtype).reshape(shape)
    limits = np.iinfo(dtype)
    upwards, downwards = (int(end) for end in (limits.min, limits.max))
    ends = (upwards + index // 2 if index % 2 else downwards - index // 2 for index in range(count))
    return np.fromiter(ends, dtype, count).reshape(shape)


def with_fields(file: Nifti, **fields: Any) -> Nifti:
    """Return a NIfTI-1 file with other values in its header, right or wrong."""
    header = nifti1.Nifti1Header(file.header[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    return Nifti(header.binaryblock + file.header[348:], file.voxels)


def serve(transport: MemoryTransport, file: Nifti | bytes, url: str = URL) -> str:
    """Put a file at a URL and return its source."""
    transport.answers[url] = file if isinstance(file, bytes) else file.single
    return f"nifti:{url}"


async def load_all(source: str, context: Context) -> list[Image]:
    """Load all slices as they are stored, all asked for at once."""
    image_ids = await list_image_ids(source, context)
    return await asyncio.gather(*(load_image(image_id, context) for image_id in image_ids))


async def load_array(source: str, context: Context) -> np.ndarray:
    """Return (columns, rows, frames) of a file, colour with its samples last."""
    pixels = np.array([image.pixels for image in await load_all(source, context)])
    return pixels.swapaxes(0, 2)


def packed(body: bytes) -> bytes:
    """Return a file as gzip has it."""
    return gzip.compress(body, 6, mtime=0)


def corners(image: Image) -> list[tuple[int, int]]:
    """Return row and column of the corners."""
    rows, columns = image.pixels.shape[:2]
    return list(product({0, rows - 1}, {0, columns - 1}))


def place_of(image: Image, row: int, column: int) -> np.ndarray:
    """Return where a pixel is, in mm and LPS, by its plane alone (PS3.3 C.7.6.2.1.1)."""
    plane = image.plane
    assert plane.image_orientation_patient
    assert plane.pixel_spacing
    across, down = np.reshape(plane.image_orientation_patient, (2, 3))
    between_rows, between_columns = plane.pixel_spacing
    first = np.array(plane.image_position_patient)
    return first + across * between_columns * column + down * between_rows * row


def place_in(reference: Any, value: Any) -> np.ndarray:
    """Return where nibabel says that the one voxel with a value is, in mm and LPS."""
    [voxel] = np.argwhere(reference.dataobj.get_unscaled() == value)
    voxel = (*voxel, 0, 0)[:3]
    return apply_affine(reference.affine, voxel) * (-1, -1, 1)


def v2(**fields: object) -> Nifti:
    """Make a NIfTI-2 file with values in its header."""
    return make(numbers("i2"), version=2, **fields)


def with_size(body: bytes) -> Response:
    """Return an answer that tells its length."""
    return Response(URL, 200, {"content-length": str(len(body))}, body)
