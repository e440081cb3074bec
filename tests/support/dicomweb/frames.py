"""Frames as they are sent: codestreams, or pixels in little endian (PS3.5 8, A.4)."""

from __future__ import annotations

import numpy as np
from pydicom import DataElement, Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

# Where frames can stand, and the bits of their words; None: as Bits Allocated says (PS3.5 8.1.1).
PIXEL_TAGS: dict[int, int | None] = {0x7FE00010: None, 0x7FE00008: 32, 0x7FE00009: 64}
# Values that go by reference (PS3.18 F.2.6), and the bytes of their words (PS3.5 7.3).
BULK_WORDS = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def swapped(value: bytes, word: int) -> bytes:
    """Turn words of big endian to little endian."""
    return np.frombuffer(value, f">u{word}").astype(f"<u{word}").tobytes()


def encapsulated_frames(dataset: Dataset) -> list[bytes]:
    """Take the fragments apart (PS3.5 A.4)."""
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    count = frame_count(dataset)
    return list(
        generate_frames(dataset.PixelData, number_of_frames=count, extended_offsets=offsets)
    )


def frame_count(dataset: Dataset) -> int:
    """Return Number of Frames, 1 without any; in badVR.dcm it is no number."""
    try:
        return int(dataset.get("NumberOfFrames") or 1)
    except ValueError:
        return 1


def native_frames(dataset: Dataset, element: DataElement) -> list[bytes]:
    """Cut native pixel data, each frame from a byte of its own."""
    width = PIXEL_TAGS[element.tag] or dataset.BitsAllocated
    # Words of 8 bits or less are stored in words of 16 bits when the VR says so (PS3.5 8.1.1).
    word = width // 8 if width > 8 else BULK_WORDS[element.VR]
    pixels = element.value if dataset.original_encoding[1] else swapped(element.value, word)
    samples = dataset.get("SamplesPerPixel", 1)
    # Two pixels share their chroma (PS3.3 C.7.6.3.1.2).
    samples = 2 if dataset.get("PhotometricInterpretation") == "YBR_FULL_422" else samples
    size = dataset.Rows * dataset.Columns * samples * width
    starts = range(0, frame_count(dataset) * size, size)
    return [cut_bits(pixels, start, start + size) for start in starts]


def cut_bits(content: bytes, start: int, stop: int) -> bytes:
    """Return the bits of [start, stop), the first in the lowest bit of the first byte."""
    if start % 8 == 0 and stop % 8 == 0:
        return content[start // 8 : stop // 8]
    around = np.frombuffer(content[start // 8 : -(-stop // 8)], "u1")
    bits = np.unpackbits(around, bitorder="little")[start % 8 :][: stop - start]
    return np.packbits(bits, bitorder="little").tobytes()


def decode(dataset: Dataset, index: int) -> bytes:
    """Decode a frame, colour to RGB with planar configuration 0."""
    syntax = dataset.file_meta.TransferSyntaxUID
    # pylibjpeg misreads lossless JPEG of more than 8 bits.
    lossless_jpeg = syntax in (JPEGLossless, JPEGLosslessSV1)
    failures = []
    for plugin in ("gdcm", "pylibjpeg") if lossless_jpeg else ("pylibjpeg", "gdcm", "pillow"):
        try:
            decoder = get_decoder(syntax)
            pixels, _ = decoder.as_array(dataset, index=index, decoding_plugin=plugin)
            return bytes(pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
        except Exception as error:
            failures.append(f"{plugin}: {error}")
    raise ValueError(f"no decoder reads frame {index + 1}: {failures}")
