"""JPEG and JPEG-LS as they are, whatever other loaders make of them: processes, colours, signs."""

from __future__ import annotations

import io

import imagecodecs
import jpeg_ls
import numpy as np
import PIL.Image
import pytest
from pydicom import dcmread, uid
from pydicom.pixels import get_decoder
from pydicom.pixels.processing import convert_color_space

from pyloader.dicom.transfer_syntaxes import (
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
)
from pyloader.errors import DecodeError, UnsupportedError
from tests.support import builders
from tests.support.encoded import (
    GREY8,
    GREY12,
    RGB,
    SIGNED,
    SIGNED12,
    YBR,
    difference,
    jpeg,
    jpeg_ls_of,
    loaded,
    pillow,
    without_segment,
)
from tests.support.reference import jpeg_writer

# ------------------------------------------------------------------ JPEG


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize(
    ("syntax", "scans"), [(JPEG_SPECTRAL, "spectral"), (JPEG_PROGRESSIVE, "full")]
)
def test_retired_progressive_processes_are_decoded(bits, syntax, scans):
    pixels = GREY8 if bits == 8 else GREY12
    frame = jpeg_writer.encode_dct(
        pixels, bits, jpeg_writer.PROGRESSIVE, getattr(jpeg_writer, scans)(1)
    )
    image = loaded(frame, pixels, syntax, BitsStored=bits)
    other = imagecodecs_free(frame, pixels, bits)
    assert difference(image, other) <= 1
    assert image.warnings == ()


def imagecodecs_free(frame: bytes, like: np.ndarray, bits: int) -> np.ndarray:
    """Decode JPEG with pylibjpeg."""
    body = builders.encapsulated([frame], like, uid.JPEGExtended12Bit, BitsStored=bits)
    decoder = get_decoder(uid.JPEGExtended12Bit)
    return decoder.as_array(dcmread(io.BytesIO(body)), decoding_plugin="pylibjpeg")[0]


def test_progressive_colour():
    frame = jpeg(RGB, progressive=True)
    image = loaded(frame, RGB, JPEG_PROGRESSIVE, PhotometricInterpretation="YBR_FULL_422")
    assert difference(image, pillow(frame)) <= 1


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_jpeg_lossless_with_restart_intervals(predictor, rows):
    frame = jpeg_writer.encode_lossless(GREY12, 12, jpeg_writer.Lossless(predictor, rows, 0))
    image = loaded(frame, GREY12, uid.JPEGLossless, BitsStored=12)
    assert np.array_equal(image.pixels, GREY12)


@pytest.mark.parametrize("bits", range(2, 17))
def test_jpeg_lossless_of_every_depth(bits):
    pixels = builders.ramp(24, 32, bits)
    frame = jpeg_writer.encode_lossless(pixels, bits, jpeg_writer.Lossless(1, 0, 0))
    image = loaded(frame, pixels, uid.JPEGLosslessSV1, BitsStored=bits)
    assert np.array_equal(image.pixels, pixels)


def test_jpeg_lossless_with_a_point_transform():
    pixels = GREY12 >> 2 << 2
    frame = jpeg_writer.encode_lossless(pixels, 12, jpeg_writer.Lossless(4, 0, 2))
    assert np.array_equal(loaded(frame, pixels, uid.JPEGLossless, BitsStored=12).pixels, pixels)


def test_fill_bytes_before_markers():
    frame = builders.ENCODERS[uid.JPEGLosslessSV1](GREY12)
    for marker in (b"\xff\xc3", b"\xff\xda", b"\xff\xd9"):
        place = frame.rindex(marker) if marker == b"\xff\xd9" else frame.index(marker)
        frame = frame[:place] + b"\xff\xff" + frame[place:]
    image = loaded(frame, GREY12, uid.JPEGLosslessSV1, BitsStored=12)
    assert np.array_equal(image.pixels, GREY12)


@pytest.mark.parametrize("kept", [-2, -1])
@pytest.mark.parametrize(
    "syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGExtended12Bit]
)
def test_jpeg_whose_end_alone_is_missing(syntax, kept):
    pixels = GREY8 if syntax == uid.JPEGBaseline8Bit else GREY12
    frame = builders.ENCODERS[syntax](pixels)
    attributes = {"BitsStored": 8 if syntax == uid.JPEGBaseline8Bit else 12}
    whole = loaded(frame, pixels, syntax, **attributes)
    assert np.array_equal(loaded(frame[:kept], pixels, syntax, **attributes).pixels, whole.pixels)


