"""Photometric interpretations (4.2): rows that other loaders get wrong, each by its name.

Expected colours are computed here with the equations of PS3.3 C.7.6.3.1.2 from RGB to YBR, in
fractions of the whole range, or by looking palettes up entry by entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from struct import pack
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from pyloader.dicom.json.reader import read_dataset
from pyloader.dicomweb.address import Address
from pyloader.dicomweb.metadata import fetch_bulk
from pyloader.errors import FormatError, HttpStatusError, UnsupportedError
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.transport import Response
from tests.support import builders, corpus, dcmtk
from tests.support.raw_images import with_pixels

URL = "https://host/image.dcm"
LITTLE, BIG = ExplicitVRLittleEndian, ExplicitVRBigEndian
SYNTAXES = (LITTLE, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, BIG)
COLORS = ("Red", "Green", "Blue")


# ------------------------------------------------------------------ YBR

# Rows: Y, Cb, Cr; of full scale (PS3.3 C.7.6.3.1.2).
FULL = np.array([[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
PARTIAL = np.array(
    [[0.2568, 0.5041, 0.0979], [-0.1482, -0.2910, 0.4392], [0.4392, -0.3678, -0.0714]]
)


EQUATIONS = [
    ("YBR_FULL", FULL, 0),
    ("YBR_FULL_422", FULL, 0),
    ("YBR_PARTIAL_422", PARTIAL, 16),
]


def to_ybr(rgb: np.ndarray, matrix: np.ndarray, black: int, bits: int) -> np.ndarray:
    """Return luminance and chroma of (rows, columns, 3) RGB, rounded."""
    step = 1 << (bits - 8)
    offsets = np.array([black * step, 128 * step, 128 * step])
    return np.clip(np.rint(rgb @ matrix.T + offsets), 0, (1 << bits) - 1).astype(rgb.dtype)


def hues(rows: int = 16, columns: int = 24, bits: int = 8) -> np.ndarray:
    """Return RGB whose pairs of columns have one colour, so that 4:2:2 loses nothing."""
    dtype = "u1" if bits <= 8 else "u2"
    found = np.random.default_rng(11).integers(0, 1 << bits, (rows, columns // 2, 3), dtype)
    return np.repeat(found, 2, axis=1)


def share_chroma(ybr: np.ndarray) -> np.ndarray:
    """Return samples in the order Y Y Cb Cr for each pair of pixels."""
    pairs = ybr.reshape(-1, 2, 3)
    return np.concatenate([pairs[:, :, 0], pairs[:, 0, 1:]], axis=1)


def colour(pixels: np.ndarray, photometric: str, **attributes: Any) -> Dataset:
    """Describe RGB as another photometric interpretation."""
    return builders.header(pixels, PhotometricInterpretation=photometric, **attributes)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
async def test_ybr_full_native(load, syntax, planar, bits):
    rgb = hues(bits=bits)
    ybr = to_ybr(rgb, FULL, 0, bits)
    content = ybr.transpose(2, 0, 1) if planar else ybr
    order = ">" if syntax == BIG else "<"
    dataset = colour(rgb, "YBR_FULL", PlanarConfiguration=planar)
    encoded = content.astype(f"{order}u{bits // 8}").tobytes()
    image = await load(with_pixels(dataset, encoded, syntax, "OB" if bits == 8 else "OW"))
    assert image.pixel.photometric_interpretation == "RGB"
    assert image.encoding.photometric_interpretation == "YBR_FULL"
    assert np.abs(image.pixels.astype(int) - rgb).max() <= 2 * (1 << (bits - 8))


async def test_ybr_full_of_12_bits_stored(load):
    """The middle of chroma is that of the bits stored, not of those allocated."""
    rgb = hues(bits=12)
    ybr = to_ybr(rgb, FULL, 0, 12)
    image = await load(with_pixels(colour(rgb, "YBR_FULL", BitsStored=12), ybr.tobytes()))
    assert np.abs(image.pixels.astype(int) - rgb).max() <= 2 * 16
    assert image.pixels.max() < 1 << 12


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("photometric", "matrix", "black"), EQUATIONS[1:])
async def test_422_native_of_several_frames(load, syntax, photometric, matrix, black):
    """Two thirds of the bytes; others hand the frame on as it is, or hang."""
    frames = [hues(), hues()[::-1]]
    encoded = [share_chroma(to_ybr(rgb, matrix, black, 8)).tobytes() for rgb in frames]
    dataset = colour(frames[0], photometric, NumberOfFrames=2)
    body = with_pixels(dataset, b"".join(encoded), syntax, "OB")
    for index, rgb in enumerate(frames):
        image = await load(body, index + 1)
        assert np.abs(image.pixels.astype(int) - rgb).max() <= 3
        assert image.pixel.photometric_interpretation == "RGB"


@pytest.mark.skipif(not dcmtk.is_installed(), reason="DCMTK is not installed")
@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422"])
async def test_ybr_is_what_dcmtk_makes_of_it(load, photometric):
    """Of any samples, also such as no RGB has. DCMTK truncates each product, pyloader rounds."""
    samples = np.random.default_rng(31).integers(16, 236, (16, 24, 3), "u1")
    content = share_chroma(samples) if photometric.endswith("_422") else samples
    body = with_pixels(colour(samples, photometric), content.tobytes(), vr="OB")
    difference = (await load(body)).pixels.astype(int) - dcmtk.render(body)
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize(("photometric", "matrix", "black"), EQUATIONS)
async def test_ybr_is_the_inverse_of_the_standard_s_equations(load, photometric, matrix, black):
    samples = np.random.default_rng(31).integers(0, 256, (16, 24, 3), "u1")
    content = samples if photometric == "YBR_FULL" else share_chroma(samples)
    shared = samples.reshape(-1, 2, 3).copy()
    if photometric != "YBR_FULL":
        shared[:, 1, 1:] = shared[:, 0, 1:]
    exact = (shared.reshape(samples.shape) - [black, 128.0, 128.0]) @ np.linalg.inv(matrix).T
    image = await load(with_pixels(colour(samples, photometric), content.tobytes(), vr="OB"))
    assert np.abs(image.pixels - np.clip(exact, 0, 255)).max() <= 1


async def test_ybr_partial_422_reaches_black_and_white(load):
    ybr = np.array([[16, 235, 128, 128], [0, 255, 128, 128]], "u1")
    rgb = np.zeros((2, 2, 3), "u1")
    image = await load(with_pixels(colour(rgb, "YBR_PARTIAL_422"), ybr.tobytes(), vr="OB"))
    assert image.pixels[..., 0].tolist() == [[0, 255], [0, 255]]
    assert np.ptp(image.pixels, axis=2).max() == 0


async def test_422_of_as_many_bytes_as_full_chroma_is_refused(load):
    """RGB and YBR_FULL are found under that label: which one is not known."""
    rgb = hues()
    with pytest.raises(FormatError, match=r"1152 bytes, 768 were expected of YBR_FULL_422: as ma"):
        await load(with_pixels(colour(rgb, "YBR_FULL_422"), rgb.tobytes(), vr="OB"))


async def test_422_of_an_odd_number_of_columns_is_refused(load):
    rgb = np.zeros((4, 5, 3), "u1")
    with pytest.raises(FormatError, match="YBR_FULL_422 needs an even number of columns"):
        await load(with_pixels(colour(rgb, "YBR_FULL_422"), bytes(40), vr="OB"))


async def test_ybr_partial_420_native_is_refused(load):
    """The standard gives native frames no order of samples for it."""
    rgb = np.zeros((4, 6, 3), "u1")
    with pytest.raises(UnsupportedError, match="'YBR_PARTIAL_420' is defined for comp"):
        await load(with_pixels(colour(rgb, "YBR_PARTIAL_420"), bytes(36), vr="OB"))


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT"])
@pytest.mark.parametrize("planar", [0, 1])
async def test_native_samples_under_a_label_of_jpeg_2000_are_rgb(load, photometric, planar):
    """Software that decodes leaves the label; no native samples are of that kind."""
    rgb = hues()
    content = rgb.transpose(2, 0, 1) if planar else rgb
    dataset = colour(rgb, photometric, PlanarConfiguration=planar)
    image = await load(with_pixels(dataset, content.tobytes(), vr="OB"))
    assert np.array_equal(image.pixels, rgb)
    assert any(photometric in warning for warning in image.warnings), "the decision is published"


@pytest.mark.parametrize(("photometric", "samples"), [("HSV", 3), ("ARGB", 4), ("CMYK", 4)])
async def test_photometric_interpretations_without_conversion_are_refused(
    load, photometric, samples
):
    dataset = colour(hues(), photometric, SamplesPerPixel=samples)
    with pytest.raises(UnsupportedError, match=f"'{photometric}' cannot be converted"):
        await load(with_pixels(dataset, bytes(16 * 24 * samples), vr="OB"))


async def test_ybr_full_in_rle_is_converted_once(load):
    rgb = hues()
    ybr = to_ybr(rgb, FULL, 0, 8)
    body = builders.encode(ybr, RLELossless, PhotometricInterpretation="YBR_FULL")
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - rgb).max() <= 2


async def test_monochrome_1_keeps_its_stored_values(load):
    values = builders.ramp(8, 8)
    image = await load(builders.native(values, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(image.pixels, values)
    assert image.pixel.photometric_interpretation == "MONOCHROME1"


# ------------------------------------------------------------------ palettes


def palette(
    indices: np.ndarray, tables: Sequence[np.ndarray], firsts: Sequence[int], **attributes: Any
) -> Dataset:
    """Describe indices with a table for each colour, whose dtype gives its bits."""
    dataset = builders.header(indices, PhotometricInterpretation="PALETTE COLOR", **attributes)
    for color, table, first in zip(COLORS, tables, firsts, strict=True):
        descriptor = [len(table) % 65536, first, 8 * table.itemsize]
        vr = "SS" if first < 0 else "US"
        dataset.add_new(f"{color}PaletteColorLookupTableDescriptor", vr, descriptor)
        dataset.add_new(f"{color}PaletteColorLookupTableData", "OW", table.tobytes())
    return dataset


def looked_up(
    indices: np.ndarray, tables: Sequence[np.ndarray], firsts: Sequence[int]
) -> np.ndarray:
    """Return what the tables say, index by index."""
    found = [
        [int(table[min(max(int(index) - first, 0), len(table) - 1)]) for index in indices.flat]
        for table, first in zip(tables, firsts, strict=True)
    ]
    return np.array(found).T.reshape(*indices.shape, 3)


def tables(dtype: str, *counts: int) -> list[np.ndarray]:
    """Return tables of random entries."""
    generator = np.random.default_rng(13)
    top = np.iinfo(dtype).max + 1
    return [generator.integers(0, top, count, dtype=dtype[-2:]) for count in counts]


def ramp_of_indices(dtype: str = "u1") -> np.ndarray:
    """Return every index of 8 bits."""
    return np.arange(256).reshape(16, 16).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("firsts", [(0, 0, 0), (10, 10, 10), (0, 40, 200)])
async def test_palette_each_channel_has_its_own_descriptor(load, dtype, firsts):
    """Others take red's first value and number of entries for all."""
    indices, entries = ramp_of_indices(), tables(dtype, 256, 100, 56)
    image = await load(with_pixels(palette(indices, entries, firsts), indices.tobytes(), vr="OB"))
    assert image.pixels.dtype == dtype
    assert np.array_equal(image.pixels, looked_up(indices, entries, firsts))


