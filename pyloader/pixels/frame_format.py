"""Decide the transfer syntax and sample order of a frame that came without a file.

Some servers mislabel frames, and servers that decode frames do not adapt the metadata. A frame with
an uncertain meaning is refused: a wrong image is worse than none.
"""

from __future__ import annotations

from dataclasses import replace

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pyloader.dicom.instance import Instance, one_frame
from pyloader.dicom.modules import Frame, read_pixel_module
from pyloader.dicom.transfer_syntaxes import (
    ENCAPSULATED_UNCOMPRESSED,
    JPEG_XL_LOSSLESS,
    NATIVE,
    is_compressed,
)
from pyloader.errors import FormatError
from pyloader.image import PixelModule
from pyloader.pixels.codecs import CODECS
from pyloader.pixels.codestream.identify import identify
from pyloader.pixels.color import TRANSFORMED
from pyloader.pixels.decode import check_syntax


class AmbiguousError(FormatError):
    """A frame that the server decoded, in a form that the metadata do not determine."""


def labelled(
    instance: Instance, index: int, frame: bytes, declared_uid: str | None, is_original: bool
) -> Instance:
    """Return `instance` with one frame, labelled with its actual transfer syntax.

    Parameters
    ----------
    index : int
        From 0.
    declared_uid : str or None
        UID of the transfer syntax that the server declares.
    is_original : bool
        Whether the request was for frames as stored.

    Raises
    ------
    AmbiguousError
        The server decoded a colour frame, and nothing says into which form.
    FormatError
        The frame matches no transfer syntax, or its description lacks an attribute.
    UnsupportedError
        Its transfer syntax cannot be decoded.
    """
    pixel = read_pixel_module(Frame(instance.dataset, index))
    declared = None if declared_uid is None else UID(declared_uid)
    syntax = find_syntax(frame, declared, pixel)
    found = replace(instance, transfer_syntax_uid=syntax)
    if declared is not None and syntax != declared:
        note = (
            f"the server labelled the frame {declared.name} ({declared}); its bytes are "
            f"{syntax.name} ({syntax}), and were decoded as that"
        )
        found = replace(found, warnings=(*found.warnings, note))
    check_syntax(syntax)
    if declared is None and is_native(syntax):
        check_byte_order(instance, pixel)
    if is_native(syntax) and is_decoded(instance, is_original, pixel, len(frame)):
        found = as_decoded(found, pixel)
    return one_frame(found, index, frame, "OW" if pixel.bits_allocated > 8 else "OB")


def find_syntax(frame: bytes, declared: UID | None, pixel: PixelModule) -> UID:
    """Return the transfer syntax of a frame: the declared one, unless its bytes contradict it."""
    is_native_size = fits(len(frame), pixel)
    is_plain = declared == ENCAPSULATED_UNCOMPRESSED or (
        declared is not None and is_native(declared)
    )
    if declared is not None and is_plain and is_native_size:
        return declared
    seen = identify(frame)
    # A JPEG XL codestream begins with two bytes that may be a pixel value as well.
    if seen is not None and not (is_native_size and seen == JPEG_XL_LOSSLESS):
        has_same_codec = declared in CODECS and CODECS.get(seen) is CODECS[str(declared)]
        return declared if declared is not None and has_same_codec else seen
    if is_native_size and not is_unknown(declared):
        return ExplicitVRLittleEndian
    if declared is not None:
        return declared
    raise FormatError(
        f"a frame of {len(frame)} bytes came without a transfer syntax; it begins with "
        f"{frame[:16]!r}, which is not a known codestream, and a native frame would have "
        f"{-(-pixel.frame_bits // 8)} bytes"
    )


def check_byte_order(instance: Instance, pixel: PixelModule) -> None:
    """Refuse a native frame whose byte order nothing declares, if it may be another than usual.

    Static servers declare nothing, and a tree may hold the bytes as the file has them.
    """
    stored = instance.transfer_syntax_uid  # (0008,3002), if the metadata have it
    if pixel.bits_allocated > 8 and stored in NATIVE and NATIVE[stored].pixel_order == ">":
        raise AmbiguousError(
            f"the server declares no transfer syntax for a frame that is stored as {stored.name} "
            f"({stored}); its byte order is unknown"
        )


def is_unknown(syntax: UID | None) -> bool:
    """Tell whether a valid UID is of an unknown transfer syntax; its byte order is unknown too."""
    if syntax is None or not syntax.is_valid:
        return False
    return not (is_native(syntax) or is_compressed(syntax))


def is_native(syntax: UID) -> bool:
    """Tell whether a transfer syntax is known and native."""
    return syntax in NATIVE


def fits(length: int, pixel: PixelModule) -> bool:
    """Tell whether a native frame may have that length; one byte may pad it to an even length."""
    samples = pixel.rows * pixel.columns * pixel.samples_per_pixel * pixel.bits_allocated
    sizes = {-(-bits // 8) for bits in (pixel.frame_bits, samples)}
    return length in sizes | {size + size % 2 for size in sizes}


def is_decoded(instance: Instance, is_original: bool, pixel: PixelModule, length: int) -> bool:
    """Tell whether the server decoded a frame that is stored in another form."""
    stored = instance.transfer_syntax_uid  # (0008,3002), if the metadata have it
    was_encapsulated = bool(stored) and not stored.is_private and not is_native(stored)
    is_widened = "422" in pixel.photometric_interpretation and length * 8 >= pixel.frame_bits + 8
    return (
        not is_original
        or was_encapsulated
        or is_widened
        or (pixel.photometric_interpretation in TRANSFORMED)
    )


def as_decoded(instance: Instance, pixel: PixelModule) -> Instance:
    """Return `instance` with the description of decoded frames: colour as RGB by pixel."""
    if pixel.bits_allocated > 16:
        raise AmbiguousError(
            f"the server decoded a frame of {pixel.bits_allocated} bits; it is unknown whether it "
            "swapped words or pixels"
        )
    if pixel.samples_per_pixel == 1:
        return instance
    photometric = pixel.photometric_interpretation
    if photometric == "RGB" and not pixel.planar_configuration:
        return instance
    if photometric not in (*TRANSFORMED, "YBR_FULL_422"):
        raise AmbiguousError(
            f"the server decoded a frame of photometric interpretation {photometric!r}, planar "
            f"configuration {pixel.planar_configuration}; its metadata do not say what it is now"
        )
    # A pydicom copy would share its elements with other frames.
    dataset = Dataset(dict(instance.dataset.items()))
    dataset.add_new("PhotometricInterpretation", "CS", "RGB")
    dataset.add_new("PlanarConfiguration", "US", 0)
    return replace(instance, dataset=dataset)
