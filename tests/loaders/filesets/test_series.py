"""DICOMDIRs, folders, and the files that a page gives: which images there are, in which order."""

from __future__ import annotations

import asyncio
import random
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydicom import Dataset, dcmread, dcmwrite

from pyloader import Context, ImageId, list_image_ids, load_image
from pyloader.dicom.dicomdir import references_of
from pyloader.dicom.parse import parse_part10
from pyloader.errors import FormatError, HttpStatusError, ImageIdError
from pyloader.load import list_series
from pyloader.loaders.filesets.series import Series
from pyloader.loaders.wadouri.source import list_files
from pyloader.transport import Response
from tests.support import builders
from tests.support.corpus import DATA
from tests.support.filesets import (
    IN_ORDER,
    order_by_pydicom,
    pixels_of,
    slice_file,
    study_files,
    write_fileset,
    zip_of,
)

DISCS = DATA / "dicomdirtests"
DISC = (DISCS / "DICOMDIR").read_bytes()


@pytest.fixture
def disc(tmp_path: Path) -> dict[str, bytes]:
    """Return the files of a disc by name, in the order of its DICOMDIR, which comes last."""
    order = write_fileset(tmp_path, study_files())
    return {name: (tmp_path / name).read_bytes() for name in [*order, "DICOMDIR"]}


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


# ------------------------------------------------------------------ the records of a DICOMDIR


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


def change_first(dataset: Dataset, written: str) -> None:
    """Write the first Referenced File ID in another way."""
    record = next(each for each in dataset.DirectoryRecordSequence if "ReferencedFileID" in each)
    record.ReferencedFileID = written.split("\\")


# ------------------------------------------------------------------ local folders and DICOMDIRs


@pytest.mark.parametrize("source", [DISCS, DISCS / "DICOMDIR", DISCS / "DICOMDIR-nooffset"])
async def test_a_real_disc(source):
    found = await list_image_ids(f"wadouri:{source}")
    # Below the folder is another disc, whose images have lost their pixels.
    found = [each for each in found if "TINY_ALPHA" not in each]
    assert found == [f"wadouri:{DISCS}/{name}" for name in order_by_pydicom(DISCS / "DICOMDIR")]
    image = await load_image(found[-1])
    assert_array_equal(image.pixels, dcmread(found[-1].removeprefix("wadouri:")).pixel_array)