def labelmap(labels: np.ndarray, **attributes: Any) -> Dataset:
    """Return a label map segmentation with a palette of three colours."""
    dataset = palette(labels, [np.array([0, 65535, 30000], "u2")] * 3, (0, 0, 0))
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
    dataset.SegmentationType = "LABELMAP"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize("photometric", ["PALETTE COLOR", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("syntax", [LITTLE, RLELossless, JPEGLSLossless])
async def test_pixels_of_a_label_map_are_segment_numbers(load, photometric, dtype, syntax):
    """Its palette is a hint (PS3.3 C.8.20.2); pydicom gives the numbers."""
    labels = np.array([[0, 1, 2, 7], [200, 255, 1, 0]], dtype)
    dataset = labelmap(labels, PhotometricInterpretation=photometric)
    dataset.PixelData = labels.tobytes()
    if syntax == JPEGLSLossless:
        dataset.PixelData = encapsulate([builders.ENCODERS[syntax](labels)])
    dataset["PixelData"].VR = "OB"
    body = builders.part10(dataset, LITTLE if syntax == RLELossless else syntax)
    if syntax == RLELossless:
        dataset = dcmread(BytesIO(body))
        dataset.compress(syntax, generate_instance_uid=False)
        body = builders.part10(dataset, syntax)
    image = await load(body)
    expected = dcmread(BytesIO(body)).pixel_array
    assert_array_equal(expected, labels)
    assert image.pixels.dtype == labels.dtype
    assert_array_equal(image.pixels, expected)
    assert image.pixel.photometric_interpretation == "MONOCHROME2"
    assert image.encoding.photometric_interpretation == photometric
    assert image.modules["palette_color_lookup_table"]
    assert image.modules["segment"]["segmentation_type"] == "LABELMAP"
    for delivery in (
        Delivery(rgba=True, integers=True, darken=True),
        Delivery(rescale=True, factor=None, darken=True, dtype="uint16", limit=True),
    ):
        assert_array_equal(deliver(image, delivery).pixels, labels)


@pytest.mark.parametrize("attributes", [{"SegmentationType": None}, {"SOPClassUID": "1.2.3"}])
async def test_label_map_by_its_class_or_its_type(load, attributes):
    labels = np.array([[0, 1], [2, 1]], "u1")
    image = await load(with_pixels(labelmap(labels, **attributes), labels.tobytes(), vr="OB"))
    assert_array_equal(image.pixels, labels)
    assert image.modules["segment"] == {"segmentation_type": "LABELMAP"}


async def test_padding_of_a_label_map_keeps_its_number(load):
    labels = np.array([[0, 1], [2, 255]], "u1")
    dataset = labelmap(labels, PixelPaddingValue=255, PhotometricInterpretation="MONOCHROME2")
    image = await load(with_pixels(dataset, labels.tobytes(), vr="OB"))
    assert_array_equal(deliver(image, Delivery(darken=True)).pixels, labels)


async def test_palette_whose_channels_differ_in_bits(load):
    indices = ramp_of_indices()
    entries = [*tables("u1", 256), *tables("u2", 256), *tables("u1", 256)]
    dataset = palette(indices, entries, (0, 0, 0))
    image = await load(with_pixels(dataset, indices.tobytes(), vr="OB"))
    expected = looked_up(indices, entries, (0, 0, 0)) * [257, 1, 257]
    assert np.array_equal(image.pixels, expected)


async def test_palette_with_a_signed_first_value_mapped(load):
    indices = np.arange(-200, 200, dtype="i2").reshape(20, 20)
    entries, firsts = tables("u1", 300, 300, 300), (-150, -150, -150)
    dataset = palette(indices, entries, firsts)
    image = await load(with_pixels(dataset, indices.tobytes()))
    assert np.array_equal(image.pixels, looked_up(indices, entries, firsts))
    for color in COLORS:  # and as unsigned, which most software writes
        keyword = f"{color}PaletteColorLookupTableDescriptor"
        dataset.add_new(keyword, "US", [300, 65536 - 150, 8])
    again = await load(with_pixels(dataset, indices.tobytes()))
    assert np.array_equal(again.pixels, image.pixels)


async def test_palette_first_value_is_unsigned_for_unsigned_pixels(load):
    indices = np.array([[39990, 40000, 40001, 65535]], "u2")
    entries, firsts = tables("u1", 10, 10, 10), (40000, 40000, 40000)
    image = await load(with_pixels(palette(indices, entries, firsts), indices.tobytes()))
    assert np.array_equal(image.pixels, looked_up(indices, entries, firsts))


@pytest.mark.parametrize("vr", ["US", "SS"])
async def test_palette_of_65536_entries_is_written_as_0(load, vr):
    indices = np.linspace(0, 65535, 64).astype("u2").reshape(8, 8)
    entries = tables("u2", 65536, 65536, 65536)
    dataset = palette(indices, entries, (0, 0, 0))
    for color in COLORS:
        dataset.add_new(f"{color}PaletteColorLookupTableDescriptor", vr, [0, 0, 16])
    image = await load(with_pixels(dataset, indices.tobytes()))
    assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))


