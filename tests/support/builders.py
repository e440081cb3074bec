"""DICOM files made in code: one image in any transfer syntax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder, get_encoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

INSTANCE = "1.2.826.0.1.3680043.8.498.1"


def header(pixels: np.ndarray, **attributes: Any) -> Dataset:
    """Describe an image, (rows, columns) or (rows, columns, 3), that is not yet encoded."""
    bits = pixels.dtype.itemsize * 8
    samples = 3 if pixels.shape[-1] == 3 and pixels.ndim > 2 else 1
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = INSTANCE
    dataset.Modality = "CT"
    dataset.SeriesInstanceUID = f"{INSTANCE}.1"
    dataset.StudyInstanceUID = f"{INSTANCE}.2"
    dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if samples == 3 else pixels.shape[-2:]
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    if "BitsStored" in attributes:
        dataset.HighBit = dataset.BitsStored - 1
    return dataset


def part10(dataset: Dataset, syntax: str, preamble: bool = True) -> bytes:
    """Write a data set as a Part 10 file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=preamble)
    return stream.getvalue()


def bare(body: bytes) -> bytes:
    """Return a Part 10 file as old software writes it: the data set alone."""
    meta = dcmread(BytesIO(body)).file_meta
    # Preamble, prefix, the group's length element of 12 bytes, the rest of the group.
    return body[128 + 4 + 12 + meta.FileMetaInformationGroupLength :]


def native(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """Make a file with uncompressed pixels; frames are the first of three or four axes."""
    dataset = header(pixels, **attributes)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    return part10(dataset, syntax)


def encapsulated(
    frames: Sequence[bytes], like: np.ndarray, syntax: str, offsets: bool = True, **attributes: Any
) -> bytes:
    """Make a file of encoded frames; `like` is one frame decoded."""
    if len(frames) > 1:
        attributes["NumberOfFrames"] = len(frames)
    dataset = header(like, **attributes)
    dataset.PixelData = encapsulate(list(frames), has_bot=offsets)
    dataset["PixelData"].VR = "OB"
    return part10(dataset, syntax)


def ramp(rows: int, columns: int, bits: int = 16, signed: bool = False) -> np.ndarray:
    """Return a smooth image that uses all values of `bits` bits, with some noise."""
    size = rows * columns
    noise = np.random.default_rng(7).integers(0, max(2, (1 << bits) // 64), size)
    values = (np.linspace(0, (1 << bits) - 1, size) + noise).clip(0, (1 << bits) - 1).astype(int)
    dtype = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}"
    return (values - (1 << (bits - 1)) * signed).reshape(rows, columns).astype(dtype)


def color(rows: int, columns: int) -> np.ndarray:
    """Return a smooth 8-bit RGB image."""
    down, across = np.mgrid[0:rows, 0:columns]
    channels = (down * 255 // rows, across * 255 // columns, (down + across) % 256)
    return np.stack(channels, axis=-1).astype("u1")


Encoder = Callable[[np.ndarray], bytes]
# Transfer syntax -> how one frame of it is encoded.
ENCODERS: dict[str, Encoder] = {
    JPEGBaseline8Bit: lambda pixels: imagecodecs.jpeg8_encode(pixels, level=95),
    JPEGExtended12Bit: lambda pixels: imagecodecs.jpeg8_encode(pixels, 95, bitspersample=12),
    JPEGLossless: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=6),
    JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1),
    JPEGLSLossless: lambda pixels: imagecodecs.jpegls_encode(pixels),
    JPEGLSNearLossless: lambda pixels: imagecodecs.jpegls_encode(pixels, level=2),
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(
        pixels, codecformat="J2K", reversible=True
    ),
    JPEG2000: lambda pixels: imagecodecs.jpeg2k_encode(pixels, 90, codecformat="J2K"),
    HTJ2KLossless: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
    # OpenJPH orders its packets by resolution, position, component: what this syntax asks for.
    HTJ2KLosslessRPCL: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
    HTJ2K: lambda pixels: imagecodecs.htj2k_encode(pixels, 0.001, reversible=False),
}
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)


def grey_file(syntax: str) -> tuple[bytes, np.ndarray]:
    """Make a grey file in a transfer syntax, with as many bits as it can have up to 16."""
    if syntax in NATIVE:
        pixels = ramp(40, 48, 16, signed=True)
        return native(pixels, syntax), pixels
    bits = {JPEGBaseline8Bit: 8, JPEGExtended12Bit: 12, JPEGLossless: 12, JPEGLosslessSV1: 12}
    pixels = ramp(40, 48, bits.get(UID(syntax), 16))
    return encode(pixels, syntax, BitsStored=bits.get(UID(syntax), 16)), pixels


def color_file(syntax: str) -> tuple[bytes, np.ndarray]:
    """Make an 8-bit RGB file in a transfer syntax."""
    pixels = color(40, 48)
    if syntax in NATIVE:
        return native(pixels, syntax), pixels
    # The encoder of JPEG turns RGB to YCbCr, with its chroma at half resolution.
    photometric = (
        {"PhotometricInterpretation": "YBR_FULL_422"} if syntax == JPEGBaseline8Bit else {}
    )
    return encode(pixels, syntax, **photometric), pixels


def encode(pixels: np.ndarray, syntax: str, **attributes: Any) -> bytes:
    """Make a single-frame file in a compressed transfer syntax."""
    encoder = rle_encode_frame if syntax == RLELossless else ENCODERS[syntax]
    return encapsulated([encoder(pixels)], pixels, syntax, **attributes)


def rle_encode_frame(pixels: np.ndarray) -> bytes:
    """Encode with pydicom's own RLE encoder."""
    dataset = header(pixels)
    dataset.PixelData = pixels.tobytes()
    part10(dataset, ExplicitVRLittleEndian)
    return get_encoder(RLELossless).encode(dataset, index=0, encoding_plugin="pydicom")


COMPRESSED = (*ENCODERS, RLELossless)
ALL = (*NATIVE, *COMPRESSED)
COLOR = tuple(syntax for syntax in ALL if syntax != JPEGExtended12Bit)


def independent(body: bytes) -> np.ndarray:
    """Decode a file made here with a decoder that pyloader does not use."""
    dataset = dcmread(BytesIO(body))
    syntax = dataset.file_meta.TransferSyntaxUID
    # pylibjpeg misreads lossless JPEG of more than 8 bits; GDCM has no HTJ2K and no 12-bit JPEG.
    plugin = "gdcm" if syntax in (JPEGLossless, JPEGLosslessSV1) else "pylibjpeg"
    return get_decoder(syntax).as_array(dataset, index=0, decoding_plugin=plugin)[0]