def test_jpeg_of_inks_is_refused():
    stream = io.BytesIO()
    PIL.Image.fromarray(RGB).convert("CMYK").save(stream, "JPEG")
    with pytest.raises(UnsupportedError, match=r"SamplesPerPixel is 4; 1 and 3 are supported"):
        loaded(
            stream.getvalue(),
            RGB,
            uid.JPEGBaseline8Bit,
            SamplesPerPixel=4,
            PhotometricInterpretation="CMYK",
        )
    with pytest.raises(DecodeError, match=r"holds \(40, 48, 4\).*the header says \(40, 48, 3\)"):
        loaded(stream.getvalue(), RGB, uid.JPEGBaseline8Bit)


@pytest.mark.parametrize("process", [0xC5, 0xC9, 0xCA, 0xCB])
def test_jpeg_of_other_processes_is_refused(process):
    frame = jpeg(GREY8)
    place = frame.index(b"\xff\xc0")
    frame = frame[:place] + bytes([0xFF, process]) + frame[place + 2 :]
    with pytest.raises(
        UnsupportedError, match=f"start of frame {process:#x} is arithmetic or hier"
    ):
        loaded(frame, GREY8, uid.JPEGBaseline8Bit)


# ------------------------------------------------------------------ colours of JPEG


def test_jpeg_without_adobe_marker_is_what_its_header_says():
    """No marker tells: YCbCr that the header calls so, and RGB that it calls so."""
    ybr = without_segment(jpeg(RGB, subsampling=0), 0xE0)
    image = loaded(ybr, RGB, uid.JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL")
    assert difference(image, RGB) <= 5
    plain = without_segment(
        imagecodecs.jpeg8_encode(RGB, 95, colorspace="RGB", outcolorspace="RGB"), 0xEE
    )
    plain = with_identifiers(plain, b"\x01\x02\x03")
    image = loaded(plain, RGB, uid.JPEGBaseline8Bit)
    assert difference(image, RGB) <= 5
    assert image.warnings == ()


def with_identifiers(frame: bytes, identifiers: bytes) -> bytes:
    """Return a JPEG of one scan with other component identifiers."""
    changed = bytearray(frame)
    start = next(
        frame.index(bytes([0xFF, each]))
        for each in (0xC0, 0xC1, 0xC3)
        if bytes([0xFF, each]) in frame
    )
    scan = frame.index(b"\xff\xda")
    for index, identifier in enumerate(identifiers):
        changed[start + 10 + 3 * index] = identifier
        changed[scan + 5 + 2 * index] = identifier
    return bytes(changed)


@pytest.mark.parametrize("declared", ["YBR_FULL", "YBR_FULL_422"])
def test_jpeg_of_rgb_that_is_labelled_ybr(declared):
    """The Adobe marker, or the identifiers of the components, tell."""
    plain = imagecodecs.jpeg8_encode(RGB, 95, colorspace="RGB", outcolorspace="RGB")
    for frame, reason in (
        (plain, "its Adobe marker"),
        (
            with_identifiers(without_segment(plain, 0xEE), b"RGB"),
            "the identifiers of its components",
        ),
    ):
        image = loaded(frame, RGB, uid.JPEGBaseline8Bit, PhotometricInterpretation=declared)
        assert difference(image, RGB) <= 5
        (note,) = image.warnings
        assert note == (
            f"(0028,0004) PhotometricInterpretation is {declared!r}, but the codestream is RGB by "
            f"{reason}; it was decoded as that"
        )
        assert image.encoding.codestream.photometric_interpretation == "RGB"


@pytest.mark.parametrize(
    ("options", "marker", "reason"),
    [
        ({"subsampling": 0}, None, "its JFIF marker"),
        ({"subsampling": 2}, 0xE0, "components with fewer samples than others"),
    ],
)
def test_jpeg_of_ybr_that_is_labelled_rgb(options, marker, reason):
    frame = jpeg(RGB, **options)
    frame = frame if marker is None else without_segment(frame, marker)
    image = loaded(frame, RGB, uid.JPEGBaseline8Bit)
    assert difference(image, pillow(frame)) <= 1
    assert f"the codestream is YBR_FULL_422 by {reason}" in image.warnings[0]


def test_jpeg_of_partial_range():
    """Luminance of 16 to 235 becomes black to white, unless a JFIF marker denies it."""
    grey = np.broadcast_to(np.linspace(16, 235, 48).astype("u1")[None, :, None], RGB.shape).copy()
    grey[..., 1:] = 128
    frame = imagecodecs.jpeg8_encode(grey, 100, colorspace="YCBCR", outcolorspace="YCBCR")
    partial = {"PhotometricInterpretation": "YBR_PARTIAL_422"}
    image = loaded(without_segment(frame, 0xE0), grey, uid.JPEGBaseline8Bit, **partial)
    assert (image.pixels[0, 0].max(), image.pixels[0, -1].min()) == (0, 255)
    image = loaded(frame, grey, uid.JPEGBaseline8Bit, **partial)
    assert difference(image, np.repeat(grey[..., :1], 3, axis=2)) <= 2


def test_jpeg_whose_colours_nothing_tells_is_refused():
    frame = without_segment(jpeg(RGB, subsampling=0), 0xE0)
    with pytest.raises(DecodeError, match=r"'YBR_RCT', which JPEG cannot encode, and the codestr"):
        loaded(frame, RGB, uid.JPEGBaseline8Bit, PhotometricInterpretation="YBR_RCT")


def test_jpeg_whose_adobe_marker_contradicts_its_chroma_is_refused():
    frame = jpeg(RGB, subsampling=2)
    adobe = b"\xff\xee\x00\x0eAdobe\x00d\x00\x00\x00\x00\x00"
    with pytest.raises(
        DecodeError, match="the Adobe marker says that the colours are RGB, but two"
    ):
        loaded(frame[:2] + adobe + frame[2:], RGB, uid.JPEGBaseline8Bit)


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless])
def test_lossless_colour_is_not_transformed(declared, planar, syntax):
    """A planar configuration of 1 says nothing of what a decoder gives."""
    coded = RGB if declared == "RGB" else YBR
    attributes = {"PhotometricInterpretation": declared, "PlanarConfiguration": planar}
    image = loaded(builders.ENCODERS[syntax](coded), coded, syntax, **attributes)
    expected = RGB if declared == "RGB" else convert_color_space(YBR, "YBR_FULL", "RGB")
    assert difference(image, expected) <= (declared != "RGB")


