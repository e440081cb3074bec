"""Files that a header names: any name a file can have, held against SimpleITK and a server."""

from __future__ import annotations

import zlib

import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal

from pyloader import Context, load_image
from pyloader.formats.sidecar import list_names
from pyloader.transport.memory import MemoryTransport
from tests.support.slices import numbered

VOXELS = numbered()
NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 7 5 4\nendian: little\nencoding: raw\n"
MHD = "NDims = 3\nDimSize = 7 5 4\nElementType = MET_SHORT\n"
HEADERS = {
    "nrrd": lambda name: f"{NRRD}data file: {name}\n",
    "metaimage": lambda name: f"{MHD}ElementDataFile = {name}\n",
}
# The name, and how a path of a URL has it (RFC 3986 2.1).
NAMES = {
    "with space.raw": "with%20space.raw",
    "Schädel.raw": "Sch%C3%A4del.raw",
    "77%.raw": "77%25.raw",
    "a%20b.raw": "a%2520b.raw",
    "a#b.raw": "a%23b.raw",
    "a?b=c.raw": "a%3Fb%3Dc.raw",
    "s p/a&b+c;d.raw": "s%20p/a%26b%2Bc%3Bd.raw",
}


@pytest.mark.parametrize("scheme", HEADERS)
@pytest.mark.parametrize("name", NAMES)
async def test_any_name_is_percent_encoded_in_a_url(context, transport, scheme, name):
    header = "https://host/a%20folder/a.hdr?token=x"
    transport.answers[header] = HEADERS[scheme](name).encode()
    transport.answers[f"https://host/a%20folder/{NAMES[name]}"] = VOXELS.tobytes()
    image = await load_image(f"{scheme}:{header}&frame=2", context)
    assert_array_equal(image.pixels, VOXELS[1])


@pytest.mark.parametrize("scheme", HEADERS)
@pytest.mark.parametrize("name", NAMES)
async def test_any_name_is_that_of_a_local_file(local, tmp_path, scheme, name):
    folder = tmp_path / "50% of all"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(VOXELS.tobytes())
    path = folder / ("a.nhdr" if scheme == "nrrd" else "a.mhd")
    path.write_bytes(HEADERS[scheme](name).encode())
    if scheme == "nrrd" or "%" not in name:  # MetaIO takes any "%" for a pattern
        assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), VOXELS)
    assert_array_equal((await load_image(f"{scheme}:{path}?frame=2", local)).pixels, VOXELS[1])


@pytest.mark.parametrize("scheme", HEADERS)
async def test_header_of_an_older_program_is_in_latin_1(context, transport, scheme):
    transport.answers["https://host/a.hdr"] = HEADERS[scheme]("Schädel.raw").encode("latin-1")
    transport.answers["https://host/Sch%C3%A4del.raw"] = VOXELS.tobytes()
    image = await load_image(f"{scheme}:https://host/a.hdr?frame=2", context)
    assert_array_equal(image.pixels, VOXELS[1])


async def test_file_of_a_file_address_is_percent_encoded(local, tmp_path):
    (tmp_path / "a b#c.raw").write_bytes(VOXELS.tobytes())
    (tmp_path / "a.nhdr").write_bytes(HEADERS["nrrd"]("a b#c.raw").encode())
    image = await load_image(f"nrrd:{(tmp_path / 'a.nhdr').as_uri()}?frame=2", local)
    assert_array_equal(image.pixels, VOXELS[1])


async def test_numbered_names_may_have_blanks(context: Context, transport: MemoryTransport) -> None:
    for number, slice_ in enumerate(VOXELS, 1):
        packed = zlib.compress(slice_.tobytes())
        transport.answers[f"https://host/slice%20{number:03}%20of%204.raw"] = packed
    text = f"{MHD}CompressedData = True\nElementDataFile = slice %03d of 4.raw 1 4 1\n"
    transport.answers["https://host/a.mhd"] = text.encode()
    image = await load_image("metaimage:https://host/a.mhd?frame=3", context)
    assert_array_equal(image.pixels, VOXELS[2])


def test_numbered_names_end_at_their_numbers():
    assert list_names("a %d b.raw 9 7 -2 3", "", "h") == ["a 9 b.raw", "a 7 b.raw"]
    assert list_names("50%dose.raw", "", "h") == ["50%dose.raw"]
