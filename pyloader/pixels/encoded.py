"""The bytes of one frame as they stand in a file, and what pydicom's decoders are told of them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pydicom.uid import ExplicitVRBigEndian

from pyloader.dicom.instance import Instance, PixelElement
from pyloader.errors import FormatError
from pyloader.image import PixelModule
from pyloader.pixels.codecs import PLUGIN


def native_source(
    instance: Instance, element: PixelElement, stored: PixelModule, frame_index: int
) -> tuple[memoryview, dict[str, Any]]:
    """Return one frame's bytes, uncopied, and pydicom's options to decode them.

    Frames that do not begin on a byte, or on a word where words were swapped, are left to pydicom
    to cut out of the whole.
    """
    options = describe_for_pydicom(instance, element, stored, frame_index)
    bits = stored.frame_bits
    swapped = instance.transfer_syntax_uid == ExplicitVRBigEndian and element.vr == "OW"
    place = options["index"]
    if bits % 8 or (swapped and bits % 16):
        check_length(element, frame_index, -(-bits * options["number_of_frames"] // 8))
        return element.value, options
    length = bits // 8
    check_length(element, frame_index, (place + 1) * length)
    frame = element.value[place * length : (place + 1) * length]
    plain = stored.bits_stored == stored.bits_allocated and "YBR" not in (
        stored.photometric_interpretation
    )
    return frame, options | {"index": 0, "number_of_frames": 1, "view_only": plain and not swapped}


def check_length(element: PixelElement, frame_index: int, needed: int) -> None:
    """Raise when the element ends before the frame does."""
    actual = element.stop - element.start
    if actual < needed:
        cut = f"; the file is cut off, {element.missing} bytes are missing" * bool(element.missing)
        raise FormatError(
            f"frame {frame_index + 1} needs {needed} bytes of pixel data, the file has "
            f"{actual}{cut or '; its header describes more than it holds'}"
        )


def encapsulated_source(
    instance: Instance, element: PixelElement, stored: PixelModule, frame_index: int
) -> tuple[BytesIO, dict[str, Any]]:
    """Return a stream at the pixel data's first item, and pydicom's options to decode a frame."""
    options = describe_for_pydicom(instance, element, stored, frame_index)
    offsets = instance.dataset.get("ExtendedOffsetTable")
    lengths = instance.dataset.get("ExtendedOffsetTableLengths")
    if offsets and lengths and element.frame_index is None:
        options["extended_offsets"] = (offsets, lengths)
    stream = BytesIO(element.body)  # shares the bytes, does not copy them
    stream.seek(element.start)
    return stream, options | {"decoding_plugin": PLUGIN}


def describe_for_pydicom(
    instance: Instance, element: PixelElement, stored: PixelModule, frame_index: int
) -> dict[str, Any]:
    """Return the options that pydicom's decoders take in place of a data set."""
    has_all = element.frame_index is None
    return {
        "index": frame_index if has_all else 0,
        "number_of_frames": instance.number_of_frames if has_all else 1,
        "rows": stored.rows,
        "columns": stored.columns,
        "samples_per_pixel": stored.samples_per_pixel,
        "photometric_interpretation": stored.photometric_interpretation,
        "bits_allocated": stored.bits_allocated,
        "bits_stored": stored.bits_stored,
        "pixel_representation": stored.pixel_representation,
        "planar_configuration": stored.planar_configuration or 0,
        "pixel_keyword": element.keyword,
        "pixel_vr": element.vr,
    }
