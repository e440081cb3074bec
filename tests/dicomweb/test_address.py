"""Addresses of a DICOMweb service: parsed, and built for requests."""

from __future__ import annotations

import pytest

from pyloader.dicomweb.address import Address
from pyloader.errors import ImageIdError

PATH = "/studies/1.2/series/3.4/instances/5.6"
BASES = ["https://host/dicomweb", "http://host:8042/a/b/dicom-web", "https://host", "/dicomweb", ""]


def address(base: str = "https://host/dicomweb", query: str = "") -> Address:
    """Return the address of an instance."""
    return Address.parse(f"{base}{PATH}{query}")


# ------------------------------------------------------------------ parsing


@pytest.mark.parametrize("base", BASES)
def test_address(base):
    assert address(base) == Address(base, "1.2", "3.4", "5.6")
    assert address(base).series_url == f"{base}/studies/1.2/series/3.4"
    assert address(base).instance_url == f"{base}{PATH}"


def test_slash_at_the_end():
    assert Address.parse(f"https://host{PATH}/") == address("https://host")


def test_base_may_have_studies_in_its_name():
    assert address("https://studies.host/my-studies").base == "https://studies.host/my-studies"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://host/dicomweb",
        "https://host/dicomweb/studies/1.2/series/3.4",
        "https://host/dicomweb/studies/1.2/instances/5.6",
        f"https://host/dicomweb{PATH}/rendered",
        f"https://host/dicomweb{PATH}#part",
        "https://host/dicomweb/studies//series/3.4/instances/5.6",
        f"https://host/dicomweb?x={PATH}",
    ],
)
def test_other_urls_are_refused(url):
    expected = (
        "is not an instance of a DICOMweb service; expected 'wadors:<base>/studies/<UID>/series/"
    )
    with pytest.raises(ImageIdError, match=expected):
        Address.parse(url)


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize(
    ("frames", "tail"), [([0], "/frames/1"), ([4, 5, 6], "/frames/5,6,7"), ([9, 0], "/frames/10,1")]
)
def test_frames_count_from_one(frames, tail):
    assert address().frames_url(frames) == f"https://host/dicomweb{PATH}{tail}"


def test_query_of_the_page_stays_with_its_frames():
    named = address(query="?token=a/b&x=1")
    assert named.query == "?token=a/b&x=1"
    assert named.frames_url([0, 1]) == f"https://host/dicomweb{PATH}/frames/1,2?token=a/b&x=1"
    assert named.instance_url == f"https://host/dicomweb{PATH}"


# ------------------------------------------------------------------ WADO-URI

QUERY = "requestType=WADO&studyUID=1.2&seriesUID=3.4&objectUID=5.6&contentType=application/dicom"


@pytest.mark.parametrize(
    ("base", "service"),
    [
        ("https://host/dicomweb", "https://host/wado"),
        ("http://host:8042/a/b/dicom-web", "http://host:8042/a/b/wado"),
        ("https://host", "https://host/wado"),
        ("https://host:8042", "https://host:8042/wado"),
        ("/dicomweb", "/wado"),
        ("/a/dicomweb", "/a/wado"),
        ("", "/wado"),
    ],
)
def test_wado_uri_is_next_to_the_service(base, service):
    assert address(base).wado_uri(None) == f"{service}?{QUERY}"


@pytest.mark.parametrize(
    ("service", "start"),
    [
        ("https://other/wado", "https://other/wado?"),
        ("/my/wado", "/my/wado?"),
        ("https://other/wado?key=1", "https://other/wado?key=1&"),
    ],
)
def test_wado_uri_where_the_page_says(service, start):
    assert address().wado_uri(service) == f"{start}{QUERY}"


# ------------------------------------------------------------------ bulk data


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("uri", "url"),
    [
        # PS3.18 F.2.6: relative to the metadata of the instance.
        ("bulkdata/00281201", f"{PATH}/bulkdata/00281201"),
        ("../../bulkdata/1", "/studies/1.2/series/3.4/bulkdata/1"),
    ],
)
def test_bulk_data_by_relative_address(base, uri, url):
    assert address(base).bulk_url(uri) == f"{base}{url}"


def test_bulk_data_by_absolute_path():
    assert address().bulk_url("/bulk/1?x=2") == "https://host/bulk/1?x=2"


@pytest.mark.parametrize(
    "uri",
    [
        f"https://host/dicomweb{PATH}/bulk/00281201?x=2",
        f"https://host/elsewhere{PATH}/bulk/00281201?x=2",
        "https://host/file/1",
    ],
)
def test_bulk_data_on_the_host_of_the_service(uri):
    assert address().bulk_url(uri) == uri


@pytest.mark.parametrize("origin", ["http://host", "https://host:8042", "http://internal:8042"])
def test_bulk_data_with_the_internal_host_name_of_the_service(origin):
    uri = f"{origin}/dicom-web{PATH}/bulk/00281201?x=2"
    assert address().bulk_url(uri) == f"https://host/dicomweb{PATH}/bulk/00281201?x=2"
    assert address("/dicomweb").bulk_url(uri) == f"/dicomweb{PATH}/bulk/00281201?x=2"


def test_bulk_data_outside_the_service():
    assert address().bulk_url("https://store/blob/1") == "https://store/blob/1"