async def test_palette_of_8_bit_entries_in_words(load):
    """The descriptor says 8 bits, the data have two bytes for each (C.7.6.3.1.6)."""
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    for high in (0, 1):  # in the lower byte, or in both
        dataset = palette(indices, entries, (0, 0, 0))
        for color, table in zip(COLORS, entries, strict=True):
            words = table.astype("<u2") * (257 if high else 1)
            dataset.add_new(f"{color}PaletteColorLookupTableData", "OW", words.tobytes())
        image = await load(with_pixels(dataset, indices.tobytes(), vr="OB"))
        assert image.pixels.dtype == "u1"
        assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))


async def test_palette_of_8_bit_entries_under_a_descriptor_of_16(load):
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    dataset = palette(indices, entries, (0, 0, 0))
    for color in COLORS:
        dataset.add_new(f"{color}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
    image = await load(with_pixels(dataset, indices.tobytes(), vr="OB"))
    assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))


async def test_palette_of_16_bit_words_that_have_but_8_is_not_black(load):
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    words = [table.astype("u2") for table in entries]
    image = await load(with_pixels(palette(indices, words, (0, 0, 0)), indices.tobytes(), vr="OB"))
    assert image.pixels.dtype == "u1"
    assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))
    assert any("taken as 8 bits" in warning for warning in image.warnings)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
