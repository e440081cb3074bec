"""Zip archives of DICOM files, and files that gzip has compressed."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from dataclasses import replace
from gzip import compress
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydicom.uid import BasicTextSRStorage

from pyloader import (
    Context,
    ImageId,
    LoaderError,
    list_image_ids,
    load_image,
    load_images,
    load_metadata,
)
from pyloader.errors import DecodeError, FormatError, ImageIdError, UnsupportedError
from pyloader.loaders.filesets.archive import name_of
from pyloader.transport import Response
from tests.support import builders
from tests.support.filesets import (
    IN_ORDER,
    patched,
    pixels_of,
    slice_file,
    study_files,
    zip_of,
)

ZIP = "wadouri:/study.zip"


def names(image_ids: list[str]) -> list[str]:
    """Return the members that imageIds name."""
    return [ImageId.parse(each).member for each in image_ids]


async def listed(body: bytes, context: Context) -> list[str]:
    """Return the members of an archive that are listed, after forgetting what was there."""
    context.cache.clear()
    context.network.transport.answers["/study.zip"] = body
    return names(await list_image_ids(ZIP, context))


# ------------------------------------------------------------------ listing


async def test_series_by_series_each_by_position(transport, context):
    assert await listed(zip_of(study_files()), context) == IN_ORDER
    shuffled = random.Random(3).sample(list(study_files().items()), 6)
    assert await listed(zip_of(dict(shuffled)), context) == IN_ORDER


async def test_every_listed_image_loads_with_its_own_pixels(transport, context):
    transport.answers["/study.zip"] = zip_of(study_files())
    image_ids = await list_image_ids(ZIP, context)
    images = await asyncio.gather(*(load_image(each, context) for each in image_ids))
    for image, number in zip(images, (101, 102, 103, 201, 202, 203), strict=True):
        assert_array_equal(image.pixels, pixels_of(number))
        assert image.plane.image_position_patient == (0, 0, number % 100)


async def test_the_archive_is_fetched_once_for_all_its_members(transport, context):
    transport.answers["/study.zip"] = zip_of(study_files())
    members = [ImageId.parse(ZIP).of_member(name) for name in study_files()]
    await asyncio.gather(*(load_image(each, context) for each in members))
    for each in members:
        assert (await load_metadata(each, context))["general_series"]["modality"] == "CT"
    assert len(transport.requests) == 1


async def test_a_multi_frame_member_is_listed_with_all_its_frames(transport, context):
    frames = np.stack([builders.ramp(6, 8) // (index + 1) for index in range(3)])
    transport.answers["/study.zip"] = zip_of({"us": builders.native(frames, NumberOfFrames=3)})
    image_ids = await list_image_ids(ZIP, context)
    assert image_ids == [f"{ZIP}#member=us?frame={number}" for number in (1, 2, 3)]
    assert await list_image_ids(f"{ZIP}#member=us", context) == image_ids
    for image_id, frame in zip(image_ids, frames, strict=True):
        assert_array_equal((await load_image(image_id, context)).pixels, frame)
    for number in (0, 4):
        with pytest.raises(ImageIdError, match=f"frame '?{number}"):
            await load_image(f"{ZIP}#member=us?frame={number}", context)


async def test_what_is_no_image_is_left_out(context):
    report = builders.header(np.zeros((2, 2), "u1"), SOPClassUID=BasicTextSRStorage)
    others = {
        "README": b"read me" * 30,
        "empty": b"",
        "viewer.exe": b"MZ" + bytes(range(256)) * 300,
        "folder/": b"",
        "report": builders.part10(report, "1.2.840.10008.1.2.1"),
        "__MACOSX/B/._1.dcm": slice_file(9),
        "inner.zip": zip_of({"a": slice_file(8)}),
    }
    assert await listed(zip_of({**others, **study_files()}), context) == IN_ORDER


async def test_a_header_longer_than_what_is_looked_at_first(context):
    # 70000 bytes of text stand before the pixels, then a million.
    for size in (70_000, 1_000_000):
        long = slice_file(1, ICCProfile=bytes(size))
        assert long.find(pixels_of(101).tobytes()) > size
        assert await listed(zip_of({"a": long, "b": slice_file(2)}), context) == ["a", "b"]


async def test_a_member_without_preamble(context):
    bare = builders.bare(slice_file(1))
    assert await listed(zip_of({"b": slice_file(2), "bare": bare}), context) == ["bare", "b"]


async def test_no_image_at_all_is_said(context):
    with pytest.raises(FormatError, match=r"no DICOM image among 2 files \('a', 'b'\)"):
        await listed(zip_of({"a": b"x", "b": b"y"}), context)
    with pytest.raises(FormatError, match="no DICOM image among 0 files: expected"):
        await listed(zip_of({}), context)


# ------------------------------------------------------------------ how members are packed


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
async def test_methods(transport, context, method):
    transport.answers["/study.zip"] = zip_of({"a": slice_file(5)}, method)
    image = await load_image(f"{ZIP}#member=a", context)
    assert_array_equal(image.pixels, pixels_of(105))


async def test_zip64(transport, context):
    stream = BytesIO()
    with ZipFile(stream, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(slice_file(5))
    transport.answers["/study.zip"] = stream.getvalue()
    assert_array_equal((await load_image(f"{ZIP}#member=a", context)).pixels, pixels_of(105))


ODD_NAMES = [
    "a b/c #?&%|=;1.dcm",
    "Bücher/画像.dcm",
    "IM#12",
    "a?frame=2",
    "../up",
    "/root",
    "C:\\scans\\1",
    "-",
    "x" * 300,
]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_names(transport, context, name):
    transport.answers["/study.zip"] = zip_of({name: slice_file(1), "other": slice_file(2)})
    first, _ = await list_image_ids(ZIP, context)
    assert ImageId.parse(first).member == name.replace("\\", "/")
    assert_array_equal((await load_image(first, context)).pixels, pixels_of(101))


async def test_a_name_in_utf_8_that_does_not_say_so(transport, context):
    archive = zip_of({"Bücher/1": slice_file(1)})
    assert "Bücher".encode() in archive
    transport.answers["/study.zip"] = without_utf8(archive)
    (found,) = await list_image_ids(ZIP, context)
    assert ImageId.parse(found).member == "Bücher/1"
    assert (await load_image(found, context)).pixel.rows == 8


async def test_a_name_in_another_encoding_is_a_name_all_the_same(transport, context):
    archive = zip_of({"xx/1": slice_file(1), "yy/1": slice_file(2)})
    archive = archive.replace(b"xx/1", "画".encode("shift-jis") + b"/1")
    archive = archive.replace(b"yy/1", "像".encode("shift-jis") + b"/1")
    transport.answers["/study.zip"] = archive
    found = await list_image_ids(ZIP, context)
    assert len(set(found)) == 2
    for image_id, number in zip(found, (101, 102), strict=True):
        assert_array_equal((await load_image(image_id, context)).pixels, pixels_of(number))


def without_utf8(archive: bytes) -> bytes:
    """Return an archive that does not say how its one name is encoded."""
    with ZipFile(BytesIO(archive)) as opened:
        (info,) = opened.infolist()
        assert name_of(info) == info.filename
    return patched(archive, info.filename, "flags", 0)


async def test_of_equal_names_the_last_counts_as_when_unpacked(transport, context):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zip_of([("a", slice_file(1)), ("a", slice_file(2))])
    transport.answers["/study.zip"] = archive
    with pytest.warns(UserWarning, match="the last member of a name counts"):
        (found,) = await list_image_ids(ZIP, context)
    assert_array_equal((await load_image(found, context)).pixels, pixels_of(102))


# ------------------------------------------------------------------ which member


async def test_an_archive_of_one_file_is_that_file(transport, context):
    transport.answers["/study.zip"] = zip_of({"only.dcm": slice_file(1)})
    assert_array_equal((await load_image(ZIP, context)).pixels, pixels_of(101))


async def test_an_archive_of_several_does_not_guess(transport, context):
    transport.answers["/study.zip"] = zip_of(study_files())
    for image_id in (ZIP, f"{ZIP}?frame=1"):
        with pytest.raises(ImageIdError, match=r"archive of 6 files.*'wadouri:/study.zip#member="):
            await load_image(image_id, context)
        with pytest.raises(ImageIdError, match="archive of 6 files"):
            await load_metadata(image_id, context)


async def test_a_member_that_is_not_there(transport, context):
    transport.answers["/study.zip"] = zip_of(study_files())
    with pytest.raises(ImageIdError, match=r"no member 'C/1'; it has 6, such as 'B/1.dcm'"):
        await load_image(f"{ZIP}#member=C/1", context)


async def test_a_member_of_a_file_that_is_no_archive(transport, context):
    transport.answers["/a.dcm"] = slice_file(1)
    with pytest.raises(FormatError, match=r"names a member of an archive.*is a DICOM file"):
        await load_image("wadouri:/a.dcm#member=b", context)
    with pytest.raises(FormatError, match="names a member of an archive"):
        await list_image_ids("wadouri:/a.dcm#member=b", context)


async def test_a_member_that_is_no_dicom(transport, context):
    transport.answers["/study.zip"] = zip_of({"README": b"read me", "a": slice_file(1)})
    with pytest.raises(FormatError, match=r"study.zip, member 'README' cannot be read as a DICOM"):
        await load_image(f"{ZIP}#member=README", context)


async def test_a_dicom_file_whose_preamble_is_that_of_an_archive(transport, context):
    transport.answers["/a.dcm"] = b"PK\3\4" + slice_file(1)[4:]
    assert_array_equal((await load_image("wadouri:/a.dcm", context)).pixels, pixels_of(101))


# ------------------------------------------------------------------ damaged, encrypted, harmful


async def test_encrypted_members_are_refused_by_name(transport, context):
    archive = zip_of({"a": slice_file(1), "b": slice_file(2)})
    transport.answers["/study.zip"] = one = patched(archive, "a", "flags", 1)
    with pytest.raises(UnsupportedError, match=r"member 'a' of /study.zip is encrypted"):
        await load_image(f"{ZIP}#member=a", context)
    assert_array_equal((await load_image(f"{ZIP}#member=b", context)).pixels, pixels_of(102))
    assert await listed(one, context) == ["b", "a"], "it may be an image: a load says why not"
    with pytest.raises(UnsupportedError, match="is encrypted; unpack the archive"):
        await listed(patched(one, "b", "flags", 1), context)


async def test_a_method_that_python_has_not(transport, context):
    transport.answers["/study.zip"] = patched(zip_of({"a": slice_file(1)}), "a", "method", 9)
    with pytest.raises(UnsupportedError, match="compressed by a method that is not supported"):
        await load_image(f"{ZIP}#member=a", context)


async def test_a_member_that_is_damaged_fails_alone(transport, context):
    archive = bytearray(zip_of(study_files(), ZIP_STORED))
    at = archive.find(pixels_of(102).tobytes())
    archive[at] ^= 1
    transport.answers["/study.zip"] = bytes(archive)
    found = await list_image_ids(ZIP, context)
    assert names(found) == [*(name for name in IN_ORDER if name != "B/3.dcm"), "B/3.dcm"]
    with pytest.raises(DecodeError, match=r"member 'B/3.dcm' of /study.zip is damaged.*CRC-32"):
        await load_image(found[-1], context)
    assert_array_equal((await load_image(found[1], context)).pixels, pixels_of(103))


async def test_a_damaged_dicom_file_is_listed_last_and_says_why(transport, context):
    cut = slice_file(2)[:300]
    transport.answers["/study.zip"] = zip_of({"a": cut, "b": slice_file(1), "c": slice_file(3)})
    found = await list_image_ids(ZIP, context)
    assert names(found) == ["b", "c", "a"]
    with pytest.raises(FormatError, match="is cut off within its header"):
        await load_image(found[2], context)


async def test_no_cut_makes_a_dicom_file_vanish_from_the_list(context):
    body = slice_file(2)
    for length in random.Random(4).sample(range(192, len(body)), 40):
        found = await listed(zip_of({"cut": body[:length], "b": slice_file(1)}), context)
        assert sorted(found) == ["b", "cut"]


async def test_a_bomb_is_refused_before_it_is_unpacked(transport, context):
    archive = zip_of({"a": slice_file(1) + bytes(50 << 20), "b": slice_file(2)})
    assert len(archive) < 1 << 20
    transport.answers["/study.zip"] = archive
    context = replace(context, decoded_bytes=10 << 20)
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"the member 'a' .* needs 5\d{7} bytes .*decodedBytes"):
        await load_image(f"{ZIP}#member=a", context)
    assert names(await list_image_ids(ZIP, context)) == ["a", "b"], "its header is no bomb"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20


async def test_a_bomb_that_lies_about_its_size_is_not_unpacked_either(transport, context):
    archive = zip_of({"a": slice_file(1) + bytes(200 << 20)})
    transport.answers["/study.zip"] = patched(archive, "a", "size", 5000)
    tracemalloc.start()
    with pytest.raises(DecodeError, match=r"member 'a' of /study.zip is damaged"):
        await load_image(f"{ZIP}#member=a", context)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20


async def test_a_member_that_announces_more_than_it_has(transport, context):
    transport.answers["/study.zip"] = patched(zip_of({"a": slice_file(1)}), "a", "size", 9000)
    with pytest.raises(DecodeError, match=r"damaged and cannot be unpacked: \d+ bytes of 9000"):
        await load_image(f"{ZIP}#member=a", context)


async def test_more_frames_than_any_instance_has(transport, context):
    many = builders.native(builders.ramp(4, 4), NumberOfFrames=2_000_000_000)
    transport.answers["/many.dcm"] = many
    with pytest.raises(FormatError, match="announces 2000000000 frames"):
        await list_image_ids("wadouri:/many.dcm", context)
    assert await listed(zip_of({"many": many, "b": slice_file(1)}), context) == ["b", "many"]


async def test_an_archive_that_is_cut_off(transport, context):
    archive = zip_of(study_files())
    for length in random.Random(5).sample(range(200, len(archive) - 22), 20):
        context.cache.clear()
        transport.answers["/study.zip"] = archive[:length]
        with pytest.raises(FormatError, match=rf"begins as a zip archive .*\({length} bytes\)"):
            await list_image_ids(ZIP, context)


async def test_flipped_bytes_end_in_typed_errors_or_right_pixels(transport, context):
    archive = zip_of({"a": slice_file(1)})
    seed = random.Random(6)
    outcomes = set()
    for _ in range(150):
        context.cache.clear()
        damaged = bytearray(archive)
        damaged[seed.randrange(len(archive))] ^= seed.randrange(1, 256)
        transport.answers["/study.zip"] = bytes(damaged)
        try:
            image = await load_image(f"{ZIP}#member=a", context)
        except LoaderError as error:
            outcomes.add(type(error).__name__)
        else:
            outcomes.add("image")
            assert_array_equal(image.pixels, pixels_of(101))
    assert outcomes >= {"image", "FormatError", "DecodeError"}


# ------------------------------------------------------------------ memory


async def test_an_archive_counts_by_its_bytes_and_goes_with_its_members(transport, context):
    archive = zip_of(study_files())
    transport.answers["/study.zip"] = archive
    await list_image_ids(ZIP, context)
    assert context.cache.size == len(archive), "a list keeps no member"
    await load_image(f"{ZIP}#member=A/7", context)
    assert context.cache.size == len(archive) + len(study_files()["A/7"])
    context.cache.discard(ZIP)
    assert context.cache.size == 0


@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize("image_id", [f"{ZIP}#member=a", ZIP])
async def test_an_archive_too_large_to_be_held_is_refused_on_the_way(
    transport, context, image_id, has_ranges
):
    archive = zip_of({"a": slice_file(1), "b": bytes(6 << 20)}, ZIP_STORED)
    headers = {"content-length": str(len(archive))}
    ranges = {"accept-ranges": "bytes"} if has_ranges else {}
    transport.answers["/study.zip"] = Response("/study.zip", 200, {**headers, **ranges}, archive)
    context = replace(context, decoded_bytes=5 << 20)
    with pytest.raises(FormatError, match=r"/study.zip, which is compressed, needs \d+ bytes"):
        await load_image(image_id, context)
    if has_ranges:
        with pytest.raises(FormatError, match="which is compressed, needs"):
            await list_image_ids(image_id, context)
    assert context.cache.size == 0


def test_many_members_at_once_in_plain_python(tmp_path):
    path = tmp_path / "study.zip"
    path.write_bytes(zip_of(study_files()))
    image_ids = asyncio.run(list_image_ids(f"wadouri:{path}"))
    found = list(load_images(image_ids, lambda image: int(image.pixels.min())))
    assert found == [int(pixels_of(number).min()) for number in (101, 102, 103, 201, 202, 203)]


# ------------------------------------------------------------------ gzip


@pytest.mark.parametrize("pack", [compress, lambda body: compress(body[:99]) + compress(body[99:])])
async def test_gzip(transport, context, pack):
    transport.answers["/a.dcm.gz"] = pack(slice_file(1))
    assert_array_equal((await load_image("wadouri:/a.dcm.gz", context)).pixels, pixels_of(101))
    context.cache.clear()
    assert await list_image_ids("wadouri:/a.dcm.gz", context) == ["wadouri:/a.dcm.gz?frame=1"]


async def test_gzip_within_an_archive_has_to_be_named(transport, context):
    transport.answers["/study.zip"] = zip_of({"a.gz": compress(slice_file(1)), "b": b"c"})
    image = await load_image(f"{ZIP}#member=a.gz", context)
    assert_array_equal(image.pixels, pixels_of(101))


async def test_gzip_that_is_cut_off_damaged_or_a_bomb(transport, context):
    body = compress(slice_file(1))
    transport.answers["/cut"] = body[:-9]
    with pytest.raises(FormatError, match="/cut is compressed by gzip and cut off"):
        await load_image("wadouri:/cut", context)
    transport.answers["/bad"] = body[:40] + bytes(40) + body[80:]
    with pytest.raises(FormatError, match="/bad is compressed by gzip and damaged"):
        await load_image("wadouri:/bad", context)
    transport.answers["/bomb"] = compress(bytes(60 << 20))
    with pytest.raises(FormatError, match="/bomb, unpacked, needs"):
        await load_image("wadouri:/bomb", replace(context, decoded_bytes=1 << 20))
