"""Overlays (4.4): rows that other loaders get wrong or drop, each by its name (PS3.3 C.9.2)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import load_image, load_metadata
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.json.reader import parse_datasets, read_dataset
from pyloader.dicom.modules.overlays import read_overlays
from tests.support import builders, corpus
from tests.support.raw_images import DELIMITER, described, item, pieces, with_pixels

URL = "https://host/image.dcm"
ROWS, COLUMNS = 6, 7
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


@pytest.fixture
def load(context, transport):
    """Return a function that loads a frame, counted from 1, and returns its overlays."""

    async def load(body: bytes, frame: int = 1) -> list[dict[str, Any]]:
        transport.answers[URL] = body
        context.cache.clear()
        image = await load_image(f"wadouri:{URL}?frame={frame}", context)
        return image.modules.get("overlay_plane", {}).get("overlays", [])

    return load


def planes(count: int) -> np.ndarray:
    """Return overlays of single bits, whose frames do not begin on a byte."""
    return np.random.default_rng(19).integers(0, 2, (count, ROWS, COLUMNS), "u1")


def packed(bits: np.ndarray, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return Overlay Data: the lowest bit first, in words."""
    found = np.packbits(bits.ravel(), bitorder="little")
    found = np.append(found, [0] * (found.size % 2)).astype("u1")
    return (found.view("u2").byteswap() if syntax == ExplicitVRBigEndian else found).tobytes()


def with_overlay(
    dataset: Dataset, bits: np.ndarray, syntax: str = ExplicitVRLittleEndian, **values: Any
) -> Dataset:
    """Add the overlay of group 6000; `values` are by the number of the element, as _0015."""
    elements = {
        0x0010: ("US", ROWS),
        0x0011: ("US", COLUMNS),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x3000: ("OW", packed(bits, syntax)),
    }
    for name, value in values.items():
        elements[int(name[1:], 16)] = value
    for number, (vr, value) in elements.items():
        dataset.add_new(0x60000000 | number, vr, value)
    return dataset


def image(frames: int = 1, **attributes: Any) -> Dataset:
    """Describe an image that is not as large as its overlay."""
    return described(10, 12, NumberOfFrames=frames, **attributes)


