"""``zarr:`` held against the library zarr, which writes what is read here."""

from __future__ import annotations

import asyncio
import json
import struct
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import google_crc32c
import imagecodecs
import numcodecs
import numpy as np
import pytest
import zarr
from numpy.testing import assert_allclose, assert_array_equal
from zarr import codecs

from pyloader import Context, Image, list_image_ids, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.errors import (
    FormatError,
    HttpStatusError,
    ImageIdError,
    NetworkError,
    UnsupportedError,
)
from pyloader.formats.zarr.blosc import unpack
from pyloader.formats.zarr.crc32c import crc32c
from pyloader.network import Network
from pyloader.pixels.output.voi import display
from pyloader.transport import Request, Response
from pyloader.transport.memory import MemoryTransport
from pyloader.transport.native import NativeTransport
from tests.support.slices import local
from tests.support.zarr_builders import CHUNKS, SHAPE, V2, V3, VOXELS, image, write

__all__ = ["local"]

URL = "https://host/folder/image.zarr"
# That they are in no specification is known.
pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr")


class Folder(MemoryTransport):
    """A server of one folder: what is not there is answered with 404."""

    def __init__(self, root: Path) -> None:
        super().__init__({})
        self.root = root

    async def send(self, request: Request, *rest: Any) -> Response:
        """Answer from the folder, whatever the query asks for."""
        path = self.root / request.url.partition("?")[0].removeprefix(URL).strip("/")
        found = Response(request.url, 404, {}, b"")
        self.answers = {request.url: path.read_bytes() if path.is_file() else found}
        return await super().send(request, *rest)

    @property
    def keys(self) -> list[str]:
        """What was asked for, below the URL."""
        return [request.url.removeprefix(f"{URL}/") for request in self.requests]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a server of an empty folder."""
    return Folder(tmp_path)


@pytest.fixture
def remote(folder: Folder) -> Context:
    """Return the context of loads from that server."""
    return Context(Network(folder, retries=0), Cache(1 << 24))


async def load(context: Context, rest: str = "?frame=1") -> Image:
    """Load a slice."""
    return await load_image(f"zarr:{URL}{rest}", context)


async def check_all(context: Context, source: str, voxels: np.ndarray) -> None:
    """Assert that slices in each direction are those of the voxels."""
    mark = "&" if "?" in source else "?"
    for rest, expected in (
        (f"{mark}frame=5", voxels[4]),
        ("#z-1", voxels[1]),
        ("#x-17", voxels[:, :, 17]),
        ("#y-29", voxels[:, 29]),
    ):
        image = await load_image(f"{source}{rest}", context)
        assert image.pixels.dtype == expected.dtype
        assert_array_equal(image.pixels, expected)


# ------------------------------------------------------------------ chunks


@pytest.mark.parametrize("name", V2)
async def test_arrays_of_version_2(local, tmp_path, name):
    voxels = write(tmp_path / "a.zarr", zarr_format=2, **V2[name])
    assert_array_equal(voxels, VOXELS)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize("name", V3)
async def test_arrays_of_version_3(local, tmp_path, name):
    voxels = write(tmp_path / "a.zarr", **V3[name])
    assert_array_equal(voxels, VOXELS)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "dtype", ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", ">i2", ">f4"]
)
async def test_types(local, tmp_path, version, dtype):
    if version == 3:
        dtype = dtype.removeprefix(">")
    voxels = write(tmp_path / "a.zarr", (VOXELS % 100).astype(dtype), zarr_format=version)
    image = await load_image(f"zarr:{tmp_path}/a.zarr?frame=2", local)
    assert image.pixels.dtype == (
        np.uint8 if dtype == "bool" else np.dtype(dtype).newbyteorder("=")
    )
    assert_array_equal(image.pixels, voxels[1])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["c8", "c16"])
async def test_complex_numbers_are_shown_by_their_magnitude(local, tmp_path, version, dtype):
    voxels = (VOXELS - 1j * VOXELS[::-1]).astype(dtype)
    voxels[:2, :8] = 3 - 4j
    options = {"fill_value": 3 - 4j, "config": {"write_empty_chunks": False}}
    voxels = write(tmp_path / "a.zarr", voxels, zarr_format=version, **options)
    for number in (1, 4):
        image = await load_image(f"zarr:{tmp_path}/a.zarr?frame={number}", local)
        assert_allclose(image.pixels, abs(voxels[number - 1]), rtol=1e-6)


async def test_index_of_shards_at_their_beginning(local, tmp_path):
    shards = codecs.ShardingCodec(
        chunk_shape=CHUNKS, codecs=[codecs.BytesCodec(), codecs.GzipCodec()], index_location="start"
    )
    voxels = write(tmp_path / "a.zarr", chunks=(4, 16, 32), serializer=shards, compressors=None)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize("options", [{"zarr_format": 2}, {}, {"shards": (4, 16, 32)}])
@pytest.mark.parametrize("fill", [7, -3])
async def test_chunks_that_are_not_there_are_filled(remote, folder, options, fill):
    voxels = VOXELS.copy()
    voxels[:, 8:, 16:] = fill
    options |= {"fill_value": fill, "config": {"write_empty_chunks": False}}
    voxels = write(folder.root, voxels, **options)
    await check_all(remote, f"zarr:{URL}", voxels)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf, 1.5, 0])
async def test_fill_values_of_floats(local, tmp_path, version, fill):
    voxels = np.full(SHAPE, fill, "f4")
    write(tmp_path / "a", voxels, zarr_format=version, fill_value=fill)
    files = {path.name for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert files == ({"zarr.json"} if version == 3 else {".zarray", ".zattrs"}), "no chunk"
    image = await load_image(f"zarr:{tmp_path}/a?frame=1", local)
    assert_array_equal(image.pixels, voxels[0])


@pytest.mark.parametrize(("fill", "expected"), [("0x3fc00000", 1.5), (None, 0)])
async def test_fill_values_in_other_words(remote, folder, fill, expected):
    write(folder.root, np.zeros(SHAPE, "f4"))
    change(folder.root / "zarr.json", fill_value=fill)
    assert (await load(remote)).pixels[0, 0] == expected


async def test_only_what_a_slice_touches_is_fetched_and_once(remote, folder):
    write(folder.root)
    await load(remote, "#x-20")
    asked = [key for key in folder.keys if key.startswith("c/")]
    assert sorted(asked) == [f"c/{z}/{y}/1" for z in range(3) for y in range(4)]
    await load(remote, "#x-31")
    assert [key for key in folder.keys if key.startswith("c/")] == asked
    await load(remote, "#z-0")
    assert len(folder.keys) == len(set(folder.keys))


async def test_shards_are_fetched_once(remote, folder):
    write(folder.root, shards=(4, 16, 32))
    for number in range(4):
        await load(remote, f"?frame={number + 1}")
    assert len([key for key in folder.keys if key.startswith("c/")]) == 4


async def test_neighbours_that_are_asked_for_together_share_chunks(remote, folder):
    write(folder.root)
    await asyncio.gather(*(load(remote, f"?frame={number}") for number in (1, 2)))
    assert len(folder.keys) == len(set(folder.keys))


async def test_query_goes_with_each_request_but_for_the_options(remote, folder):
    image(folder.root, 3, ("c", "z", "y", "x"), shape=(2, *SHAPE))
    await load(remote, "?token=a&level=1&channel=1&frame=2")
    assert all(key.endswith("?token=a") for key in folder.keys)
    assert len(folder.keys) > 4
    ids = await list_image_ids(f"zarr:{URL}?level=1&token=a&channel=1", remote)
    assert ids[1] == f"zarr:{URL}?level=1&token=a&channel=1&frame=2"


async def test_local_file_that_is_not_there_is_not_asked_for_again(tmp_path):
    sent = []

    class Counting(NativeTransport):
        async def send(self, request: Request, *rest: Any) -> Response:
            sent.append(request.url)
            return await super().send(request, *rest)

    context = Context(Network(Counting(), retries=2), Cache(1 << 20))
    with pytest.raises(FormatError, match="is not a readable Zarr array or group"):
        await load_image(f"zarr:{tmp_path}/a.zarr", context)
    assert len(sent) == 4


# ------------------------------------------------------------------ OME-Zarr


def change(path: Path, **values: Any) -> None:
    """Change values of a JSON file; None removes nothing."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


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
async def test_scale_that_stands_in_an_array(remote, folder, version):
    more = [{"type": "scale", "path": "numbers/scale"},
            {"type": "translation", "path": "numbers/translation"}]  # fmt: skip
    multiscale = {"coordinateTransformations": more}
    image(folder.root, version, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    for name, values in (("scale", [2.0, 4, 8]), ("translation", [1.0, 2, 3])):
        path = folder.root / "numbers" / name
        write(path, np.array(values), chunks=(3,), zarr_format=version)
    found = await load(remote, "?frame=1")
    assert found.plane.pixel_spacing == (3, 4)
    assert found.plane.image_position_patient == (35, -38, 201)


@pytest.mark.parametrize("where", [{"path": "nowhere"}, {"path": "1"}, {"path": "../out"}, {}])
async def test_scale_that_cannot_be_read_is_not_1(remote, folder, where):
    multiscale = {"coordinateTransformations": [{"type": "scale", **where}]}
    voxels = image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    found = await load(remote, "?frame=3")
    assert_array_equal(found.pixels, voxels[2])
    assert found.plane.pixel_spacing is None
    [warning] = found.warnings
    assert "a scale or translation of OME-Zarr cannot be read" in warning


async def test_transformations_of_all_levels_come_after_their_own(remote, folder):
    more = [
        {"type": "scale", "scale": [1, 2, 10]},
        {"type": "identity"},
        {"type": "translation", "translation": [0, 0, 1]},
    ]
    multiscale = {"coordinateTransformations": more}
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    plane = (await load(remote, "?frame=1")).plane
    assert plane.pixel_spacing == (1.5, 5)
    assert plane.image_position_patient == (41, -20, 100)


def rename(folder: Folder, axes: list[dict[str, str]]) -> None:
    """Describe the axes of an image otherwise."""
    document = json.loads((folder.root / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["axes"] = axes
    (folder.root / "zarr.json").write_text(json.dumps(document))


SPACE = [{"name": name, "type": "space"} for name in "zyx"]
# The first axis; what it is.
TYPED = [({"name": "c", "type": "channel"}, "c"), ({"name": "lambda", "type": "channel"}, "c"),
         ({"name": "t", "type": "channel"}, "c"), ({"name": "Channel"}, "c"), ({"name": "c"}, "c"),
         ({"name": "t", "type": "time"}, "t"), ({"name": "frame", "type": "Time"}, "t"),
         ({"name": "c", "type": "time"}, "t"), ({"name": "time"}, "t")]  # fmt: skip


@pytest.mark.parametrize(("first", "meaning"), TYPED)
async def test_type_of_an_axis_says_what_it_is(remote, folder, first, meaning):
    voxels = image(folder.root, 3, tuple("czyx"), (2, 4, 12, 10), levels=1)
    rename(folder, [first, *SPACE])
    rest = "?channel=1&frame=3" if meaning == "c" else "?frame=7"
    found = await load(remote, rest)
    assert_array_equal(found.pixels, voxels[1, 2])
    modules = await load_metadata(f"zarr:{URL}{rest}", remote)
    assert modules["frame_content"] == found.modules["frame_content"]
    time = {"temporal_position_identifier": 2, "temporal_position_index": 2,
            "number_of_temporal_positions": 2}  # fmt: skip
    channel = {"stack_id": "2", "in_stack_position_number": 3}
    assert modules["frame_content"] == (channel if meaning == "c" else time)


async def test_axes_of_space_of_any_name_are_in_order(remote, folder):
    voxels = image(folder.root, 3, tuple("zyx"), (4, 12, 10), levels=1)
    rename(folder, [{"name": name, "type": "space"} for name in ("depth", "row", "column")])
    found = await load(remote, "?frame=3")
    assert_array_equal(found.pixels, voxels[2])
    assert found.plane.pixel_spacing == (0.75, 0.5)


async def test_second_axis_of_channels_has_one_place(remote, folder):
    voxels = image(folder.root, 3, tuple("tczyx"), (1, 2, 4, 12, 10), levels=1)
    rename(folder, [{"name": name, "type": "channel"} for name in ("c", "lambda")] + SPACE)
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[0, 0, 2])


@pytest.mark.parametrize("axes", [None, ["t", "c", "z", "y", "x"]])
async def test_axes_of_older_versions(remote, folder, axes):
    voxels = image(folder.root, 2, tuple("tczyx"), (2, 3, 4, 12, 10))
    document = json.loads((folder.root / ".zattrs").read_text())
    multiscale = document["multiscales"][0]
    multiscale |= {"version": "0.3", "axes": axes}
    if axes is None:
        del multiscale["axes"]
    (folder.root / ".zattrs").write_text(json.dumps(document))
    found = await load(remote, "?channel=2&frame=7")
    assert_array_equal(found.pixels, voxels[1, 2, 2])


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


async def test_header_needs_no_chunk(remote, folder):
    image(folder.root, 3, tuple("tzyx"), (3, 4, 12, 10))
    modules = await load_metadata(f"zarr:{URL}#y-5,t-2", remote)
    assert (modules["image_pixel"].rows, modules["image_pixel"].columns) == (4, 10)
    assert not [key for key in folder.keys if "/c/" in key]
    found = await load(remote, "#y-5,t-2")
    assert modules["image_plane"] == found.plane
    assert modules["image_pixel"] == found.pixel


@pytest.mark.parametrize("version", [2, 3])
async def test_consolidated_descriptions_are_asked_for_once(remote, folder, version):
    image(folder.root, version, ("z", "y", "x"), (4, 12, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that version 3 does not say how
        zarr.consolidate_metadata(str(folder.root), zarr_format=version)
    assert_array_equal((await load(remote)).pixels.shape, (12, 10))
    asked = [key for key in folder.keys if key.rsplit("/")[-1].startswith((".z", "zarr"))]
    others = [".zarray", ".zattrs", ".zmetadata"] if version == 2 else []
    assert sorted(asked) == [*others, "zarr.json"]


async def test_array_of_xarray_names_its_axes(remote, folder):
    voxels = write(folder.root, VOXELS.reshape(1, *SHAPE), chunks=(1, *CHUNKS), zarr_format=2)
    (folder.root / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["c", "z", "y", "x"]}')
    assert_array_equal((await load(remote, "?channel=0&frame=3")).pixels, voxels[0, 2])
    with pytest.raises(ImageIdError, match="asks for channel '1'; there are 1, 0 to 0"):
        await load(remote, "?channel=1")


async def test_names_of_dimensions(remote, folder):
    voxels = write(folder.root, dimension_names=["x", "z", "y"])
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[:, 2].T)


async def test_names_that_say_nothing(remote, folder):
    voxels = write(folder.root, dimension_names=["depth", "lat", "lon"])
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[2])
    assert (await load(remote)).plane.pixel_spacing is None


# ------------------------------------------------------------------ what goes wrong


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


def altered(folder: Folder, name: str = "zarr.json", **values: Any) -> None:
    """Write an array of version 3 whose description says something else."""
    write(folder.root, compressors=None)
    change(folder.root / name, **values)


def codec(*names: str, **configuration: Any) -> list[Any]:
    """Return a list of codecs."""
    return [{"name": name, "configuration": configuration} for name in names]


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"shape": [5, 30]}, FormatError, r"has the shape \(5, 30\) in chunks \(2, 8, 16\)"),
        ({"shape": [5, 30, 0]}, FormatError, "has the shape"),
        ({"shape": [5, 30, 1.5]}, FormatError, "has the shape"),
        ({"shape": "abc"}, FormatError, "has the shape"),
        ({"shape": None}, FormatError, "has a description that cannot be read"),
        ({"codecs": []}, FormatError, "has a description that cannot be read"),
        ({"codecs": 5}, FormatError, "has a description that cannot be read"),
        ({"node_type": "thing"}, FormatError, "is a group without multiscales"),
        ({"data_type": "complex32"}, UnsupportedError, "data_type 'complex32', .*known are bool"),
        ({"data_type": "r16"}, UnsupportedError, "data_type 'r16'"),
        ({"data_type": {"name": "x"}}, UnsupportedError, "data_type {'name': 'x'}"),
        ({"chunk_grid": {"name": "irregular"}}, UnsupportedError, "chunk_grid 'irregular'"),
        ({"storage_transformers": codec("x")}, UnsupportedError, "regular, not transformed"),
        ({"codecs": codec("bytes", "numcodecs.zfpy")}, UnsupportedError, r"codecs \['bytes', 'num"),
        ({"codecs": codec("bytes", "gzip", "zstd")}, UnsupportedError, "'gzip', 'zstd'"),
        ({"codecs": codec("numcodecs.delta", "bytes")}, UnsupportedError, "codec 'numcodecs"),
        ({"codecs": codec("transpose", "bytes", order=[0, 1, 1])}, FormatError, "transposes its 3"),
        ({"codecs": codec("transpose", "bytes", order=[0, 1])}, FormatError, "transposes its 3"),
        ({"codecs": codec("sharding_indexed", "gzip")}, UnsupportedError, "sharding_indexed alone"),
        ({"codecs": codec("sharding_indexed", chunk_shape=[2, 8, 3])}, FormatError, "has shards"),
        ({"codecs": codec("sharding_indexed", chunk_shape=[2, 8, 16], codecs=codec("bytes"),
                          index_codecs=codec("bytes", "gzip"))}, UnsupportedError, "index codecs"),
        ({"fill_value": "none"}, FormatError, "has a description that cannot be read"),
        ({"fill_value": 99999}, FormatError, "has a description that cannot be read"),
    ],
)  # fmt: skip
async def test_descriptions_of_version_3(remote, folder, values, error, text):
    altered(folder, **values)
    with pytest.raises(error, match=text):
        await load(remote)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"dtype": "<c32"}, UnsupportedError, "dtype '<c32', which cannot be read"),
        ({"dtype": [["a", "<i2"]]}, UnsupportedError, "dtype .*'a'"),
        ({"dtype": "|O"}, UnsupportedError, r"dtype '\|O'"),
        ({"dtype": "nonsense"}, FormatError, "has a description that cannot be read"),
        ({"filters": [{"id": "delta"}]}, UnsupportedError, r"filters \['delta'\]"),
        ({"compressor": {"id": "bz2"}}, UnsupportedError, "compressor 'bz2', .*known are blosc"),
        ({"compressor": {}, "chunks": [2, 8]}, FormatError, "in chunks"),
        ({"chunks": [2, 8, -1]}, FormatError, "in chunks"),
    ],
)
async def test_descriptions_of_version_2(remote, folder, values, error, text):
    write(folder.root, compressors=None, zarr_format=2)
    change(folder.root / ".zarray", **values)
    with pytest.raises(error, match=text):
        await load(remote)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"version": "0.6"}, UnsupportedError, "is OME-Zarr 0.6; known are 0.1, "),
        ({"multiscales": []}, FormatError, "add the path of an image or an array within it"),
        ({"multiscales": 5}, FormatError, "has a description that cannot be read"),
        ({"multiscales": [{"datasets": []}]}, ImageIdError, "there are 0"),
        ({"multiscales": [{"datasets": [{"path": "9"}]}]}, FormatError, "an array '9' that is not"),
        ({"multiscales": [{"datasets": [{"path": "../0"}]}]}, FormatError, "in the folder of its"),
        ({"multiscales": [{"datasets": [{"path": "0"}]}]}, FormatError, "the axes .*for an array"),
    ],
)
async def test_descriptions_of_images(remote, folder, values, error, text):
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10))
    document = json.loads((folder.root / "zarr.json").read_text())
    document["attributes"]["ome"] |= values
    (folder.root / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(error, match=text):
        await load(remote)


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ([{"type": "affine"}], UnsupportedError, "a transformation 'affine'; known are"),
        ([{"type": "scale", "scale": [1, 2]}], FormatError, r"has a scale \[1, 2\] for 3 axes"),
    ],
)
async def test_transformations_that_cannot_be(remote, folder, more, error, text):
    multiscale = {"coordinateTransformations": more}
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    with pytest.raises(error, match=text):
        await load(remote)


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


