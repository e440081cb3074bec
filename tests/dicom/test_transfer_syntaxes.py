"""The byte order of pixels: their data set's, or a private transfer syntax's."""

from __future__ import annotations

import zlib
from itertools import product
from pathlib import Path

import gdcm
import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import Context, load_image
from pyloader.errors import FormatError, UnsupportedError
from tests.support import builders
from tests.support.encoded import relabelled

URL = "https://host/a.dcm"
GE = "1.2.840.113619.5.2"
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
COMPRESSED = (
    *(JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless),
    *("1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.4.100"),
)
UNKNOWN = ("1.2.3.4", "1.2.840.113619.5.99", "1.2.840.10008.1.2.4.999", "1.2.840.10008.1.20")


def values(dtype: str, frames: int = 1) -> np.ndarray:
    """Return samples whose bytes all differ."""
    shape = (frames, 8, 12)
    found = np.random.default_rng(5).integers(0, 256, (*shape, np.dtype(dtype).itemsize), "u1")
    return found.view(dtype)[..., 0]


def native(pixels: np.ndarray, syntax: str, **attributes: object) -> bytes:
    """Return a file of frames in the byte order of its transfer syntax."""
    given = {"NumberOfFrames": len(pixels)} | attributes
    return builders.native(pixels if len(pixels) > 1 else pixels[0], syntax, **given)


def file_of(dataset: Dataset, content: bytes, said: str) -> bytes:
    """Return a file of implicit VR whose meta header names another transfer syntax."""
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OW"
    return relabelled(builders.part10(dataset, ImplicitVRLittleEndian), said)


@pytest.fixture
def load(transport, context: Context):
    """Return a function that loads a frame, from 1, of a file."""

    async def load(body: bytes, frame: int = 1):
        transport.answers[URL] = body
        context.cache.clear()
        return await load_image(f"wadouri:{URL}?frame={frame}", context)

    return load


# ------------------------------------------------------------------ a wrong label


LABELS = [*NATIVE, *COMPRESSED, DeflatedExplicitVRLittleEndian]
# A deflated data set may begin like one of implicit VR.
BROKEN = (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4"])
@pytest.mark.parametrize(
    ("done", "said"), [pair for pair in product(NATIVE, LABELS) if pair != BROKEN]
)
async def test_values_are_right_under_any_label(load, dtype, done, said):
    """PS3.5 7.3: a data set has one byte order, which its elements show."""
    pixels = values(dtype, 3)
    body = relabelled(native(pixels, done), said)
    for number in (1, 2, 3):
        image = await load(body, number)
        assert np.array_equal(image.pixels, pixels[number - 1])
        assert bool(image.warnings) is (said != done)


async def test_implicit_data_set_declared_deflated_is_refused(load):
    done, said = BROKEN
    with pytest.raises(FormatError, match="deflated data set is broken"):
        await load(relabelled(native(values("u2"), done), said))


@pytest.mark.parametrize("done", NATIVE)
@pytest.mark.parametrize("said", UNKNOWN)
async def test_unknown_transfer_syntax_is_refused_by_name(load, done, said):
    with pytest.raises(UnsupportedError, match=rf"\({said}\) cannot be decoded"):
        await load(relabelled(native(values("u2"), done), said))


@pytest.mark.parametrize("said", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
async def test_tables_of_items_are_in_the_order_of_the_data_set(load, said):
    item = Dataset()
    item.LUTDescriptor = [4, 0, 16]
    item.add_new("LUTData", "OW", np.array([1, 300, 500, 4095], ">u2").tobytes())
    item["LUTDescriptor"].VR = "US"
    pixels = values("u2")
    body = native(pixels, ExplicitVRBigEndian, VOILUTSequence=Sequence([item]))
    image = await load(relabelled(body, said))
    assert np.array_equal(image.pixels, pixels[0])
    (lut,) = image.voi_lut.luts
    assert lut.entries.tolist() == [1, 300, 500, 4095]


@pytest.mark.parametrize("done", [ExplicitVRBigEndian, ImplicitVRLittleEndian])
async def test_deflated_data_set_of_another_layout(load, done):
    pixels = values("u2")
    whole = relabelled(native(pixels, done), DeflatedExplicitVRLittleEndian)
    bare = builders.bare(native(pixels, done))
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(bare) + packer.flush()
    image = await load(whole[: len(whole) - len(bare)] + packed)
    assert np.array_equal(image.pixels, pixels[0])


# ------------------------------------------------------------------ GE's private transfer syntax


def by_gdcm(folder: Path, body: bytes, dtype: str) -> np.ndarray:
    """Return the pixels by GDCM, which supports this transfer syntax."""
    path = folder / "a.dcm"
    path.write_bytes(body)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    return np.frombuffer(reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape"), dtype)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("frames", [1, 3])
async def test_ge_pixels_are_those_that_gdcm_reads(load, tmp_path, dtype, frames):
    pixels = values(dtype, frames)
    dataset = builders.header(pixels, NumberOfFrames=frames)
    body = file_of(dataset, pixels.astype(pixels.dtype.newbyteorder(">")).tobytes(), GE)
    expected = by_gdcm(tmp_path, body, dtype).reshape(pixels.shape)
    assert np.array_equal(expected, pixels)
    for number in range(1, frames + 1):
        assert np.array_equal((await load(body, number)).pixels, expected[number - 1])


async def test_ge_pixels_of_12_bits_and_in_colour(load, tmp_path):
    pixels = values("u2")[0] & 0xFFF
    dataset = builders.header(pixels, BitsStored=12)
    body = file_of(dataset, pixels.astype(">u2").tobytes(), GE)
    assert np.array_equal((await load(body)).pixels.ravel(), by_gdcm(tmp_path, body, "u2"))
    colors = values("u1").reshape(8, 4, 3)
    body = file_of(builders.header(colors), colors.tobytes(), GE)
    assert np.array_equal((await load(body)).pixels.ravel(), by_gdcm(tmp_path, body, "u1"))


@pytest.mark.parametrize("dtype", ["u4", "u8"])
async def test_ge_pixels_of_more_bits_are_refused(load, dtype):
    """GDCM reads them as little endian, DCMTK swaps their halves."""
    pixels = values(dtype)[0]
    with pytest.raises(UnsupportedError, match="its byte order of more than 16 bits is unknown"):
        await load(file_of(builders.header(pixels), pixels.tobytes(), GE))


async def test_tables_of_ge_are_little_endian(load):
    item = Dataset()
    item.LUTDescriptor = [4, 0, 16]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.array([1, 300, 500, 4095], "<u2").tobytes()
    item["LUTData"].VR = "OW"
    pixels = values("u2")[0]
    dataset = builders.header(pixels, VOILUTSequence=Sequence([item]))
    image = await load(file_of(dataset, pixels.astype(">u2").tobytes(), GE))
    assert np.array_equal(image.pixels, pixels)
    assert image.voi_lut.luts[0].entries.tolist() == [1, 300, 500, 4095]


async def test_ge_label_on_another_data_set(load):
    """A big-endian data set is clear; with explicit little endian the order is unknown."""
    pixels = values("u2")
    image = await load(relabelled(native(pixels, ExplicitVRBigEndian), GE))
    assert np.array_equal(image.pixels, pixels[0])
    with pytest.raises(FormatError, match=r"GE Private, .*has explicit VR; the meta header is wro"):
        await load(relabelled(native(pixels, ExplicitVRLittleEndian), GE))
