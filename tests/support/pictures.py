"""Web images made in code, and read by Pillow and tifffile, which pyloader does not decode with."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import tifffile

from pyloader import Context, Image, load_image
from pyloader.cache import Cache
from pyloader.context import DECODED_BYTES
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support import builders

HTML = b"""
<!-- the proxy -->
<!DOCTYPE html>
<html lang="en"><head><title>
  Log in &amp; go on</title></head><body>You are not signed in</body></html>"""
ROWS, COLUMNS = 40, 56
URL = "https://host/image?x=1"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def noise(*shape: int, dtype: str = "u1", seed: int = 5) -> np.ndarray:
    """Return values over the whole range of an integer dtype."""
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def saved(pixels: Any, kind: str, **options: Any) -> bytes:
    """Write an array, or an image of Pillow's, with Pillow."""
    image = PIL.Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def animated(frames: Sequence[Any], kind: str, **options: Any) -> bytes:
    """Write several frames with Pillow."""
    images = [PIL.Image.fromarray(frame) for frame in frames]
    return saved(images[0], kind, save_all=True, append_images=images[1:], duration=50, **options)


def read(body: bytes, mode: str | None = None, frame: int = 0) -> np.ndarray:
    """Read a frame with Pillow, turned as its orientation says."""
    image = PIL.Image.open(BytesIO(body))
    image.seek(frame)
    turned = PIL.ImageOps.exif_transpose(image)
    return np.asarray(turned.convert(mode) if mode else turned)


def oriented(orientation: int) -> PIL.Image.Exif:
    """Return EXIF that says nothing but how to turn an image."""
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return exif


async def load(body: bytes, fragment: str = "", decoded_bytes: int = DECODED_BYTES) -> Image:
    """Load bytes as a web image with pyloader; `fragment` names a frame (``#frame=2``)."""
    network = Network(MemoryTransport({URL: body}), retries=0)
    context = Context(network, Cache(1 << 20), decoded_bytes=decoded_bytes)
    return await load_image(URL + fragment, context)


# ------------------------------------------------------------------ PNG


def chunk(kind: bytes, payload: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return (
        struct.pack(">I", len(payload))
        + kind
        + payload
        + struct.pack(">I", zlib.crc32(kind + payload))
    )


def png(rows: int, columns: int, depth: int, color: int, **chunks: bytes) -> bytes:
    """Make a PNG of noise, of any depth and color; `chunks` go before the pixels."""
    stride = (columns * SAMPLES[color] * depth + 7) // 8
    lines = noise(rows, stride)
    raw = b"".join(b"\0" + line.tobytes() for line in lines)
    header = struct.pack(">IIBBBBB", columns, rows, depth, color, 0, 0, 0)
    before = b"".join(chunk(kind.encode(), payload) for kind, payload in chunks.items())
    pixels = chunk(b"IDAT", zlib.compress(raw))
    return SIGNATURE + chunk(b"IHDR", header) + before + pixels + chunk(b"IEND", b"")


def interlaced(pixels: np.ndarray) -> bytes:
    """Make an interlaced PNG (Adam7, 8.2) of grey pixels."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    parts = [pixels[row::down, column::across] for row, column, down, across in passes]
    parts.append(pixels[1::2])
    lines = (line for part in parts if part.size for line in part)
    order = pixels.dtype.newbyteorder(">")
    raw = b"".join(b"\0" + line.astype(order).tobytes() for line in lines)
    rows, columns = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8 * pixels.itemsize, GREY, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(*part) for part in chunks)


def palette(depth: int) -> bytes:
    """Return a palette with an entry for each index."""
    return noise(1 << depth, 3, seed=9).tobytes()


def png_bomb(rows: int, columns: int) -> bytes:
    """Make a small PNG that claims to be large."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, RGB, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20), 9)
    return SIGNATURE + b"".join(
        chunk(*parts) for parts in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


# ------------------------------------------------------------------ animations


def moving(count: int = 4, samples: int = 3) -> list[np.ndarray]:
    """Return frames of few colors, a square that moves over a pattern; RGBA has holes."""
    frames = []
    for index in range(count):
        frame = np.full((ROWS, COLUMNS, samples), 255, "u1")
        down, across = np.mgrid[:ROWS, :COLUMNS]
        frame[..., 0] = (down // 8 * 40) % 256
        frame[..., 1] = (across // 8 * 30) % 256
        frame[..., 2] = 90
        if samples == 4:
            frame[(down + across) % 7 == 0] = 0
        frame[4 * index : 4 * index + 12, 5 * index : 5 * index + 14, :3] = (200, 40 * index, 20)
        if samples == 4:
            frame[4 * index : 4 * index + 12, 5 * index : 5 * index + 14, 3] = 255
        frames.append(frame)
    return frames


# ------------------------------------------------------------------ TIFF


def tiff(*pages: np.ndarray, **options: Any) -> bytes:
    """Write pages with tifffile, each as an image of its own."""
    stream = BytesIO()
    bigtiff, byteorder = options.pop("bigtiff", False), options.pop("byteorder", "<")
    with tifffile.TiffWriter(stream, bigtiff=bigtiff, byteorder=byteorder) as writer:
        for page in pages:
            kind = "rgb" if page.ndim == 3 and page.shape[-1] in (3, 4) else "minisblack"
            writer.write(page, **{"photometric": kind, "metadata": None, **options})
    return stream.getvalue()


def tag_of(body: bytes, name: str) -> tifffile.TiffTag:
    """Return a tag of the first page."""
    with tifffile.TiffFile(BytesIO(body)) as file:
        return file.pages[0].tags[name]


def with_short(body: bytes, name: str, value: int) -> bytes:
    """Return a little-endian TIFF with another value in a tag of one number."""
    tag = tag_of(body, name)
    number = struct.pack(
        "<I" if tag.dtype == 4 else "<HH", *([value] if tag.dtype == 4 else [value, 0])
    )
    return body[: tag.valueoffset] + number + body[tag.valueoffset + 4 :]


def photo(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Return a smooth colored image, as lossy formats like it."""
    return builders.color(rows, columns)


# ------------------------------------------------------------------ comparing


def rgb_of(pixels: np.ndarray) -> np.ndarray:
    """Return grey as RGB."""
    return pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)


def without_hidden(rgba: np.ndarray) -> np.ndarray:
    """Return RGBA with black where nothing is to be seen."""
    return rgba * (rgba[..., 3:] > 0)


def rgba_of(pixels: np.ndarray) -> np.ndarray:
    """Return RGB as RGBA."""
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, "u1")])