def body_of(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Write a file of black frames."""
    return with_pixels(dataset, bytes(240 * int(dataset.NumberOfFrames)), syntax)


def drawn(overlay: dict[str, Any]) -> np.ndarray:
    """Return a plane by row and column."""
    return overlay["pixel_data"].reshape(overlay["rows"], overlay["columns"])


# ------------------------------------------------------------------ of their own


@pytest.mark.parametrize("syntax", SYNTAXES)
async def test_overlay_of_every_byte_order(load, syntax):
    (bits,) = planes(1)
    (overlay,) = await load(body_of(with_overlay(image(), bits, syntax), syntax))
    assert np.array_equal(drawn(overlay), bits)
    assert overlay["type"] == "G"


@pytest.mark.parametrize("syntax", SYNTAXES)
async def test_overlay_of_several_frames_is_taken_apart(load, syntax):
    """Others hand on the planes of all frames together."""
    bits = planes(4)
    dataset = with_overlay(image(4), bits, syntax, _0015=("IS", 4), _0051=("US", 1))
    body = body_of(dataset, syntax)
    for index, plane in enumerate(bits):
        (overlay,) = await load(body, index + 1)
        assert np.array_equal(drawn(overlay), plane), f"frame {index + 1}"


async def test_overlay_of_fewer_frames_than_the_image(load):
    """From Image Frame Origin on, which counts from 1 (C.9.2.1.2)."""
    bits = planes(2)
    dataset = with_overlay(image(5), bits, _0015=("IS", 2), _0051=("US", 3))
    body = body_of(dataset)
    found = [await load(body, number) for number in range(1, 6)]
    assert [len(each) for each in found] == [0, 0, 1, 1, 0]
    assert np.array_equal(drawn(found[2][0]), bits[0])
    assert np.array_equal(drawn(found[3][0]), bits[1])


async def test_overlay_without_frames_is_that_of_all(load):
    (bits,) = planes(1)
    body = body_of(with_overlay(image(3), bits))
    for number in (1, 2, 3):
        (overlay,) = await load(body, number)
        assert np.array_equal(drawn(overlay), bits)


@pytest.mark.parametrize("origin", [[1, 1], [0, 0], [-3, 5], [200, -10]])
async def test_overlay_whose_origin_is_zero_or_negative(load, origin):
    (bits,) = planes(1)
    dataset = with_overlay(image(), bits, _0050=("SS", origin))
    (overlay,) = await load(body_of(dataset))
    assert [overlay["y"], overlay["x"]] == origin


async def test_overlay_with_what_describes_it(load):
    (bits,) = planes(1)
    described_by = {
        "_0022": ("LO", "a scribble"),
        "_0045": ("LO", "USER"),
        "_1500": ("LO", "label"),
        "_1301": ("IS", 17),
        "_1302": ("DS", "2.5"),
        "_1303": ("DS", "0.5"),
    }
    (overlay,) = await load(body_of(with_overlay(image(), bits, **described_by)))
    del overlay["pixel_data"]
    assert overlay == {
        "rows": ROWS,
        "columns": COLUMNS,
        "x": 1,
        "y": 1,
        "type": "G",
        "subtype": "USER",
        "label": "label",
        "description": "a scribble",
        "roi_area": 17,
        "roi_mean": 2.5,
        "roi_standard_deviation": 0.5,
    }


async def test_overlay_that_is_too_short_is_left_out_and_noted(context, transport):
    dataset = with_overlay(image(), planes(1)[0], _3000=("OW", b"\xff\xff"))
    transport.answers[URL] = body_of(dataset)
    found = await load_image(f"wadouri:{URL}", context)
    assert "overlay_plane" not in found.modules
    assert any("overlay of group 6000 has 2 bytes" in warning for warning in found.warnings)


async def test_overlay_of_dicom_json_is_that_of_the_file(load):
    """wadors of others always has none: it looks for keys that DICOM JSON does not have."""
    bits = planes(2)
    dataset = with_overlay(image(2), bits, _0015=("IS", 2), _0051=("US", 1))
    text = json.dumps([json.loads(dataset.to_json())])
    known, bulk, _ = read_dataset(parse_datasets(text, "json")[0])
    assert not bulk
    for index in range(2):
        (there,) = read_overlays(Frame(known, index))["overlays"]
        (here,) = await load(body_of(dataset), index + 1)
        assert np.array_equal(there.pop("pixel_data"), here.pop("pixel_data"))
        assert there == here


async def test_overlays_of_a_scanner(load):
    """Of the corpus, against a few lines of numpy."""
    body = (corpus.FURTHER_DATA / "MR-SIEMENS-DICOM-WithOverlays.dcm").read_bytes()
    found = await load(body)
    tag = b"\x00\x60\x00\x30OW\0\0"
    start = body.index(tag) + 12
    overlay = found[0]
    size = overlay["rows"] * overlay["columns"]
    expected = np.unpackbits(np.frombuffer(body, "u1", -(-size // 8), start), bitorder="little")
    assert np.array_equal(overlay["pixel_data"], expected[:size])
    assert overlay["pixel_data"].any()


# ------------------------------------------------------------------ in unused bits of the pixels


def embedded(dataset: Dataset, positions: Sequence[int]) -> Dataset:
    """Describe overlays that stand in bits of the pixels."""
    for number, position in enumerate(positions):
        group = 0x6000 + 2 * number << 16
        dataset.add_new(group | 0x0010, "US", 10)
        dataset.add_new(group | 0x0011, "US", 12)
        dataset.add_new(group | 0x0040, "CS", "G")
        dataset.add_new(group | 0x0050, "SS", [1, 1])
        dataset.add_new(group | 0x0100, "US", 16)
        dataset.add_new(group | 0x0102, "US", position)
    return dataset


def words(frames: int = 2) -> np.ndarray:
    """Return words of 16 bits all of which are used."""
    return np.random.default_rng(23).integers(0, 1 << 16, (frames, 10, 12), "u2")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize(("high", "positions"), [(11, (12, 15)), (15, (0, 3)), (13, (14, 1))])
async def test_overlays_in_unused_bits(load, syntax, is_signed, high, positions):
    """Above the value, below it, in each frame its own; the pixels are without them."""
    found = words()
    dataset = image(2, BitsStored=12, HighBit=high, PixelRepresentation=int(is_signed))
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    content = found.astype(f"{order}u2").tobytes()
    body = with_pixels(embedded(dataset, positions), content, syntax)
    for index, frame in enumerate(found):
        overlays = await load(body, index + 1)
        for position, overlay in zip(positions, overlays, strict=True):
            assert np.array_equal(drawn(overlay), frame >> position & 1)


async def test_pixels_are_without_the_overlays_in_their_words(context, transport):
    (found,) = words(1)
    dataset = embedded(image(BitsStored=12, HighBit=11), [12])
    transport.answers[URL] = with_pixels(dataset, found.tobytes())
    image_ = await load_image(f"wadouri:{URL}", context)
    assert np.array_equal(image_.pixels, found & 0x0FFF)


ALL_BITS = {
    RLELossless: builders.rle_encode_frame,
    JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(
        pixels, lossless=True, predictor=1, bitspersample=16
    ),
    JPEGLSLossless: builders.ENCODERS[JPEGLSLossless],
    JPEG2000Lossless: builders.ENCODERS[JPEG2000Lossless],
}


@pytest.mark.parametrize("syntax", ALL_BITS)
async def test_overlays_in_unused_bits_that_compression_has_kept(load, syntax):
    """Encoded with all 16 bits, the words come back whole."""
    (found,) = words(1)
    overlays = embedded(image(BitsStored=12, HighBit=11), [12, 14])
    body = builders.encapsulated([ALL_BITS[syntax](found)], found, syntax, BitsStored=12)
    delivered = await load(with_elements(body, overlays, syntax))
    for position, overlay in zip((12, 14), delivered, strict=True):
        assert np.array_equal(drawn(overlay), found >> position & 1)


def with_elements(body: bytes, dataset: Dataset, syntax: str) -> bytes:
    """Return a file with the overlay elements of another data set."""
    found = dcmread(BytesIO(body))
    for element in dataset:
        if element.tag.group >= 0x6000:
            found.add(element)
    return builders.part10(found, syntax)


async def test_metadata_without_pixels_say_which_overlays_are_embedded(context, transport):
    """Their data come with the pixels alone; the others are there."""
    (bits,) = planes(1)
    dataset = with_overlay(embedded(image(BitsStored=12, HighBit=11), [12, 13]), bits)
    transport.answers[URL] = body_of(dataset)
    modules = await load_metadata(f"wadouri:{URL}", context)
    found = modules["overlay_plane"]
    assert [np.array_equal(drawn(each), bits) for each in found["overlays"]] == [True]
    assert found["embedded"] == [{"group": 0x6002, "overlay_bit_position": 13}]


async def test_overlay_in_a_bit_of_the_value_is_left_out_and_noted(context, transport):
    dataset = embedded(image(BitsStored=12, HighBit=11), [5])
    transport.answers[URL] = body_of(dataset)
    found = await load_image(f"wadouri:{URL}", context)
    assert not found.modules.get("overlay_plane", {}).get("overlays")
    assert any("bit 5 of pixels whose values use bits 0 to 11" in each for each in found.warnings)


# ------------------------------------------------------------------ in fragments


def in_items(body: bytes, *fragments: bytes) -> bytes:
    """Return a file whose Overlay Data are written as encapsulated pixel data are."""
    place = body.index(b"\x00\x60\x00\x30OW")
    size = int.from_bytes(body[place + 8 : place + 12], "little")
    content = b"".join(map(item, fragments)) + DELIMITER
    start = body[: place + 8] + b"\xff\xff\xff\xff"
    return start + content + body[place + 12 + size :]


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("has_table", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
async def test_overlay_in_fragments_is_what_they_hold(load, parts, has_table, frames):
    """PS3.5 A.4 leaves overlays as they are; some compressors do not."""
    bits = planes(frames)
    dataset = with_overlay(image(frames), bits, _0015=("IS", frames), _0051=("US", 1))
    content = packed(bits)
    if not has_table and parts > 1:
        pytest.skip("whether the first is a table is not known")
    table = [b""] if has_table else []
    body = in_items(body_of(dataset), *table, *pieces(content, parts))
    for index, plane in enumerate(bits):
        (overlay,) = await load(body, index + 1)
        assert np.array_equal(drawn(overlay), plane)


@pytest.mark.parametrize(
    "fragments",
    [
        (b"", imagecodecs.jpegls_encode(np.zeros((64, 64), "u1"))),
        (b"", zlib.compress(bytes(200))),
        (b"", bytes(400)),
        (b"\1\2\3\4", bytes(200)),
        (b"",),
        (),
    ],
)
async def test_fragments_that_are_no_overlay_are_left_out_and_noted(
    load, transport, context, fragments
):
    body = in_items(body_of(with_overlay(image(), planes(1)[0])), *fragments)
    assert await load(body) == []
    warnings = (await load_image(f"wadouri:{URL}", context)).warnings
    assert any("overlay" in each.lower() for each in warnings)