async def test_palette_of_a_big_endian_file(load, dtype):
    """Words are swapped, and so are 8-bit entries, which stand two in a word."""
    indices, entries = ramp_of_indices(), tables(dtype, 256, 256, 256)
    dataset = palette(indices, entries, (0, 0, 0))
    for color, table in zip(COLORS, entries, strict=True):
        swapped = np.frombuffer(table.tobytes(), "u2").byteswap().tobytes()
        dataset.add_new(f"{color}PaletteColorLookupTableData", "OW", swapped)
    image = await load(with_pixels(dataset, indices.tobytes(), BIG, "OB"))
    assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))


async def test_palette_with_alpha_gives_opaque_colours(load):
    """Alpha is for blending presentation states (C.7.9); the image itself is opaque."""
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    dataset = palette(indices, entries, (0, 0, 0))
    dataset.add_new("AlphaPaletteColorLookupTableData", "OW", bytes(256))
    image = await load(with_pixels(dataset, indices.tobytes(), vr="OB"))
    assert np.array_equal(image.pixels, looked_up(indices, entries, (0, 0, 0)))


async def test_palette_that_does_not_reach_the_indices_is_refused(load):
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    dataset = palette(indices, entries, (0, 0, 0))
    dataset.GreenPaletteColorLookupTableData = entries[1].tobytes()[:100]
    with pytest.raises(FormatError, match=r"has 100 entries .* 256, and the image uses entry 256"):
        await load(with_pixels(dataset, indices.tobytes(), vr="OB"))
    image = await load(with_pixels(dataset, (indices % 100).tobytes(), vr="OB"))
    assert np.array_equal(image.pixels, looked_up(indices % 100, entries, (0, 0, 0)))