async def test_nothing_there(remote, folder):
    with pytest.raises(FormatError, match="is not a readable Zarr array or group: it has no zarr"):
        await load(remote)


@pytest.mark.parametrize("name", ["zarr.json", "c/0/0/0"])
async def test_page_of_html_for_what_is_not_there(remote, folder, name):
    write(folder.root, compressors=None)
    (folder.root / name).write_bytes(b"\n<!DOCTYPE HTML><title>App</title>" + bytes(600))
    with pytest.raises(FormatError, match=f"{name}' is an HTML page; its server has to answer"):
        await load(remote)


async def test_description_that_is_no_json(remote, folder):
    (folder.root / "zarr.json").write_bytes(b"{nonsense")
    with pytest.raises(FormatError, match=r"zarr\.json' is not JSON"):
        await load(remote)


@pytest.mark.parametrize("status", [403, 500])
async def test_chunk_that_is_refused_is_no_fill_value(remote, folder, status):
    write(folder.root)
    url = f"{URL}/c/0/0/0"
    folder.answers = {url: Response(url, status, {}, b"")}
    folder.root.joinpath("c/0/0/0").unlink()

    class Refusing(Folder):
        async def send(self, request: Request, *rest: Any) -> Response:
            if request.url == url:
                return Response(url, status, {}, b"")
            return await super().send(request, *rest)

    context = Context(Network(Refusing(folder.root), retries=0), Cache(1 << 20))
    with pytest.raises(HttpStatusError, match=f"answered with status {status}"):
        await load(context)


