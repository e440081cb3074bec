"""Transfer syntaxes: those that other loaders lack, those that nobody decodes, and wrong ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

from pyloader.dicom.parse import parse_part10
from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    HTJ2K_PRIVATE,
)
from pyloader.errors import DecodeError, UnsupportedError
from pyloader.loaders.instance_source import make_image
from tests.support import builders
from tests.support.encoded import (
    BITS,
    GREY8,
    GREY12,
    GREY16,
    RGB,
    SIGNED,
    YBR,
    deflated,
    difference,
    loaded,
    packed,
)

# ------------------------------------------------------------------ uncompressed frames


UNPACKED = [
    pytest.param(ENCAPSULATED_UNCOMPRESSED, bytes, id="encapsulated_uncompressed"),
    pytest.param(DEFLATED_IMAGE_FRAME, deflated, id="deflated_image_frame"),
]


@pytest.mark.parametrize(("syntax", "wrap"), UNPACKED)
@pytest.mark.parametrize("pixels", [GREY8, GREY16, SIGNED, RGB, GREY8[:5, :5], SIGNED.astype("i4")])
def test_frames_that_are_not_coded_are_read(syntax, wrap, pixels):
    frames = [wrap(packed(each)) for each in (pixels, pixels[::-1])]
    for index, expected in enumerate((pixels, pixels[::-1])):
        image = loaded(frames, pixels, syntax, index)
        assert np.array_equal(image.pixels, expected)
        assert image.encoding.transfer_syntax_uid == syntax


@pytest.mark.parametrize(("syntax", "wrap"), UNPACKED)
def test_single_bits_that_are_not_coded_are_read(syntax, wrap):
    """Each frame begins on a byte, since it is a fragment."""
    frames = [
        wrap(np.packbits(each.reshape(-1)[:1797], bitorder="little").tobytes())
        for each in (BITS, 1 - BITS)
    ]
    attributes = {"BitsAllocated": 1, "BitsStored": 1, "Rows": 599, "Columns": 3}
    image = loaded(frames, BITS, syntax, 1, **attributes)
    assert np.array_equal(image.pixels.reshape(-1), 1 - BITS.reshape(-1)[:1797])


@pytest.mark.parametrize(("syntax", "wrap"), UNPACKED)
def test_shared_chroma_that_is_not_coded_is_read(syntax, wrap):
    ybr = YBR.copy()
    ybr[:, 1::2, 1:] = ybr[:, ::2, 1:]
    pairs = np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    image = loaded(wrap(pairs.tobytes()), RGB, syntax, PhotometricInterpretation="YBR_FULL_422")
    assert difference(image, convert_color_space(ybr, "YBR_FULL", "RGB")) <= 1


@pytest.mark.parametrize(("syntax", "wrap"), UNPACKED)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_frame_that_is_not_coded_and_cut_off_is_refused(syntax, wrap, kept):
    frame = wrap(packed(GREY16))
    with pytest.raises(DecodeError, match=r"of 3840 bytes: it is cut off"):
        loaded(frame[: int(len(frame) * kept)], GREY16, syntax)


def test_deflated_image_frame_that_is_damaged_is_refused():
    with pytest.raises(DecodeError, match=r"Deflated Image Frame Compression.*cannot be decoded"):
        loaded(b"\xff" * 50, GREY16, DEFLATED_IMAGE_FRAME)


# ------------------------------------------------------------------ RLE


def rle(planes: Sequence[bytes]) -> bytes:
    """Encode segments with imagecodecs' PackBits."""
    segments = [bytes(imagecodecs.packbits_encode(plane)) for plane in planes]
    segments = [each + b"\0" * (len(each) % 2) for each in segments]
    starts = [64 + sum(map(len, segments[:index])) for index in range(len(segments))]
    header = struct.pack(f"<{1 + len(starts)}L", len(starts), *starts).ljust(64, b"\0")
    return header + b"".join(segments)


