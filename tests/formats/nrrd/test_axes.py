"""Axes in any order: places, units, colours, times and components."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import FormatError, UnsupportedError
from tests.support.nrrd_builders import URL, VOXELS, fresh, load, nrrd, serve
from tests.support.slices import check_all_directions, numbered, oblique, written


def affine_of(image: sitk.Image) -> np.ndarray:
    """Return the affine of an image of SimpleITK."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return affine


@pytest.mark.parametrize(
    "space",
    ["left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "RAS", "LPS",
     "Left-Anterior-Superior", "scanner-xyz", "3D-right-handed"],
)  # fmt: skip
async def test_spaces(context, transport, tmp_path, space):
    file = nrrd(
        VOXELS.tobytes(),
        f"space: {space}",
        "space directions: (0, 2, 0) (0,0,-3) (4,0.5,0)",
        "space origin: (10,-20,30)",
        "kinds: space space space",
    )
    (tmp_path / "a.nrrd").write_bytes(file.replace(b"(0, 2, 0)", b"(0,2,0)"))
    reference = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    transport.answers[URL] = file
    await check_all_directions(f"nrrd:{URL}", context, VOXELS, reference)
    image = await load_image(f"nrrd:{URL}#z", context)
    is_known = space not in ("scanner-xyz", "3D-right-handed")
    assert any("is assumed to be LPS" in warning for warning in image.warnings) != is_known


async def test_origin_that_is_not_said_is_a_warning(context, transport):
    transport.answers[URL] = nrrd(
        VOXELS.tobytes(), "space: LPS", "space directions: (1,0,0) (0,1,0) (0,0,2)"
    )
    image = await load_image(f"nrrd:{URL}?frame=2", context)
    assert image.plane.image_position_patient == (0, 0, 2)
    assert image.warnings == ("the space has no origin; the first voxel is assumed to be at 0",)


async def test_units_become_millimetres(context, transport):
    transport.answers[URL] = nrrd(
        VOXELS.tobytes(), "space: LPS", "space directions: (500,0,0) (0,250,0) (0,0,0.1)",
        "space origin: (1000,0,2)", 'space units: "µm" "um" "cm"',
    )  # fmt: skip
    plane = (await load_image(f"nrrd:{URL}?frame=2", context)).plane
    assert_allclose(plane.pixel_spacing, (0.25, 0.5))
    assert_allclose(plane.image_position_patient, (1, 0, 21))


async def test_units_that_are_no_lengths_leave_no_place(context, transport):
    transport.answers[URL] = nrrd(
        VOXELS.tobytes(), "space: LPS", "space directions: (1,0,0) (0,1,0) (0,0,2)",
        'space units: "s" "mm" "mm"',
    )  # fmt: skip
    image = await load_image(f"nrrd:{URL}", context)
    assert image.plane.pixel_spacing is None
    assert "no place is known: the space has the units ['s', 'mm', 'mm']" in image.warnings


UNUSABLE = [
    "space directions: (1,0,0) (1,0,0) (0,0,1)",
    "space directions: (1,0,0) (0,0,0) (0,0,1)",
    "space directions: (1,0,0) (0,1,0) (0,0,nan)",
    "space directions: (1,0,0) (0,inf,0) (0,0,1)",
    "space directions: (1,0,0) (0,1,0)",
    "space directions: (1,0,0) (0,1) (0,0,1)",
    "space directions: nothing of the kind",
    "space origin: (1,2)\nspace directions: (1,0,0) (0,1,0) (0,0,1)",
    "space origin: (1,2,nan)\nspace directions: (1,0,0) (0,1,0) (0,0,1)",
    "spacings: 1 0 1",
    "spacings: 1 -2 inf",
    "spacings: 1 1 x",
    'spacings: 1 1 1\nunits: "s" "mm" "mm"',
]


