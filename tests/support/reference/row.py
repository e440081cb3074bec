"""Rows of the table, and their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import SEEK_END, BytesIO
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID

from tests.support import builders
from tests.support.reference.images import Pixels


@dataclass(frozen=True)
class Made:
    """A file, and what was encoded in it.

    Attributes
    ----------
    body : bytes
        Part 10.
    pixels : (frames, rows, columns) or (frames, rows, columns, 3) array
        Stored values or RGB: what a right decoder makes of a lossless file.
    """

    body: bytes
    pixels: Pixels


@dataclass(frozen=True)
class Row:
    """One file of the table.

    Attributes
    ----------
    name : str
        Its own, and that of its file.
    syntax : str
        UID.
    written_by : str
        What encoded the pixels.
    make : callable
        Makes the file; called once.
    decoders : tuple of str
        Names of the independent decoders it is compared with, in `decoders.DECODERS`; when there
        is none, with the pixels that were encoded alone.
    bound : int
        Largest difference from the decoders allowed; 0 is equality.
    loss : int
        Largest difference from what was encoded, of lossy codecs; 0 is equality.
    """

    name: str
    syntax: str
    written_by: str
    make: Callable[[], Made]
    decoders: tuple[str, ...] = ()
    bound: int = 0
    loss: int = 0

    @cached_property
    def made(self) -> Made:
        """The file and its pixels."""
        return self.make()

    @cached_property
    def header(self) -> Dataset:
        """The description that the file has of itself."""
        return dcmread(BytesIO(self.made.body))


def attributes_of(pixels: Pixels, **attributes: Any) -> Dataset:
    """Describe frames, with what they do not tell themselves as `attributes`."""
    high_bit = attributes.pop("HighBit", None)
    dataset = builders.header(pixels[0], **attributes)
    if len(pixels) > 1:
        dataset.NumberOfFrames = len(pixels)
    if high_bit is not None:
        dataset.HighBit = high_bit
    return dataset


def with_native(dataset: Dataset, value: bytes, syntax: str, vr: str) -> bytes:
    """Return the file of a description and its uncompressed pixels."""
    dataset.PixelData = value + b"\0" * (len(value) % 2)
    dataset["PixelData"].VR = vr
    return builders.part10(dataset, syntax)


def with_frames(dataset: Dataset, frames: Sequence[bytes], syntax: str) -> bytes:
    """Return the file of a description and encoded frames."""
    return with_value(dataset, encapsulate(list(frames)), syntax)


def with_value(dataset: Dataset, value: bytes, syntax: str) -> bytes:
    """Return the file of a description and fragments, also of syntaxes that pydicom has not."""
    dataset.PixelData = value
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = DicomBytesIO(bytes(128) + b"DICM")
    stream.seek(0, SEEK_END)
    stream.is_little_endian, stream.is_implicit_VR = True, False
    # dcmwrite takes no syntax that is not in pydicom's dictionary.
    write_file_meta_info(stream, meta)
    write_dataset(stream, dataset)
    return stream.getvalue()
