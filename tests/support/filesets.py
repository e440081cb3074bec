"""Studies made in code, and the zip archives and DICOMDIRs that hold them."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from pyloader import ImageId
from pyloader.loaders.filesets.series import Series
from tests.support import builders
from tests.support.corpus import DATA

AXIAL = [1, 0, 0, 0, 1, 0]
# Offsets within the headers of a zip (APPNOTE 4.3.7, 4.3.12): flags, method, size when unpacked.
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
FIELDS = {"flags": (6, 8, "<H"), "method": (8, 10, "<H"), "size": (22, 24, "<L")}


def pixels_of(number: int) -> np.ndarray:
    """Return pixels that no other number has."""
    return builders.ramp(8, 10) // 2 + number


def slice_file(number: int, series: int = 1, study: int = 1, **attributes) -> bytes:
    """Return an axial slice, at `number` mm; its pixels are `pixels_of` its number and series."""
    study_uid = f"{builders.INSTANCE}.{study}"
    return builders.native(
        pixels_of(100 * series + number),
        **{
            "SOPInstanceUID": f"{study_uid}.{series}.{number}",
            "StudyInstanceUID": study_uid,
            "SeriesInstanceUID": f"{study_uid}.{series}",
            "SeriesNumber": series,
            "SeriesDescription": f"series {series}",
            "StudyDate": f"2020010{study}",
            "StudyTime": "120000",
            "StudyID": str(study),
            "PatientID": "p1",
            "PatientName": "Doe^Jane",
            "InstanceNumber": 100 - number,  # against the positions
            "ImagePositionPatient": [0, 0, number],
            "ImageOrientationPatient": AXIAL,
            **attributes,
        },
    )


def study_files() -> dict[str, bytes]:
    """Return two series of three slices by name; names, order and positions disagree."""
    return {
        "B/1.dcm": slice_file(3, 1),
        "A/7": slice_file(2, 2),
        "B/2.dcm": slice_file(1, 1),
        "A/8": slice_file(1, 2),
        "A/10": slice_file(3, 2),
        "B/3.dcm": slice_file(2, 1),
    }


# How the files of `study_files` are to be looked at.
IN_ORDER = ["B/2.dcm", "B/3.dcm", "B/1.dcm", "A/8", "A/7", "A/10"]


def zip_of(files: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = ZIP_DEFLATED):
    """Return a zip archive; of pairs, a name may come twice."""
    stream = BytesIO()
    with ZipFile(stream, "w", method) as archive:
        for name, body in files.items() if isinstance(files, Mapping) else files:
            info = ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, body)
    return stream.getvalue()


def patched(archive: bytes, name: str, field: str, value: int) -> bytes:
    """Return an archive whose two headers of a member say something else."""
    found = bytearray(archive)
    for magic, name_at, offset in ((LOCAL, 30, 0), (CENTRAL, 46, 1)):
        start = 0
        while (start := found.find(magic, start)) >= 0:
            if found[start + name_at :].startswith(name.encode()):
                at, layout = start + FIELDS[field][offset], FIELDS[field][2]
                struct.pack_into(layout, found, at, value)
            start += 4
    return bytes(found)


def write_fileset(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write a disc with its DICOMDIR by pydicom, and return the file IDs in its order."""
    with fileset() as disc:
        for body in files.values():
            disc.add(dcmread(BytesIO(body)))
        disc.write(folder)
    return order_by_pydicom(folder / "DICOMDIR")


def order_by_pydicom(path: Path) -> list[str]:
    """Return the files of a DICOMDIR in its order, as pydicom's own reader has them."""
    with fileset(path) as found:
        return [Path(each.path).relative_to(path.parent).as_posix() for each in found]


@contextmanager
def fileset(path: Path | None = None) -> Iterator[FileSet]:
    """Open a file-set, whose temporary folders are a warning each when they are left to Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = FileSet(path)
        yield found
        found._stage["t"].cleanup()


DISCS = DATA / "dicomdirtests"
DISC = (DISCS / "DICOMDIR").read_bytes()


def given(transport, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Put files where a page's are, and return imageIds and paths, the last name first."""
    named = [(f"dicomfile:{number}", name) for number, name in enumerate(sorted(files)[::-1])]
    for image_id, name in named:
        transport.answers[image_id] = files[name]
    return named


def names_in(found: list[Series], named: list[tuple[str, str]]) -> list[str]:
    """Return the names of the files that are listed."""
    names = dict(named)
    return [names[ImageId.parse(each).source] for series in found for each in series.image_ids]


def change_first(dataset: Dataset, written: str) -> None:
    """Write the first Referenced File ID in another way."""
    record = next(each for each in dataset.DirectoryRecordSequence if "ReferencedFileID" in each)
    record.ReferencedFileID = written.split("\\")
