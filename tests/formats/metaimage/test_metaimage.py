"""``metaimage:`` held against SimpleITK, whose MetaIO is the reference of the format."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import list_image_ids, load_image
from pyloader.errors import ImageIdError
from pyloader.formats.metaimage.header import TYPES
from tests.support.metaimage_builders import URL, VOXELS, as_simpleitk, load, mha
from tests.support.slices import check_all_directions, numbered, oblique, written

# ------------------------------------------------------------------ as SimpleITK writes and reads


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("is_compressed", [False, True])
async def test_places_of_all_directions(local, tmp_path, name, is_compressed):
    image = oblique(VOXELS)
    path = written(image, tmp_path / name, useCompression=is_compressed)
    beside = {("a.mhd", False): "a.raw", ("a.mhd", True): "a.zraw"}.get((name, is_compressed))
    assert beside is None or (tmp_path / beside).exists()
    await check_all_directions(f"metaimage:{path}", local, VOXELS, image)


@pytest.mark.parametrize("element", TYPES)
@pytest.mark.parametrize("order", ["", "BinaryDataByteOrderMSB = True", "ElementByteOrderMSB = 1"])
async def test_types_and_byte_orders(context, transport, tmp_path, element, order):
    body = (np.arange(1120) * 37 % 120).astype("u1").tobytes()
    file = mha(body, *filter(None, [order]), ElementType=element)
    expected = sitk.GetArrayFromImage(as_simpleitk(file, tmp_path))
    pixels = await load(context, transport, file, "?frame=3")
    assert pixels.dtype.newbyteorder("=") == expected.dtype
    assert_array_equal(pixels, expected[2])


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize(
    ("dtype", "count"), [("f4", 2), ("f4", 3), ("i2", 4), ("u2", 3), ("f8", 6)]
)
@pytest.mark.parametrize("is_compressed", [False, True])
async def test_vectors_are_shown_by_component(local, tmp_path, shape, dtype, count, is_compressed):
    voxels = np.random.default_rng(1).integers(0, 99, (*shape, count)).astype(dtype)
    image = sitk.GetImageFromArray(voxels, isVector=True)
    path = written(image, tmp_path / "a.mha", useCompression=is_compressed)
    voxels = voxels.reshape(-1, *(1, *shape)[-3:], count)
    expected = np.moveaxis(voxels, -1, 1).reshape(-1, *shape[-2:])
    image_ids = await list_image_ids(f"metaimage:{path}", local)
    images = [await load_image(image_id, local) for image_id in image_ids]
    assert_array_equal([each.pixels for each in images], expected)
    assert images[-1].modules["frame_content"]["stack_id"] == str(count)
    times = images[-1].modules["frame_content"].get("number_of_temporal_positions")
    assert times == (2 if len(shape) == 4 else None)
    nrrd = written(image, tmp_path / "a.nrrd")
    others = await list_image_ids(f"nrrd:{nrrd}", local)
    assert_array_equal([(await load_image(each, local)).pixels for each in others], expected)


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("element", ["MET_UCHAR", "MET_UCHAR_ARRAY"])
async def test_colors(context, transport, tmp_path, samples, element):
    color = numbered("u1", (4, 5, 7, samples))
    file = mha(color.tobytes(), f"ElementNumberOfChannels = {samples}", ElementType=element)
    expected = sitk.GetArrayFromImage(as_simpleitk(file, tmp_path))
    assert_array_equal(await load(context, transport, file, "?frame=4"), expected[3])


async def test_four_dimensions(local, tmp_path):
    voxels = numbered("i2", (3, 4, 5, 7))
    image = sitk.GetImageFromArray(voxels, isVector=False)
    image.SetSpacing((0.5, 1, 2, 9))
    image.SetOrigin((1, 2, 3, 4))
    path = written(image, tmp_path / "a.mha")
    found = await load_image(f"metaimage:{path}?frame=7", local)
    assert_array_equal(found.pixels, voxels[1, 2])
    assert found.plane.pixel_spacing == (1, 0.5)
    assert found.plane.image_position_patient == (1, 2, 7)
    assert len(await list_image_ids(f"metaimage:{path}", local)) == 12
    assert found.modules["frame_content"] == {
        "temporal_position_identifier": 2,
        "temporal_position_index": 2,
        "number_of_temporal_positions": 3,
    }


async def test_two_dimensions(local, tmp_path):
    image = sitk.GetImageFromArray(VOXELS[0])
    image.SetSpacing((0.5, 2))
    image.SetDirection((0, 1, -1, 0))
    image.SetOrigin((3, 4))
    path = written(image, tmp_path / "a.mha")
    found = await load_image(f"metaimage:{path}?frame=1", local)
    assert_array_equal(found.pixels, VOXELS[0])
    assert_allclose(found.plane.image_position_patient, (3, 4, 0))
    assert_allclose(found.plane.image_orientation_patient, (0, -1, 0, 1, 0, 0))
    assert_allclose(found.plane.pixel_spacing, (2, 0.5))


async def test_function_to_intensity_is_carried(context, transport):
    transport.answers[URL] = mha(
        VOXELS.tobytes(),
        "ElementToIntensityFunctionSlope = 2",
        "ElementToIntensityFunctionOffset = -5",
    )
    lut = (await load_image(f"metaimage:{URL}", context)).modality_lut
    assert (lut.rescale_slope, lut.rescale_intercept) == (2, -5)


async def test_function_to_intensity_that_makes_all_pixels_the_same_is_left_out(context, transport):
    fields = ("ElementToIntensityFunctionSlope = 0", "ElementToIntensityFunctionOffset = -5")
    transport.answers[URL] = mha(VOXELS.tobytes(), *fields)
    image = await load_image(f"metaimage:{URL}", context)
    assert image.modality_lut.is_identity
    assert "Slope is 0" in " ".join(image.warnings)
    assert_array_equal(image.pixels, VOXELS[0])


# ------------------------------------------------------------------ damage


async def test_slice_that_is_not_there(context, transport):
    with pytest.raises(ImageIdError, match="asks for y slice 5; there are 5"):
        await load(context, transport, mha(VOXELS.tobytes()), "#y-5")