@pytest.mark.parametrize("fields", UNUSABLE)
async def test_unusable_place_refuses_no_picture(context, transport, fields):
    space = [] if fields.startswith("spacings") else ["space: LPS"]
    transport.answers[URL] = nrrd(VOXELS.tobytes(), *space, fields, "kinds: domain domain domain")
    assert len(await list_image_ids(f"nrrd:{URL}", context)) == 4
    image = await load_image(f"nrrd:{URL}?frame=3", context)
    assert_array_equal(image.pixels, VOXELS[2])
    assert image.plane.pixel_spacing is None
    assert image.plane.image_position_patient is None
    assert any("no place is known" in warning for warning in image.warnings)


@pytest.mark.parametrize("unit", ["microns", "Micrometer", "micrometres", "um", "µm", "μm"])
@pytest.mark.parametrize("is_space", [True, False])
async def test_units_of_any_spelling(context, transport, unit, is_space):
    fields = (
        ["space: LPS", "space directions: (800,0,0) (0,500,0) (0,0,2000)", "space origin: (0,0,0)",
         f'space units: "{unit}" "{unit}" "{unit}"']
        if is_space else ["spacings: 800 500 2000", f'units: "{unit}" "{unit}" "{unit}"']
    )  # fmt: skip
    transport.answers[URL] = nrrd(VOXELS.tobytes(), *fields)
    plane = (await load_image(f"nrrd:{URL}", context)).plane
    assert_allclose(plane.pixel_spacing, (0.5, 0.8))
    assert_allclose(plane.spacing_between_slices, 2)


async def test_spacings_without_a_space(context, transport, tmp_path):
    file = nrrd(VOXELS.tobytes(), "spacings: 0.5 0.75 3", 'units: "mm" "mm" "mm"')
    (tmp_path / "a.nrrd").write_bytes(file)
    reference = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    transport.answers[URL] = file
    await check_all_directions(f"nrrd:{URL}", context, VOXELS, reference)


@pytest.mark.parametrize("fields", [(), ("spacings: 1 1 nan",), ("spacings: 1 0 1",)])
async def test_no_place_is_invented(context, transport, fields):
    transport.answers[URL] = nrrd(VOXELS.tobytes(), *fields)
    assert (await load_image(f"nrrd:{URL}", context)).plane.pixel_spacing is None


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["RGB-color", "3-color", "vector", "RGBA-color", "4-color"])
async def test_colors_stand_at_either_end(context, transport, first, kind):
    samples = 4 if "4" in kind or "A-" in kind else 3
    color = numbered("u1", (2, 5, 7, samples))
    stored = color if first else np.moveaxis(color, -1, 0)
    sizes = f"{samples} 7 5 2" if first else f"7 5 2 {samples}"
    kinds = [kind, "domain", "domain", "domain"] if first else ["domain"] * 3 + [kind]
    file = nrrd(stored.tobytes(), f"kinds: {' '.join(kinds)}", type="uchar", sizes=sizes)
    assert_array_equal(await load(context, transport, file, "?frame=2"), color[1])


async def test_color_that_simpleitk_writes(local, tmp_path):
    color = numbered("u1", (4, 5, 7, 3))
    path = written(oblique(color, is_vector=True), tmp_path / "a.nrrd")
    image = await load_image(f"nrrd:{path}#z-2", local)
    assert image.pixel.photometric_interpretation == "RGB"
    assert_array_equal(np.sort(image.pixels, axis=None), np.sort(color[2], axis=None))


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("kind", ["list", "vector", "time", "???"])
async def test_lists_become_timepoints_wherever_they_stand(context, transport, place, kind):
    voxels = numbered("i2", (6, 4, 5, 7))
    sizes, kinds = [7, 5, 4], ["domain"] * 3
    directions = ["(1,0,0)", "(0,1,0)", "(0,0,2)"]
    for axes, each in ((sizes, 6), (kinds, kind), (directions, "none")):
        axes.insert(place, each)
    stored = np.moveaxis(voxels, 0, 3 - place)
    transport.answers[URL] = nrrd(
        stored.tobytes(),
        "space: LPS",
        f"kinds: {' '.join(kinds)}",
        f"space directions: {' '.join(directions)}",
        "space origin: (1,2,3)",
        sizes=" ".join(map(str, sizes)),
    )
    assert len(await list_image_ids(f"nrrd:{URL}", context)) == 24
    image = await load_image(f"nrrd:{URL}?frame=11", context)
    assert_array_equal(image.pixels, voxels[2, 2])
    assert image.plane.image_position_patient == (1, 2, 7)
    assert_array_equal((await load_image(f"nrrd:{URL}#x-3,t-5", context)).pixels.T[:, ::-1],
                       voxels[5, :, :, 3].T)  # fmt: skip


