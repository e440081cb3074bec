"""Recognise the format of a file by its first bytes, never by its name or media type."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable

from pyloader.context import Context
from pyloader.errors import FormatError, LoaderError, UnsupportedError
from pyloader.inflate import beginning_of_gzip
from pyloader.loaders.signatures import BARE_DATA_SETS, is_gzip, signature_of
from pyloader.loaders.web_images import avif, bmp, gif, jpeg, png, tiff, webp
from pyloader.source import Source

Opener = Callable[[str, bytes, Context], Awaitable[Source]]
READ = "PNG, JPEG, WebP, BMP, GIF, AVIF and TIFF"
STARTS: tuple[tuple[bytes, Opener], ...] = (
    (png.SIGNATURE, png.open_png),
    (jpeg.SIGNATURE, jpeg.open_jpeg),
    (bmp.SIGNATURE, bmp.open_bmp),
    *((signature, gif.open_gif) for signature in gif.SIGNATURES),
    *((signature, tiff.open_tiff) for signature in tiff.SIGNATURES),
)
# Formats that are recognised but not read: offset of the signature, signature, name.
UNSUPPORTED_FORMATS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL \r\n", "JPEG XL"),
    (4, b"jP  \r\n", "JPEG 2000 (JP2)"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\0\0\1\0", "a Windows icon"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"qoif", "QOI"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"PK\3\4", "a ZIP file"),
)
# Comments and declarations are atomic groups, so that each can end in one place only. Otherwise a
# few of them in a row match in every way of dividing them.
HTML = re.compile(
    rb"\s*+(?>(?><!--.*?-->)\s*+)*+<(!doctype html|html|head|body|title|script)\b", re.I | re.S
)
TITLE = re.compile(rb"<title[^>]*+>(.*?)</title", re.I | re.S)
SVG = re.compile(
    rb"\s*+(?>(?><\?.*?\?>|<!--.*?-->|<!doctype[^\[>]*+(?:\[.*?\]\s*+)?>)\s*+)*+<svg\b", re.I | re.S
)
LOOKED_AT = 4096


def scheme_of_content(head: bytes) -> str | None:
    """Return the scheme for a file that begins with `head`, None if the format is unknown.

    Of a file compressed by gzip, its content counts.
    """
    head = beginning_of_gzip(head, LOOKED_AT) if is_gzip(head) else head
    # DICOM first: its preamble may hold a TIFF header (PS3.10 7.1).
    known = signature_of(head)
    if known is not None:
        return known.scheme
    if find_opener(head) is not None:
        return "web"
    return "wadouri" if head.startswith(BARE_DATA_SETS) else None


def opener_of(body: bytes, url: str) -> Opener:
    """Return the opener for a file.

    Raises
    ------
    FormatError
        The file is not an image: a login page, empty, or of an unknown format.
    UnsupportedError
        The format is known but not read here.
    """
    opener = find_opener(body)
    if opener is None:
        raise unsupported_error(body, url)
    return opener


def find_opener(body: bytes) -> Opener | None:
    """Return the opener for a file by its first bytes; None unless it is a supported web image."""
    for signature, opener in STARTS:
        if body.startswith(signature):
            return opener
    if body.startswith(webp.SIGNATURE) and body[8:12] == b"WEBP":
        return webp.open_webp
    if body[4:8] == b"ftyp" and avif.BRANDS & set(brands_of(body)):
        return avif.open_avif
    return None


def brands_of(body: bytes) -> list[bytes]:
    """Return the brands in the file type box (ISO 14496-12, 4.3): the major one, then others."""
    brands = body[8 : min(int.from_bytes(body[:4]), 256)]
    return [brands[start : start + 4] for start in range(0, len(brands), 4) if start != 4]


def unsupported_error(body: bytes, url: str) -> LoaderError:
    """Build the error for a file that is not a supported web image."""
    start = body[:LOOKED_AT]
    where = shortened(url)
    if HTML.match(start):
        return FormatError(
            f"{where} is an HTML page, not an image: {headline(start)!r}. It may be a login or "
            "error page: open it in the browser, and check the headers and credentials of init()"
        )
    name = name_of(body)
    if name is not None:
        return UnsupportedError(f"{where} is {name}; web images are {READ}")
    if not body:
        return FormatError(f"{where} is empty")
    return FormatError(
        f"{where} is none of {READ}: it begins with {start[:16]!r} ({len(body)} bytes)"
    )


def name_of(body: bytes) -> str | None:
    """Return the name of a format that is known but not read, else None."""
    known = signature_of(body)
    if known is not None:
        return f"{known.name}; ask for it by {known.scheme}:"
    if body[4:8] == b"ftyp":
        return f"of the kind {body[8:12].decode('latin-1')!r} (HEIF, or a video)"
    if SVG.match(body[:LOOKED_AT]):
        return "SVG, a drawing without pixels"
    found = (name for offset, magic, name in UNSUPPORTED_FORMATS if body.startswith(magic, offset))
    return next(found, None)


def headline(page: bytes) -> str:
    """Return the title of an HTML page, else its first line."""
    title = TITLE.search(page)
    text = title[1] if title else page.strip().partition(b"\n")[0]
    return html.unescape(text.decode("utf-8", "replace")).strip()[:100]


def shortened(url: str) -> str:
    """Shorten a URL for a message, because a ``data:`` URL holds the whole file."""
    return url if len(url) <= 200 else f"{url[:100]}..."
