"""Read a DICOMDIR: the files of a file-set, in order (PS3.3 F, PS3.10 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydicom import Dataset

from pyloader.dicom.instance import Instance
from pyloader.dicom.parse import noting
from pyloader.dicom.values import as_tuple, items_of, value_of

NO_RECORD = 0
INACTIVE = 0
FIRST_RECORD = "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"
NEXT_RECORD = "OffsetOfTheNextDirectoryRecord"
LOWER_RECORD = "OffsetOfReferencedLowerLevelDirectoryEntity"


@dataclass(frozen=True, slots=True)
class Reference:
    """A file listed in a DICOMDIR.

    Attributes
    ----------
    file_id : str
        (0004,1500) Referenced File ID, with slashes between its components; relative to the
        folder of the DICOMDIR.
    study_instance_uid, series_instance_uid : str
        UIDs in the records above it; "" where they have none.
    """

    file_id: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""


def is_directory(instance: Instance) -> bool:
    """Return whether an instance is a DICOMDIR: only a directory has records."""
    return "DirectoryRecordSequence" in instance.dataset


def references_of(instance: Instance) -> list[Reference]:
    """Return the files of a DICOMDIR in the order of its records, without inactive ones.

    Files of records that no other record refers to, as when all offsets are wrong, follow in
    stored order.

    References
    ----------
    PS3.3 F.3.2.2 (records and their offsets), PS3.10 8.5 (file IDs).
    """
    dataset = instance.dataset
    found: dict[str, Reference] = {}
    with noting():
        records = items_of(dataset, "DirectoryRecordSequence")
        for reference in (*linked(dataset, records), *stored(records)):
            found.setdefault(reference.file_id, reference)
    return list(found.values())


def linked(dataset: Dataset, records: Sequence[Dataset]) -> Iterator[Reference]:
    """Yield the files of the records reached by offsets; children before the next sibling."""
    at = {record.seq_item_tell: record for record in records}
    waiting = [(offset_of(dataset, FIRST_RECORD), Reference())]
    while waiting:
        offset, above = waiting.pop()
        record = at.pop(offset, None)  # visit each record once, even if offsets form a cycle
        if record is None:
            continue
        here = record_reference(above, record)
        waiting.append((offset_of(record, NEXT_RECORD), above))
        waiting.append((offset_of(record, LOWER_RECORD), here))
        if here.file_id:
            yield here


def stored(records: Sequence[Dataset]) -> Iterator[Reference]:
    """Yield the files of all records in stored order, under the last study and series before."""
    above = Reference()
    for record in records:
        here = record_reference(above, record)
        if here.file_id:
            yield here
        above = replace(here, file_id="")


def record_reference(above: Reference, record: Dataset) -> Reference:
    """Return the reference of a record, with the UIDs of the records above it."""
    kind = str(value_of(record, "DirectoryRecordType") or "")
    is_active = value_of(record, "RecordInUseFlag") != INACTIVE
    here = replace(above, file_id=file_id_of(record) if is_active else "")
    if kind == "STUDY":
        return replace(here, study_instance_uid=uid_of(record, "StudyInstanceUID"))
    if kind == "SERIES":
        return replace(here, series_instance_uid=uid_of(record, "SeriesInstanceUID"))
    return here


def file_id_of(record: Dataset) -> str:
    """Return (0004,1500) Referenced File ID as a path; accept the separators of any system."""
    steps = as_tuple(value_of(record, "ReferencedFileID"))
    path = "/".join(str(step or "").strip() for step in steps).replace("\\", "/")
    return "/".join(step for step in path.split("/") if step not in ("", "."))


def uid_of(record: Dataset, keyword: str) -> str:
    """Return a UID of a record; "" when it is absent."""
    return str(value_of(record, keyword) or "")


def offset_of(record: Dataset, keyword: str) -> int:
    """Return the offset of a referenced record, in bytes from the start of the file; 0 for none."""
    value = value_of(record, keyword)
    return value if isinstance(value, int) else NO_RECORD
