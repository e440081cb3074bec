"""Each format accepts what another does: the same array in each gives the same images."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import zarr
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import Image, list_image_ids, load_image
from pyloader.formats.elements import as_complex, can_be_color, is_color_by_default
from pyloader.formats.metaimage.header import TYPES

NRRD_TYPES = {
    **{"u1": "uchar", "i1": "int8", "u2": "ushort", "i2": "short", "u4": "uint", "i4": "int"},
    **{"u8": "uint64", "i8": "int64", "f4": "float", "f8": "double"},
}
MET_TYPES = {name: element for element, name in TYPES.items()}
SHAPE = (3, 4, 5)


def made(dtype: str, *more: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Return an array of numbers that differ, of floats from 0 to 1."""
    count = int(np.prod((*shape, *more)))
    if dtype[-2] == "f":
        return np.linspace(0, 1, count).astype(dtype).reshape(*shape, *more)
    values = np.arange(count) % 100
    if dtype[-2:] == "b1":
        values = values % 3 == 0
    if "c" in dtype:
        values = values - 1j * values[::-1]
    return values.astype(dtype).reshape(*shape, *more)


def nifti(path: Path, array: np.ndarray, kind: str) -> str:
    """Write a NIfTI file, of colours as its types of RGB; axes are in the other order."""
    if kind == "color":
        names = "RGBA"[: array.shape[-1]]
        array = np.ascontiguousarray(array).view([(name, "u1") for name in names])[..., 0]
    if kind == "vector":
        array = np.moveaxis(array, -1, 0).reshape(array.shape[-1], 1, *array.shape[:-1])
    image = nibabel.Nifti1Image(array.T, np.eye(4), dtype=array.dtype)
    image.header.set_data_dtype(array.dtype)
    nibabel.save(image, path / "a.nii")
    return f"nifti:{path}/a.nii"


def nrrd(path: Path, array: np.ndarray, kind: str) -> str:
    """Write a NRRD file; complex numbers are an axis of two."""
    if array.dtype.kind == "c":
        array, kind = array.view(f"{array.dtype.byteorder}f{array.itemsize // 2}"), "complex"
        array = array.reshape(*SHAPE, 2)
    first = {"vector": "vector ", "complex": "complex "}.get(kind, "")
    if kind == "color":
        first = {3: "RGB-color ", 4: "RGBA-color "}[array.shape[-1]]
    kinds = first + " ".join(["domain"] * (array.ndim - bool(first)))
    endian = "big" if array.dtype.str[0] == ">" else "little"
    lines = [
        *("NRRD0004", f"type: {NRRD_TYPES[array.dtype.str[1:]]}", f"dimension: {array.ndim}"),
        f"sizes: {' '.join(map(str, array.shape[::-1]))}",
        *(f"kinds: {kinds}", f"endian: {endian}", "encoding: raw", "", ""),
    ]
    (path / "a.nrrd").write_bytes("\n".join(lines).encode() + array.tobytes())
    return f"nrrd:{path}/a.nrrd"


def metaimage(path: Path, array: np.ndarray, kind: str) -> str:
    """Write a MetaImage file, which says nothing of the numbers of an element but how many."""
    count = 1 if kind == "scalar" else array.shape[-1]
    sizes = array.shape if kind == "scalar" else array.shape[:-1]
    lines = [
        *(f"NDims = {len(sizes)}", f"DimSize = {' '.join(map(str, sizes[::-1]))}"),
        *(
            f"ElementNumberOfChannels = {count}",
            f"BinaryDataByteOrderMSB = {array.dtype.str[0] == '>'}",
        ),
        *(f"ElementType = {MET_TYPES[array.dtype.str[1:]]}", "ElementDataFile = LOCAL", ""),
    ]
    (path / "a.mha").write_bytes("\n".join(lines).encode() + array.tobytes())
    return f"metaimage:{path}/a.mha"


def numpy(path: Path, array: np.ndarray, kind: str) -> str:
    """Write an .npy file; the components of a vector are no axis that it has."""
    stream = BytesIO()
    np.save(stream, array)
    (path / "a.npy").write_bytes(stream.getvalue())
    axes = "tzyx"[-array.ndim + (kind == "color") :] + "c" * (kind == "color")
    return f"numpy:{path}/a.npy?axes={axes}"


def zarr_array(path: Path, array: np.ndarray, kind: str) -> str:
    """Write a Zarr array; its channels are images of their own."""
    options: dict[str, Any] = {"zarr_format": 2, "chunks": array.shape}
    zarr.create_array(str(path / "a.zarr"), shape=array.shape, dtype=array.dtype, **options)[:] = (
        array
    )
    return f"zarr:{path}/a.zarr"


