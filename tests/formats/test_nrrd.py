"""``nrrd:`` held against SimpleITK, which reads NRRD with code of its own (Teem)."""

from __future__ import annotations

import bz2
import gzip
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import Context, list_image_ids, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.errors import FormatError, HttpStatusError, ImageIdError, UnsupportedError
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport
from tests.support.nrrd_builders import nrrd
from tests.support.slices import SHAPE, check_all_directions, local, numbered, oblique, written

__all__ = ["local"]

URL = "https://host/folder/a.nrrd"
VOXELS = numbered()
TYPES = {
    "u1": "unsigned char",
    "i1": "int8_t",
    "u2": "ushort",
    "i2": "short",
    "u4": "uint32",
    "i4": "signed int",
    "u8": "unsigned long long int",
    "i8": "int64",
    "f4": "float",
    "f8": "double",
}


def fresh(context: Context) -> Context:
    """Return a context that has kept nothing."""
    return replace(context, cache=Cache(1 << 20))


def serve(transport: MemoryTransport, file: bytes) -> str:
    """Serve a file and return its source."""
    transport.answers[URL] = file
    return f"nrrd:{URL}"


async def load(
    context: Context, transport: MemoryTransport, file: bytes, part: str = "?frame=1"
) -> np.ndarray:
    """Serve a file and return the pixels of a slice."""
    transport.answers[URL] = file
    return (await load_image(f"nrrd:{URL}{part}", context)).pixels


# ------------------------------------------------------------------ as SimpleITK writes and reads


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_places_of_all_directions(local, tmp_path, is_compressed):
    image = oblique(VOXELS)
    path = written(image, tmp_path / "a.nrrd", useCompression=is_compressed)
    await check_all_directions(f"nrrd:{path}", local, VOXELS, image)


async def test_header_with_its_data_beside(local, tmp_path):
    image = oblique(VOXELS)
    path = written(image, tmp_path / "a.nhdr")
    assert (tmp_path / "a.raw").exists()
    await check_all_directions(f"nrrd:{path}", local, VOXELS, image)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("endian", ["little", "big"])
async def test_types_and_byte_orders(context, transport, tmp_path, dtype, endian):
    voxels = (numbered("i4") * 3 - (dtype[0] != "u") * 50).astype(dtype)
    order = "<" if endian == "little" else ">"
    file = nrrd(voxels.astype(order + dtype).tobytes(), type=TYPES[dtype], endian=endian)
    (tmp_path / "a.nrrd").write_bytes(file)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd")))
    pixels = await load(context, transport, file, "?frame=2")
    assert pixels.dtype.newbyteorder("=") == expected.dtype
    assert_array_equal(pixels, expected[1])


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz", "bzip2", "bz2", "ascii", "text"])
async def test_encodings(context, transport, encoding):
    pack = {"g": gzip.compress, "b": bz2.compress, "r": bytes}.get(encoding[0])
    text = " ".join(map(str, VOXELS.ravel())).replace(" 7 ", ",\n7, ").encode()
    file = nrrd(pack(VOXELS.tobytes()) if pack else text, encoding=encoding)
    assert_array_equal(await load(context, transport, file, "?frame=4"), VOXELS[3])


@pytest.mark.parametrize("skip", [("line skip: 2", "byte skip: 3"), ("byteskip: -1",)])
async def test_what_stands_before_the_elements_is_skipped(context, transport, skip):
    junk = b"one\ntwo\nabc" if len(skip) == 2 else b"of any length"
    file = nrrd(junk + VOXELS.tobytes(), *skip)
    assert_array_equal(await load(context, transport, file), VOXELS[0])


async def test_bytes_are_skipped_within_what_is_compressed(context, transport):
    file = nrrd(b"\n" + gzip.compress(b"abc" + VOXELS.tobytes()), "line skip: 1", "byte skip: 3",
                encoding="gzip")  # fmt: skip
    assert_array_equal(await load(context, transport, file), VOXELS[0])


