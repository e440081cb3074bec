"""``nifti:`` through dist/ in Chromium: slices, lists and headers; volumes in Cornerstone3D."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.nifti_builders import (
    OBLIQUE,
    RGB,
    Nifti,
    make,
    numbers,
    packed,
    place_in,
)
from tests.support.pages.outcome import fail, load, with_pixels
from tests.support.pages.viewers import ELEMENT, LEGACY, THREE_D, grey_of, windowed
from tests.support.webserver import WebServer

# Dimensions of a page's volume and its voxels: no two alike.
SHAPE = (20, 16, 12)


def load_all(page: Page, image_ids: list[str]) -> list[dict[str, Any]]:
    """Load images, all asked for at once."""
    found = page.evaluate("(ids) => Promise.all(ids.map((id) => load(id)))", image_ids)
    return [with_pixels(result["image"]) for result in found]


# ------------------------------------------------------------------ without a viewer


def test_all_slices_at_once_are_one_request(page: Page, site: WebServer) -> None:
    array = numbers("i4", SHAPE)
    file = make(array, OBLIQUE, cal_min=-5, cal_max=15)
    path = site.put("/made/all.nii.gz", packed(file.single))
    image_ids = [
        f"nifti:{path}#{axis}-{index}"
        for axis, count in zip("xyz", SHAPE, strict=True)
        for index in range(count)
    ]
    images = load_all(page, image_ids)
    assert len(site.asked(path)) == 1
    reference = file.read()
    planes = page.evaluate(
        "(ids) => ids.map((id) => pyloader.metaData('imagePlaneModule', id))", image_ids
    )
    for image, plane in zip(images, planes, strict=True):
        assert (image["windowCenter"], image["windowWidth"]) == (5, 20)
        across, down = np.reshape(plane["imageOrientationPatient"], (2, 3))
        for row, column in ((0, 0), (image["rows"] - 1, image["columns"] - 1)):
            place = plane["imagePositionPatient"] + across * plane["columnPixelSpacing"] * column
            place = place + down * plane["rowPixelSpacing"] * row
            expected = place_in(reference, image["pixels"][row, column])
            assert place == pytest.approx(expected, rel=1e-6, abs=1e-5)
    # Each voxel is in one slice of each direction.
    values = np.concatenate([image["pixels"].ravel() for image in images])
    assert np.array_equal(np.sort(values), np.sort(np.repeat(array.ravel(), 3)))


def test_list_of_a_volume_in_time(page: Page, site: WebServer) -> None:
    array = numbers("u2", (6, 5, 4, 3))
    path = site.put("/made/time.nii", make(array, order=">").single)
    image_ids = page.evaluate("(source) => pyloader.imageIds(source)", f"nifti:{path}?token=x")
    assert image_ids == [f"nifti:{path}?token=x&frame={index}" for index in range(12)]
    images = load_all(page, image_ids)
    assert images[0]["dataType"] == "Uint16Array"
    stack = np.array([image["pixels"] for image in images]).reshape(3, 4, 5, 6)
    assert np.array_equal(stack.T, array)
    found = page.evaluate("(source) => pyloader.imageIds(source)", f"nifti:{path}?token=x#x,t-2")
    assert found == [f"nifti:{path}?token=x#x-{index},t-2" for index in range(6)]
    # One request for the header, one for the voxels.
    assert len(site.asked(path)) == 2


def test_metadata_before_the_voxels(page: Page, site: WebServer) -> None:
    """Of all slices, one request, which is ended as soon as the header is there."""
    array = np.zeros((256, 256, 400), "u2")
    path = site.put("/made/large.nii", make(array, OBLIQUE).single)
    loaded, modules = page.evaluate(
        """async (source) => {
          let loaded = 0;
          const onProgress = ({detail}) => { if (detail.url.includes('large')) loaded = Math.max(loaded, detail.loaded); };
          pyloader.events.addEventListener('imageloadprogress', onProgress);
          const imageIds = Array.from({length: 400}, (_, index) => `${source}?frame=${index}`);
          await pyloader.addMetadata(imageIds);
          pyloader.events.removeEventListener('imageloadprogress', onProgress);
          return [loaded, imageIds.map((id) => pyloader.metaData('imagePlaneModule', id).imagePositionPatient)];
        }""",
        f"nifti:{path}",
    )
    expected = [(OBLIQUE @ (0, 0, index, 1))[:3] * (-1, -1, 1) for index in range(400)]
    assert np.allclose(modules, expected, rtol=1e-6, atol=1e-5)
    [seen] = site.asked(path)
    assert not seen.whole, "the browser hung up"
    assert loaded < array.nbytes / 10


def test_colour(page: Page, site: WebServer) -> None:
    array = numbers(RGB, SHAPE)
    path = site.put("/made/colour.nii.gz", packed(make(array).single))
    image = load(page, f"nifti:{path}?frame=3")
    assert (image["color"], image["rgba"]) == (True, True)
    samples = array[:, :, 3].T.copy().view("u1").reshape(16, 20, 3)
    assert np.array_equal(image["pixels"][..., :3], samples)
    assert (image["pixels"][..., 3] == 255).all()


@pytest.mark.parametrize("dtype", ["i8", "f8", "c8", "u4"])
def test_types_that_javascript_has_another_way(page: Page, site: WebServer, dtype: str) -> None:
    array = numbers(dtype, SHAPE) if dtype in ("c8", "i8") else counted(dtype)
    path = site.put(f"/made/{dtype}.nii", make(array, scl_slope=2, scl_inter=0).single)
    image = load(page, f"nifti:{path}?frame=3")
    expected = abs(array[:, :, 3].T) if dtype == "c8" else array[:, :, 3].T.astype("f8")
    assert image["pixels"] == pytest.approx(expected, rel=1e-6)
    assert image["slope"] == 2
    assert ("exact in Python only" in "".join(image["warnings"])) == (dtype == "i8")


def test_pair_and_file_of_the_user(page: Page, site: WebServer) -> None:
    array = numbers("i2", SHAPE)
    pair = make(array, pair=True)
    site.put("/made/pair.hdr", pair.header)
    site.put("/made/pair.img", pair.voxels)
    image = load(page, "nifti:../made/pair.img?frame=7")
    assert np.array_equal(image["pixels"].T, array[:, :, 7])
    path = site.put("/made/user.nii.gz", packed(make(array).single))
    image_id = page.evaluate("(path) => addFileOf(path)", path)
    image = load(page, f"nifti:{image_id}#x-3")
    assert np.array_equal(np.sort(image["pixels"], None), np.sort(array[3], None))


def test_gzip_that_the_server_has_undone(page: Page, site: WebServer) -> None:
    """Or that it says is the encoding of the transfer, and the browser undoes."""
    array = numbers("i2", SHAPE)
    path = site.put("/made/undone.nii.gz", make(array).single)
    image = load(page, f"nifti:{path}?frame=7")
    assert np.array_equal(image["pixels"].T, array[:, :, 7])


@pytest.mark.parametrize("cut", [300, 3000])
def test_file_that_is_cut_off(page: Page, site: WebServer, cut: int) -> None:
    path = site.put(f"/made/cut-{cut}.nii.gz", packed(make(numbers("i2", SHAPE)).single)[:cut])
    error = fail(page, f"nifti:{path}#x-3")
    assert (error["code"], error["stage"]) == ("format", "parse")
    assert f"ends too early, after {cut} bytes of gzip" in error["message"]


def test_header_of_a_volume_that_cannot_be(page: Page, site: WebServer) -> None:
    file = make(numbers("i2"), dim=[4, *[30000] * 4, 1, 1, 1])
    path = site.put("/made/absurd.nii", file.single)
    error = fail(page, f"nifti:{path}")
    assert error["code"] == "format"
    assert (
        "30000 x 30000 x 30000 x 30000 voxels of int16, needs 1620000000000000352 bytes"
        in error["message"]
    )


# ------------------------------------------------------------------ Cornerstone3D


VOLUME = """
globalThis.showVolume = async (source) => {
  const imageIds = await pyloader.imageIds(source);
  await pyloader.addMetadata(imageIds);
  const id = `cornerstoneStreamingImageVolume:${source}`;
  const volume = await cs.volumeLoader.createAndCacheVolume(id, {imageIds});
  const failed = [];
  const onError = ({detail}) => failed.push(String(detail.error?.message ?? detail.error));
  cs.eventTarget.addEventListener(cs.Enums.Events.IMAGE_LOAD_ERROR, onError);
  const done = new Promise((resolve) => volume.load(resolve));
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 10_000))]);
  while (volume.framesProcessed < imageIds.length) await new Promise((resolve) => setTimeout(resolve, 50));
  const {dimensions, spacing, origin, direction, voxelManager, imageData} = volume;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => {
    const ijk = [0, 1, 2].map((axis) => ((corner >> axis) & 1 ? dimensions[axis] - 1 : 0));
    return {ijk, place: Array.from(imageData.indexToWorld(ijk)), value: voxelManager.getAtIJK(...ijk)};
  });
  const scalars = Array.from(voxelManager.getCompleteScalarDataArray());
  return {
    id, imageIds, failed, corners, scalars, dimensions: Array.from(dimensions), spacing: Array.from(spacing),
    origin: Array.from(origin), direction: Array.from(direction), dataType: volume.dataType,
    kind: voxelManager.getCompleteScalarDataArray().constructor.name,
  };
};
globalThis.showSlice = async (id, properties) => {
  const element = document.getElementById('element');
  const engine = new cs.RenderingEngine(`engine${Math.random()}`);
  engine.enableElement({viewportId: 'volume', type: cs.Enums.ViewportType.ORTHOGRAPHIC, element, defaultOptions: {orientation: cs.Enums.OrientationAxis.ACQUISITION}});
  const viewport = engine.getViewport('volume');
  await viewport.setVolumes([{volumeId: id}]);
  viewport.setProperties(properties);
  const drawn = new Promise((resolve) => element.addEventListener(cs.Enums.Events.IMAGE_RENDERED, resolve, {once: true}));
  viewport.render();
  await drawn;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const canvas = element.querySelector('canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const result = [canvas.width, canvas.height, Array.from(data), viewport.getCurrentImageId(), viewport.getProperties().voiRange];
  engine.destroy();
  return result;
};
"""


@pytest.fixture
def three_d(open_page, site: WebServer) -> Page:
    """Return a page with @cornerstonejs/core, connected."""
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D)
    page.add_script_tag(content=VOLUME)
    page.evaluate("start()")
    return page


def values_of(file: Nifti) -> np.ndarray:
    """Return what nibabel reads, scaled; of complex voxels the magnitude."""
    array = np.asarray(file.read().dataobj)
    return abs(array) if array.dtype.kind == "c" else array.astype("f8")


def counted(dtype: str, low: int = 0) -> np.ndarray:
    """Return voxels with values from `low` on, that tell most of them apart."""
    values = np.arange(np.prod(SHAPE)) % 251 + low
    return values.astype(dtype).reshape(SHAPE)


AFFINES = {
    "oblique": OBLIQUE,
    "backwards": OBLIQUE @ np.diag([1, 1, -1, 1]),
    "mirrored": OBLIQUE @ np.diag([-1, 1, 1, 1]),
    "sagittal": OBLIQUE[[2, 0, 1, 3]],
}


def test_3d_volumes_are_where_they_are(three_d: Page, site: WebServer) -> None:
    for name, affine in AFFINES.items():
        array = np.arange(np.prod(SHAPE), dtype="i4").reshape(SHAPE)
        file = make(array, affine)
        path = site.put(f"/made/place-{name}.nii.gz", packed(file.single))
        found = three_d.evaluate("(source) => showVolume(source)", f"nifti:{path}")
        assert found["failed"] == []
        assert found["spacing"] == pytest.approx((2, 2.5, 3.5), rel=1e-6)
        columns, rows = np.reshape(found["direction"], (3, 3))[:2]
        expected = (affine[:3, :2] / (2, 2.5)).T * (-1, -1, 1)
        assert np.allclose([columns, rows], expected, atol=1e-6)
        reference = file.read()
        for corner in found["corners"]:
            place = place_in(reference, corner["value"])
            assert corner["place"] == pytest.approx(place, rel=1e-5, abs=1e-4)
        assert len(site.asked(path)) == 2


# Type of voxels, smallest value, slope and intercept: what Cornerstone3D would let wrap around too.
CLASSES = [
    ("u1", 0, 0, 0),
    ("u1", 0, 1, -100),
    ("u1", 0, 3, 0),
    ("u1", 0, 0.5, 0),
    ("i1", -120, 0, 0),
    ("u2", 65000, 0, 0),
    ("i2", -100, 0, 0),
    ("i2", 32000, 2, -5),
    ("u2", 65000, -1, 0),
    ("i2", -100, 0.1, 7),
    ("u4", 70000, 0, 0),
    ("i4", -70000, 0, 0),
    ("i8", -70000, 0, 0),
    ("f4", -100, 0, 0),
    ("f8", -100, 0.25, 1),
    ("c8", 0, 2, 0),
]


def test_3d_volumes_of_every_type(three_d: Page, site: WebServer) -> None:
    wrong = {}
    for dtype, low, slope, intercept in CLASSES:
        array = counted(dtype, min(low, np.iinfo(dtype).max - 250) if dtype[0] in "ui" else low)
        file = make(array, scl_slope=slope, scl_inter=intercept)
        path = site.put(f"/made/type-{dtype}-{low}-{slope}-{intercept}.nii", file.single)
        found = three_d.evaluate("(source) => showVolume(source)", f"nifti:{path}")
        values = values_of(file).T
        forwards = found["corners"][0]["value"] == pytest.approx(values[0, 0, 0])
        expected = values if forwards else values[::-1]
        scalars = np.reshape(found["scalars"], expected.shape)
        # The class of the texture, too: else what is seen is another thing than what is there.
        if (
            found["failed"]
            or found["kind"] != found["dataType"]
            or not np.allclose(scalars, expected)
        ):
            wrong[path] = (found["failed"], found["kind"], found["dataType"])
    assert wrong == {}


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept"), [("i1", 0, 0), ("u1", 2, -100), ("f8", 0, 0)]
)
def test_3d_volume_is_drawn(
    three_d: Page, site: WebServer, dtype: str, slope: float, intercept: float
) -> None:
    x, y, z = np.mgrid[0:128, 0:128, 0:8]
    array = (x // 2 + y // 3 + z - (64 if dtype[0] == "i" else 0)).astype(dtype)
    # Rows run to the left, columns to the back: as the canvas shows them.
    file = make(array, np.diag([-1.0, -1, 1, 1]), scl_slope=slope, scl_inter=intercept)
    path = site.put(f"/made/drawn-{dtype}.nii.gz", packed(file.single))
    low, high = (float(value) for value in (values_of(file).min(), values_of(file).max()))
    volume = three_d.evaluate("(source) => showVolume(source)", f"nifti:{path}")
    properties = {"voiRange": {"lower": low, "upper": high}}
    found = three_d.evaluate(
        "([id, properties]) => showSlice(id, properties)", [volume["id"], properties]
    )
    index = int(found[3].rpartition("=")[2])
    expected = windowed(values_of(file)[:, :, index].T, low, high)
    assert np.mean(np.abs(grey_of(found) - expected) <= 3) > 0.97


def test_3d_window_of_the_file(three_d: Page, site: WebServer) -> None:
    """Both ends as they are, though they are but half a unit from each other."""
    x, y, _ = np.mgrid[0:128, 0:128, 0:3]
    array = ((x + y) / 256).astype("f4")
    path = site.put("/made/window.nii", make(array, np.eye(4), cal_min=0.25, cal_max=0.75).single)
    found = three_d.evaluate("(id) => show3d([id])", f"nifti:{path}?frame=1")
    assert found[3] == pytest.approx({"lower": 0.25, "upper": 0.75})
    expected = windowed(array[:, :, 1].T, 0.25, 0.75)
    assert np.mean(np.abs(grey_of(found) - expected) <= 2) > 0.97


def test_3d_window_of_a_volume(three_d: Page, site: WebServer) -> None:
    """The viewer forgets the function of a volume's window, and takes it for LINEAR."""
    x, y, _ = np.mgrid[0:128, 0:128, 0:3]
    array = ((x + y) / 256).astype("f4")
    path = site.put("/made/window-3.nii", make(array, np.eye(4), cal_min=0, cal_max=0.5).single)
    volume = three_d.evaluate("(source) => showVolume(source)", f"nifti:{path}")
    found = three_d.evaluate("(id) => showSlice(id, {})", volume["id"])
    assert found[4] == pytest.approx({"lower": 0, "upper": 0.5})


GROUPS = """async (source) => {
  const imageIds = await pyloader.imageIds(source);
  await pyloader.addMetadata(imageIds);
  const {imageIdGroups, splittingTag} = cs.utilities.splitImageIdsBy4DTags(imageIds);
  const found = [];
  for (const [index, group] of imageIdGroups.entries()) {
    const id = `${source}-${index}`;
    const volume = await cs.volumeLoader.createAndCacheVolume(id, {imageIds: group});
    volume.load(() => {});
    while (volume.framesProcessed < group.length) await new Promise((resolve) => setTimeout(resolve, 20));
    found.push([volume.spacing, Array.from(volume.voxelManager.getCompleteScalarDataArray())]);
  }
  return [splittingTag, found];
}"""


@pytest.mark.parametrize(
    ("shape", "tag"),
    [((3, 1), "TemporalPositionIdentifier"), ((1, 3), "EchoNumber"), ((2, 3), "EchoNumber")],
)
def test_3d_finds_the_volumes_of_each_time_and_component(
    three_d: Page, site: WebServer, shape: tuple[int, int], tag: str
) -> None:
    array = np.arange(8 * 6 * 4 * np.prod(shape), dtype="i2").reshape((8, 6, 4, *shape), order="F")
    affine = np.diag([-2.0, -2.5, 3, 1])
    path = site.put(f"/made/groups-{shape[0]}-{shape[1]}.nii", make(array, affine).single)
    splitting, volumes = three_d.evaluate(GROUPS, f"nifti:{path}")
    assert splitting == tag
    expected = [array[..., time, part] for part in range(shape[1]) for time in range(shape[0])]
    assert len(volumes) == len(expected)
    for (spacing, scalars), voxels in zip(volumes, expected, strict=True):
        assert spacing == pytest.approx((2, 2.5, 3))
        found = np.reshape(scalars, voxels.T.shape)
        assert np.array_equal(found, voxels.T) or np.array_equal(found[::-1], voxels.T)


# ------------------------------------------------------------------ legacy cornerstone-core


@pytest.fixture
def legacy(open_page, site: WebServer) -> Page:
    """Return a page with cornerstone-core."""
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(url="/demo/vendor/cornerstone.min.js")
    page.add_script_tag(content=LEGACY)
    return page


def test_legacy_slice_of_floats(legacy: Page, site: WebServer) -> None:
    """The imageIds of its own NIfTI loader; the window is that of the file."""
    y, z = np.mgrid[0:128, 0:128]
    array = np.repeat((y + z)[None] / 256, 4, axis=0).astype("f4")
    file = make(array, np.diag([-1.0, -1, -1, 1]), cal_min=0.25, cal_max=0.75, scl_slope=1)
    path = site.put("/made/legacy.nii.gz", packed(file.single))
    found = legacy.evaluate(
        """async (id) => {
          pyloader.use(cornerstone);
          const image = await cornerstone.loadImage(id);
          return [image.windowCenter, image.windowWidth, await show(image)];
        }""",
        f"nifti:{path}#x-2,t-0",
    )
    assert found[:2] == [0.5, 0.5]
    # Columns run to the back and rows to the feet, as both do in this file.
    assert np.abs(grey_of(found[2]) - windowed(array[2].T, 0.25, 0.75)).max() <= 1
