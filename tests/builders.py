"""DICOM files made in code: one image in any transfer syntax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    RLELossless,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
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


def jpeg_lossless_any_predictor(pixels: np.ndarray) -> bytes:
    """Encode losslessly with a predictor other than the first, as only process 14 may."""
    return imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=6)


# Transfer syntax -> how one frame of it is made, and the largest error that its coding may leave.
ENCODERS: dict[str, tuple[Callable[[np.ndarray], bytes], int]] = {
    JPEGBaseline8Bit: (lambda pixels: imagecodecs.jpeg8_encode(pixels, level=95), 8),
    JPEGExtended12Bit: (
        lambda pixels: imagecodecs.jpeg8_encode(pixels, level=95, bitspersample=12),
        90,
    ),
    JPEGLossless: (jpeg_lossless_any_predictor, 0),
    JPEGLosslessSV1: (
        lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1),
        0,
    ),
    JPEGLSLossless: (lambda pixels: imagecodecs.jpegls_encode(pixels), 0),
    JPEGLSNearLossless: (lambda pixels: imagecodecs.jpegls_encode(pixels, level=2), 2),
    JPEG2000Lossless: (
        lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", reversible=True),
        0,
    ),
    JPEG2000: (lambda pixels: imagecodecs.jpeg2k_encode(pixels, 90, codecformat="J2K"), 4),
    HTJ2KLossless: (lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True), 0),
    HTJ2KLosslessRPCL: (
        lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True, progorder="RPCL"),
        0,
    ),
    HTJ2K: (lambda pixels: imagecodecs.htj2k_encode(pixels, 0.001, reversible=False), 80),
}
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
EIGHT_BIT = (JPEGBaseline8Bit,)
TWELVE_BIT = (JPEGExtended12Bit,)
ALL = (*NATIVE, RLELossless, *ENCODERS)