async def test_members_of_gzip_follow_each_other(context, transport):
    halves = [gzip.compress(half.tobytes()) for half in (VOXELS[:1], VOXELS[1:])]
    file = nrrd(b"".join(halves) + bytes(512), encoding="gzip")
    assert_array_equal(await load(context, transport, file, "?frame=4"), VOXELS[3])


# ------------------------------------------------------------------ space


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


# ------------------------------------------------------------------ axes


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


# ------------------------------------------------------------------ spellings that teem takes


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.replace(b"NRRD0005", b"NRRD00.01"),
        lambda file: file.replace(b"NRRD0005", b"NRRD0001"),
        lambda file: file.replace(b"type:", b"k:=1\nk:=2\ntype:"),
        lambda file: file.replace(b"type:", b"type:=ct\nsizes:=9 9\ntype:"),
        lambda file: file.replace(b"type:", b"# type: float\ntype:"),
        lambda file: file.replace(b"type: short", b"TYPE: Short").replace(b"sizes", b"Sizes"),
        lambda file: file.replace(b"type: short", b"type: signed short int"),
        lambda file: file.replace(b"encoding: raw", b"Encoding: RAW"),
        lambda file: file.replace(b"endian: little", b"ENDIAN: Little"),
        lambda file: file[:-280].replace(b"\n", b"\r\n") + file[-280:],
        lambda file: file.replace(b"type:", b"min: 0\nold max: 9\nnumber: 140\ntype:"),
        lambda file: file.replace(b" 5 4\n", b' 5 4\nlabels: "Wei\xdf" "a b" "c"\n'),
        lambda file: file.replace(b" 5 4\n", b" 5 4\nspace: LPS\nspace origin: ( 1, 2, 3 )\nspace "
                                  b"directions: ( 1 , 0 , 0 )(0,2,0)(0,0,3)\n"),
        lambda file: file.replace(b"sizes:", b"space dimension: 3\nspace directions: none none none"
                                  b"\nsizes:"),
    ],
)  # fmt: skip
async def test_headers_of_other_spellings(context, transport, tmp_path, change):
    file = change(nrrd(VOXELS.tobytes()))
    (tmp_path / "a.nrrd").write_bytes(file)
    reference = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    assert_array_equal(sitk.GetArrayFromImage(reference), VOXELS)
    transport.answers[URL] = file
    image = await load_image(f"nrrd:{URL}?frame=3", context)
    assert_array_equal(image.pixels, VOXELS[2])
    assert image.plane.pixel_spacing in (None, reference.GetSpacing()[1::-1])


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("write", [
    lambda body: body.hex(), lambda body: body.hex().upper(), lambda body: body.hex(" ", 7),
    lambda body: "\r\n".join(textwrap.wrap(body.hex(), 71)) + "\n",
    lambda body: body.hex() + "0a\n",
])  # fmt: skip
async def test_bytes_that_are_written_out(context, transport, tmp_path, endian, write):
    stored = VOXELS.astype(">i2" if endian == "big" else "<i2").tobytes()
    file = nrrd(b"a line\n..", "line skip: 1", "byte skip: 2", encoding="hex", endian=endian)
    file += write(stored).encode()
    (tmp_path / "a.nrrd").write_bytes(file)
    assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))), VOXELS)
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])


async def test_whole_numbers_may_be_written_as_decimals(context, transport, tmp_path):
    text = " ".join(f"{value}.0" for value in VOXELS.ravel()).encode()
    file = nrrd(text, encoding="text")
    (tmp_path / "a.nrrd").write_bytes(file)
    assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))), VOXELS)
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])
    for wrong in (b"1.5 ", b"nan ", b"inf ", b"1e300 "):
        with pytest.raises(FormatError, match="something other than numbers"):
            await load_image(serve(transport, nrrd(wrong * 140, encoding="text")), fresh(context))


# ------------------------------------------------------------------ files beside the header