async def test_description_that_is_hidden_is_not_there(folder):
    write(folder.root, zarr_format=2)

    class Hiding(Folder):
        async def send(self, request: Request, *rest: Any) -> Response:
            answer = await super().send(request, *rest)
            return replace(answer, status=403) if answer.status == 404 else answer

    context = Context(Network(Hiding(folder.root), retries=0), Cache(1 << 20))
    assert (await load(context)).pixels.shape == SHAPE[1:]


async def test_server_that_does_not_answer_is_no_fill_value(context):
    with pytest.raises(NetworkError, match="nothing is stored there"):
        await load(context)


@pytest.mark.parametrize(
    ("options", "damage", "text"),
    [
        ({"compressors": None}, lambda body: body[:-2], "has 510 bytes, expected 512"),
        ({"compressors": None}, lambda body: body + b"ab", "has 514 bytes, expected 512"),
        (V3["gzip"], lambda body: body[:-9], "512; it is cut off"),
        (V3["gzip"], lambda body: b"junk", "is damaged"),
        (V3["zstd"], lambda body: body[:-9], "is damaged: zstd says"),
        (V3["zstd"], lambda body: imagecodecs.zstd_encode(bytes(600)), "is damaged: zstd says"),
        (V3["zstd"], lambda body: imagecodecs.zstd_encode(bytes(500)), "has 500 bytes"),
        (V3["blosc"], lambda body: body[:-1], "is Blosc of 512 bytes in .*expected 512 bytes in"),
        (V3["blosc"], lambda body: b"", "fewer than the header of Blosc"),
        (V3["crc32c"], lambda body: bytes([body[0] ^ 1]) + body[1:], "its stored checksum is"),
        (V3["sharded"], lambda body: body[:40], "the index of shard .*has|checksum"),
        (V3["sharded"], lambda body: body[1:], "is damaged|is cut off"),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: b"\xff" + body[1:], "is LZ4 of "),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: body[:9], "is damaged: lz4 says"),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: b"", "is damaged: lz4 says"),
        ({"zarr_format": 2, **V2["zlib"]}, lambda body: body[2:], "is damaged"),
    ],
)  # fmt: skip
async def test_damaged_chunks(remote, folder, options, damage, text):
    write(folder.root, **options)
    path = folder.root / ("0.0.0" if "zarr_format" in options else "c/0/0/0")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=text) as caught:
        await load(remote)
    assert "(0, 0, 0)" in str(caught.value)