@pytest.mark.parametrize(
    ("keyword", "value", "text"),
    [
        ("RedPaletteColorLookupTableDescriptor", None, "Descriptor is None; expected"),
        ("BluePaletteColorLookupTableData", None, "BluePaletteColorLookupTableData is absent"),
        ("GreenPaletteColorLookupTableDescriptor", [256, 0, 32], "says 32 bits an entry"),
    ],
)
async def test_palette_that_is_not_there_is_refused(load, keyword, value, text):
    indices, entries = ramp_of_indices(), tables("u1", 256, 256, 256)
    dataset = palette(indices, entries, (0, 0, 0))
    del dataset[keyword]
    if value is not None:
        setattr(dataset, keyword, value)
    with pytest.raises(FormatError, match=text):
        await load(with_pixels(dataset, indices.tobytes(), vr="OB"))


@pytest.mark.parametrize("name", ["gdcm-US-ALOKA-16", "OBXXXX1A"])
async def test_palettes_of_the_corpus(load, name):
    """Against pydicom's palettes, which pyloader does not use; one is segmented."""
    body = (corpus.FURTHER_DATA / f"{name}.dcm").read_bytes()
    dataset = dcmread(BytesIO(body))
    expected = apply_color_lut(dataset.pixel_array, dataset)
    assert np.array_equal((await load(body)).pixels, expected)