async def test_of_two_lists_the_first_is_the_fastest(context, transport):
    voxels = numbered("i2", (3, 4, 5, 7, 2))
    transport.answers[URL] = nrrd(
        voxels.tobytes(), "kinds: list domain domain domain time", sizes="2 7 5 4 3"
    )
    image = await load_image(f"nrrd:{URL}#z-1,t-3", context)
    assert_array_equal(image.pixels, voxels[1, 1, :, :, 1])


async def test_four_dimensions_of_simpleitk(local, tmp_path):
    voxels = numbered("i2", (3, 4, 5, 7))
    path = written(sitk.GetImageFromArray(voxels, isVector=False), tmp_path / "a.nrrd")
    assert_array_equal((await load_image(f"nrrd:{path}?frame=6", local)).pixels, voxels[1, 1])


async def test_two_dimensions(local, tmp_path):
    image = sitk.GetImageFromArray(VOXELS[0])
    image.SetSpacing((0.5, 2))
    image.SetDirection((0, 1, -1, 0))
    image.SetOrigin((3, 4))
    path = written(image, tmp_path / "a.nrrd")
    found = await load_image(f"nrrd:{path}", local)
    stored = await load_image(f"nrrd:{path}?frame=1", local)
    assert_array_equal(stored.pixels, VOXELS[0])
    assert_allclose(stored.plane.image_position_patient, (3, 4, 0))
    assert_allclose(stored.plane.image_orientation_patient, (0, -1, 0, 1, 0, 0))
    assert_allclose(stored.plane.pixel_spacing, (2, 0.5))
    assert found.pixels.shape == (7, 5)


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ("complex domain domain", "an axis of kind 'complex', with 7 int16 each"),
        ("3D-symmetric-matrix domain domain", "kind '3D-symmetric-matrix'"),
        ("HSV-color domain domain", "kind 'HSV-color'.*known are .*rgb-color"),
        ("RGB-color domain domain", "kind 'RGB-color', with 7 int16"),
        ("list list domain", "axes of time, time, space"),
    ],
)
async def test_axes_that_make_no_picture_are_refused_by_name(context, transport, kinds, text):
    with pytest.raises(UnsupportedError, match=text):
        await load(context, transport, nrrd(VOXELS.tobytes(), f"kinds: {kinds}"))


async def test_signed_colors_are_refused(context, transport):
    file = nrrd(bytes(2 * 3 * 35), "kinds: RGB-color domain domain", sizes="3 7 5")
    with pytest.raises(UnsupportedError, match=r"with 3 int16 each.* unsigned integers"):
        await load(context, transport, file)


@pytest.mark.parametrize("samples", [3, 4])
async def test_colors_of_floats(context, transport, samples):
    color = np.linspace(0, 1, 4 * 35 * samples, dtype="f4").reshape(4, 5, 7, samples)
    kind = "RGB-color" if samples == 3 else "RGBA-color"
    kinds = f"kinds: {kind} domain domain domain"
    file = nrrd(color.tobytes(), kinds, sizes=f"{samples} 7 5 4", type="float")
    assert_array_equal(await load(context, transport, file, "?frame=2"), color[1])
    with pytest.raises(FormatError, match="colour of floats is from 0 to 1"):
        await load_image(
            serve(
                transport,
                nrrd((color * 9).tobytes(), kinds, sizes=f"{samples} 7 5 4", type="float"),
            )
            + "?frame=4",
            fresh(context),
        )


