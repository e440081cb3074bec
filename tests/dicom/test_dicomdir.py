"""Records of a DICOMDIR: the files that they name, in order."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite

from pyloader.dicom.dicomdir import references_of
from pyloader.dicom.parse import parse_part10
from tests.support.filesets import (
    DISC,
    DISCS,
    change_first,
    order_by_pydicom,
)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-reordered", "TINY_ALPHA/DICOMDIR"])
def test_files_come_in_the_order_of_the_records(name):
    found = [each.file_id for each in references_of(parse_part10((DISCS / name).read_bytes()))]
    assert len(found) > 30
    assert found == order_by_pydicom(DISCS / name)


@pytest.mark.parametrize("name", ["bigEnd", "implicit", "nooffset", "nopatient"])
def test_directories_that_break_rules_lose_no_file(name):
    found = references_of(parse_part10((DISCS / f"DICOMDIR-{name}").read_bytes()))
    whole = references_of(parse_part10(DISC))
    assert {each.file_id for each in found} == {each.file_id for each in whole}


def test_references_tell_study_and_series():
    for each in references_of(parse_part10(DISC)):
        dataset = dcmread(DISCS / each.file_id, stop_before_pixels=True)
        assert each.study_instance_uid == dataset.StudyInstanceUID
        assert each.series_instance_uid == dataset.SeriesInstanceUID


def changed(change) -> list[str]:
    """Return the files of a DICOMDIR after a change to its data set."""
    dataset = dcmread(BytesIO(DISC))
    change(dataset)
    stream = BytesIO()
    dcmwrite(stream, dataset)
    return [each.file_id for each in references_of(parse_part10(stream.getvalue()))]


def test_records_that_go_round_in_a_circle_end():
    def change(dataset: Dataset) -> None:
        for record in dataset.DirectoryRecordSequence:
            record.OffsetOfTheNextDirectoryRecord = 396
            record.OffsetOfReferencedLowerLevelDirectoryEntity = 396

    assert sorted(changed(change)) == sorted(changed(lambda dataset: None))


def test_inactive_records_are_left_out():
    def change(dataset: Dataset) -> None:
        for record in dataset.DirectoryRecordSequence:
            if record.get("ReferencedFileID") == ["77654033", "CT2", "17106"]:
                record.RecordInUseFlag = 0

    left = [each for each in changed(lambda dataset: None) if each != "77654033/CT2/17106"]
    assert changed(change) == left
    assert len(left) == 30


@pytest.mark.parametrize("written", ["A\\B", "A/B", "./A/B", " A \\B"])
def test_file_ids_with_separators_of_some_system(written):
    assert changed(lambda dataset: change_first(dataset, written))[0] == "A/B"
