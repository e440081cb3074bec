"""Headers: spellings that teem takes, and files beside the header."""

from __future__ import annotations

import gzip
import textwrap

import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal

from pyloader import load_image
from pyloader.errors import FormatError, HttpStatusError
from pyloader.transport import Response
from tests.support.nrrd_builders import URL, VOXELS, fresh, load, nrrd, serve


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.replace(b"NRRD0005", b"NRRD00.01"),
        lambda file: file.replace(b"NRRD0005", b"NRRD0001"),
        lambda file: file.replace(b"type:", b"k:=1\nk:=2\ntype:"),
        lambda file: file.replace(b"type:", b"type:=ct\nsizes:=9 9\ntype:"),
        lambda file: file.replace(b"type:", b"# type: float\ntype:"),
        lambda file: file.replace(b"type: short", b"TYPE: Short").replace(b"sizes", b"Sizes"),
        lambda file: file.replace(b"type: short", b"type: signed short int"),
        lambda file: file.replace(b"encoding: raw", b"Encoding: RAW"),
        lambda file: file.replace(b"endian: little", b"ENDIAN: Little"),
        lambda file: file[:-280].replace(b"\n", b"\r\n") + file[-280:],
        lambda file: file.replace(b"type:", b"min: 0\nold max: 9\nnumber: 140\ntype:"),
        lambda file: file.replace(b" 5 4\n", b' 5 4\nlabels: "Wei\xdf" "a b" "c"\n'),
        lambda file: file.replace(b" 5 4\n", b" 5 4\nspace: LPS\nspace origin: ( 1, 2, 3 )\nspace "
                                  b"directions: ( 1 , 0 , 0 )(0,2,0)(0,0,3)\n"),
        lambda file: file.replace(b"sizes:", b"space dimension: 3\nspace directions: none none none"
                                  b"\nsizes:"),
    ],
)  # fmt: skip
async def test_headers_of_other_spellings(context, transport, tmp_path, change):
    file = change(nrrd(VOXELS.tobytes()))
    (tmp_path / "a.nrrd").write_bytes(file)
    reference = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    assert_array_equal(sitk.GetArrayFromImage(reference), VOXELS)
    transport.answers[URL] = file
    image = await load_image(f"nrrd:{URL}?frame=3", context)
    assert_array_equal(image.pixels, VOXELS[2])
    assert image.plane.pixel_spacing in (None, reference.GetSpacing()[1::-1])


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("write", [
    lambda body: body.hex(), lambda body: body.hex().upper(), lambda body: body.hex(" ", 7),
    lambda body: "\r\n".join(textwrap.wrap(body.hex(), 71)) + "\n",
    lambda body: body.hex() + "0a\n",
])  # fmt: skip
async def test_bytes_that_are_written_out(context, transport, tmp_path, endian, write):
    stored = VOXELS.astype(">i2" if endian == "big" else "<i2").tobytes()
    file = nrrd(b"a line\n..", "line skip: 1", "byte skip: 2", encoding="hex", endian=endian)
    file += write(stored).encode()
    (tmp_path / "a.nrrd").write_bytes(file)
    assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))), VOXELS)
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])


async def test_whole_numbers_may_be_written_as_decimals(context, transport, tmp_path):
    text = " ".join(f"{value}.0" for value in VOXELS.ravel()).encode()
    file = nrrd(text, encoding="text")
    (tmp_path / "a.nrrd").write_bytes(file)
    assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))), VOXELS)
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])
    for wrong in (b"1.5 ", b"nan ", b"inf ", b"1e300 "):
        with pytest.raises(FormatError, match="something other than numbers"):
            await load_image(serve(transport, nrrd(wrong * 140, encoding="text")), fresh(context))


FILES = {"s/1.raw": VOXELS[:2], "s/2.raw": VOXELS[2:]}


@pytest.mark.parametrize(
    "entry",
    ["data file: LIST\ns/1.raw\ns/2.raw\n", "data file: LIST 3\ns/1.raw\ns\\2.raw",
     "data file: s/%d.raw 1 2 1", "datafile: ./s/%01d.raw 1 2 1 3"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
async def test_several_files(context, transport, entry, encoding):
    pack = gzip.compress if encoding == "gzip" else bytes
    for name, part in FILES.items():
        transport.answers[f"https://host/folder/{name}"] = pack(part.tobytes())
    file = nrrd(b"", entry, encoding=encoding).rstrip(b"\n")
    assert_array_equal(await load(context, transport, file, "?frame=3"), VOXELS[2])
    transport.answers[URL] = file
    assert_array_equal((await load_image(f"nrrd:{URL}?frame=2", context)).pixels, VOXELS[1])


@pytest.mark.parametrize(
    "name",
    ["../b.raw", "/b.raw", "https://other/b.raw", "//other/b.raw", "s/../../b.raw", "..\\b.raw",
     "%2e%2e/b.raw", "s/%2E./b.raw", "C:\\b.raw", "s//b.raw"],
)  # fmt: skip
async def test_file_elsewhere_is_not_fetched(context, transport, name):
    with pytest.raises(FormatError, match="expected in the folder of its header or below"):
        await load(context, transport, nrrd(b"", f"data file: {name}"))
    assert [request.url for request in transport.requests] == [URL]


async def test_file_of_the_user_has_no_folder(context, transport):
    transport.answers["dicomfile:0"] = nrrd(b"", "data file: a.raw")
    with pytest.raises(FormatError, match=r"names the file 'a\.raw' beside it, but"):
        await load_image("nrrd:dicomfile:0", context)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("data file: LIST", "names no files by 'LIST'"),
        ("data file: s%d.raw 1 999999999 1", "names too many files"),
        ("data file: s%d.raw 2 1 1", "names no files"),
        ("data file: s%d.raw 1 3 1", r"names 3 files, which cannot be equal parts of \(7, 5, 4\)"),
    ],
)
async def test_lists_that_do_not_fit(context, transport, entry, text):
    for number in (1, 2, 3):
        transport.answers[f"https://host/folder/s{number}.raw"] = b""
    with pytest.raises(FormatError, match=text):
        await load(context, transport, nrrd(b"", entry))


async def test_data_file_that_is_not_there(context, transport):
    gone = "https://host/folder/a.raw"
    transport.answers[gone] = Response(gone, 404, {}, b"")
    with pytest.raises(HttpStatusError, match=r"a\.raw answered with status 404"):
        await load(context, transport, nrrd(b"", "data file: a.raw"))
