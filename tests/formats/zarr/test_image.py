"""Images of OME-Zarr: axes in any order, places in the patient, windows of channels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import list_image_ids, load_image
from pyloader.errors import ImageIdError, UnsupportedError
from pyloader.pixels.output.voi import display
from tests.support.zarr_builders import image, write
from tests.support.zarr_server import URL, load


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "axes", ["tczyx", "xyzct", "czyx", "zyxc", "tzyx", "zyx", "yx", "cyx", "xy"]
)
async def test_axes_in_any_order(remote, folder, version, axes):
    sizes = {"t": 3, "c": 2, "z": 4, "y": 12, "x": 10}
    voxels = image(folder.root, version, tuple(axes), tuple(sizes[name] for name in axes))
    usual = voxels.transpose([axes.index(name) for name in "tczyx" if name in axes])
    usual = usual.reshape([sizes[name] if name in axes else 1 for name in "tczyx"])
    channel, timepoint, place = "c" in axes, 2 * ("t" in axes), 1 * ("z" in axes)
    slices = 4 if "z" in axes else 1
    source = f"zarr:{URL}?channel=1" if channel else f"zarr:{URL}"
    number = timepoint * slices + place + 1
    found = await load_image(f"{source}{'&' if channel else '?'}frame={number}", remote)
    assert_array_equal(found.pixels, usual[timepoint, int(channel), place])
    sagittal = await load_image(f"{source}#x-3,t-{timepoint}", remote)
    assert_array_equal(sagittal.pixels[::-1], usual[timepoint, int(channel), :, :, 3])
    assert len(await list_image_ids(source, remote)) == slices * (3 if "t" in axes else 1)


@pytest.mark.parametrize("version", [2, 3])
async def test_places(remote, folder, version):
    voxels = image(folder.root, version, ("z", "y", "x"), (4, 12, 10))
    for rest, step in (("?frame=3", 1), ("?level=1&frame=3", 2)):
        found = await load(remote, rest)
        assert_array_equal(found.pixels, voxels[2, ::step, ::step])
        plane = found.plane
        assert plane.pixel_spacing == (0.75 * step, 0.5 * step)
        assert plane.image_position_patient == (4, -11 + step, 106)
        assert plane.image_orientation_patient == (1, 0, 0, 0, 1, 0)
        assert plane.spacing_between_slices == 3
        assert found.warnings == ()
    sagittal = await load(remote, "#x-7")
    assert_array_equal(sagittal.pixels, voxels[::-1, :, 7])
    assert sagittal.plane.image_position_patient == (7.5, -10, 109)
    assert sagittal.plane.image_orientation_patient == (0, 1, 0, 0, 0, -1)
    assert sagittal.plane.pixel_spacing == (3, 0.75)
    coronal = await load(remote, "#y-5")
    assert_array_equal(coronal.pixels, voxels[::-1, 5])
    assert coronal.plane.image_position_patient == (4, -6.25, 109)
    planes = [(await load(remote, f"#{axis}-2")).plane for axis in "xyz"]
    assert len({plane.frame_of_reference_uid for plane in planes}) == 1


@pytest.mark.parametrize(
    ("units", "factor", "text"),
    [
        (dict.fromkeys("zyx", "micrometer"), 1e-3, None),
        (dict.fromkeys("zyx", "nanometer"), 1e-6, None),
        (dict.fromkeys("zyx", "meter"), 1e3, None),
        ({}, 1, "axis x has no unit; millimeter is assumed"),
        (dict.fromkeys("zyx", "parsec"), None, "no place is known: axis x has the unit 'parsec'"),
    ],
)
async def test_units(remote, folder, units, factor, text):
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), units)
    found = await load(remote, "?frame=3")
    if factor is None:
        assert found.plane.pixel_spacing is None
    else:
        assert_allclose(found.plane.pixel_spacing, (0.75 * factor, 0.5 * factor))
        assert_allclose(found.plane.image_position_patient, np.multiply((4, -10, 106), factor))
    assert (text in found.warnings) == (text is not None)


@pytest.mark.parametrize("unit", ["micrometers", "Micrometre", "micron", "um", "µm", "μm"])
async def test_units_of_any_spelling(remote, folder, unit):
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), dict.fromkeys("zyx", unit))
    found = await load(remote, "?frame=3")
    assert_allclose(found.plane.pixel_spacing, (0.75e-3, 0.5e-3))
    assert found.warnings == ()


@pytest.mark.parametrize("scale", [[0, 1, 1], [0, 0, 0], [1, np.nan, 1], [1, 1, np.inf]])
async def test_unusable_place_refuses_no_picture(remote, folder, scale):
    multiscale = {"coordinateTransformations": [{"type": "scale", "scale": scale}]}
    voxels = image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    found = await load(remote, "?frame=3")
    assert_array_equal(found.pixels, voxels[2])
    assert found.plane.pixel_spacing is None
    assert any("no place is known" in warning for warning in found.warnings)


@pytest.mark.parametrize("version", [2, 3])
async def test_window_of_a_channel(remote, folder, version):
    channels = [{"window": {"start": 0, "end": 1}},
                {"window": {"start": 100, "end": 300, "min": 0, "max": 4095}}]  # fmt: skip
    image(folder.root, version, tuple("cyx"), (2, 12, 10), omero={"channels": channels})
    lut = (await load(remote, "?channel=1")).voi_lut
    assert (lut.window_center, lut.window_width) == ((200,), (200,))
    assert lut.voi_lut_function == "LINEAR_EXACT"


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.0, 0.5), (0.25, 0.75), (-2.0, 1e-3)])
async def test_window_goes_from_its_start_to_its_end(remote, folder, start, end):
    """As napari takes it for the limits of contrast."""
    omero = {"channels": [{"window": {"start": start, "end": end, "min": -9, "max": 9}}]}
    image(folder.root, 2, tuple("yx"), (4, 5), levels=1, omero=omero)
    values = np.linspace(-1, 1, 20, dtype="f4").reshape(4, 5)
    write(folder.root / "0", values, chunks=(4, 5), zarr_format=2)
    expected = np.rint(np.clip((values - start) / (end - start), 0, 1) * 255)
    assert_allclose(display(await load(remote)), expected, atol=1)


@pytest.mark.parametrize("start", [10**400, "a", None, "nan", [1]])
async def test_window_that_is_none(remote, folder, start):
    omero = {"channels": [{"window": {"start": start, "end": 10**401}}]}
    image(folder.root, 2, tuple("yx"), (12, 10), omero=omero)
    assert (await load(remote)).voi_lut.window_center == ()


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("?level=2", "asks for level '2'; there are 2, 0 to 1"),
        ("?level=-1", "asks for level '-1'"),
        ("?level=x", "asks for level 'x'"),
        ("?channel=2", "asks for channel '2'; there are 2, 0 to 1"),
        ("?frame=5", "asks for frame 5; there are 4"),
        ("#x-10", "asks for x slice 10; there are 10"),
        ("#x-1,t-1", "asks for timepoint 1; there are 1"),
    ],
)
async def test_what_is_not_there(remote, folder, rest, text):
    image(folder.root, 3, ("c", "z", "y", "x"), (2, 4, 12, 10))
    with pytest.raises(ImageIdError, match=text):
        await load(remote, rest)


async def test_axes_that_make_no_slices(remote, folder):
    write(folder.root, np.zeros(5), chunks=(2,))
    with pytest.raises(UnsupportedError, match=r"has axes \{'\?': 5\}; expected y and x"):
        await load(remote)


async def test_further_axes_have_one_place(remote, folder):
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10))
    text = (folder.root / "zarr.json").read_text().replace('"name": "z"', '"name": "phase"')
    (folder.root / "zarr.json").write_text(text)
    with pytest.raises(UnsupportedError, match=r"has axes \{'phase': 4, 'y': 12, 'x': 10\}"):
        await load(remote)