async def test_sizes_are_checked_before_memory_is_taken(remote, folder):
    small = replace(remote, decoded_bytes=2000)
    write(folder.root)
    with pytest.raises(FormatError, match="a slice of '/' needs 2460 bytes in memory"):
        await load(small)
    assert not [key for key in folder.keys if key.startswith("c/")]
    write(folder.root, chunks=(2, 30, 41))
    with pytest.raises(FormatError, match=r"chunk \(0, 0, 0\) of array '/' needs 4920 bytes"):
        await load(replace(remote, decoded_bytes=3000, cache=Cache(1 << 20)))
    write(folder.root, shards=(4, 16, 32))
    with pytest.raises(FormatError, match=r"shard \(0, 0, 0\) of array '/' needs 4096 bytes"):
        await load(replace(remote, decoded_bytes=3000, cache=Cache(1 << 20)))


async def test_array_as_large_as_the_world(remote, folder):
    altered(folder, shape=[2**60, 2**60, 2**60])
    with pytest.raises(FormatError, match=r"touches .* chunks of .*; expected 10000 at most"):
        await load(remote)
    context = replace(remote, cache=Cache(1 << 20))
    chunks = {"name": "regular", "configuration": {"chunk_shape": [2**60] * 3}}
    change(folder.root / "zarr.json", chunk_grid=chunks)
    with pytest.raises(FormatError, match="bytes in memory, more than"):
        await load(context)


