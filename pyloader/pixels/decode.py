"""One frame of an `Instance` to stored values, through pydicom's decoders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.modules import Frame, read_pixel_module
from pyloader.errors import DecodeError, FormatError, UnsupportedError
from pyloader.image import PixelModule
from pyloader.pixels.codecs import supported_syntaxes
from pyloader.pixels.color import apply_palette
from pyloader.pixels.encoded import encapsulated_source, native_source

DISPLAYABLE = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR")


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded frame.

    Attributes
    ----------
    pixels : (rows, columns) or (rows, columns, 3) array, stored values or RGB
    pixel : PixelModule
        Describes `pixels`.
    stored : PixelModule
        What the file said.
    """

    pixels: NDArray[Any]
    pixel: PixelModule
    stored: PixelModule


def decode_frame(instance: Instance, frame_index: int) -> DecodedFrame:
    """Decode one frame.

    Parameters
    ----------
    frame_index : int
        From 0.

    Raises
    ------
    FormatError
        There are no pixel data, an attribute is absent, or bytes are missing.
    UnsupportedError
        The transfer syntax or the photometric interpretation cannot be decoded here.
    DecodeError
        The codec failed, or its result disagrees with the header.
    """
    element = check_pixels(instance)
    instance.check_frame(frame_index)
    stored = read_pixel_module(Frame(instance.dataset, frame_index))
    decoder = find_decoder(instance.transfer_syntax_uid)
    source = native_source if decoder.is_native else encapsulated_source
    src, options = source(instance, element, stored, frame_index)
    pixels, found = run_decoder(decoder, src, options, frame_index)
    return finish(instance, DecodedFrame(pixels, describe(stored, pixels, found), stored))


def check_pixels(instance: Instance) -> PixelElement:
    """Return the element that holds the pixels."""
    if instance.pixels is None:
        meta = getattr(instance.dataset, "file_meta", {})
        uid = instance.dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
        sop_class = UID(uid).name if uid else "unknown"
        raise FormatError(
            f"the instance has no pixel data, (7FE0,0010); its SOP class is {sop_class!r}, "
            "which may not be an image"
        )
    return instance.pixels


def find_decoder(syntax: UID) -> Decoder:
    """Return pydicom's decoder of a transfer syntax."""
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        raise UnsupportedError(
            f"transfer syntax {syntax.name} ({syntax}) cannot be decoded; supported are "
            f"{', '.join(supported_syntaxes())}. Ask the server for one of these"
        )
    return decoder


def run_decoder(
    decoder: Decoder, src: memoryview | BytesIO, options: dict[str, Any], frame_index: int
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Decode, with what pydicom raises turned into `DecodeError`."""
    try:
        return decoder.as_array(src, **options)
    except Exception as error:
        words = str(error).removeprefix(
            "Unable to decode as exceptions were raised by all available plugins:"
        )
        raise DecodeError(
            f"frame {frame_index + 1}, {decoder.UID.name} ({decoder.UID}), cannot be decoded: "
            f"{words.strip() or type(error).__name__}; its bytes may be damaged, or not of that "
            "transfer syntax"
        ) from error


def describe(stored: PixelModule, pixels: NDArray[Any], found: dict[str, Any]) -> PixelModule:
    """Return the description of `pixels` after decoding, checked against the header."""
    shape = (*pixels.shape, 1)[:3]
    expected = (stored.rows, stored.columns, stored.samples_per_pixel)
    if shape != expected:
        raise DecodeError(
            f"the decoded frame is {shape} (rows, columns, samples), the header says {expected}"
        )
    photometric = found["photometric_interpretation"]
    if photometric not in DISPLAYABLE:
        raise UnsupportedError(
            f"photometric interpretation {photometric!r} cannot be converted; supported are "
            "MONOCHROME1, MONOCHROME2, RGB, PALETTE COLOR and the YBR family"
        )
    return replace(
        stored,
        photometric_interpretation=photometric,
        bits_allocated=pixels.dtype.itemsize * 8,
        planar_configuration=0 if stored.samples_per_pixel > 1 else None,
    )


def finish(instance: Instance, frame: DecodedFrame) -> DecodedFrame:
    """Return the frame with its palette applied and in this machine's byte order."""
    pixels = frame.pixels
    if not pixels.dtype.isnative:
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if frame.pixel.photometric_interpretation != "PALETTE COLOR":
        return replace(frame, pixels=np.ascontiguousarray(pixels))
    pixels, bits = apply_palette(pixels, instance.dataset)
    pixel = PixelModule.of(pixels, bits_stored=bits, high_bit=bits - 1)
    return replace(frame, pixels=pixels, pixel=pixel)
