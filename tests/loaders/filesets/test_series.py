"""DICOMDIRs, folders, and the files that a page gives: which images there are, in which order."""

from __future__ import annotations

import asyncio
import random
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import ImageId, list_image_ids, load_image
from pyloader.errors import FormatError
from pyloader.load import list_series
from pyloader.loaders.wadouri.source import list_files
from tests.support import builders
from tests.support.filesets import (
    given,
    names_in,
    pixels_of,
    slice_file,
    study_files,
    zip_of,
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
    with pytest.raises(
        FormatError, match=r"names 6 files, such as .* give the whole folder of the disc"
    ):
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