# Kind of a first axis of 2, 3, 6 numbers; what a slice of it is called by, see PS3.3 C.7.6.16.2.2.
COMPONENTS = [("vector", 3), ("list", 6), ("2-vector", 2), ("3D-symmetric-matrix", 6),
              ("quaternion", 4), ("???", 2), ("point", 3)]  # fmt: skip


@pytest.mark.parametrize(("kind", "count"), COMPONENTS)
async def test_components_are_stacks_and_no_times(context, transport, kind, count):
    voxels = numbered("i2", (4, 5, 7, count))
    none = "none (1,0,0) (0,1,0) (0,0,2)"
    transport.answers[URL] = nrrd(
        *(voxels.tobytes(), "space: LPS", f"space directions: {none}", "space origin: (0,0,0)"),
        f"kinds: {kind} domain domain domain",
        sizes=f"{count} 7 5 4",
    )
    image_ids = await list_image_ids(f"nrrd:{URL}", context)
    assert len(image_ids) == 4 * count
    image = await load_image(image_ids[5], context)
    assert_array_equal(image.pixels, voxels[1, :, :, 1])
    assert image.modules["frame_content"] == {"stack_id": "2", "in_stack_position_number": 2}


@pytest.mark.parametrize(
    "fields",
    [
        ["kinds: domain domain domain time"],
        ["kinds: space space space domain"],
        ["kinds: domain domain domain ???", "space: LPS", "space origin: (0,0,0)",
         "space directions: (1,0,0) (0,1,0) (0,0,2) none"],
        ["space: left-posterior-superior-time", "space origin: (0,0,0,0)",
         "space directions: (1,0,0,0) (0,1,0,0) (0,0,2,0) (0,0,0,3)"],
        [],
    ],
)  # fmt: skip
async def test_times_are_temporal_positions(context, transport, fields):
    voxels = numbered("i2", (3, 4, 5, 7))
    transport.answers[URL] = nrrd(voxels.tobytes(), *fields, sizes="7 5 4 3")
    image = await load_image(f"nrrd:{URL}?frame=6", context)
    assert_array_equal(image.pixels, voxels[1, 1])
    content = (await load_metadata(f"nrrd:{URL}?frame=6", context))["frame_content"]
    assert content == image.modules["frame_content"]
    assert content == {
        "temporal_position_identifier": 2,
        "temporal_position_index": 2,
        "number_of_temporal_positions": 3,
    }


async def test_times_of_components_have_both(context, transport):
    voxels = numbered("i2", (3, 4, 5, 7, 2))
    kinds = "kinds: list domain domain domain time"
    transport.answers[URL] = nrrd(voxels.tobytes(), kinds, sizes="2 7 5 4 3")
    content = (await load_image(f"nrrd:{URL}#z-1,t-3", context)).modules["frame_content"]
    assert content["stack_id"] == "2"
    assert content["temporal_position_identifier"] == 2
    assert content["number_of_temporal_positions"] == 3


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
async def test_complex_numbers_are_shown_by_their_magnitude(context, transport, dtype):
    parts = numbered(dtype, (4, 5, 7, 2))
    name = {"f4": "float", "f8": "double", "i2": "short"}[dtype]
    kinds = "kinds: complex domain domain domain"
    file = nrrd(parts.tobytes(), kinds, sizes="2 7 5 4", type=name)
    pixels = await load(context, transport, file, "?frame=3")
    assert_allclose(pixels, np.hypot(*np.moveaxis(parts[2].astype("f8"), -1, 0)), rtol=1e-6)


async def test_complex_numbers_of_simpleitk(local, tmp_path):
    voxels = (numbered("f4") + 1j * numbered("f4")[::-1]).astype("c8")
    path = written(sitk.GetImageFromArray(voxels), tmp_path / "a.nrrd")
    image = await load_image(f"nrrd:{path}?frame=2", local)
    assert_allclose(image.pixels, abs(voxels[1]), rtol=1e-6)
