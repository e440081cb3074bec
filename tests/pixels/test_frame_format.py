"""The transfer syntax of a frame without a file: declared, found in its bytes, or refused."""

from __future__ import annotations

import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset, uid
from pydicom.uid import UID

from pyloader.dicom.instance import Instance
from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    JPEG_XL_LOSSLESS,
)
from pyloader.errors import FormatError, UnsupportedError
from pyloader.image import PixelModule
from pyloader.loaders.instance_source import make_image
from pyloader.pixels.frame_format import AmbiguousError, fits, labelled
from tests.support import builders

GREY = builders.ramp(16, 24)
COLOR = builders.color(16, 24)
NATIVE = str(uid.ExplicitVRLittleEndian)


def described(pixels: np.ndarray, syntax: str = "", **attributes: Any) -> Instance:
    """Return an instance without pixels, as metadata describe it."""
    return Instance(builders.header(pixels, **attributes), UID(syntax), None)


def label(
    instance: Instance, frame: bytes, told: str | None = None, is_original: bool = True
) -> Instance:
    """Label the first frame."""
    return labelled(instance, 0, frame, told, is_original)


def encoded(syntax: str, pixels: np.ndarray = GREY) -> bytes:
    """Encode a frame."""
    return builders.ENCODERS[UID(syntax)](pixels)


def pixels_of(instance: Instance) -> np.ndarray:
    """Decode a labelled frame."""
    return make_image(instance, 0).pixels


# ------------------------------------------------------------------ declared and found


def test_declared_native_frame():
    found = label(described(GREY), GREY.tobytes(), NATIVE)
    assert found.transfer_syntax_uid == NATIVE
    assert found.warnings == ()
    assert np.array_equal(pixels_of(found), GREY)


def test_undeclared_native_frame():
    found = label(described(GREY), GREY.tobytes())
    assert found.transfer_syntax_uid == NATIVE
    assert found.warnings == ()


@pytest.mark.parametrize(
    "syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.HTJ2KLossless, uid.JPEGLosslessSV1]
)
@pytest.mark.parametrize("is_told", [True, False])
def test_codestream(syntax, is_told):
    pixels = builders.ramp(16, 24, 12)
    found = label(
        described(pixels, BitsStored=12), encoded(syntax, pixels), str(syntax) if is_told else None
    )
    assert found.transfer_syntax_uid == syntax
    assert found.warnings == ()
    assert np.array_equal(pixels_of(found), pixels)


def test_rle():
    found = label(described(GREY), builders.rle_encode_frame(GREY), str(uid.RLELossless))
    assert found.transfer_syntax_uid == uid.RLELossless
    assert np.array_equal(pixels_of(found), GREY)


def test_codestream_that_is_declared_native():
    frame = encoded(uid.JPEGLSLossless)
    found = label(described(GREY), frame, NATIVE)
    assert found.transfer_syntax_uid == uid.JPEGLSLossless
    (note,) = found.warnings
    assert note.startswith("the server labelled the frame Explicit VR Little Endian (1.2.840")
    assert "its bytes are JPEG-LS Lossless Image Compression (1.2.840.10008.1.2.4.80)" in note
    assert np.array_equal(pixels_of(found), GREY)


def test_native_frame_that_is_declared_a_codestream():
    found = label(described(GREY), GREY.tobytes(), str(uid.JPEGBaseline8Bit))
    assert found.transfer_syntax_uid == NATIVE
    assert "its bytes are Explicit VR Little Endian" in found.warnings[0]


def test_codestream_that_is_declared_another():
    found = label(described(GREY), encoded(uid.JPEG2000Lossless), str(uid.JPEGBaseline8Bit))
    assert found.transfer_syntax_uid == uid.JPEG2000Lossless
    assert np.array_equal(pixels_of(found), GREY)


@pytest.mark.parametrize(
    ("told", "frame"),
    [
        (uid.HTJ2KLosslessRPCL, uid.HTJ2KLossless),
        (uid.JPEGLosslessSV1, uid.JPEGLosslessSV1),
        (uid.JPEGLSNearLossless, uid.JPEGLSLossless),
    ],
)
def test_codestream_that_its_decoder_reads_keeps_its_declared_syntax(told, frame):
    """The bytes do not distinguish all transfer syntaxes."""
    pixels = builders.ramp(16, 24, 12)
    found = label(described(pixels, BitsStored=12), encoded(frame, pixels), str(told))
    assert found.transfer_syntax_uid == told
    assert found.warnings == ()


def test_warnings_of_the_metadata_stay():
    instance = Instance(builders.header(GREY), UID(""), None, ("a note",))
    found = label(instance, encoded(uid.JPEGLSLossless), NATIVE)
    assert found.warnings[0] == "a note"
    assert len(found.warnings) == 2


