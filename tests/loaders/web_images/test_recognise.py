"""Bytes that are no web image: what they are instead."""

from __future__ import annotations

import pytest

from pyloader import load_image
from pyloader.errors import (
    FormatError,
    UnsupportedError,
)
from tests.support.pictures import HTML


@pytest.mark.parametrize(
    ("body", "headline"),
    [
        (HTML, "Log in & go on"),
        (b"<HTML>\n<body>gone</body>", "<HTML>"),
        (b"<!doctype html><p>busy", "<!doctype html><p>busy"),
    ],
)
async def test_page_in_place_of_an_image(context, transport, body, headline):
    transport.answers["https://host/a.png"] = body
    expected = (
        rf"https://host/a\.png is an HTML page, not an image: '{headline}'\. It may be a login"
    )
    with pytest.raises(FormatError, match=expected):
        await load_image("https://host/a.png", context)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (bytes(128) + b"DICM", "a DICOM file; ask for it by wadouri:"),
        (bytes(344) + b"n+1\0", "a NIfTI file; ask for it by nifti:"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", r"JPEG 2000 \(JP2\)"),
        (b"\xff\x4f\xff\x51\0", "a JPEG 2000 codestream"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "of the kind 'heic'"),
        (b"\0\0\0\x14ftypisom\0\0\0\0mp42", "of the kind 'isom'"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "SVG"),
        (b"<svg/>", "SVG"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"%PDF-1.7", "a PDF document"),
    ],
)
async def test_format_that_is_known_but_not_read(context, transport, body, name):
    transport.answers["https://host/a"] = body
    with pytest.raises(UnsupportedError, match=f"https://host/a is {name}.*; web images are PNG"):
        await load_image("https://host/a", context)


@pytest.mark.parametrize("body", [b"nonsense", b"\x89PNG", b"RIFFxxxxAVI ", b"\xff\xd8"])
async def test_bytes_of_no_format(context, transport, body):
    transport.answers["https://host/a"] = body
    with pytest.raises(FormatError, match=r"is none of PNG, JPEG, .*: it begins with b'"):
        await load_image("https://host/a", context)


async def test_nothing(context, transport):
    transport.answers["https://host/a"] = b""
    with pytest.raises(FormatError, match="https://host/a is empty"):
        await load_image("https://host/a", context)


async def test_error_does_not_repeat_a_whole_file(context, transport):
    url = "data:image/png;base64," + "A" * 9000
    transport.answers[url] = bytes(9000)
    with pytest.raises(FormatError, match=r"data:image/png;base64,A+\.\.\. is none of") as caught:
        await load_image(f"web:{url}", context)
    assert len(str(caught.value)) < 500
