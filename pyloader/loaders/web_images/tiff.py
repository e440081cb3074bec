"""TIFF 6.0 and BigTIFF through `tifffile`: one image per page, decoded on request."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError, LoaderError, UnsupportedError
from pyloader.image import Image, modules_of
from pyloader.imageid import ImageId
from pyloader.loaders.web_images.exif import is_transposed
from pyloader.loaders.web_images.picture import PictureHeader, Pixels, check_frame, make_image
from pyloader.loaders.web_images.tiff_chain import without_cycle
from pyloader.loaders.web_images.tiff_planes import Plane, plane_pixels, planes_of
from pyloader.loaders.web_images.tiff_segments import JPEG, JPEG_2000, check_segments, read_pixels
from pyloader.source import Modules, Ready, Series

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# ResolutionUnit, inch and centimetre (section 8) -> mm.
UNITS = {2: 25.4, 3: 10.0}
X_RESOLUTION, Y_RESOLUTION, ORIENTATION, RESOLUTION_UNIT = 282, 283, 274, 296
# PhotometricInterpretation.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
PHOTOMETRIC = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)
# ExtraSamples (section 18).
ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA = 1, 2


async def open_tiff(source: str, body: bytes, context: Context) -> TiffPages:
    """Read the directories of a TIFF."""
    tifffile = await context.package("tifffile")
    with translating_errors("the TIFF"), noting() as notes:
        return TiffPages(tifffile, body, notes)


class TiffPages:
    """A TIFF, its pages still encoded; a `Source`."""

    is_encoded = False

    def __init__(self, tifffile: Any, body: bytes, notes: list[str]) -> None:
        body, cycle = without_cycle(body)
        self._codecs = tifffile.TIFF.DECOMPRESSORS
        self._body = body
        self._tiff = tifffile.TiffFile(BytesIO(body))
        if not len(self._tiff.pages):
            raise FormatError(
                f"the TIFF of {len(body)} bytes has no page: it is cut off or damaged"
            )
        self._planes, missing = planes_of(self._tiff, len(body))
        self.number_of_frames = len(self._planes)
        self._notes = (*cycle, *notes, *missing)

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return len(self._body)

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all pages."""
        return [Series({}, image_id.of_frames(self.number_of_frames))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return a page: all of its bytes are loaded."""
        return self.ready(image_id)

    def ready(self, image_id: ImageId) -> Ready:
        """Return a page."""
        return TiffPage(self, image_id)

    def image(self, frame_index: int, context: Context) -> Image:
        """Decode a page, from 0, and describe it.

        Raises
        ------
        FormatError, UnsupportedError, DecodeError
        """
        what = f"page {frame_index + 1} of the TIFF"
        plane = self._planes[frame_index]
        with translating_errors(what), noting() as notes:
            page = self._tiff.pages[plane.page]
            told = self._check(page, what, context)
            pixels, more = decode(page, plane, self._body, what)
            pixels, found = colors_of(page.keyframe, pixels, what)
            image = make_image(pixels, header_of(page.keyframe, found))
        return replace(image, warnings=(*self._notes, *notes, *told, *more, *image.warnings))

    def _check(self, page: Any, what: str, context: Context) -> tuple[str, ...]:
        """Check the directory of a page before decoding; return warnings."""
        keyframe = page.keyframe
        check_kind(keyframe, what)
        if keyframe.compression not in self._codecs:
            raise no_codec(keyframe, what)
        segment = int(np.prod(keyframe.chunks, dtype=object)) * keyframe.dtype.itemsize
        context.check_size(keyframe.nbytes, what)
        context.check_size(segment, f"a strip or tile of {what}")
        return check_segments(page, self._body, what)


class TiffPage:
    """A page of a TIFF; a `Ready`."""

    def __init__(self, pages: TiffPages, image_id: ImageId) -> None:
        self.pages = pages
        self.image_id = image_id

    def make(self, context: Context) -> Image:
        """Decode and describe the page; drop a bad file, so that a later load refetches it."""
        frame_index = check_frame(self.image_id, self.pages.number_of_frames)
        try:
            return self.pages.image(frame_index, context)
        except FormatError:
            context.cache.discard(self.image_id.source)
            raise

    def describe(self, context: Context) -> Modules:
        """Describe the page; decode it, because its alpha decides the number of samples."""
        return modules_of(self.make(context))

    def encoded(self) -> None:
        """Return None: decoding a web image is never offloaded."""


def decode(page: Any, plane: Plane, body: bytes, what: str) -> tuple[Pixels, tuple[str, ...]]:
    """Decode a plane of a page; tifffile imports the codec at the first strip or tile."""
    if plane.place:
        return plane_pixels(page, plane.place, body), ()
    try:
        return read_pixels(page, body, what)
    except ImportError as error:
        raise no_codec(page, what) from error


def check_kind(page: Any, what: str) -> None:
    """Check that a page is an image with supported samples.

    Raises
    ------
    UnsupportedError
    """
    photometric = int(page.photometric)
    is_coded = photometric == YCBCR and page.compression in JPEG | JPEG_2000
    if photometric not in PHOTOMETRIC and not is_coded:
        name = getattr(page.photometric, "name", photometric)
        raise UnsupportedError(f"{what} has colors of the kind {name}, which cannot be read")
    if page.dtype is None:
        raise UnsupportedError(
            f"{what} has samples of {page.bitspersample} bits and format {page.sampleformat}, "
            "which cannot be read"
        )
    if page.axes not in ("YX", "YXS", "SYX"):
        raise UnsupportedError(f"{what} is not a plane: its axes are {page.axes}")


def no_codec(page: Any, what: str) -> UnsupportedError:
    """Build the error for a compression without a decoder."""
    name = getattr(page.compression, "name", page.compression)
    return UnsupportedError(f"{what} is compressed by {name}, which has no decoder here")


def header_of(page: Any, found: PictureHeader) -> PictureHeader:
    """Add a page's Orientation, spacing and lossy flag to its header."""
    orientation = int(page.tags.valueof(ORIENTATION, 1))
    orientation = orientation if 1 <= orientation <= 8 else 1
    attributes = dict(found.attributes)
    spacing = spacing_of(page)
    if spacing is not None:
        attributes["pixel_spacing"] = spacing[::-1] if is_transposed(orientation) else spacing
    if page.compression in JPEG:
        attributes["lossy_image_compression"] = True
    return replace(found, orientation=orientation, attributes=attributes)


def spacing_of(page: Any) -> tuple[float, float] | None:
    """Return mm between rows and between columns; None without a unit of resolution (section 8)."""
    unit = UNITS.get(int(page.tags.valueof(RESOLUTION_UNIT, 0)))
    down, across = (page.tags.valueof(tag) for tag in (Y_RESOLUTION, X_RESOLUTION))
    if unit is None or not (down and across and all(down) and all(across)):
        return None
    return unit * down[1] / down[0], unit * across[1] / across[0]


@contextmanager
def translating_errors(what: str) -> Iterator[None]:
    """Translate the errors of tifffile and its codecs into `LoaderError`."""
    try:
        yield
    except LoaderError:
        raise
    except NotImplementedError as error:
        raise UnsupportedError(f"{what} cannot be read: {error}") from error
    except struct.error as error:
        raise FormatError(f"{what} is cut off or damaged: {error}") from error
    except Exception as error:
        raise DecodeError(f"{what} cannot be decoded; it may be damaged: {error}") from error


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect the log warnings of tifffile: contradictions that it found and resolved."""
    notes: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tifffile")
    propagates, logger.propagate = logger.propagate, False
    others, logger.handlers = logger.handlers, [handler]
    try:
        yield notes
    finally:
        logger.handlers, logger.propagate = others, propagates


# ------------------------------------------------------------------ meaning of samples


def colors_of(page: Any, pixels: Pixels, what: str) -> tuple[Pixels, PictureHeader]:
    """Return (rows, columns[, samples]) for `make_image`, and their header.

    Parameters
    ----------
    page : tifffile.TiffPage
    pixels : array
        As decoded by tifffile, with the axes `page.axes`.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels.astype("u1") if pixels.dtype == bool else pixels
    bits = min(page.bitspersample, pixels.dtype.itemsize * 8)
    attributes: dict[str, Any] = {} if pixels.dtype.kind == "f" else {"bits_stored": bits}
    pixels, notes = without_extra_samples(page, pixels, what)
    if page.photometric == PALETTE:
        pixels, attributes = resolved(pixels, page.colormap, what), {}
    if page.photometric == WHITE_IS_ZERO:
        attributes["photometric_interpretation"] = "MONOCHROME1"
    check_color(pixels, what)
    rows, columns, samples = (*pixels.shape, 1)[:3]
    return pixels, PictureHeader(
        "TIFF", rows, columns, samples, attributes=attributes, warnings=notes
    )


def without_extra_samples(page: Any, pixels: Pixels, what: str) -> tuple[Pixels, tuple[str, ...]]:
    """Drop all extra samples but alpha; return the pixels, and warnings."""
    count = 3 if page.photometric in (RGB, YCBCR) else 1
    extra = (*pixels.shape, 1)[2] - count
    if extra < 0 or (extra and not page.extrasamples and count == 1):
        raise UnsupportedError(
            f"{what} has {count + extra} samples a pixel, which form no known color"
        )
    if not extra:
        return pixels, ()
    kind = page.extrasamples[0] if page.extrasamples else 0
    base = pixels[..., 0] if count == 1 else pixels[..., :count]
    if kind == UNASSOCIATED_ALPHA and page.photometric in (BLACK_IS_ZERO, RGB):
        return pixels[..., : count + 1], ()
    if kind == ASSOCIATED_ALPHA:
        return base, ("its colors are multiplied with their alpha: they are shown on black",)
    return base, (f"{extra} samples a pixel besides its colors were left out",)


def resolved(indices: Pixels, palette: Pixels | None, what: str) -> Pixels:
    """Return RGB for palette indices (section 5), of 8 bits if the palette has no more.

    Parameters
    ----------
    palette : (3, n) uint16 array
    """
    if palette is None or indices.ndim != 2 or indices.max() >= palette.shape[1]:
        raise FormatError(f"{what} has values without a palette entry: it is damaged")
    # Writers put palettes of 8 bits into the upper byte, or into both bytes.
    is_8_bit = not (palette & 255).any() or not (palette % 257).any()
    entries = (palette >> 8).astype("u1") if is_8_bit else palette
    return np.ascontiguousarray(entries.T)[indices]


def check_color(pixels: Pixels, what: str) -> None:
    """Check that colors can be shown: unsigned integers, or floats from 0 to 1.

    Raises
    ------
    UnsupportedError
    """
    if pixels.ndim == 2 or pixels.dtype.kind == "u":
        return
    if pixels.dtype.kind != "f" or not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UnsupportedError(
            f"{what} has colors of type {pixels.dtype} from {pixels.min()} to {pixels.max()}; "
            "only unsigned integers, or floats from 0 to 1, can be shown"
        )