@pytest.mark.parametrize(
    ("big", "little"), [("gdcm-US-ALOKA-16_big", "gdcm-US-ALOKA-16"), ("OBXXXX1A_expb", "OBXXXX1A")]
)
async def test_palettes_of_the_corpus_are_those_of_their_little_endian_twins(load, big, little):
    images = [
        await load((corpus.FURTHER_DATA / f"{name}.dcm").read_bytes()) for name in (big, little)
    ]
    assert np.array_equal(images[0].pixels, images[1].pixels)


# ------------------------------------------------------------------ segmented palettes


def segmented(segments: Sequence[tuple[int, ...]], bits: int, count: int) -> Dataset:
    """Describe indices of 8 bits with segments of one table for all colours."""
    indices = ramp_of_indices()
    dataset = builders.header(indices, PhotometricInterpretation="PALETTE COLOR")
    values = [value for segment in segments for value in segment]
    data = pack(f"<{len(values)}{'H' if bits == 16 else 'B'}", *values)
    for color in COLORS:
        dataset.add_new(f"{color}PaletteColorLookupTableDescriptor", "US", [count, 0, bits])
        padded = data + b"\0" * (len(data) % 2)
        dataset.add_new(f"Segmented{color}PaletteColorLookupTableData", "OW", padded)
    return dataset


async def entries_of(load: Any, dataset: Dataset, count: int, syntax: str = LITTLE) -> list[int]:
    """Return the red of as many indices from 0 on."""
    image = await load(with_pixels(dataset, ramp_of_indices().tobytes(), syntax, "OB"))
    found: list[int] = image.pixels[..., 0].ravel()[:count].tolist()
    return found


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("syntax", [LITTLE, BIG])
async def test_segmented_palette_of_runs_and_lines(load, bits, syntax):
    """PS3.3 C.7.9.2.1 and .2: a line's first entry is the one after the last."""
    segments = [(0, 3, 10, 20, 40), (1, 4, 80), (0, 1, 7), (1, 2, 250), (1, 3, 250)]
    dataset = segmented(segments, bits, 13)
    if syntax == BIG:
        for color in COLORS:
            element = dataset[f"Segmented{color}PaletteColorLookupTableData"]
            element.value = np.frombuffer(element.value, "u2").byteswap().tobytes()
    expected = [10, 20, 40, 50, 60, 70, 80, 7, 129, 250, 250, 250, 250]
    assert await entries_of(load, dataset, 13, syntax) == expected


