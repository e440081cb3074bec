"""Transfer syntaxes that other loaders do not have, in Chromium: one file of each."""

from __future__ import annotations

import zlib

import imagecodecs
import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    HTJ2K_PRIVATE,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
)
from tests.support import builders
from tests.support.pages.outcome import fail, load
from tests.support.reference import jpeg_writer
from tests.support.webserver import WebServer

GREY = builders.ramp(40, 48, 12)
GREY8 = builders.ramp(40, 48, 8)
LOSSY_BOUND = 8


def deflated(frame: bytes) -> bytes:
    """Return a frame as raw deflate."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(frame) + deflater.flush()


def progressive(scans: list[jpeg_writer.Scan]) -> bytes:
    """Encode a progressive process of 12 bits."""
    return jpeg_writer.encode_dct(GREY, 12, jpeg_writer.PROGRESSIVE, scans)


FRAMES = {
    ENCAPSULATED_UNCOMPRESSED: (GREY, GREY.tobytes()),
    DEFLATED_IMAGE_FRAME: (GREY, deflated(GREY.tobytes())),
    JPEG_SPECTRAL: (GREY, progressive(jpeg_writer.spectral(1))),
    JPEG_PROGRESSIVE: (GREY, progressive(jpeg_writer.full(1))),
    uid.JPEGLossless: (GREY, jpeg_writer.encode_lossless(GREY, 12, jpeg_writer.Lossless(5, 2, 0))),
    JPEG_XL_LOSSLESS: (GREY, imagecodecs.jpegxl_encode(GREY, lossless=True, bitspersample=12)),
    JPEG_XL_RECOMPRESSION: (
        GREY8,
        imagecodecs.jpegxl_encode_jpeg(imagecodecs.jpeg8_encode(GREY8, 95)),
    ),
    JPEG_XL: (GREY8, imagecodecs.jpegxl_encode(GREY8, distance=0.5)),
    HTJ2K_PRIVATE: (GREY, imagecodecs.htj2k_encode(GREY, reversible=True)),
}
LOSSY = (JPEG_SPECTRAL, JPEG_PROGRESSIVE, JPEG_XL_RECOMPRESSION, JPEG_XL)


@pytest.mark.parametrize("syntax", FRAMES, ids=lambda syntax: UID(syntax).keyword)
def test_transfer_syntax_is_decoded(page: Page, site: WebServer, syntax: str) -> None:
    pixels, frame = FRAMES[syntax]
    bits = 8 if pixels.dtype == "u1" else 12
    body = builders.encapsulated([frame], pixels, syntax, BitsStored=bits)
    image = load(page, f"wadouri:{site.put(f'/made/syntax-{syntax}.dcm', body)}")
    difference = np.abs(image["pixels"].astype("i8") - pixels.astype("i8")).max()
    assert image["pixels"].dtype == pixels.dtype
    assert difference <= (LOSSY_BOUND if syntax in LOSSY else 0)


@pytest.mark.parametrize(
    "syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.HTJ2KLossless]
)
def test_codestream_that_is_cut_off_is_refused(page: Page, site: WebServer, syntax: str) -> None:
    """Also where a codec would never return, or show half an image."""
    frame = builders.ENCODERS[syntax](GREY8)
    for kept in (len(frame) - 4, len(frame) - 10, len(frame) // 2):
        body = builders.encapsulated([frame[: kept // 2 * 2]], GREY8, syntax)
        path = site.put(f"/made/cut-{syntax}-{kept}.dcm", body)
        assert fail(page, f"wadouri:{path}")["code"] == "decode"


def test_warning_of_a_contradiction_reaches_the_page(page: Page, site: WebServer) -> None:
    frame = builders.ENCODERS[uid.JPEGLSLossless](GREY8)
    body = builders.encapsulated([frame], GREY8, uid.JPEGLosslessSV1)
    image = load(page, f"wadouri:{site.put('/made/mislabelled.dcm', body)}")
    assert np.array_equal(image["pixels"], GREY8)
    assert "but the frame is JPEG-LS Lossless Image Compression" in image["warnings"][0]
    assert image["codestream"]["transferSyntaxUID"] == uid.JPEGLSLossless


def test_video_says_what_to_do(page: Page, site: WebServer) -> None:
    body = builders.encapsulated([bytes(64)], GREY8, uid.MPEG4HP41)
    error = fail(page, f"wadouri:{site.put('/made/video.dcm', body)}")
    assert error["code"] == "unsupported"
    assert "It is a video: play it in a video element" in error["message"]
