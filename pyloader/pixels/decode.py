"""Decode one frame of an `Instance` to stored values or RGB: native, compressed, or deflated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pyloader.dicom.fragments import ITEM_HEADER_BYTES, CutOffError
from pyloader.dicom.frame_offsets import encapsulated_frame
from pyloader.dicom.instance import Instance, PixelElement, lacks_pixels, one_frame
from pyloader.dicom.modules import Frame, read_pixel_module
from pyloader.dicom.segmentation import is_labelmap
from pyloader.dicom.structure import Layout, describe_tag
from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    GE_BIG_ENDIAN_PIXELS,
    NATIVE,
    is_compressed,
    name_of,
)
from pyloader.dicom.values import value_of
from pyloader.errors import DecodeError, FormatError, UnsupportedError
from pyloader.image import GREY, DecodedFrame, PixelModule
from pyloader.inflate import deflate, inflate
from pyloader.pixels.codecs import CODECS
from pyloader.pixels.codestream.identify import identify
from pyloader.pixels.color import as_rgb
from pyloader.pixels.compressed import (
    DecodedSamples,
    check_supported,
    decode_compressed,
    raising_decode_errors,
)
from pyloader.pixels.native_samples import native_frame
from pyloader.pixels.palette import apply_palette, note_supplemental
from pyloader.pixels.samples import check_samples, stored_values

CheckSize = Callable[[int, str], object]
DISPLAYABLE = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR")


def decode_frame(
    instance: Instance, frame_index: int, allow: CheckSize | None = None
) -> DecodedFrame:
    """Decode one frame.

    Parameters
    ----------
    frame_index : int
        From 0.
    allow : callable, optional
        Called with the bytes that the decoded frame needs, and a text that names it, before they
        are allocated; it may raise.

    Raises
    ------
    FormatError
        Pixel data, an attribute, or bytes are missing.
    UnsupportedError
        The transfer syntax or the photometric interpretation is not supported.
    DecodeError
        The codec failed, or its result disagrees with the header.
    """
    if instance.pixels is None:
        check_syntax(instance.transfer_syntax_uid)
    element = check_pixels(instance)
    instance.check_frame(frame_index)
    instance = with_actual_syntax(instance, element)
    syntax = check_syntax(instance.transfer_syntax_uid)
    stored = read_pixel_module(Frame(instance.dataset, frame_index))
    stored = check_samples(stored, element.keyword)
    if allow is not None:
        allow(decoded_bytes(stored), f"frame {frame_index + 1}, {stored.rows} x {stored.columns},")
    if syntax in CODECS:
        frame = encapsulated_frame(instance, element, frame_index)
        return to_decoded_frame(instance, decode_compressed(frame, syntax, stored, frame_index))
    if syntax in UNPACK:
        instance = unpack(instance, element, stored, frame_index)
        element = check_pixels(instance)
    words = native_frame(instance, element, stored, frame_index)
    values, photometric = stored_values(words, stored), stored.photometric_interpretation
    return to_decoded_frame(instance, DecodedSamples(values, words, photometric, stored, None))


def decoded_bytes(stored: PixelModule) -> int:
    """Return the bytes of a decoded frame in memory; each sample takes whole bytes."""
    samples = stored.rows * stored.columns * stored.samples_per_pixel
    return samples * -(-stored.bits_allocated // 8)


def check_pixels(instance: Instance) -> PixelElement:
    """Return the element that holds the pixels, or raise why there is none."""
    if instance.pixels is None:
        meta = getattr(instance.dataset, "file_meta", Dataset())
        uid = value_of(instance.dataset, "SOPClassUID") or value_of(meta, "MediaStorageSOPClassUID")
        sop_class = UID(str(uid)).name if uid else "unknown"
        text = f"the instance has no pixel data, (7FE0,0010); its SOP class is {sop_class!r}, "
        if not lacks_pixels(instance):
            raise FormatError(f"{text}which may not be an image")
        last = describe_tag(max(instance.dataset.keys(), default=0))
        raise CutOffError(
            f"{text}which has some: the file is cut off after its last element, {last}, or its "
            "pixels were removed; load it again"
        )
    return instance.pixels


def check_syntax(syntax: UID) -> UID:
    """Return `syntax` if it can be decoded.

    Raises
    ------
    UnsupportedError
        It cannot be decoded.
    """
    if syntax not in NATIVE and syntax not in UNPACK:
        check_supported(syntax)
    return syntax


def unpack(
    instance: Instance, element: PixelElement, stored: PixelModule, frame_index: int
) -> Instance:
    """Return `instance` with one frame, unpacked to native form (PS3.5 A.4.11, A.4.13).

    Raises
    ------
    DecodeError
        The frame is cut off or damaged.
    """
    syntax = instance.transfer_syntax_uid
    frame = encapsulated_frame(instance, element, frame_index)
    with raising_decode_errors(frame_index, syntax):
        frame = UNPACK[syntax](frame, -(-stored.frame_bits // 8))
    plain = replace(instance, transfer_syntax_uid=ExplicitVRLittleEndian)
    return one_frame(plain, frame_index, frame, element.vr)


def uncompressed_frame(frame: bytes, length: int) -> bytes:
    """Return an encapsulated uncompressed frame: `length` bytes and perhaps one of padding."""
    if len(frame) < length:
        raise ValueError(f"it has {len(frame)} of {length} bytes: it is cut off")
    return frame


def inflated_frame(frame: bytes, length: int) -> bytes:
    """Inflate a frame to `length` bytes (RFC 1951), or a few more."""
    inflated, inflater = inflate(deflate, frame, length + 2)
    if len(inflated) < length:
        raise ValueError(f"it holds {len(inflated)} of {length} bytes: it is cut off")
    rest = len(inflater.rest()) if inflater.is_over else 0
    if rest > 1:  # one byte may pad to an even length
        raise ValueError(f"{rest} bytes follow it: they belong to another frame")
    return inflated


UNPACK: Mapping[str, Callable[[bytes, int], bytes]] = {
    ENCAPSULATED_UNCOMPRESSED: uncompressed_frame,
    DEFLATED_IMAGE_FRAME: inflated_frame,
}


def to_decoded_frame(instance: Instance, samples: DecodedSamples) -> DecodedFrame:
    """Check decoded samples against the header, and convert YBR and palettes to RGB."""
    stored, words = samples.stored, samples.words
    check_size(stored, samples.values)
    pixels, photometric = as_rgb(
        samples.values, samples.photometric_interpretation, stored.bits_stored
    )
    if photometric not in DISPLAYABLE:
        raise UnsupportedError(
            f"photometric interpretation {photometric!r} cannot be converted; supported are "
            "MONOCHROME1, MONOCHROME2, RGB, PALETTE COLOR and the YBR family"
        )
    if photometric == "PALETTE COLOR" and is_labelmap(instance.dataset):
        photometric = GREY  # samples are segment numbers; their colours are only a hint
    if photometric == "PALETTE COLOR":
        pixels, bits = apply_palette(pixels, instance.dataset)
        pixel = PixelModule.of(pixels, bits_stored=bits, high_bit=bits - 1)
        return DecodedFrame(pixels, pixel, stored, words, samples.codestream)
    note_supplemental(instance.dataset)
    pixel = replace(
        stored,
        photometric_interpretation=photometric,
        bits_allocated=pixels.dtype.itemsize * 8,
        high_bit=stored.bits_stored - 1,
        planar_configuration=0 if stored.samples_per_pixel > 1 else None,
    )
    return DecodedFrame(np.ascontiguousarray(pixels), pixel, stored, words, samples.codestream)


def check_size(stored: PixelModule, pixels: NDArray[Any]) -> None:
    """Raise when a decoded frame has another size than the header says."""
    shape = (*pixels.shape, 1)[:3]
    expected = (stored.rows, stored.columns, stored.samples_per_pixel)
    if shape != expected:
        raise DecodeError(
            f"the decoded frame is {shape} (rows, columns, samples), the header says {expected}"
        )


# ------------------------------------------------------------------ how pixels are stored


def with_actual_syntax(instance: Instance, element: PixelElement) -> Instance:
    """Return `instance` with a transfer syntax that agrees with how its pixels are stored.

    Encapsulated pixels have an undefined length, native ones a defined length (PS3.5 A.4). So the
    pixels show their kind even if the meta header is wrong or absent. Native pixels have the byte
    order of their data set (PS3.5 7.3).

    Raises
    ------
    FormatError
        The pixels are encapsulated and match no known codestream, or their byte order is unknown.
    """
    declared = instance.transfer_syntax_uid
    if element.is_encapsulated and declared in NATIVE:
        return with_syntax(instance, codestream_of(instance, element), "encapsulated")
    is_implicit, is_little_endian = instance.dataset.original_encoding
    if declared == GE_BIG_ENDIAN_PIXELS and is_implicit is False:
        raise FormatError(
            f"the transfer syntax is {name_of(declared)}, which has implicit VR, and the data set "
            "has explicit VR; the meta header is wrong, and it is unknown whether the pixels are "
            "big endian"
        )
    if element.is_encapsulated or not is_compressed(declared):
        return instance
    layout = Layout(bool(is_implicit), is_little_endian is False)
    return with_syntax(instance, layout.syntax, "not encapsulated")


def with_syntax(instance: Instance, found: UID | None, kind: str) -> Instance:
    """Return `instance` with the transfer syntax that was found, and warn about it."""
    declared = instance.transfer_syntax_uid
    if found is None:
        raise FormatError(
            f"the transfer syntax is {name_of(declared)}, but the pixel data are {kind}, "
            "and begin with no known codestream; the meta header is wrong"
        )
    warnings.warn(
        f"the transfer syntax is {name_of(declared)}, but the pixel data are {kind}; they "
        f"were decoded as {name_of(found)}",
        stacklevel=3,
    )
    return replace(instance, transfer_syntax_uid=found)


def codestream_of(instance: Instance, element: PixelElement) -> UID | None:
    """Return the transfer syntax that the first frame's bytes show, None if unknown."""
    if element.frame_index is None and element.frames:
        start, stop = element.frames[0]
        return identify(element.body[start + ITEM_HEADER_BYTES : stop])
    return identify(element.body[element.start : element.stop])
