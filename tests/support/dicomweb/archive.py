"""The instances that a test server keeps: their DICOM JSON, their frames, their binary values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from threading import Lock
from typing import Any

from pydicom import DataElement, Dataset, dcmread
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.support.dicomweb.answers import Memory
from tests.support.dicomweb.frames import (
    BULK_WORDS,
    PIXEL_TAGS,
    decode,
    encapsulated_frames,
    native_frames,
    swapped,
)

# PS3.18 8.7.3.3.2.
MEDIA_TYPES: dict[str, str] = {
    JPEGBaseline8Bit: "image/jpeg",
    JPEGExtended12Bit: "image/jpeg",
    JPEGLossless: "image/jpeg",
    JPEGLosslessSV1: "image/jpeg",
    JPEGLSLossless: "image/jls",
    JPEGLSNearLossless: "image/jls",
    JPEG2000Lossless: "image/jp2",
    JPEG2000: "image/jp2",
    HTJ2KLossless: "image/jphc",
    HTJ2KLosslessRPCL: "image/jphc",
    HTJ2K: "image/jphc",
    RLELossless: "image/dicom-rle",
}
QUIET = Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's warnings, which tests turn into errors in every thread."""
    # catch_warnings() changes the filters of the whole process.
    with QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Instance:
    """One SOP instance: its file, its data set, and its DICOM JSON with relative BulkDataURIs."""

    body: bytes
    dataset: Dataset
    json: dict[str, Any]

    @property
    def study(self) -> str:
        """Its Study Instance UID."""
        return str(self.dataset.StudyInstanceUID)

    @property
    def series(self) -> str:
        """Its Series Instance UID."""
        return str(self.dataset.SeriesInstanceUID)

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        return str(self.dataset.SOPInstanceUID)

    @property
    def path(self) -> str:
        """The path below the service's root (PS3.18 10.1.1)."""
        return path_of(self.dataset)

    @property
    def syntax(self) -> UID:
        """The transfer syntax of its file."""
        return self.dataset.file_meta.TransferSyntaxUID

    @property
    def sent_syntax(self) -> UID:
        """The transfer syntax of its frames as they are sent untouched (PS3.18 8.7.3.3.2)."""
        return self.syntax if self.syntax.is_encapsulated else ExplicitVRLittleEndian

    @cached_property
    def file(self) -> Memory:
        """The file that it was stored as."""
        return Memory(self.body)

    @cached_property
    def frames(self) -> list[bytes]:
        """Its frames: codestreams, or native pixels in little endian; empty without any."""
        tag = next((tag for tag in PIXEL_TAGS if tag in self.dataset), None)
        if tag is None:
            return []
        with quiet():
            if self.syntax.is_encapsulated:
                return encapsulated_frames(self.dataset)
            return native_frames(self.dataset, self.dataset[tag])

    def bulk(self, path: str) -> bytes:
        """Return a binary value in little endian by its path of tags and item numbers from 1.

        Raises
        ------
        LookupError
            There is no such value.
        """
        element = find_bulk(self.dataset, path)
        # Items do not know the byte order of their file.
        little = self.dataset.original_encoding[1]
        return element.value if little else swapped(element.value, BULK_WORDS[element.VR])

    def native_frame(self, index: int) -> bytes:
        """Return a frame decoded, in little endian.

        Raises
        ------
        ValueError
            No decoder can.
        """
        if self.syntax.is_encapsulated:
            with quiet():
                return decode(self.dataset, index)
        return self.frames[index]


def path_of(dataset: Dataset) -> str:
    """Return the path of an instance below the service's root."""
    uids = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    return "/studies/{}/series/{}/instances/{}".format(*uids)


@dataclass
class Archive:
    """Stored instances, by SOP Instance UID."""

    instances: dict[str, Instance] = field(default_factory=dict)

    def store(self, body: bytes) -> Instance:
        """Keep a Part 10 file, in place of one with the same SOP Instance UID.

        Raises
        ------
        ValueError
            It is not such a file, or lacks one of the three UIDs.
        """
        try:
            with quiet():
                instance = read_instance(body)
        except Exception as error:
            raise ValueError(f"this file of {len(body)} bytes cannot be stored: {error}") from error
        self.instances[instance.uid] = instance
        return instance

    def find(
        self, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> list[Instance]:
        """Return the instances below a study, a series, or nothing."""
        wanted = (study, series, instance)
        return [
            found
            for found in list(self.instances.values())
            if all(
                uid in (None, own)
                for uid, own in zip(wanted, (found.study, found.series, found.uid), strict=True)
            )
        ]


def with_pixel_header(body: bytes, size: int) -> bytes:
    """Return a file of Explicit VR Little Endian without pixels up to where `size` bytes follow."""
    return body + b"\xe0\x7f\x10\x00OW\0\0" + size.to_bytes(4, "little")


def read_instance(body: bytes) -> Instance:
    """Parse a file, and all of its values."""
    dataset = dcmread(BytesIO(body))
    content = json_dataset(dataset, f"{path_of(dataset)}/bulkdata")
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    content["00083002"] = {"vr": "UI", "Value": [syntax]}
    return Instance(body, dataset, dict(sorted(content.items())))


def json_dataset(dataset: Dataset, uri: str) -> dict[str, Any]:
    """Write a data set as DICOM JSON without its pixels (PS3.18 F.2)."""
    written = {}
    for tag in sorted(set(dataset.keys()).difference(PIXEL_TAGS)):
        # A value that is none of its VR, as in badVR.dcm, is left out.
        with suppress(ValueError, TypeError):
            written[f"{tag:08X}"] = json_element(dataset[tag], f"{uri}/{tag:08X}")
    return written


def json_element(element: DataElement, uri: str) -> dict[str, Any]:
    """Write an element as DICOM JSON, a binary value as a reference."""
    if element.VR == "SQ":
        items = enumerate(element.value, 1)
        return {
            "vr": "SQ",
            "Value": [json_dataset(item, f"{uri}/{number}") for number, item in items],
        }
    if element.VR in BULK_WORDS:
        return {"vr": element.VR, "BulkDataURI": uri} if element.value else {"vr": element.VR}
    return element.to_json_dict(None, 0)


def find_bulk(dataset: Dataset, path: str) -> DataElement:
    """Return the element of a binary value by its path, or raise LookupError."""
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(/[0-9]+/[0-9A-Fa-f]{8})*", path):
        raise LookupError(f"{path!r} is no path of tags and item numbers")
    tag, *rest = path.split("/", 2)
    element = dataset[int(tag, 16)]
    if rest:
        return find_bulk(element.value[int(rest[0]) - 1], rest[1])
    if element.VR not in BULK_WORDS or element.tag in PIXEL_TAGS:
        raise LookupError(f"{path!r} is no binary value")
    return element