async def test_a_folder_without_a_directory_is_in_order_of_series_and_position(tmp_path):
    for name, body in {**study_files(), "README.txt": b"read me"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(body)
    found = await list_image_ids(f"wadouri:{tmp_path}")
    assert found == [f"wadouri:{tmp_path}/{name}" for name in IN_ORDER]
    assert await list_image_ids(f"wadouri:{tmp_path}/") == found


async def test_a_folder_and_a_directory_are_no_images(tmp_path, disc):
    with pytest.raises(ImageIdError, match="is a folder of 7 files, not an image"):
        await load_image(f"wadouri:{tmp_path}")
    with pytest.raises(FormatError, match="is a DICOMDIR: it names the files of a disc"):
        await load_image(f"wadouri:{tmp_path}/DICOMDIR")


async def test_a_folder_of_nothing(tmp_path):
    with pytest.raises(FormatError, match="there is no DICOM image among 0 files"):
        await list_image_ids(f"wadouri:{tmp_path}")


async def test_a_disc_whose_images_have_no_pixels():
    with pytest.raises(
        FormatError, match="IM000000' is an image by its SOP Class and has no pixel"
    ):
        await list_image_ids(f"wadouri:{DISCS}/TINY_ALPHA")


# ------------------------------------------------------------------ a DICOMDIR on a server


async def test_a_directory_lists_what_stands_beside_it(transport, context, disc):
    base = "https://host/disc"
    transport.answers.update({f"{base}/{name}?t=1": body for name, body in disc.items()})
    found = await list_image_ids(f"wadouri:{base}/DICOMDIR?t=1", context)
    assert found == [f"wadouri:{base}/{name}?t=1" for name in list(disc)[:-1]]
    images = [await load_image(each, context) for each in found]
    for image, body in zip(images, disc.values(), strict=False):
        assert_array_equal(image.pixels, dcmread(BytesIO(body)).pixel_array)


async def test_a_directory_on_a_server_whose_names_are_lower_case(transport, context, disc):
    transport.answers.update({f"/disc/{name.lower()}": body for name, body in disc.items()})
    for name in list(disc)[:-1]:
        transport.answers[f"/disc/{name}"] = Response(name, 404, {}, b"")
    found = await list_image_ids("wadouri:/disc/dicomdir", context)
    assert found == [f"wadouri:/disc/{name.lower()}" for name in list(disc)[:-1]]


async def test_what_fails_on_the_way_stays_in_its_place(transport, context, disc):
    transport.answers.update({f"/disc/{name}": body for name, body in disc.items()})
    names = list(disc)[:-1]
    transport.answers[f"/disc/{names[1]}"] = Response(names[1], 403, {}, b"")
    found = await list_image_ids("wadouri:/disc/DICOMDIR", context)
    assert found == [f"wadouri:/disc/{name}" for name in names]
    with pytest.raises(HttpStatusError, match="403"):
        await load_image(found[1], context)


async def test_a_directory_does_not_lead_out_of_its_folder(transport, context, disc):
    dataset = dcmread(BytesIO(disc["DICOMDIR"]))
    change_first(dataset, "..\\..\\secret")
    stream = BytesIO()
    dcmwrite(stream, dataset)
    transport.answers.update({f"/a/b/{name}": body for name, body in disc.items()})
    transport.answers["/a/b/DICOMDIR"] = stream.getvalue()
    with pytest.warns(
        UserWarning, match=r"1 of the files .* do not exist, such as '\.\./\.\./sec"
    ):
        found = await list_image_ids("wadouri:/a/b/DICOMDIR", context)
    assert len(found) == 5
    assert all(
        request.url.startswith("/a/b/") and ".." not in request.url
        for request in transport.requests
    )


# ------------------------------------------------------------------ files of a page


async def test_the_order_is_that_of_the_directory(transport, context, disc):
    named = given(transport, disc)
    assert names_in(await list_files(named, context), named) == list(disc)[:-1]


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda name: f"{name};1",
        lambda name: f"{name}.dcm",
        lambda name: f"{name.lower()}.dcm;1",
        lambda name: f"My Disc/{name}",
        lambda name: f"a.b/c;1/{name}",
    ],
)
async def test_names_as_file_systems_change_them(transport, context, disc, spell):
    named = given(transport, {spell(name): body for name, body in disc.items()})
    found = await list_files(named, context)
    assert names_in(found, named) == [spell(name) for name in list(disc)[:-1]]


async def test_a_whole_name_goes_before_one_without_extension(transport, context, disc):
    first, second = list(disc)[:2]
    files = {**disc, f"{first}.bak": disc[second], f"{first}.txt": b"notes"}
    named = given(transport, files)
    assert names_in(await list_files(named, context), named)[0] == first


async def test_what_the_directory_does_not_name_comes_after(transport, context, disc):
    extra = {"more/2": slice_file(2, 9), "more/1": slice_file(1, 9)}
    named = given(transport, {**disc, **extra})
    found = await list_files(named, context)
    assert names_in(found, named) == [*list(disc)[:-1], "more/1", "more/2"]
    assert [each.missing for each in found] == [[], [], []]


async def test_missing_files_are_reported_with_their_series(transport, context, disc):
    names = list(disc)
    named = given(transport, {name: disc[name] for name in names if name != names[4]})
    with pytest.warns(UserWarning, match="1 of the files that the DICOMDIR names do not exist"):
        first, second = await list_files(named, context)
    assert names_in([first, second], named) == names[:4] + names[5:6]
    assert (first.missing, second.missing) == ([], [names[4]])


async def test_a_series_of_which_nothing_is_there(transport, context, disc):
    names = list(disc)
    named = given(transport, {name: disc[name] for name in [*names[:3], "DICOMDIR"]})
    with pytest.warns(UserWarning, match="3 of the files"):
        first, second = await list_files(named, context)
    assert (len(first.image_ids), second.image_ids) == (3, [])
    assert second.missing == names[3:6]


async def test_a_directory_alone(transport, context, disc):
    named = given(transport, {"DICOMDIR": disc["DICOMDIR"]})
    with pytest.raises(FormatError, match=r"names 6 files, such as .* give the whole folder of the disc"):
        await list_files(named, context)
    with pytest.raises(FormatError, match="is a DICOMDIR without the files that it names"):
        await list_image_ids(named[0][0], context)


