"""``numpy:`` held against numpy itself: what `np.load` reads, and what it would do harm with."""

from __future__ import annotations

import pickle
import struct
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import Context, Image, ImageId, list_image_ids, load_image
from pyloader.errors import FormatError, ImageIdError, UnsupportedError
from pyloader.transport.memory import MemoryTransport
from pyloader.wire import wire_image
from tests.support.numpy_files import saved, saved_together
from tests.support.slices import numbered

URL = "https://host/a.npy"
VOXELS = numbered()


def zipped(**files: bytes) -> bytes:
    """Return an archive of files."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return stream.getvalue()


def header(text: str, body: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """Return a file with a header of any text."""
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text.encode() + body


def described(shape: Any, descr: str = "'<i2'", body: bytes = b"") -> bytes:
    """Return a file that declares a shape and dtype."""
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n", body)


async def load(context: Context, transport: MemoryTransport, file: bytes, rest: str = "") -> Any:
    """Serve a file and return an image."""
    transport.answers[URL] = file
    return await load_image(f"numpy:{URL}{rest}", context)


# ------------------------------------------------------------------ arrays


@pytest.mark.parametrize(
    "dtype",
    ["u1", "i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8", "<f2", ">f2", "<f4",
     ">f4", "<f8", ">f8"],
)  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
async def test_types_and_orders(context, transport, dtype, order):
    voxels = np.asarray(VOXELS.astype(dtype), order=order)
    image = await load(context, transport, saved(voxels), "?frame=3")
    assert image.pixels.dtype.kind == np.dtype(dtype).kind
    assert_array_equal(image.pixels, voxels[2])


async def test_bool_becomes_0_and_1(context, transport):
    image = await load(context, transport, saved(VOXELS % 3 == 0), "?frame=2")
    assert image.pixels.dtype == np.uint8
    assert_array_equal(image.pixels, VOXELS[1] % 3 == 0)


async def test_bool_of_a_careless_writer_becomes_0_and_1(context, transport):
    file = described((2, 2), "'|b1'", bytes([0, 1, 2, 255]))
    assert (await load(context, transport, file)).pixels.tolist() == [[0, 1], [1, 1]]


async def test_halves_reach_the_page_as_they_are(context, transport):
    values = np.array([[0.1, -65504], [np.inf, 6e-8]], "<f2")
    message = wire_image(await load(context, transport, saved(values), "?frame=1"))
    assert message["pixels"].dtype == np.float32
    assert_array_equal(message["pixels"], values.ravel().astype("f4"))


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
async def test_versions_of_the_format(context, transport, version):
    stream = BytesIO()
    np.lib.format.write_array(stream, VOXELS, version)
    image = await load(context, transport, stream.getvalue(), "?frame=2")
    assert_array_equal(image.pixels, VOXELS[1])


@pytest.mark.parametrize("dtype", ["<c8", ">c8", "<c16", ">c16"])
async def test_complex_numbers_are_shown_by_their_magnitude(context, transport, dtype):
    """As those of NIfTI are."""
    voxels = (VOXELS - 1j * VOXELS[::-1]).astype(dtype)
    image = await load(context, transport, saved(voxels), "?frame=2")
    assert image.pixels.dtype == ("f4" if "8" in dtype else "f8")
    assert_array_equal(image.pixels, abs(voxels[1]))


# ------------------------------------------------------------------ axes


async def test_axes_by_default(context, transport):
    assert_array_equal((await load(context, transport, saved(VOXELS[0]))).pixels, VOXELS[0])
    context.cache.clear()
    voxels = numbered(shape=(3, 4, 5, 7))
    image = await load(context, transport, saved(voxels), "?frame=6")
    assert_array_equal(image.pixels, voxels[1, 1])
    assert_array_equal((await load_image(f"numpy:{URL}#z-3,t-2", context)).pixels, voxels[2, 3])
    assert image.modules["frame_content"] == {
        "temporal_position_identifier": 2,
        "temporal_position_index": 2,
        "number_of_temporal_positions": 3,
    }


SIZES = {"t": 2, "z": 4, "y": 5, "x": 7, "c": 3}


@pytest.mark.parametrize(
    "axes", ["zyx", "xyz", "yxz", "tyx", "ytx", "xzyt", "tzxy", "cyx", "yxc", "xcyz", "tzyxc"]
)
async def test_axes_that_are_named(context, transport, axes):
    dtype = "u2" if "c" in axes else "i2"
    usual = [name for name in "tzyxc" if name in axes]
    voxels = numbered(dtype, tuple(SIZES[name] for name in usual))
    stored = voxels.transpose([usual.index(name) for name in axes])
    image = await load(context, transport, saved(stored), f"?axes={axes}&frame=1")
    assert_array_equal(image.pixels, voxels[(0,) * sum(name in "tz" for name in axes)])


async def test_color_of_slices(context, transport):
    voxels = numbered("u2", (4, 5, 7, 3))
    image = await load(context, transport, saved(voxels), "?axes=zyxc&frame=3")
    assert image.pixel.photometric_interpretation == "RGB"
    assert_array_equal(image.pixels, voxels[2])


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
@pytest.mark.parametrize("samples", [3, 4])
async def test_color_of_floats(context, transport, dtype, samples):
    """As `Image.from_array` takes it."""
    array = np.linspace(0, 1, 35 * samples).reshape(5, 7, samples).astype(dtype)
    image = await load(context, transport, saved(array), "?axes=yxc")
    assert_array_equal(image.pixels, Image.from_array(array).pixels)
    context.cache.clear()
    with pytest.raises(FormatError, match="colour of floats is from 0 to 1, not from 0 to 2"):
        await load(context, transport, saved(array * 2), "?axes=yxc")


async def test_three_columns_are_no_color_unless_it_is_said(context, transport):
    image = await load(context, transport, saved(numbered("u1", (4, 5, 3))), "?frame=1")
    assert image.pixels.shape == (5, 3)


async def test_list_keeps_the_options_and_the_server_sees_none(context, transport):
    url = f"{URL}?token=a%2Fb"
    transport.answers[url] = saved(numbered(shape=(2, 5, 7)))
    [first, second] = await list_image_ids(f"numpy:{URL}?axes=tyx&token=a%2Fb", context)
    assert second == f"numpy:{URL}?axes=tyx&token=a%2Fb&frame=2"
    assert ImageId.parse(second).source == f"numpy:{URL}?axes=tyx&token=a%2Fb"
    assert_array_equal((await load_image(first, context)).pixels, numbered()[0])
    assert [request.url for request in transport.requests] == [url]


@pytest.mark.parametrize("axes", ["yx", "zzyx", "zyq", "zyc", "", "zxx"])
async def test_axes_that_do_not_fit(context, transport, axes):
    with pytest.raises(ImageIdError, match=rf"the axes '{axes}' for an array of shape \(4, 5, 7\)"):
        await load(context, transport, saved(VOXELS), f"?axes={axes}")


@pytest.mark.parametrize("shape", [(), (3,), (1, 1, 1, 2, 2)])
async def test_arrays_that_are_no_slices(context, transport, shape):
    with pytest.raises(ImageIdError, match="expected a letter of 'tzyxc' for each"):
        await load(context, transport, saved(np.ones(shape)))


async def test_colors_that_are_none(context, transport):
    with pytest.raises(FormatError, match=r"the samples of a color, not .*7"):
        await load(context, transport, saved(VOXELS.astype("u1")), "?axes=zyc".replace("z", "x"))
    context.cache.clear()
    with pytest.raises(UnsupportedError, match="has colors of int16; supported are unsigned"):
        await load(context, transport, saved(VOXELS[..., :3]), "?axes=yxc")


# ------------------------------------------------------------------ archives


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
async def test_array_of_an_archive(context, transport, save):
    file = saved_together(save, image=VOXELS, mask=VOXELS > 60)
    image = await load(context, transport, file, "?array=mask&frame=2")
    assert_array_equal(image.pixels, VOXELS[1] > 60)
    assert_array_equal((await load(context, transport, file, "?array=image#z-3")).pixels, VOXELS[3])
    assert {request.url for request in transport.requests} == {URL}


async def test_only_array_of_an_archive_needs_no_name(context, transport):
    image = await load(context, transport, saved_together(mask=VOXELS))
    assert_array_equal(image.pixels, VOXELS[0])


@pytest.mark.parametrize(
    ("rest", "text"),
    [("", "names no array; there are image, mask: add"), ("?array=seg", "names 'seg'; there are")],
)
async def test_array_that_is_not_there(context, transport, rest, text):
    with pytest.raises(ImageIdError, match=text):
        await load(context, transport, saved_together(image=VOXELS, mask=VOXELS), rest)


async def test_names_that_lead_elsewhere_do_no_harm(context, transport, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere.npy"
    file = zipped(**{"../../slipped.npy": saved(VOXELS), str(elsewhere): saved(VOXELS)})
    image = await load(context, transport, file, "?array=..%2F..%2Fslipped")
    assert_array_equal(image.pixels, VOXELS[0])
    assert list(tmp_path.parent.parent.rglob("slipped*")) == []
    assert list(tmp_path.iterdir()) == []


async def test_archive_that_declares_too_much(context, transport):
    small = replace(context, decoded_bytes=1 << 20)
    file = saved_together(np.savez_compressed, a=np.zeros((64, 256, 256), "u1"))
    assert len(file) < 10_000
    with pytest.raises(FormatError, match=r"array 'a' of .* needs 4194432 bytes in memory"):
        await load(small, transport, file)


async def test_archive_that_declares_less_than_it_holds(context, transport):
    """No more is inflated than the archive declares; what is missing shows as cut off."""
    body = saved(np.zeros((64, 256, 256), "u1"))
    file = zipped(**{"a.npy": body})
    size = struct.pack("<I", len(body))
    assert file.count(size) == 2
    lying = file.replace(size, struct.pack("<I", 1000))
    with pytest.raises(FormatError, match=r"is a damaged .npz: DamagedError.*CRC-32"):
        await load(replace(context, decoded_bytes=1 << 20), transport, lying)


@pytest.mark.parametrize(
    ("file", "error", "text"),
    [
        (b"PK\x03\x04", FormatError, "is a damaged .npz: BadZipFile"),
        (zipped(), ImageIdError, "names no array; there are none"),
        (zipped(**{"a.npy": saved(VOXELS)})[:-30], FormatError, "is a damaged .npz"),
        (
            zipped(**{"a.npy": saved(VOXELS)}).replace(b"\x93NUMPY", b"\x93NUMPX"),
            FormatError,
            "npz",
        ),
        (zipped(**{"a.txt": b"text"}), FormatError, "is not a readable .npy file"),
    ],
)
async def test_damaged_archives(context, transport, file, error, text):
    if text == "npz":
        file = bytearray(zipped(**{"a.npy": saved(VOXELS)}))
        file[60] ^= 0xFF
        file = bytes(file)
    with pytest.raises(error, match=text):
        await load(context, transport, file)


async def test_archive_with_a_password(context, transport):
    file = bytearray(zipped(**{"a.npy": saved(VOXELS)}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        file[file.index(mark) + offset] |= 1
    with pytest.raises(FormatError, match="is encrypted, password required"):
        await load(context, transport, bytes(file))


async def test_archive_of_another_method(context, transport):
    file = bytearray(zipped(**{"a.npy": saved(VOXELS)}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        file[file.index(mark) + offset] = 97
    with pytest.raises(UnsupportedError, match=r"cannot be unpacked: .*compression"):
        await load(context, transport, bytes(file))


# ------------------------------------------------------------------ harm


class Harm:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "harm")


@pytest.mark.parametrize("in_archive", [False, True])
async def test_nothing_is_unpickled(context, transport, tmp_path, in_archive):
    target = tmp_path / "written"
    objects = np.array([[Harm(target), 1], [2, 3]], dtype=object)
    file = saved_together(a=objects) if in_archive else saved(objects, allow_pickle=True)
    with pytest.raises(UnsupportedError, match=r"holds object.* never unpickled"):
        await load(context, transport, file)
    bare = pickle.dumps(Harm(target))
    with pytest.raises(FormatError, match=r"is not a readable \.npy file"):
        await load(context, transport, bare)
    assert not target.exists()
    np.load(BytesIO(saved(objects, allow_pickle=True)), allow_pickle=True)
    assert target.exists(), "it would have done harm"


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.ones((2, 2), np.clongdouble), "holds complex256, which are not pixels"),
        (np.zeros((2, 2), [("a", "u1"), ("b", "f4")]), r"holds \[\('a', 'u1'\)"),
        (np.array([["a", "b"]]), "holds <U1"),
        (np.array([[b"a", b"b"]]), r"holds \|S1"),
        (np.zeros((2, 2), "M8[s]"), r"holds datetime64\[s\]"),
        (np.zeros((2, 2), "m8[s]"), r"holds timedelta64\[s\]"),
        (np.zeros((2, 2), "V3"), r"holds \|V3"),
        (np.zeros((2, 2), np.longdouble), "holds float128"),
    ],
)
async def test_what_is_not_supported_is_named(context, transport, array, text):
    with pytest.raises(UnsupportedError, match=text):
        await load(context, transport, saved(array))


async def test_newer_version_is_of_structures(context, transport):
    stream = BytesIO()
    array = np.zeros((2, 2), [("ä", "u1")])
    np.lib.format.write_array(stream, array, (3, 0))
    with pytest.raises(UnsupportedError, match="holds structures, which are not pixels"):
        await load(context, transport, stream.getvalue())


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (b"", "is not a readable .npy file"),
        (b"<html>", "is not a readable .npy file"),
        (b"\x93NUMPY\x09\x00", "is not a readable|holds structures"),
        (saved(VOXELS)[:50], "is not a readable .npy file"),
        (saved(VOXELS)[:-1], r"279 bytes of pixels, expected 280 \(140 of int16\)"),
        (header("not a literal"), "is not a readable .npy file"),
        (header("__import__('os').system('true')"), "is not a readable .npy file"),
        (header("{'descr': '<i2'}"), "is not a readable .npy file"),
        (header("(" * 9000), "is not a readable .npy file"),
        (header(" " * 20_000), "is not a readable .npy file"),
        (described((2, 0)), "expected each length to be 1 or more"),
        (described((2, -2)), "expected each length to be 1 or more"),
        (described((2.5, 2)), "is not a readable .npy file"),
        (described((2, 2), "'nothing'"), "is not a readable .npy file"),
        (described((10**9, 10**9)), "needs 2000000000000000000 bytes in memory"),
        (described((2**62, 2**62)), "bytes in memory, more than"),
        (described((1000, 1000)), "0 bytes of pixels, expected 2000000"),
    ],
)
async def test_damaged_files(context, transport, file, text):
    expected = (FormatError, UnsupportedError)
    with pytest.raises(expected, match=text):
        await load(context, transport, file)


async def test_archive_whose_directory_stands_nowhere_is_damaged(context, transport):
    stream = BytesIO()
    np.savez(stream, a=np.zeros((4, 4), "u1"))
    body = bytearray(stream.getvalue())
    place = body.rfind(b"PK\x05\x06") + 16
    body[place : place + 4] = (0xFFFFFF).to_bytes(4, "little")
    transport.answers["https://host/a.npz"] = bytes(body)
    with pytest.raises(FormatError, match=r"is a damaged \.npz"):
        await load_image("numpy:https://host/a.npz", context)