FILES = {"s/1.raw": VOXELS[:2], "s/2.raw": VOXELS[2:]}


@pytest.mark.parametrize(
    "entry",
    ["data file: LIST\ns/1.raw\ns/2.raw\n", "data file: LIST 3\ns/1.raw\ns\\2.raw",
     "data file: s/%d.raw 1 2 1", "datafile: ./s/%01d.raw 1 2 1 3"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
async def test_several_files(context, transport, entry, encoding):
    pack = gzip.compress if encoding == "gzip" else bytes
    for name, part in FILES.items():
        transport.answers[f"https://host/folder/{name}"] = pack(part.tobytes())
    file = nrrd(b"", entry, encoding=encoding).rstrip(b"\n")
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])
    transport.answers[URL] = file
    assert_array_equal((await load_image(f"nrrd:{URL}?frame=2", context)).pixels, VOXELS[1])


@pytest.mark.parametrize(
    "name",
    ["../b.raw", "/b.raw", "https://other/b.raw", "//other/b.raw", "s/../../b.raw", "..\\b.raw",
     "%2e%2e/b.raw", "s/%2E./b.raw", "C:\\b.raw", "s//b.raw"],
)  # fmt: skip
async def test_file_elsewhere_is_not_fetched(context, transport, name):
    with pytest.raises(FormatError, match="expected in the folder of its header or below"):
        await load(context, transport, nrrd(b"", f"data file: {name}"))
    assert [request.url for request in transport.requests] == [URL]


async def test_file_of_the_user_has_no_folder(context, transport):
    transport.answers["dicomfile:0"] = nrrd(b"", "data file: a.raw")
    with pytest.raises(FormatError, match=r"names the file 'a\.raw' beside it, but"):
        await load_image("nrrd:dicomfile:0", context)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("data file: LIST", "names no files by 'LIST'"),
        ("data file: s%d.raw 1 999999999 1", "names too many files"),
        ("data file: s%d.raw 2 1 1", "names no files"),
        ("data file: s%d.raw 1 3 1", r"names 3 files, which cannot be equal parts of \(7, 5, 4\)"),
    ],
)
async def test_lists_that_do_not_fit(context, transport, entry, text):
    for number in (1, 2, 3):
        transport.answers[f"https://host/folder/s{number}.raw"] = b""
    with pytest.raises(FormatError, match=text):
        await load(context, transport, nrrd(b"", entry))