def test_lossless_jpeg_with_a_jfif_marker_is_what_its_header_says():
    frame = builders.ENCODERS[uid.JPEGLosslessSV1](RGB)
    jfif = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    image = loaded(frame[:2] + jfif + without_segment(frame, 0xEE)[2:], RGB, uid.JPEGLosslessSV1)
    assert np.array_equal(image.pixels, RGB)


# ------------------------------------------------------------------ JPEG-LS


@pytest.mark.parametrize("near", [0, 1, 3])
@pytest.mark.parametrize("bits", [12, 16])
def test_near_lossless_jpeg_ls_keeps_its_sign(near, bits):
    # Next to the smallest and the largest number an error could change the sign.
    pixels = np.clip(SIGNED if bits == 16 else SIGNED12, -2000, 2000)
    frame = jpeg_ls_of(pixels.view("u2") & ((1 << bits) - 1), bits, near)
    image = loaded(frame, pixels, uid.JPEGLSNearLossless, BitsStored=bits)
    assert image.pixels.dtype == "i2"
    assert difference(image, pixels) <= near


@pytest.mark.parametrize("interleave", ["none", "line", "sample"])
def test_colour_of_jpeg_ls_in_any_interleave(interleave):
    mode = {"none": 0, "line": 1, "sample": 2}[interleave]
    pixels = RGB if mode else np.ascontiguousarray(RGB.transpose(2, 0, 1))
    frame = bytes(jpeg_ls.encode_array(pixels, interleave_mode=mode))
    assert np.array_equal(loaded(frame, RGB, uid.JPEGLSLossless).pixels, RGB)


def test_palette_of_jpeg_ls():
    indices = np.arange(256, dtype="u1").reshape(16, 16)
    entries = np.arange(256, dtype="u1")
    palette = {"PhotometricInterpretation": "PALETTE COLOR"}
    for color, data in (("Red", entries), ("Green", entries[::-1]), ("Blue", entries // 2)):
        palette[f"{color}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        palette[f"{color}PaletteColorLookupTableData"] = data.tobytes()
    frame = imagecodecs.jpegls_encode(indices)
    image = loaded(frame, indices, uid.JPEGLSLossless, **palette)
    expected = np.stack([entries, entries[::-1], entries // 2], axis=-1)[indices]
    assert np.array_equal(image.pixels >> (8 * (image.pixels.dtype.itemsize - 1)), expected)
