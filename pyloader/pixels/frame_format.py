"""Decide the transfer syntax and sample order of a frame that came without a file.

Servers mislabel frames, and those that decode them leave the metadata as they were. A frame whose
meaning cannot be told for certain is refused: a wrong image is worse than none.
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
    """A frame that the server has decoded into something that may be one of several."""


def labelled(
    instance: Instance, index: int, frame: bytes, told: str | None, is_original: bool
) -> Instance:
    """Return `instance` with one frame, labelled with what it is.

    Parameters
    ----------
    index : int
        From 0.
    told : str or None
        UID of the transfer syntax that the server told.
    is_original : bool
        Whether frames as they are stored were asked for.

    Raises
    ------
    AmbiguousError
        The server has decoded a colour frame, and nothing tells into what.
    FormatError
        The frame is of no transfer syntax, or its description lacks an attribute.
    UnsupportedError
        It is of one that cannot be decoded.
    """
    pixel = read_pixel_module(Frame(instance.dataset, index))
    declared = None if told is None else UID(told)
    syntax = find_syntax(frame, declared, pixel)
    found = replace(instance, transfer_syntax_uid=syntax)
    if declared is not None and syntax != declared:
        note = (
            f"the server labelled the frame {declared.name} ({declared}); its bytes are "
            f"{syntax.name} ({syntax}), and were decoded as that"
        )
        found = replace(found, warnings=(*found.warnings, note))
    check_syntax(syntax)
    if is_native(syntax) and is_decoded(instance, is_original, pixel, len(frame)):
        found = as_decoded(found, pixel)
    return one_frame(found, index, frame, "OW" if pixel.bits_allocated > 8 else "OB")


def find_syntax(frame: bytes, declared: UID | None, pixel: PixelModule) -> UID:
    """Return the transfer syntax of a frame: the declared one, unless its bytes deny it."""
    is_native_size = fits(len(frame), pixel)
    is_plain = declared == ENCAPSULATED_UNCOMPRESSED or (
        declared is not None and is_native(declared)
    )
    if declared is not None and is_plain and is_native_size:
        return declared
    seen = identify(frame)
    # The two bytes that a JPEG XL codestream begins with are a pixel value like others.
    if seen is not None and not (is_native_size and seen == JPEG_XL_LOSSLESS):
        has_same_codec = declared in CODECS and CODECS.get(seen) is CODECS[str(declared)]
        return declared if declared is not None and has_same_codec else seen
    if is_native_size and not is_unknown(declared):
        return ExplicitVRLittleEndian
    if declared is not None:
        return declared
    raise FormatError(
        f"a frame of {len(frame)} bytes came without a transfer syntax; it begins with "
        f"{frame[:16]!r}, which is no known codestream, and native it would have "
        f"{-(-pixel.frame_bits // 8)} bytes"
    )


def is_unknown(syntax: UID | None) -> bool:
    """Tell whether a UID may be of a transfer syntax whose words nobody knows; a text is no UID."""
    if syntax is None or not syntax.is_valid:
        return False
    return not (is_native(syntax) or is_compressed(syntax))


def is_native(syntax: UID) -> bool:
    """Tell whether a transfer syntax is native; one that is not known is not."""
    return syntax in NATIVE


def fits(length: int, pixel: PixelModule) -> bool:
    """Tell whether a native frame has that length; one byte may be added to make it even."""
    samples = pixel.rows * pixel.columns * pixel.samples_per_pixel * pixel.bits_allocated
    sizes = {-(-bits // 8) for bits in (pixel.frame_bits, samples)}
    return length in sizes | {size + size % 2 for size in sizes}


def is_decoded(instance: Instance, is_original: bool, pixel: PixelModule, length: int) -> bool:
    """Tell whether the server has decoded a native frame from something else."""
    stored = instance.transfer_syntax_uid  # (0008,3002), when the metadata had it
    was_encapsulated = bool(stored) and not stored.is_private and not is_native(stored)
    is_widened = "422" in pixel.photometric_interpretation and length * 8 >= pixel.frame_bits + 8
    return (
        not is_original
        or was_encapsulated
        or is_widened
        or (pixel.photometric_interpretation in TRANSFORMED)
    )


def as_decoded(instance: Instance, pixel: PixelModule) -> Instance:
    """Return `instance` described as servers decode: colour as RGB, pixel by pixel."""
    if pixel.bits_allocated > 16:
        raise AmbiguousError(
            f"the server decoded a frame of {pixel.bits_allocated} bits; whether it has swapped "
            "words or pixels is not known"
        )
    if pixel.samples_per_pixel == 1:
        return instance
    photometric = pixel.photometric_interpretation
    if photometric == "RGB" and not pixel.planar_configuration:
        return instance
    if photometric not in (*TRANSFORMED, "YBR_FULL_422"):
        raise AmbiguousError(
            f"the server decoded a frame of photometric interpretation {photometric!r}, planar "
            f"configuration {pixel.planar_configuration}; its metadata do not tell what it is now"
        )
    # A copy of pydicom's would share its elements with other frames.
    dataset = Dataset(dict(instance.dataset.items()))
    dataset.add_new("PhotometricInterpretation", "CS", "RGB")
    dataset.add_new("PlanarConfiguration", "US", 0)
    return replace(instance, dataset=dataset)