async def test_data_file_that_is_not_there(context, transport):
    gone = "https://host/folder/a.raw"
    transport.answers[gone] = Response(gone, 404, {}, b"")
    with pytest.raises(HttpStatusError, match=r"a\.raw answered with status 404"):
        await load(context, transport, nrrd(b"", "data file: a.raw"))


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (b"", "is not a readable NRRD file"),
        (b"<html>", "Invalid NRRD magic line"),
        (b"NRRD0009\n\n", "Unsupported NRRD file version"),
        (nrrd(b"", sizes="7 5 x"), "could not convert"),
        (nrrd(b"", "sizes: 1 2 3"), "Duplicate header field: '?sizes"),
        (nrrd(b"", type="complex"), "is not a readable NRRD file"),
        (nrrd(b"", endian=""), "endian"),
        (nrrd(b"", sizes="7 0 4"), r"shape \(7, 0, 4\); expected each length to be 1 or more"),
        (nrrd(b"", sizes="7 -5 4"), "expected each length to be 1 or more"),
        (nrrd(VOXELS.tobytes()).replace(b"dimension: 3", b"dimension: 2"), "has 2 dimensions, but"),
        (nrrd(VOXELS.tobytes(), "kinds: domain"), "has 3 axes, but 1 kinds"),
        (nrrd(VOXELS.tobytes()[:-1]), r"279 bytes of pixels, expected 280 \(140 of int16\)"),
        (nrrd(VOXELS.tobytes(), "byte skip: 1"), "279 bytes of pixels, expected 280"),
        (nrrd(b"", "byte skip: -1"), "is cut off: 0 bytes of pixels, expected 280"),
        (nrrd(b"", "line skip: 9999999999"), "0 bytes of pixels, expected 280"),
        (nrrd(b"1 2 3", encoding="text"), "has 3 numbers written out, expected 140"),
        (nrrd(b"1 " * 139 + b"99999", encoding="text"), "numbers .* that do not fit int16"),
        (nrrd(b"1 " * 139 + b"x", encoding="text"), "something other than numbers"),
        (nrrd(gzip.compress(VOXELS.tobytes())[:-9], encoding="gzip"), "280; it is cut off"),
        (nrrd(gzip.compress(bytes(279)), encoding="gzip"), "279 bytes, expected 280"),
        (nrrd(gzip.compress(bytes(281)), encoding="gzip"), "more than 280 bytes, expected 280"),
        (nrrd(b"not gzip", encoding="gzip"), "is damaged: Error -3"),
        (nrrd(bz2.compress(bytes(100)), encoding="bz2"), "100 bytes, expected 280"),
        (nrrd(b"not bzip2", encoding="bz2"), "is damaged: Invalid data stream"),
        (nrrd(b"", "byte skip: -1", encoding="gzip"), "skips -1 bytes of gzip"),
        (nrrd(VOXELS.tobytes().hex().encode()[:-2], encoding="hex"), "279 bytes of pixels"),
        (nrrd(b"0x" + VOXELS.tobytes().hex().encode(), encoding="hex"), "than hexadecimal digits"),
    ],
)  # fmt: skip
async def test_damaged_files(context, transport, file, text):
    with pytest.raises(FormatError, match=text) as caught:
        await load(context, transport, file)
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": "block"}, "'block' are not numbers"),
        ({"encoding": "zrl"}, "encoding 'zrl'; known are raw, ascii, hex"),
    ],
)
async def test_what_is_not_supported_is_named(context, transport, changes, text):
    with pytest.raises(UnsupportedError, match=text):
        await load(context, transport, nrrd(VOXELS.tobytes(), **changes))


async def test_gzip_bomb_is_met_before_it_is_inflated(context, transport):
    small = replace(context, decoded_bytes=1 << 20)
    bomb = gzip.compress(bytes(4 << 20))
    with pytest.raises(FormatError, match="needs 4194304 bytes in memory, more than the 1048576"):
        await load(small, transport, nrrd(bomb, sizes="1024 1024 2", encoding="gzip"))
    with pytest.raises(FormatError, match="more than 280 bytes, expected 280"):
        await load(small, transport, nrrd(bomb, encoding="gzip"))
    with pytest.raises(FormatError, match="needs 9000000280 bytes"):
        await load(small, transport, nrrd(bomb, "byte skip: 9000000000", encoding="gzip"))


async def test_slice_that_is_not_there(context, transport):
    with pytest.raises(ImageIdError, match="asks for frame 5; there are 4, 1 to 4"):
        await load(context, transport, nrrd(VOXELS.tobytes()), "?frame=5")


async def test_file_is_fetched_once_and_described_without_its_pixels(context, transport):
    transport.answers[URL] = nrrd(VOXELS.tobytes(), "spacings: 1 2 3")
    image_ids = await list_image_ids(f"nrrd:{URL}", context)
    assert image_ids == [f"nrrd:{URL}?frame={number}" for number in range(1, 1 + SHAPE[0])]
    for image_id, slice_ in zip(image_ids, VOXELS, strict=True):
        assert_array_equal((await load_image(image_id, context)).pixels, slice_)
        assert (await load_metadata(image_id, context))["image_plane"].pixel_spacing == (2, 1)
    assert len(transport.requests) == 1


def test_example_stays_short():
    source = Path(__file__).parents[2] / "pyloader/formats/nrrd/__init__.py"
    assert len(source.read_text().splitlines()) < 100