FORMATS = {
    **{"nifti": nifti, "nrrd": nrrd, "metaimage": metaimage, "numpy": numpy, "zarr": zarr_array}
}
SCALARS = ["u1", "i1", "<u2", "<i2", ">i2", "<u4", ">u4", "<i4", "<u8", "<i8", ">i8", "<f2", "<f4",
           ">f4", "<f8", ">f8", "b1", "<c8", "<c16"]  # fmt: skip
VECTORS = [
    ("<i2", 2),
    ("<f4", 2),
    ("<f4", 3),
    ("<u2", 3),
    ("<i2", 4),
    (">f8", 6),
    ("u1", 2),
    ("i1", 3),
]
COLORS = [("u1", 3), ("u1", 4), ("<u2", 3), (">u2", 4), ("<f4", 3), (">f4", 4), ("<f8", 3)]


def has(scheme: str, dtype: str, kind: str) -> bool:
    """Tell whether a format has such elements."""
    name = dtype.lstrip("<>")
    is_told = kind != "color" or name == "u1"
    return {
        "nifti": name not in ("b1", "f2") and is_told,
        "nrrd": name in NRRD_TYPES or name.startswith("c"),
        "metaimage": name in MET_TYPES and is_told,
        "numpy": kind != "vector",
        "zarr": kind == "scalar",
    }[scheme]


def having(kind: str, *given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return what is given, dtypes first, of each format that has it."""
    return [(scheme, *each) for scheme in FORMATS for each in given if has(scheme, each[0], kind)]


async def images_of(source: str, context: Any) -> list[Image]:
    """Load all images of a source."""
    return [await load_image(each, context) for each in await list_image_ids(source, context)]


# What writes NRRD here makes complex numbers of three dimensions alone.
DIMENSIONS = [(dtype, n) for dtype in SCALARS for n in (2, 3, 4) if n == 3 or "c" not in dtype]


@pytest.mark.parametrize(("scheme", "dtype", "dimensions"), having("scalar", *DIMENSIONS))
async def test_scalars(local, tmp_path, scheme, dtype, dimensions):
    shape = (2, *SHAPE)[-dimensions:]
    array = made(dtype, shape=shape)
    images = await images_of(FORMATS[scheme](tmp_path, array, "scalar"), local)
    expected = (abs(array) if "c" in dtype else array).reshape(-1, *shape[-2:])
    assert len(images) == len(expected)
    for image, slice_ in zip(images, expected, strict=True):
        assert_allclose(image.pixels, slice_, rtol=1e-6)
        assert image.pixel.photometric_interpretation == "MONOCHROME2"
    content = images[-1].modules.get("frame_content", {})
    assert content.get("number_of_temporal_positions") == (2 if dimensions == 4 else None)


@pytest.mark.parametrize(("scheme", "dtype", "count"), having("vector", *VECTORS))
async def test_vectors(local, tmp_path, scheme, dtype, count):
    array = made(dtype, count)
    images = await images_of(FORMATS[scheme](tmp_path, array, "vector"), local)
    assert len(images) == SHAPE[0] * count
    for number, image in enumerate(images):
        component, index = divmod(number, SHAPE[0])
        assert_array_equal(image.pixels, array[index, ..., component])
        place = {"stack_id": str(component + 1), "in_stack_position_number": index + 1}
        assert image.modules["frame_content"] == place


@pytest.mark.parametrize(("scheme", "dtype", "count"), having("color", *COLORS))
async def test_colors(local, tmp_path, scheme, dtype, count):
    array = made(dtype, count)
    images = await images_of(FORMATS[scheme](tmp_path, array, "color"), local)
    assert len(images) == SHAPE[0]
    for image, slice_ in zip(images, array, strict=True):
        assert_array_equal(image.pixels, Image.from_array(slice_).pixels)
        assert image.pixel.photometric_interpretation == "RGB"


@pytest.mark.parametrize("scheme", ["nrrd", "metaimage"])
@pytest.mark.parametrize("count", [3, 4])
async def test_bytes_of_which_nothing_is_said_are_a_colour(local, tmp_path, scheme, count):
    array = made("u1", count)
    images = await images_of(FORMATS[scheme](tmp_path, array, "vector"), local)
    assert_array_equal([image.pixels for image in images], array)


def test_rules():
    assert [count for count in range(6) if can_be_color(count, np.dtype("u2"))] == [3, 4]
    assert [name for name in ("u1", "i2", "f4", "c8", "b1") if can_be_color(3, np.dtype(name))] == [
        "u1",
        "f4",
    ]
    assert is_color_by_default(3, np.dtype("u1"))
    assert not is_color_by_default(3, np.dtype("i1"))
    assert not is_color_by_default(2, np.dtype("u1"))


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i4", ">f4", "<f8"])
def test_parts_become_complex_numbers(dtype):
    parts = np.arange(12).reshape(2, 3, 2).astype(dtype)
    found = as_complex(parts)
    assert found.dtype.kind == "c"
    assert_array_equal(found, parts[..., 0].astype("f8") + 1j * parts[..., 1].astype("f8"))