@pytest.mark.parametrize("bits", [8, 16])
async def test_segmented_palette_that_copies_segments(load, bits):
    """PS3.3 C.7.9.2.3: the offset counts bytes, its least significant part comes first."""
    second = 5 * bits // 8
    offset = (second, 0, 0, 0) if bits == 8 else (second, 0)
    segments = [(0, 3, 200, 250, 10), (1, 2, 20), (0, 1, 100), (2, 2, *offset), (0, 1, 1)]
    # Copied: a line of 2 from 100 to 20, and a run of one.
    expected = [200, 250, 10, 15, 20, 100, 60, 20, 100, 1]
    dataset = segmented(segments, bits, 10)
    assert await entries_of(load, dataset, 10) == expected


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ([(1, 4, 80)], "has a linear segment at its beginning"),
        ([(0, 4, 1, 2)], "ends within a segment: 4 values, 6 are needed"),
        ([(3, 1, 2)], "has a segment of type 3 where 0, 1 or 2 was expected"),
        ([(0, 1, 1), (1, 0, 9)], "linear segment without a length"),
        ([(0, 1, 1), (2, 1, 3, 0, 0, 0)], "type 2 where 0 or 1, which an indirect one may copy"),
        ([(0, 0)], "has no entries"),
    ],
)
async def test_segmented_palette_that_is_damaged_is_refused(load, segments, text):
    with pytest.raises(FormatError, match=text):
        await entries_of(load, segmented(segments, 8, 16), 16)


async def test_segmented_palette_does_not_grow_beyond_its_descriptor(load):
    segments = [(0, 2, 1, 2), (1, 255, 9), (2, 60000, 0, 0)]
    dataset = segmented(segments, 16, 20)
    assert await entries_of(load, dataset, 20) == [1, 2, *([2] * 18)]


# ------------------------------------------------------------------ supplemental palette, profile


async def test_supplemental_palette_leaves_grey_values_and_is_published(load):
    """PS3.3 C.7.6.19: values beyond the grey ones are colours, by a palette that viewers lack."""
    image = await load((corpus.FURTHER_DATA / "eCT_Supplemental.dcm").read_bytes())
    assert image.pixel.photometric_interpretation == "MONOCHROME2"
    assert "palette_color_lookup_table" in image.modules
    assert any("supplemental palette" in warning for warning in image.warnings)


async def test_icc_profile_is_exposed(load):
    pixels = builders.color(4, 4)
    profile = bytes(range(132))
    body = builders.native(pixels, ICCProfile=profile, ColorSpace="SRGB")
    image = await load(body)
    assert image.modules["icc_profile"]["icc_profile"].tobytes() == profile
    assert image.modules["icc_profile"]["color_space"] == "SRGB"
    assert "icc_profile" not in (await load(builders.native(pixels))).modules


async def test_icc_profile_of_the_frame_s_optical_path(load):
    """Whole-slide images have one for each path (PS3.3 C.8.12.5)."""
    pixels = np.stack([builders.color(4, 4)] * 2)
    paths, groups = [], []
    for number in (1, 2):
        path, group, named = Dataset(), Dataset(), Dataset()
        path.OpticalPathIdentifier = named.OpticalPathIdentifier = str(number)
        path.ICCProfile = bytes([number] * 130)
        group.OpticalPathIdentificationSequence = [named]
        paths.append(path)
        groups.append(group)
    body = builders.native(
        pixels,
        NumberOfFrames=2,
        OpticalPathSequence=paths,
        PerFrameFunctionalGroupsSequence=groups,
        TotalPixelMatrixColumns=8,
        TotalPixelMatrixRows=4,
        DimensionOrganizationType="TILED_SPARSE",
    )
    for number in (1, 2):
        image = await load(body, number)
        assert set(image.modules["icc_profile"]["icc_profile"].tolist()) == {number}


@pytest.mark.parametrize(
    ("tag", "vr", "is_needed"), [("00282000", "OB", False), ("00281201", "OW", True)]
)
async def test_icc_profile_that_a_server_does_not_give_is_absent(
    context, transport, tag, vr, is_needed
):
    """No pixel depends on it; without a palette, on the other hand, there is no image."""
    address = Address.parse("https://host/studies/1/series/2/instances/3")
    found, (bulk,), _ = read_dataset({tag: {"vr": vr, "BulkDataURI": "bulk/4"}})
    transport.answers[address.bulk_url("bulk/4")] = Response(URL, 404, {}, b"")
    if is_needed:
        with pytest.raises(HttpStatusError):
            await fetch_bulk(bulk, address, context)
    else:
        note = await fetch_bulk(bulk, address, context)
        assert note is not None
        assert "(0028,2000) ICCProfile" in note
        assert "404" in note
    assert len(found) == 0
    assert len(transport.requests) == 1
