"""Static trees: searches without a query, frames without a media type."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal
from pydicom import dcmread
from pydicom.encaps import generate_frames

from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.dicomweb.search import open_series, search
from pyloader.dicomweb.static_tree import matches, select
from pyloader.errors import FormatError, HttpStatusError, LoaderError
from pyloader.network import Network
from pyloader.transport.native import NativeTransport
from tests.support.corpus import DATA
from tests.support.webserver import WebServer

MULTIPART = (
    b"--tree\r\nContent-Type: application/octet-stream; transfer-syntax=%s\r\n\r\n"
    b"%s\r\n--tree--\r\n"
)


def write_tree(folder: Path, name: str, syntax: str = "", is_plain: bool = False) -> str:
    """Write a file of the corpus as a static tree, and return the path of its series."""
    dataset = dcmread(DATA / name)
    frame = dataset.PixelData
    stored = syntax or str(dataset.file_meta.TransferSyntaxUID)
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        [frame] = generate_frames(frame, number_of_frames=1)
    described = json.loads(dataset.to_json(bulk_data_threshold=1 << 30))
    del described["7FE00010"]
    described["00083002"] = {"vr": "UI", "Value": [stored]}
    series = f"studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
    instance = folder / series / "instances" / dataset.SOPInstanceUID
    (instance / "frames").mkdir(parents=True, exist_ok=True)
    body = frame if is_plain else MULTIPART % (stored.encode(), frame)
    (instance / "frames" / "1").write_bytes(body)
    (folder / series / "metadata").write_text(json.dumps([described]))
    return series


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a service with two studies."""
    studies = tmp_path / "studies"
    studies.mkdir()
    found = [
        {
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]},
            "00080020": {"vr": "DA", "Value": [date]},
            "00080061": {"vr": "CS", "Value": modalities},
        }
        for name, date, modalities in (
            ("Doe^Jane", "20200101", ["CT", "SR"]),
            ("Roe^Rick", "20210101", ["MR"]),
        )
    ]
    (studies / "index.json").write_text(json.dumps(found))
    return tmp_path


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """Serve the folder as a plain static server does, and return its URL."""
    server = WebServer({"/": folder})
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def context() -> Context:
    """Return the context of a load over HTTP."""
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 20))


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Doe^Jane", "Roe^Rick"]),
        ({"patientName": "doe*"}, ["Doe^Jane"]),
        ({"patientName": "?oe^R*", "limit": 5}, ["Roe^Rick"]),
        ({"StudyDate": "20200601-"}, ["Roe^Rick"]),
        ({"studyDate": "20200101-20200201"}, ["Doe^Jane"]),
        ({"modalitiesInStudy": ["SR", "US"]}, ["Doe^Jane"]),
        ({"patientID": "1"}, []),
        ({"limit": 1, "offset": 1, "includefield": "all"}, ["Roe^Rick"]),
    ],
)
async def test_searches_are_filtered_here(url, context, filters, names):
    found = await search(f"{url}/studies", filters, context)
    assert [each["patient_name"] for each in found] == names


async def test_a_compressed_index(folder, url, context):
    index = folder / "studies" / "index.json"
    (folder / "studies" / "index.json.gz").write_bytes(gzip.compress(index.read_bytes()))
    index.unlink()
    assert len(await search(f"{url}/studies", {}, context)) == 2


async def test_without_an_index_the_first_answer_counts(folder, url, context):
    (folder / "studies" / "index.json").unlink()
    with pytest.raises(HttpStatusError, match="404"):
        await search(f"{url}/studies", {}, context)


def test_tags_are_refused():
    with pytest.raises(FormatError, match="by keyword, such as 'PatientName', not by the tag"):
        select([], {"00100010": "x"})


@pytest.mark.parametrize(
    ("keyword", "value", "wanted", "is_match"),
    [
        ("PatientID", "1.2-3", "1.2-3", True),
        ("PatientID", "a[b]", "A[B]", True),
        ("PatientID", "ab", "a[b]", False),
        ("PatientID", "2019-1234", "2019-1234", True),
        ("PatientID", "1500", "1000-2000", False),
        ("PatientName", None, "*", True),
        ("PatientName", None, "N*", False),
        ("ModalitiesInStudy", ["CT", "SR"], ["MR", "SR"], True),
        ("StudyDate", "20200101", "-20191231", False),
        ("StudyDate", "20191231", "20190101-20191231", True),
        ("StudyDate", "20200101", "20200101", True),
        ("StudyDate", None, "-20191231", False),
    ],
)
def test_an_attribute_matches(keyword, value, wanted, is_match):
    assert matches(keyword, value, wanted) == is_match


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm"],
)
async def test_frames_are_exact(folder, url, context, name):
    series = write_tree(folder, name)
    [found] = await open_series(f"{url}/{series}", context)
    image = await load_image(f"wadors:{found['instance']}/frames/1", context)
    twin = name if "MR" not in name else "MR_small.dcm"
    assert_array_equal(image.pixels, dcmread(DATA / twin).pixel_array)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_jpeg_ls_lossless.dcm"])
async def test_a_frame_without_any_label_is_known_by_its_bytes(folder, url, context, name):
    series = write_tree(folder, name, is_plain=True)
    [found] = await open_series(f"{url}/{series}", context)
    image = await load_image(f"wadors:{found['instance']}/frames/1", context)
    twin = name if "MR" not in name else "MR_small.dcm"
    assert_array_equal(image.pixels, dcmread(DATA / twin).pixel_array)


async def test_an_unknown_byte_order_is_refused(folder, url, context):
    series = write_tree(folder, "MR_small_bigendian.dcm", is_plain=True)
    [found] = await open_series(f"{url}/{series}", context)
    with pytest.raises(LoaderError):
        await load_image(f"wadors:{found['instance']}/frames/1", context)


async def test_a_cut_frame_is_refused(folder, url, context):
    series = write_tree(folder, "CT_small.dcm", is_plain=True)
    [path] = (folder / series).glob("instances/*/frames/1")
    path.write_bytes(path.read_bytes()[:-100])
    [found] = await open_series(f"{url}/{series}", context)
    with pytest.raises(LoaderError):
        await load_image(f"wadors:{found['instance']}/frames/1", context)