# ------------------------------------------------------------------ Blosc and CRC-32C alone


@pytest.mark.parametrize("codec_name", ["lz4", "zlib", "zstd", "blosclz"])
@pytest.mark.parametrize("shuffle", [0, 1, 2])
@pytest.mark.parametrize("element", [1, 2, 3, 4, 8, 16, 17])
def test_blosc_of_any_element_and_size(codec_name, shuffle, element):
    for size in (1, 7, 127, 128, 129, 4097, 40_000):
        body = (np.arange(size * element) // 5 % 251).astype("u1").tobytes()
        for level, block in ((0, 0), (1, 1024), (5, 0)):
            packed = numcodecs.blosc.compress(
                np.frombuffer(body, f"V{element}"), codec_name.encode(), level, shuffle, block
            )
            assert unpack(bytes(packed), len(body), "it", imagecodecs) == body


def test_codecs_of_blosc_that_are_not_supported_are_named():
    packed = bytearray(numcodecs.blosc.compress(bytes(1000), b"lz4", 5, 1))
    packed[2] = packed[2] & 0x1F | 2 << 5
    expected = "it is Blosc with the codec snappy; known are lz4, zlib, zstd, blosclz"
    with pytest.raises(UnsupportedError, match=expected):
        unpack(bytes(packed), 1000, "it", imagecodecs)


def test_blosc_of_another_version_is_not_supported():
    packed = bytes([5, *numcodecs.blosc.compress(bytes(1000), b"lz4", 5, 1)[1:]])
    with pytest.raises(UnsupportedError, match="it is Blosc of version 5; known are 1 and 2"):
        unpack(packed, 1000, "it", imagecodecs)


@pytest.mark.parametrize(
    "packed",
    [b"", b"\x05abc", b"\x00a\x20\x05", b"\x00a\x20", b"\x00a\xe0\xff", b"\x00a\x3f\xff\0"],
)
def test_damaged_blosclz(packed):
    header = struct.pack("<4B3I", 2, 1, 0x10, 1, 100, 100, 24 + len(packed))
    body = header + struct.pack("<2I", 20, len(packed)) + packed
    with pytest.raises((FormatError, ValueError)):
        unpack(body, 100, "it", imagecodecs)


async def test_damaged_blosclz_is_a_format_error(remote, folder):
    write(folder.root, **V3["blosclz"])
    path = folder.root / "c/0/0/0"
    good = path.read_bytes()
    refused = 0
    for start in range(16, len(good), 3):
        path.write_bytes(good[:start] + b"\xff\xff" + good[start + 2 :])
        with suppress(FormatError):
            await load(replace(remote, cache=Cache(1 << 20)))
            refused -= 1
        refused += 1
    assert refused > 20


async def test_blosc_whose_parts_lead_elsewhere(remote, folder):
    write(folder.root, zarr_format=2, **V2["blosc-lz4-1"])
    path = folder.root / "0.0.0"
    good = path.read_bytes()
    refused = 0
    for start in range(2, 40):
        path.write_bytes(good[:start] + b"\xff\xff" + good[start + 2 :])
        with suppress(FormatError, UnsupportedError):
            await load(replace(remote, cache=Cache(1 << 20)))
            refused -= 1
        refused += 1
    assert refused > 20


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 100, 1023, 1024, 65_537])
def test_checksum(size):
    body = np.random.default_rng(size).bytes(size)
    assert crc32c(body) == google_crc32c.value(body)


def test_checksum_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