async def test_a_damaged_file_stays_where_the_directory_has_it(transport, context, disc):
    names = list(disc)
    named = given(transport, {**disc, names[1]: disc[names[1]][:300]})
    found = await list_files(named, context)
    assert names_in(found, named) == names[:-1]
    with pytest.raises(FormatError):
        await load_image(found[0].image_ids[1], context)


async def test_the_directory_of_an_archive(transport, context, disc):
    transport.answers["/disc.zip"] = zip_of(
        {f"my disc/{name}": disc[name] for name in sorted(disc)}
    )
    found = await list_image_ids("wadouri:/disc.zip", context)
    assert [ImageId.parse(each).member for each in found] == [
        f"my disc/{name}" for name in list(disc)[:-1]
    ]


async def test_an_archive_among_files(transport, context, disc):
    named = given(transport, {"disc.zip": zip_of(disc), "b.dcm": slice_file(1, 9)})
    found = await list_files(named, context)
    expected = [ImageId.parse(named[0][0]).of_member(name) for name in list(disc)[:-1]]
    assert [each for series in found for each in series.image_ids] == [*expected, named[1][0]]


async def test_series_say_what_they_are(transport, context):
    named = given(transport, study_files())
    first, second = await list_files(named, context)
    assert first.attributes == {
        "patient_name": "Doe^Jane",
        "patient_id": "p1",
        "study_instance_uid": f"{builders.INSTANCE}.1",
        "study_date": "20200101",
        "study_time": "120000",
        "series_instance_uid": f"{builders.INSTANCE}.1.1",
        "series_number": 1,
        "series_description": "series 1",
        "modality": "CT",
    }
    assert second.attributes["series_number"] == 2
    assert len(second.image_ids) == 3


async def test_studies_by_date_and_series_by_number(transport, context):
    files = {
        "a": slice_file(1, 10, study=1),
        "b": slice_file(1, 9, study=2),
        "c": slice_file(1, 9, study=1),
        "d": slice_file(1, 1, study=2, SeriesNumber=None),
        "e": slice_file(1, 1, study=3, StudyDate="20191231"),
    }
    named = given(transport, files)
    assert names_in(await list_files(named, context), named) == ["e", "c", "a", "b", "d"]


async def test_broken_attributes_do_not_lose_an_image(transport, context):
    odd = bytearray(slice_file(1))
    at = odd.find(b"IS", odd.find(b"\x20\x00\x13\x00"))
    odd[at + 4 : at + 6] = b"??"
    named = given(transport, {"a": bytes(odd), "b": slice_file(2), "c": slice_file(3, 2)})
    assert names_in(await list_files(named, context), named) == ["a", "b", "c"]


async def test_the_same_name_twice(transport, context):
    for number in (0, 1):
        transport.answers[f"dicomfile:{number}"] = slice_file(number + 1)
    for name in ("a.dcm", ""):
        found = await list_files([("dicomfile:0", name), ("dicomfile:1", name)], context)
        assert found[0].image_ids == ["dicomfile:0", "dicomfile:1"]


async def test_only_headers_are_read(transport, context):
    large = builders.native(np.zeros((30, 256, 256), "u2"), NumberOfFrames=30)
    named = given(transport, {"a": large, "b": slice_file(1)})
    await list_files(named, context)
    assert [request.byte_range for request in transport.requests] == [(0, 65536)] * 2
    assert context.cache.size == 0


async def test_progress_counts_files(transport, context):
    reports = []
    context = Context(
        context.network, context.cache, listener=lambda *report: reports.append(report)
    )
    await list_files(given(transport, study_files()), context)
    counted = [report[2:4] for report in reports if report[:2] == ("progress", "")]
    assert counted == [(number, 6) for number in range(1, 7)]


async def test_one_file_that_is_no_dicom_is_refused_as_a_load_is(transport, context):
    named = given(transport, {"notes.txt": b"not an image"})
    with pytest.raises(FormatError, match="cannot be read as a DICOM file"):
        await list_files(named, context)


async def test_the_frames_of_one_file_are_one_series(transport, context):
    frames = builders.native(np.zeros((2, 4, 4), "u1"), NumberOfFrames=2, SeriesNumber=4)
    transport.answers["/us.dcm"] = frames
    (series,) = await list_series("wadouri:/us.dcm", context)
    assert series.image_ids == ["wadouri:/us.dcm?frame=1", "wadouri:/us.dcm?frame=2"]
    assert series.attributes["series_number"] == 4


