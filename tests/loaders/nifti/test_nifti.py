"""``nifti:`` compared with nibabel: every type, byte order and container, scaling and window."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import NetworkError
from pyloader.image import Image
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.transport.memory import MemoryTransport
from pyloader.wire import wire_image
from tests.support.nifti_builders import (
    NUMBERS,
    OBLIQUE,
    RGB,
    RGBA,
    SHAPE,
    Nifti,
    corners,
    load_all,
    load_array,
    make,
    numbers,
    packed,
    place_of,
    serve,
)

URL = "https://host/a.nii"
CORPUS = Path(nibabel.__file__).parent / "tests" / "data"


def stored(reference: Any) -> np.ndarray:
    """Return what nibabel reads, unscaled, as (columns, rows, frames[, samples])."""
    array = np.asarray(reference.dataobj.get_unscaled())
    if array.dtype.names:
        array = np.stack([array[name] for name in array.dtype.names], axis=-1)
        return array.reshape(*SHAPE, -1)
    array = np.abs(array) if array.dtype.kind == "c" else array
    return array.reshape(*(*array.shape, 1, 1)[:2], -1, order="F")


def scaled(image: Image) -> np.ndarray:
    """Return pixels in modality units."""
    lut = image.modality_lut
    return image.pixels.astype("f8") * lut.slope + lut.intercept


# ------------------------------------------------------------------ types and containers


CONTAINERS = ["nii", "nii.gz", "hdr", "img", "hdr.gz", "img.gz"]


def put_as(container: str, file: Nifti, transport: MemoryTransport) -> str:
    """Serve a file in a container and return its source."""
    pack = packed if container.endswith(".gz") else bytes
    if container.startswith("nii"):
        return serve(transport, pack(file.single), f"https://host/a.{container}")
    for name, body in (("hdr", file.header), ("img", file.voxels)):
        serve(transport, pack(body), f"https://host/a.{name}{container[3:]}")
    return f"nifti:https://host/a.{container}"


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [*NUMBERS, RGB, RGBA], ids=str)
async def test_voxels_of_every_type(context, transport, dtype, order, version, container):
    is_pair = not container.startswith("nii")
    file = make(numbers(dtype), version=version, order=order, pair=is_pair)
    source = put_as(container, file, transport)
    found = await load_array(source, context)
    reference = file.read_pair() if is_pair else file.read()
    expected = stored(reference)
    if np.dtype(dtype).kind == "c":
        assert_allclose(found, expected, rtol=1e-6)
    else:
        assert found.dtype == expected.dtype.newbyteorder("=")
        assert_array_equal(found, expected)
    # One request for the list, one for the voxels; of a pair one for each file then.
    assert len(transport.requests) == 2 + is_pair


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 1), (5, 4, 3, 2), (5, 4, 3, 1, 2)])
@pytest.mark.parametrize("more", [(), (2,), (2, 3)])
async def test_any_number_of_dimensions(context, transport, shape, more):
    file = make(numbers(shape=(*shape, *more)))
    found = await load_array(serve(transport, file), context)
    assert_array_equal(found, stored(file.read()))


async def test_timepoints_follow_each_other_in_stored_order(context, transport):
    file = make(numbers(shape=(5, 4, 3, 2, 3)))
    reference = file.read().dataobj.get_unscaled()
    source = serve(transport, file)
    for slice_index, first, second in product(range(3), range(2), range(3)):
        timepoint = first + 2 * second
        image = await load_image(f"{source}?frame={timepoint * 3 + slice_index}", context)
        assert_array_equal(image.pixels.T, reference[:, :, slice_index, first, second])
        part = await load_image(f"{source}#z-{slice_index},t-{timepoint}", context)
        assert_array_equal(np.sort(part.pixels, None), np.sort(image.pixels, None))


# The header's dimensions and other fields; for the last slice, its time of how many, and its stack.
BEYOND: dict[str, tuple[dict[str, Any], int | None, str | None]] = {
    "times": ({"shape": (5, 4, 3, 2)}, 2, None),
    "times in seconds": ({"shape": (5, 4, 3, 2), "xyzt_units": 10}, 2, None),
    "one time": ({"shape": (5, 4, 3, 1)}, None, None),
    "a vector": ({"shape": (5, 4, 3, 1, 3), "intent_code": 1007}, None, "3"),
    "times of a vector": ({"shape": (5, 4, 3, 2, 3)}, 2, "3"),
    "a vector in the wrong place": ({"shape": (5, 4, 3, 3), "intent_code": 1007}, None, "3"),
    "a warp of FSL": ({"shape": (5, 4, 3, 3), "intent_code": 2006}, None, "3"),
    "a spectrum": ({"shape": (5, 4, 3, 3), "xyzt_units": 2 | 40}, None, "3"),
    "matrices": ({"shape": (5, 4, 3, 1, 2, 2)}, None, "4"),
}


@pytest.mark.parametrize("name", BEYOND)
async def test_dimensions_beyond_space_are_named(context, transport, name):
    """The fourth is time (nifti1.h); the others are what a voxel is made of."""
    fields, times, stack = BEYOND[name]
    fields = dict(fields)
    array = numbers("i2", fields.pop("shape"))
    source = serve(transport, make(array, **fields))
    image_ids = await list_image_ids(source, context)
    found = [(await load_metadata(each, context)).get("frame_content", {}) for each in image_ids]
    images = await load_all(source, context)
    assert found == [each.modules.get("frame_content", {}) for each in images]
    last = found[-1]
    assert last.get("temporal_position_identifier") == times
    assert last.get("temporal_position_index") == times
    assert last.get("number_of_temporal_positions") == times
    assert last.get("stack_id") == stack
    # Those of one place can be told apart.
    count = len(found) // 3
    alike = [tuple(each.items()) for each in found[::3]]
    assert len(set(alike)) == count


# ------------------------------------------------------------------ lengths that say nothing


@pytest.mark.parametrize(
    ("dim", "shape"),
    [
        ([4, 5, 4, 3, 0, 0, 0, 0], (3, 4, 5)),
        ([7, 5, 4, 3, 0, 0, 0, 0], (3, 4, 5)),
        ([5, 5, 4, 3, 0, 2, 0, 0], (6, 4, 5)),
        ([5, 5, 4, 3, 2, -3, 0, 0], (6, 4, 5)),
        ([4, 5, 4, 0, 2, 0, 0, 0], (2, 4, 5)),
        ([3, 5, 4, 0, 0, 0, 0, 0], (1, 4, 5)),
        ([3, 5, 0, 0, 1, 1, 1, 1], (1, 1, 5)),
        ([2, 5, 0, 9, 9, 1, 1, 1], (1, 1, 5)),
    ],
)
@pytest.mark.parametrize("order", "<>")
async def test_length_of_0_counts_as_1(context, transport, tmp_path, dim, shape, order):
    """As nifti1_io.c has it, which SimpleITK uses; nibabel has arrays without an element there."""
    file = make(numbers("i2", (5, 4, 3, 2)), order=order, dim=dim)
    (tmp_path / "a.nii").write_bytes(file.single)
    expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(tmp_path / "a.nii"))
    images = await load_all(serve(transport, file), context)
    assert_array_equal(np.array([image.pixels for image in images]), expected.reshape(shape))
    assert any("; 1 is assumed" in warning for warning in images[0].warnings)


@pytest.mark.parametrize(("count", "times"), [(40_000, 1), (163_842, 1), (33_000, 2)])
@pytest.mark.parametrize("order", "<>")
async def test_vector_longer_than_16_bits_can_tell(context, transport, count, times, order):
    """FreeSurfer writes its length into glmin, as nibabel reads it."""
    array = np.arange(count * times, dtype="f4").reshape((count, 1, 1, times), order="F")
    fields = {"dim": [4, -1, 1, 1, times, 1, 1, 1], "glmin": count}
    file = make(np.zeros((2, 1, 1, times), "f4"), order=order, **fields)
    file = Nifti(file.header, array.astype(f"{order}f4").tobytes(order="F"))
    reference = file.read()
    assert reference.shape == (count, 1, 1, times)
    images = await load_all(serve(transport, file), context)
    assert len(images) == times
    for index, image in enumerate(images):
        assert_array_equal(image.pixels[0], reference.dataobj[:, 0, 0, index])
        assert any("FreeSurfer's glmin" in warning for warning in image.warnings)


async def test_extensions_before_the_voxels_are_passed_over(context, transport):
    image = nibabel.Nifti1Image(numbers("i2"), OBLIQUE)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"n+1\0" * 500))
    found = await load_array(serve(transport, image.to_bytes()), context)
    assert_array_equal(found, numbers("i2"))


async def test_bytes_behind_the_voxels_are_passed_over(context, transport):
    file = make(numbers("i2"))
    for body in (file.single + bytes(999), packed(file.single + bytes(999))):
        context.cache.clear()
        assert_array_equal(await load_array(serve(transport, body), context), numbers("i2"))


async def test_name_does_not_tell_whether_it_is_gzip(context, transport):
    """A server may have undone it, or a tool may have done it."""
    body = make(numbers("i2")).single
    for url, content in (("https://host/a.nii.gz", body), ("https://host/a.nii", packed(body))):
        assert_array_equal(await load_array(serve(transport, content, url), context), numbers("i2"))


# ------------------------------------------------------------------ nibabel's own files


REFUSED = {
    "analyze.hdr": "Analyze 7.5",
    "row_major.dconn.nii": "CIFTI-2",
    # Headers without voxels.
    "nifti1.hdr": "nothing is stored there",
    "nifti2.hdr": "nothing is stored there",
}
FILES = sorted(path.name for path in CORPUS.iterdir() if ".nii" in path.name or ".hdr" in path.name)


def test_corpus_is_there():
    assert len(FILES) == 11
    assert set(REFUSED) < set(FILES)


@pytest.mark.parametrize("name", sorted(set(FILES) - set(REFUSED)))
async def test_files_of_nibabel(context, transport, name):
    reference = nibabel.load(CORPUS / name)
    source = serve(transport, (CORPUS / name).read_bytes(), f"https://host/{name}")
    images = await load_all(source, context)
    found = np.array([image.pixels for image in images]).swapaxes(0, 2)
    assert_array_equal(found, stored(reference))
    values = np.array([scaled(image) for image in images]).swapaxes(0, 2)
    expected = reference.get_fdata()
    assert_allclose(values, expected.reshape(*expected.shape[:2], -1, order="F"), rtol=1e-6)
    for index, (row, column) in product((0, len(images) - 1), corners(images[0])):
        voxel = (column, row, index % reference.shape[2])
        place = nibabel.affines.apply_affine(reference.affine, voxel) * (-1, -1, 1)
        assert_allclose(place_of(images[index], row, column), place, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", REFUSED)
async def test_files_of_nibabel_that_are_no_images(context, transport, name):
    source = serve(transport, (CORPUS / name).read_bytes(), f"https://host/{name}")
    with pytest.raises((NotImplementedError, NetworkError), match=REFUSED[name]):
        await load_image(source, context)


async def test_header_of_a_pair_needs_no_voxels(context, transport):
    source = serve(transport, (CORPUS / "nifti2.hdr").read_bytes(), "https://host/a.hdr")
    reference = nibabel.load(CORPUS / "nifti2.hdr")
    assert len(await list_image_ids(source, context)) == reference.shape[2]
    plane = (await load_metadata(f"{source}?frame=3", context))["image_plane"]
    place = nibabel.affines.apply_affine(reference.affine, (0, 0, 3)) * (-1, -1, 1)
    assert_allclose(plane.image_position_patient, place, rtol=1e-6)


# ------------------------------------------------------------------ scaling and window


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "i8", "c8", "c16"])
@pytest.mark.parametrize(
    ("slope", "intercept"),
    [(1, 0), (2, 0), (1, 5), (0.1, -1024), (-1.5, 3), (0, 7), (np.nan, 1), (np.inf, 1), (1e-20, 0)],
)
async def test_scaling(context, transport, dtype, slope, intercept):
    array = numbers(dtype) // 3 if dtype == "i8" else numbers(dtype)
    file = make(array, scl_slope=slope, scl_inter=intercept)
    reference = file.read()
    images = await load_all(serve(transport, file), context)
    expected = np.asarray(reference.dataobj)
    expected = np.abs(expected) if expected.dtype.kind == "c" else reference.get_fdata()
    found = np.array([scaled(image) for image in images]).swapaxes(0, 2)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * abs(expected).max())
    if not dtype.startswith("c"):
        lut = images[0].modality_lut
        assert (lut.slope, lut.intercept) == (reference.dataobj.slope, reference.dataobj.inter)
        assert_array_equal([image.pixels for image in images], stored(reference).swapaxes(0, 2))


async def test_intercept_of_complex_voxels_is_told(context, transport):
    image = await load_image(
        serve(transport, make(numbers("c8"), scl_slope=2, scl_inter=3)), context
    )
    assert any("added to their real part, as nibabel" in warning for warning in image.warnings)
    image = await load_image(serve(transport, make(numbers("c8"), scl_slope=2), URL + "2"), context)
    assert image.warnings == ()


@pytest.mark.parametrize("dtype", [RGB, RGBA], ids=["RGB", "RGBA"])
async def test_colour_has_no_scaling_and_no_window(context, transport, dtype):
    file = make(numbers(dtype), scl_slope=2, scl_inter=1, cal_max=100)
    image = await load_image(serve(transport, file) + "?frame=1", context)
    assert image.modality_lut.is_identity
    assert image.voi_lut.window_center == ()
    assert image.pixel.photometric_interpretation == "RGB"
    assert_array_equal(image.pixels.swapaxes(0, 1), stored(file.read())[:, :, 1])


@pytest.mark.parametrize(
    ("low", "high", "window"),
    [
        (0, 100, (50, 100)),
        (-1000, 500, (-250, 1500)),
        (0.0, 0.5, (0.25, 0.5)),
        (0, 0, None),
        (5, 3, None),
        (np.nan, 3, None),
        (0, np.inf, None),
    ],
)
async def test_window(context, transport, low, high, window):
    file = make(numbers("i2"), scl_slope=0.5, scl_inter=7, cal_min=low, cal_max=high)
    voi = (await load_image(serve(transport, file), context)).voi_lut
    if window is None:
        assert (voi.window_center, voi.window_width, voi.voi_lut_function) == ((), (), None)
    else:
        assert (*voi.window_center, *voi.window_width) == window
        assert voi.voi_lut_function == "LINEAR_EXACT"


async def test_integers_beyond_those_of_javascript(context, transport):
    array = np.full(SHAPE, 2**53, "i8")
    array[0, 0, 1] += 1
    source = serve(transport, make(array))
    image = await load_image(f"{source}?frame=1", context)
    assert image.pixels.dtype == "i8"
    assert image.pixels[0, 0] == 2**53 + 1
    assert any("exact in Python only" in warning for warning in image.warnings)
    image = await load_image(f"{source}?frame=0", context)
    assert image.warnings == ()


async def test_numbers_that_are_none_are_delivered(context, transport):
    array = numbers("f4")
    array[0, 0, 0], array[1, 0, 0], array[2, 0, 0] = np.nan, np.inf, -np.inf
    image = await load_image(serve(transport, make(array)) + "?frame=0", context)
    assert_array_equal(image.pixels[0, :3], [np.nan, np.inf, -np.inf])
    assert_array_equal(wire_image(deliver(image, Delivery()))["pixels"], array[:, :, 0].T.ravel())
    assert deliver(image, Delivery(integers=True)).pixels.dtype == "u2"


@pytest.mark.parametrize("delivery", [Delivery(), Delivery(rescale=True), Delivery(integers=True)])
@pytest.mark.parametrize("dtype", ["i2", "u2", "f4", "f8", "i8", "c8"])
async def test_byte_orders_are_delivered_alike(context, transport, dtype, delivery):
    sources = [
        serve(
            transport,
            make(numbers(dtype), order=order, scl_slope=2, scl_inter=-5),
            f"{URL}?{order}",
        )
        for order in "<>"
    ]
    little, big = [wire_image(deliver(await load_image(s, context), delivery)) for s in sources]
    assert_array_equal(little.pop("pixels"), big.pop("pixels"))
    assert_array_equal(little.pop("exact", 0), big.pop("exact", 0))
    assert little == big
