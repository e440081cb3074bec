"""Headers: geometry, units, where the elements are, and what is damaged."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import load_image
from pyloader.errors import FormatError, UnsupportedError
from tests.support.metaimage_builders import TILTED, URL, VOXELS, as_simpleitk, load, mha
from tests.support.slices import check_all_directions


@pytest.mark.parametrize(
    "fields",
    [
        [f"TransformMatrix = {TILTED}", "Offset = 1 -2 3.5", "ElementSpacing = 0.5 0.25 3"],
        [f"Rotation = {TILTED}", "Position = 1 -2 3.5", "ElementSize = 0.5 0.25 3"],
        [f"Orientation = {TILTED}", "Origin = 1 -2 3.5", "ElementSpacing = 2 2 2",
         "ElementSize = 0.5 0.25 3"],
        ["Offset = 1 2 3", "Position = 4 5 6", "ElementSpacing = 1 1 1", "CenterOfRotation = 9 9 9",
         "AnatomicalOrientation = RAI", "ElementMin = 3", "ElementMax = 4"],
        ["ElementSpacing = 1e0 2 3"],
    ],
)  # fmt: skip
async def test_names_of_the_geometry(context, transport, tmp_path, fields):
    file = mha(VOXELS.tobytes(), *fields)
    transport.answers[URL] = file
    await check_all_directions(f"metaimage:{URL}", context, VOXELS, as_simpleitk(file, tmp_path))


async def test_rows_of_the_matrix_are_columns_of_simpleitk(context, transport, tmp_path):
    file = mha(VOXELS.tobytes(), f"TransformMatrix = {TILTED}", "ElementSpacing = 1 1 1")
    direction = np.reshape(as_simpleitk(file, tmp_path).GetDirection(), (3, 3))
    assert_allclose(direction, np.reshape([float(each) for each in TILTED.split()], (3, 3)).T)
    transport.answers[URL] = file
    plane = (await load_image(f"metaimage:{URL}?frame=1", context)).plane
    assert_allclose(plane.row_cosines, direction[:, 0])
    assert_allclose(plane.column_cosines, direction[:, 1])


async def test_no_spacing_is_invented(context, transport):
    transport.answers[URL] = mha(VOXELS.tobytes(), "Offset = 1 2 3")
    assert (await load_image(f"metaimage:{URL}", context)).plane.pixel_spacing is None


async def test_units_become_millimetres(context, transport):
    transport.answers[URL] = mha(
        VOXELS.tobytes(), "DistanceUnits = um", "ElementSpacing = 500 250 1000", "Offset = 0 0 2000"
    )
    plane = (await load_image(f"metaimage:{URL}?frame=2", context)).plane
    assert plane.pixel_spacing == (0.25, 0.5)
    assert plane.image_position_patient == (0, 0, 3)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("?", 1), ("", 1), ("mm", 1), ("microns", 1e-3), ("Micrometer", 1e-3), ("cm", 10), ("m", 1e3)],
)
async def test_units_of_any_spelling(context, transport, unit, factor):
    """MetaIO writes "?" where it does not know the unit; lengths are mm then, as without one."""
    fields = ["ElementSpacing = 2 3 4", "Offset = 1 0 0", f"DistanceUnits = {unit}"]
    transport.answers[URL] = mha(VOXELS.tobytes(), *fields)
    image = await load_image(f"metaimage:{URL}?frame=2", context)
    assert_allclose(image.plane.pixel_spacing, (3 * factor, 2 * factor))
    assert_allclose(image.plane.image_position_patient, (factor, 0, 4 * factor))
    assert image.warnings == ()


@pytest.mark.parametrize(
    "fields",
    [
        ["ElementSpacing = 1 2 0"],
        ["ElementSpacing = 0 0 0"],
        ["ElementSpacing = nan 1 1"],
        ["ElementSpacing = 1 1 1", "Offset = inf 1 1"],
        ["ElementSpacing = 1 1 1", "TransformMatrix = 1 0 0 1 0 0 0 0 1"],
        ["ElementSpacing = 1 1 1", "TransformMatrix = 0 0 0 0 0 0 0 0 0"],
        ["ElementSpacing = 1 1 1", "DistanceUnits = furlong"],
    ],
)
async def test_unusable_place_refuses_no_picture(context, transport, fields):
    transport.answers[URL] = mha(VOXELS.tobytes(), *fields)
    image = await load_image(f"metaimage:{URL}?frame=3", context)
    assert_array_equal(image.pixels, VOXELS[2])
    assert image.plane.pixel_spacing is None
    [warning] = image.warnings
    assert warning.startswith("no place is known")


@pytest.mark.parametrize("size", [60, -1])
async def test_header_of_a_file_beside(context, transport, size):
    transport.answers["https://host/folder/a.raw"] = bytes(60) + VOXELS.tobytes()
    file = mha(b"", f"HeaderSize = {size}", data="a.raw")
    assert_array_equal(await load(context, transport, file, "?frame=2"), VOXELS[1])


@pytest.mark.parametrize("size", [200, -1])
async def test_header_in_one_file(context, transport, tmp_path, size):
    """Counted from the beginning of the file, as MetaIO does."""
    file = mha(b"", f"HeaderSize = {size}").ljust(200, b"x") + VOXELS.tobytes()
    assert_array_equal(sitk.GetArrayFromImage(as_simpleitk(file, tmp_path)), VOXELS)
    assert_array_equal(await load(context, transport, file, "?frame=2"), VOXELS[1])


@pytest.mark.parametrize("said", [True, False])
async def test_compressed_size(context, transport, said):
    packed = zlib.compress(VOXELS.tobytes())
    fields = ["CompressedData = True", *[f"CompressedDataSize = {len(packed)}"] * said]
    file = mha(packed + b"more" * said, *fields)
    assert_array_equal(await load(context, transport, file, "?frame=2"), VOXELS[1])


async def test_elements_that_are_written_out(context, transport):
    text = " ".join(map(str, VOXELS.ravel())).encode()
    file = mha(text, "BinaryData = False")
    assert_array_equal(await load(context, transport, file, "?frame=2"), VOXELS[1])


@pytest.mark.parametrize(
    "data",
    [
        "\n".join(["LIST", *(f"s/{number}.raw" for number in range(1, 5))]),
        "\r\n".join(["LIST 2", *(f"s/{number}.raw" for number in range(1, 5))]),
        "s/%d.raw 1 4 1",
        "s\\%01d.raw 1 4 1",
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
async def test_several_files(context, transport, data, is_compressed):
    pack = zlib.compress if is_compressed else bytes
    for number, slice_ in enumerate(VOXELS, 1):
        transport.answers[f"https://host/folder/s/{number}.raw"] = pack(slice_.tobytes())
    file = mha(b"", f"CompressedData = {is_compressed}", data=data)
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])


async def test_list_as_metaio_reads_it(local, tmp_path):
    names = [f"{number}.raw" for number in range(4)]
    for name, slice_ in zip(names, VOXELS, strict=True):
        (tmp_path / name).write_bytes(slice_.tobytes())
    path = tmp_path / "a.mhd"
    path.write_bytes(mha(b"", "ElementSpacing = 1 2 3", data="\n".join(["LIST", *names])))
    image = sitk.ReadImage(str(path))
    assert_array_equal(sitk.GetArrayFromImage(image), VOXELS)
    await check_all_directions(f"metaimage:{path}", local, VOXELS, image)


@pytest.mark.parametrize(
    "name", ["../a.raw", "/a.raw", "https://other/a.raw", "..\\a.raw", "s/%2e%2e/../a.raw"]
)
async def test_file_elsewhere_is_not_fetched(context, transport, name):
    with pytest.raises(FormatError, match="expected in the folder of its header or below"):
        await load(context, transport, mha(b"", data=name))
    assert [request.url for request in transport.requests] == [URL]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (b"", "its header has no ElementDataFile"),
        (b"<html>", "is not a MetaImage file"),
        (mha(b"", DimSize=""), "its header has no DimSize"),
        (mha(b"", DimSize="7 5"), "DimSize = '7 5'; expected 3 numbers"),
        (mha(b"", DimSize="7 5 x"), "expected 3 numbers"),
        (mha(b"", DimSize="7 5 nan"), "expected 3 numbers"),
        (mha(b"", DimSize="7 5 1.5"), "expected integers"),
        (mha(b"", DimSize="7 5 0"), "expected each length to be 1 or more"),
        (mha(b"", DimSize="7 5 -1"), "expected each length to be 1 or more"),
        (mha(VOXELS.tobytes(), "ElementSpacing = 1 2"), "ElementSpacing = '1 2'; expected 3"),
        (mha(VOXELS.tobytes(), "TransformMatrix = 1 0", "ElementSpacing = 1 1 1"), "expected 9"),
        (
            mha(b"", "ElementNumberOfChannels = 0"),
            "ElementNumberOfChannels = 0; expected at least 1",
        ),
        (mha(VOXELS.tobytes()[:-1]), r"279 bytes of pixels, expected 280 \(140 of <?int16\)"),
        (mha(VOXELS.tobytes(), "HeaderSize = 9999"), "0 bytes of pixels, expected 280"),
        (mha(b"", "HeaderSize = -2"), "expected integers of at least -1"),
        (mha(b"", "HeaderSize = -1"), "bytes of pixels, expected 280"),
        (mha(b"", "HeaderSize = -1", "CompressedData = True"), "is compressed and has HeaderSize"),
        (mha(b"12 37", "HeaderSize = -1", "BinaryData = False", DimSize="1 1 1"), "is written out"),
        (mha(zlib.compress(bytes(280))[:-3], "CompressedData = True"), "280; it is cut off"),
        (mha(zlib.compress(bytes(281)), "CompressedData = True"), "more than 280 bytes"),
        (mha(b"abc", "CompressedData = True"), "is damaged"),
        (mha(b"", data="s%d.raw 1 99999 1"), "names too many files"),
        (mha(b"", data=""), "expected in the folder of its header"),
        (mha(b"1 2", "BinaryData = False"), "has 2 numbers written out, expected 140"),
    ],
)
async def test_damaged_files(context, transport, file, text):
    with pytest.raises(FormatError, match=text):
        await load(context, transport, file)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (mha(b"", ElementType="MET_STRING"), "ElementType = 'MET_STRING'; known are MET_CHAR"),
        (mha(b"", NDims="1", DimSize="7"), "has NDims = 1; known are 2, 3 and 4"),
        (mha(b"", NDims="5", DimSize="7 1 1 1 1"), "has NDims = 5"),
    ],
)
async def test_what_is_not_supported_is_named(context, transport, file, text):
    with pytest.raises(UnsupportedError, match=text):
        await load(context, transport, file)


async def test_bombs_are_met_before_memory_is_taken(context, transport):
    small = replace(context, decoded_bytes=10_000)
    bomb = zlib.compress(bytes(1 << 22))
    with pytest.raises(FormatError, match="needs 2097152 bytes in memory, more than the 10000"):
        await load(small, transport, mha(bomb, "CompressedData = True", DimSize="1024 1024 1"))
    with pytest.raises(FormatError, match="more than 280 bytes, expected 280"):
        await load(small, transport, mha(bomb, "CompressedData = True"))