async def test_images_of_a_folder_load_together(tmp_path, disc):
    found = await list_image_ids(f"wadouri:{tmp_path}/DICOMDIR")
    images = await asyncio.gather(*map(load_image, found))
    positions = [int(image.plane.image_position_patient[2]) for image in images]
    for image, position, series in zip(images, positions, (1, 1, 1, 2, 2, 2), strict=True):
        assert_array_equal(image.pixels, pixels_of(100 * series + position))


async def test_damage_ends_in_lists_or_typed_errors_and_loses_no_whole_file(
    transport, context, disc
):
    """Flips and cuts, seeded: of the DICOMDIR all images stay; of the images all that are whole."""
    seed = random.Random(1)
    for is_directory in (True, False) * 60:
        names = ["DICOMDIR"] if is_directory else list(disc)[:3]
        files = {**disc, **{name: damaged(disc[name], seed) for name in names}}
        whole = set(disc) - set(names) - {"DICOMDIR"}
        named = given(transport, files)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = names_in(await list_files(named, context), named)
        assert whole <= set(found)
        assert len(set(found)) == len(found)


def damaged(body: bytes, seed: random.Random) -> bytes:
    """Return a file with some bytes changed, and in a third of the cases cut off."""
    found = bytearray(body)
    for _ in range(seed.choice((1, 3, 20))):
        found[seed.randrange(len(found))] = seed.randrange(256)
    return bytes(found[: seed.randrange(len(found))] if seed.random() < 0.3 else found)


async def test_several_values_where_one_is_to_be(transport, context):
    odd = slice_file(1, PatientName=["Doe^Jane", "Doe^J"], SeriesDescription=["a", "b"])
    (found,) = await list_files(given(transport, {"a": odd}), context)
    assert found.attributes["patient_name"] == "Doe^Jane"
    assert len(found.image_ids) == 1


# ------------------------------------------------------------------ whose images they are


async def test_equal_uids_do_not_make_one_series_of_two_patients(transport, context):
    """Copies that a phantom, a converter or a de-identification has given the same UIDs."""
    files = {
        "a": slice_file(1, PatientID="p1", PatientName="Doe^Jane"),
        "b": slice_file(2, PatientID="p2", PatientName="Roe^Richard"),
        "c": slice_file(3, PatientID="p1", PatientName="DOE^JANE "),
        "d": slice_file(4, PatientID=None, PatientName="Roe^Richard"),
    }
    named = given(transport, files)
    found = await list_files(named, context)
    assert [names_in([series], named) for series in found] == [["a", "c"], ["b", "d"]]
    assert [series.attributes["patient_name"] for series in found] == ["Doe^Jane", "Roe^Richard"]


@pytest.mark.parametrize(
    "other",
    [
        {"PatientName": "Roe^Richard"},
        {"PatientID": "p2"},
        {"StudyDate": "20200102"},
        {"SeriesNumber": 2},
        {"Modality": "MR"},
    ],
)
async def test_images_without_uids_are_of_one_series_only_if_nothing_differs(
    transport, context, other
):
    without = {"StudyInstanceUID": None, "SeriesInstanceUID": None}
    files = {
        "a": slice_file(1, **without),
        "b": slice_file(2, **without | other),
        "c": slice_file(3, **without),
    }
    named = given(transport, files)
    found = await list_files(named, context)
    assert sorted(names_in([series], named) for series in found) == [["a", "c"], ["b"]]


@pytest.mark.parametrize("number", [None, 1])
@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("SliceLocation", [-3.5, 0, 2, 12]),
        ("AcquisitionNumber", [1, 2, 3, 12]),
        ("TemporalPositionIdentifier", [1, 2, 3, 12]),
        ("AcquisitionTime", ["080000", "090000", "100000", "110000"]),
        ("AcquisitionDateTime", ["20200101", "20200102", "20200103", "20200104"]),
        ("ContentTime", ["080000", "090000", "100000", "110000"]),
    ],
)
async def test_images_without_positions_come_in_an_order_of_their_own(
    tmp_path, number, keyword, values
):
    for place in (2, 0, 3, 1):
        attributes = {"SOPInstanceUID": f"1.2.{9 - place}", "InstanceNumber": number}
        body = builders.native(builders.ramp(4, 4), **attributes, **{keyword: values[place]})
        (tmp_path / f"{(place * 7) % 5}-{place}.dcm").write_bytes(body)
    found = await list_image_ids(f"wadouri:{tmp_path}")
    assert [each.removesuffix(".dcm")[-1] for each in found] == ["0", "1", "2", "3"]