def test_native_frame_that_begins_like_jpeg_xl():
    frame = b"\xff\x0a" + GREY.tobytes()[2:]
    assert label(described(GREY), frame).transfer_syntax_uid == NATIVE


def test_declared_native_frame_that_begins_like_a_codestream():
    """It has the size of a native frame, and no server declares another frame native."""
    stream = encoded(uid.JPEGLSLossless)
    frame = stream + bytes(GREY.nbytes - len(stream))
    assert label(described(GREY), frame, NATIVE).transfer_syntax_uid == NATIVE


UNKNOWN = ["1.2.3", "1.2.840.113619.5.99", "1.2.840.10008.1.2.4.999", "1.2.840.10008.1.20"]


@pytest.mark.parametrize("told", [*UNKNOWN, "nonsense", "1.2.840.113619.5.2"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_codestream_is_identified_under_an_unknown_transfer_syntax(told):
    found = label(described(GREY), encoded(uid.JPEGLSLossless), told)
    assert np.array_equal(pixels_of(found), GREY)


@pytest.mark.parametrize("told", UNKNOWN)
def test_native_frame_of_an_unknown_transfer_syntax_is_refused(told):
    """Its byte order is unknown: one private transfer syntax swaps the bytes."""
    with pytest.raises(UnsupportedError, match=rf"\({told}\) cannot be decoded"):
        label(described(GREY), GREY.tobytes(), told)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_text_that_is_no_uid_is_ignored():
    """PS3.18 8.7.3.3.2: frames are little endian by default."""
    assert np.array_equal(pixels_of(label(described(GREY), GREY.tobytes(), "nonsense")), GREY)


def test_native_frame_of_ge_with_big_endian_pixels():
    found = label(described(GREY), GREY.astype(">u2").tobytes(), "1.2.840.113619.5.2")
    assert np.array_equal(pixels_of(found), GREY)


def test_unknown_frame_is_refused():
    expected = (
        r"a frame of 5 bytes came without a transfer syntax; it begins with b'what\?', which is "
        f"not a known codestream, and a native frame would have {GREY.nbytes} bytes"
    )
    with pytest.raises(FormatError, match=expected):
        label(described(GREY), b"what?")


def test_declared_syntax_is_used_for_unknown_bytes():
    """The codec then reports the error."""
    assert label(described(GREY), b"what?", str(uid.JPEG2000)).transfer_syntax_uid == uid.JPEG2000


@pytest.mark.parametrize("told", [uid.MPEG4HP41, uid.JPEG2000MC])
@pytest.mark.parametrize("stored", ["", uid.MPEG4HP41])
def test_codestream_without_a_codec(told, stored):
    with pytest.raises(UnsupportedError, match=rf"\({told}\) cannot be decoded; supported are"):
        label(described(GREY, stored), bytes(100), told)


@pytest.mark.parametrize("told", [None, JPEG_XL_LOSSLESS, NATIVE])
def test_jpeg_xl_that_pydicom_does_not_know(told):
    frame = imagecodecs.jpegxl_encode(GREY, lossless=True)
    found = label(described(GREY), frame, told)
    assert found.transfer_syntax_uid == JPEG_XL_LOSSLESS
    assert np.array_equal(pixels_of(found), GREY)


@pytest.mark.parametrize("told", [ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME])
def test_frame_without_a_codestream(told):
    frame = GREY.tobytes()
    if told == DEFLATED_IMAGE_FRAME:
        deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        frame = deflater.compress(frame) + deflater.flush()
    found = label(described(GREY), frame, told)
    assert (found.transfer_syntax_uid, found.warnings) == (told, ())
    assert np.array_equal(pixels_of(found), GREY)


def test_attribute_that_is_missing():
    instance = described(GREY)
    del instance.dataset.Rows
    with pytest.raises(FormatError, match=r"\(0028,0010\) Rows is absent"):
        label(instance, GREY.tobytes())


# ------------------------------------------------------------------ sizes


def test_frame_may_be_padded_to_an_even_length():
    pixels = builders.ramp(3, 5, 8)
    for frame in (pixels.tobytes(), pixels.tobytes() + b"\0"):
        found = label(described(pixels), frame, NATIVE)
        assert np.array_equal(pixels_of(found), pixels)


@pytest.mark.parametrize(
    ("columns", "attributes", "lengths"),
    [
        (24, {}, {768}),
        (5, {"bits_allocated": 8}, {80}),
        (3, {"rows": 3, "bits_allocated": 8}, {9, 10}),
        (5, {"rows": 3, "bits_allocated": 1}, {2}),
        (24, {"photometric_interpretation": "YBR_FULL_422", "samples_per_pixel": 3}, {1536, 2304}),
    ],
)
def test_lengths_of_native_frames(columns, attributes, lengths):
    pixel = PixelModule.of(np.zeros((attributes.pop("rows", 16), columns), "u2"), **attributes)
    assert {length for length in range(3000) if fits(length, pixel)} == lengths


@pytest.mark.parametrize(("bits", "vr"), [(8, "OB"), (16, "OW")])
def test_words_of_a_native_frame(bits, vr):
    pixels = builders.ramp(16, 24, bits)
    found = label(described(pixels), pixels.tobytes())
    assert found.pixels is not None
    assert (found.pixels.vr, found.pixels.frame_index) == (vr, 0)


# ------------------------------------------------------------------ decoded by the server


def decoded_color(photometric: str, planar: int = 0) -> Dataset:
    """Return the description of a colour image that the server decoded."""
    return builders.header(COLOR, PhotometricInterpretation=photometric, PlanarConfiguration=planar)


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT", "YBR_FULL_422", "RGB"])
@pytest.mark.parametrize("how", ["asked", "metadata"])
def test_decoded_color_is_rgb(photometric, how):
    """The request, or (0008,3002), shows that the server decoded the frame."""
    syntax = uid.JPEG2000Lossless if how == "metadata" else ""
    instance = Instance(decoded_color(photometric), UID(syntax), None)
    found = label(instance, COLOR.tobytes(), NATIVE, is_original=how == "metadata")
    assert found.dataset.PhotometricInterpretation == "RGB"
    assert np.array_equal(pixels_of(found), COLOR)
    assert instance.dataset.PhotometricInterpretation == photometric


def test_decoded_color_may_be_recognised_by_its_description():
    """JPEG 2000's transformations have no native form, and half chroma has another size."""
    for photometric in ("YBR_RCT", "YBR_FULL_422"):
        found = label(Instance(decoded_color(photometric), UID(""), None), COLOR.tobytes())
        assert np.array_equal(pixels_of(found), COLOR)


def test_stored_color_is_converted():
    """Native YBR_FULL comes from the file, not from a decoding server."""
    instance = Instance(decoded_color("YBR_FULL"), UID(NATIVE), None)
    found = label(instance, COLOR.tobytes(), NATIVE)
    assert found.dataset.PhotometricInterpretation == "YBR_FULL"
    assert not np.array_equal(pixels_of(found), COLOR)


def test_stored_planes():
    instance = Instance(decoded_color("RGB", planar=1), UID(NATIVE), None)
    found = label(instance, np.moveaxis(COLOR, -1, 0).tobytes(), NATIVE)
    assert np.array_equal(pixels_of(found), COLOR)


@pytest.mark.parametrize(
    ("photometric", "planar"),
    [("YBR_FULL", 0), ("YBR_FULL", 1), ("RGB", 1), ("YBR_PARTIAL_420", 0)],
)
def test_decoded_color_may_be_ambiguous(photometric, planar):
    expected = (
        f"the server decoded a frame of photometric interpretation '{photometric}', planar "
        f"configuration {planar}; its metadata do not say what it is now"
    )
    instance = Instance(decoded_color(photometric, planar), UID(uid.RLELossless), None)
    with pytest.raises(AmbiguousError, match=expected):
        label(instance, COLOR.tobytes(), NATIVE)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"])
def test_decoded_grey_keeps_its_description(photometric):
    instance = described(GREY, uid.JPEG2000Lossless, PhotometricInterpretation=photometric)
    found = label(instance, GREY.tobytes(), NATIVE)
    assert found.dataset is instance.dataset
    assert found.transfer_syntax_uid == NATIVE


def test_decoded_words_of_32_bits_are_ambiguous():
    """Servers swap words or whole pixels of big-endian data."""
    pixels = np.arange(12, dtype="u4").reshape(3, 4)
    with pytest.raises(AmbiguousError, match="the server decoded a frame of 32 bits; it is"):
        label(described(pixels), pixels.tobytes(), NATIVE, is_original=False)
    found = label(described(pixels), pixels.tobytes(), NATIVE)
    assert np.array_equal(pixels_of(found), pixels)


def test_ambiguous_error_is_a_format_error():
    assert issubclass(AmbiguousError, FormatError)
    assert AmbiguousError.code == "format"


def test_codestream_counts_as_not_decoded_by_the_server():
    frame = encoded(uid.JPEG2000Lossless, COLOR)
    instance = Instance(decoded_color("YBR_RCT"), UID(uid.JPEG2000Lossless), None)
    found = label(instance, frame, is_original=False)
    assert found.dataset.PhotometricInterpretation == "YBR_RCT"
    assert np.array_equal(pixels_of(found), COLOR)


def test_private_syntax_of_the_metadata_is_ignored():
    found = label(described(COLOR, "1.2.840.113619.5.2"), COLOR.tobytes(), NATIVE)
    assert np.array_equal(pixels_of(found), COLOR)