def rle_frame(pixels: np.ndarray) -> bytes:
    """Encode an image: the highest bytes of the first sample first."""
    size = pixels.dtype.itemsize
    planes = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(-1, pixels[0, 0].size)
    by_byte = planes.view("u1").reshape(len(planes), -1)
    assert by_byte.shape[1] == size * pixels[0, 0].size
    return rle([by_byte[:, index].tobytes() for index in range(by_byte.shape[1])])


WIDE = np.arange(40 * 48, dtype="u8").reshape(40, 48) * 0x0123456789ABCD


@pytest.mark.parametrize(
    "pixels",
    [
        *(GREY8, GREY16, SIGNED, RGB, RGB.astype("u2") * 257, RGB.astype("u4") * 16843009),
        *(WIDE.astype("u4"), WIDE, WIDE.astype("i8") - (1 << 60)),
    ],
    ids=lambda pixels: f"{pixels.dtype}x{pixels[0, 0].size}",
)
def test_rle_of_every_width_and_sample_count(pixels):
    image = loaded(rle_frame(pixels), pixels, uid.RLELossless)
    assert image.pixels.dtype == pixels.dtype
    assert np.array_equal(image.pixels, pixels)


def test_rle_of_single_bits():
    frame = rle([np.packbits(BITS.reshape(-1), bitorder="little").tobytes()])
    image = loaded(frame, BITS, uid.RLELossless, BitsAllocated=1, BitsStored=1)
    assert np.array_equal(image.pixels, BITS)


@pytest.mark.parametrize("is_signed", [False, True])
def test_rle_of_24_bits(is_signed):
    values = WIDE.astype("i4") >> 8 if is_signed else WIDE.astype("u4") >> 8
    big = values.astype(">i4").reshape(-1, 1).view("u1")[:, 1:]
    frame = rle([big[:, index].tobytes() for index in range(3)])
    image = loaded(frame, values, uid.RLELossless, BitsAllocated=24, BitsStored=24)
    assert np.array_equal(image.pixels, values)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("planar", [0, 1])
def test_rle_of_luminance_and_chroma(photometric, planar):
    """All samples are there, whatever the name says, and are in segments, whatever that says."""
    attributes = {"PhotometricInterpretation": photometric, "PlanarConfiguration": planar}
    image = loaded(rle_frame(YBR), YBR, uid.RLELossless, **attributes)
    assert difference(image, convert_color_space(YBR, "YBR_FULL", "RGB")) <= 1


@pytest.mark.parametrize("segments", [1, 3])
def test_rle_of_other_segments_is_refused(segments):
    frame = rle([bytes(GREY16.size)] * segments)
    with pytest.raises(DecodeError, match=rf"the frame has {segments} segments, 2 were expected"):
        loaded(frame, GREY16, uid.RLELossless)


def test_rle_of_too_few_rows_is_refused():
    with pytest.raises(DecodeError, match=r"a segment has 960 of 1920 bytes: the frame is cut off"):
        loaded(rle_frame(GREY16[:20]), GREY16, uid.RLELossless)


# ------------------------------------------------------------------ labels


@pytest.mark.parametrize(
    ("label", "true"),
    [
        (uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1),
        (uid.JPEGLosslessSV1, uid.JPEGLossless),
        (uid.JPEGExtended12Bit, uid.JPEGLosslessSV1),
        (uid.JPEGLossless, uid.JPEGLSLossless),
        (uid.JPEGLSLossless, uid.JPEG2000Lossless),
        (uid.JPEG2000Lossless, uid.HTJ2KLossless),
        (uid.JPEG2000, uid.JPEGLosslessSV1),
        (uid.RLELossless, uid.JPEG2000Lossless),
    ],
    ids=lambda each: UID(each).keyword,
)
def test_frame_of_another_transfer_syntax_than_the_label(label, true):
    image = loaded(builders.ENCODERS[true](GREY12), GREY12, label, BitsStored=12)
    assert np.array_equal(image.pixels, GREY12)
    assert image.encoding.transfer_syntax_uid == label
    assert image.encoding.codestream.transfer_syntax_uid == true
    assert image.warnings[0] == (
        f"the transfer syntax is {UID(label).name} ({label}), but the frame is {UID(true).name} "
        f"({true}); it was decoded as that"
    )


def test_lossy_frame_of_a_lossless_label_is_noted():
    frame = builders.ENCODERS[uid.JPEG2000](GREY16)
    image = loaded(frame, GREY16, uid.JPEG2000Lossless)
    assert "but the frame is JPEG 2000 Image Compression (1.2.840" in image.warnings[0]


@pytest.mark.parametrize(
    ("label", "true"),
    [
        (uid.JPEGLSNearLossless, uid.JPEGLSLossless),
        (uid.JPEG2000, uid.JPEG2000Lossless),
        (uid.HTJ2K, uid.HTJ2KLossless),
        (uid.HTJ2KLosslessRPCL, uid.HTJ2KLossless),
        (HTJ2K_PRIVATE, uid.HTJ2KLossless),
        (uid.JPEGLossless, uid.JPEGLosslessSV1),
    ],
)
def test_frame_that_the_label_allows(label, true):
    image = loaded(builders.ENCODERS[true](GREY12), GREY12, label, BitsStored=12)
    assert np.array_equal(image.pixels, GREY12)
    assert image.warnings == ()


@pytest.mark.parametrize(
    "label", [uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K, HTJ2K_PRIVATE]
)
def test_htj2k_of_all_its_uids(label):
    frame = imagecodecs.htj2k_encode(RGB, reversible=True, rgb=True)
    image = loaded(frame, RGB, label, PhotometricInterpretation="YBR_RCT")
    assert np.array_equal(image.pixels, RGB)
    assert image.encoding.codestream.photometric_interpretation == "YBR_RCT"


# ------------------------------------------------------------------ what is not decoded

VIDEO = "It is a video: play it in a video element"
JPIP = "Its pixels are not in the file but at a JPIP server"
ROOT = "1.2.840.10008.1.2."


@pytest.mark.parametrize(
    ("syntax", "advice"),
    [
        *[(f"{ROOT}4.{number}", VIDEO) for number in range(100, 109)],
        (f"{ROOT}4.102.1", VIDEO),
        *[(f"{ROOT}4.{number}", JPIP) for number in (94, 95, 204, 205)],
        *[(f"{ROOT}4.{number}", "JPEG 2000 part 2 codes several") for number in (92, 93)],
        *[(f"{ROOT}7.{number}", "It is a live stream") for number in (1, 2, 3)],
        *[(f"{ROOT}4.{number}", "Ask the server") for number in (52, 54, 56, 58, 59, 66)],
        (f"{ROOT}6.2", "Ask the server"),
        ("1.2.840.113619.5.99", "Ask the server"),
    ],
)
def test_transfer_syntax_that_nobody_decodes_says_what_to_do(syntax, advice):
    instance = parse_part10(builders.encapsulated([bytes(64)], GREY8, uid.HTJ2K))
    with pytest.raises(UnsupportedError) as caught:
        make_image(replace(instance, transfer_syntax_uid=UID(syntax)), 0)
    text = str(caught.value)
    assert f"({syntax}) cannot be decoded; supported are Implicit VR Little Endian" in text
    assert "JPEG XL Lossless (1.2.840.10008.1.2.4.110)" in text
    assert advice in text


def test_instance_whose_pixels_are_elsewhere_says_what_to_do():
    dataset = builders.header(GREY8, PixelDataProviderURL="https://host/jpip?target=1")
    body = builders.part10(dataset, f"{ROOT}4.94")
    with pytest.raises(UnsupportedError, match=JPIP):
        make_image(parse_part10(body), 0)
