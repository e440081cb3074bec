"""Metadata and bulk data of a DICOMweb service, before any frame arrives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from pyloader.dicom.instance import Instance
from pyloader.dicom.json.reader import BulkData, read_dataset
from pyloader.dicom.values import value_of
from pyloader.dicomweb.address import Address
from pyloader.dicomweb.metadata import (
    REFUSED,
    describe,
    describe_by_instance,
    description_in,
    fetch_bulk,
    fetch_series,
    incomplete_error,
    is_complete,
    uid_of,
)
from pyloader.errors import FormatError, HttpStatusError, NetworkError
from pyloader.host import PlainHost
from pyloader.transport import Response
from tests.support import builders
from tests.support.enhanced import PIXELS, item

UID = "1.2.3"
ADDRESS = Address.parse(f"https://host/dicom/studies/1.2/series/1.3/instances/{UID}")
SERIES = f"{ADDRESS.series_url}/metadata"
INSTANCE = f"{ADDRESS.instance_url}/metadata"
PALETTE, ICC_PROFILE = 0x00281201, 0x00282000


def json_of(dataset: Dataset) -> Any:
    """Return DICOM JSON as pydicom writes it."""
    return json.loads(dataset.to_json())


def header(**attributes: Any) -> Dataset:
    """Return what describes an image."""
    return builders.header(PIXELS, SOPInstanceUID=UID, **attributes)


def answer(*datasets: Dataset) -> bytes:
    """Return a server's answer."""
    return json.dumps([json_of(each) for each in datasets]).encode()


class Page(PlainHost):
    """A page that knows metadata, and says when it was asked for its newest."""

    def __init__(self, known: Any, newest: Any = None) -> None:
        self.answers = {False: known, True: newest}
        self.asked: list[bool] = []

    async def describe(self, source: str, asks_anew: bool) -> Any:
        """Answer as `Host.describe`."""
        self.asked.append(asks_anew)
        return self.answers[asks_anew]


# ------------------------------------------------------------------ metadata of a series


async def test_data_sets_of_a_series_by_their_uid(transport, context):
    transport.answers[SERIES] = answer(header(), item(StudyID="no UID"), item(SOPInstanceUID="9"))
    found = await fetch_series(ADDRESS.series_url, context)
    assert [uid for uid, _ in found] == [UID, "9"]
    assert transport.requests[0].headers["Accept"] == "application/dicom+json"


@pytest.mark.parametrize("status", sorted(REFUSED))
async def test_services_without_metadata_have_none(transport, context, status):
    transport.answers[SERIES] = Response(SERIES, status, {}, b"")
    assert await fetch_series(ADDRESS.series_url, context) == []


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_other_refusals_are_raised(transport, context, status):
    transport.answers[SERIES] = Response(SERIES, status, {}, b"")
    with pytest.raises(HttpStatusError):
        await fetch_series(ADDRESS.series_url, context)


async def test_an_empty_body_has_no_data_sets(transport, context):
    transport.answers[SERIES] = Response(SERIES, 204, {}, b"")
    assert await fetch_series(ADDRESS.series_url, context) == []


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"vr": "UI", "Value": ["1.2"]}, "1.2"),
        ({"vr": "UI", "Value": [7]}, "7"),
        ({"vr": "UI", "Value": []}, None),
        ({"vr": "UI"}, None),
        ({"Value": "1.2"}, None),
        (None, None),
        ("1.2", None),
    ],
)
def test_uid_of_a_data_set(element, expected):
    assert uid_of({"00080018": element}) == expected


def test_percent_encoding_of_the_address_is_not_part_of_the_uid():
    encoded = replace(ADDRESS, instance="a%2Fb")
    assert description_in({"a/b": "text"}, encoded) == {"json": "text"}
    assert description_in({"a%2Fb": "text"}, encoded) is None


# ------------------------------------------------------------------ whose metadata


async def test_metadata_of_the_series_come_before_those_of_the_instance(transport, context):
    transport.answers[SERIES] = answer(header(Rows=7))
    found = await describe_by_instance("s", ADDRESS, context)
    assert found is not None
    assert value_of(found.dataset, "Rows") == 7
    assert [request.url for request in transport.requests] == [SERIES]


async def test_incomplete_metadata_are_completed_by_those_of_the_instance(transport, context):
    lacking = header()
    del lacking.Rows
    transport.answers[SERIES], transport.answers[INSTANCE] = answer(lacking), answer(header(Rows=7))
    found = await describe_by_instance("s", ADDRESS, context)
    assert found is not None
    assert value_of(found.dataset, "Rows") == 7


async def test_a_failure_of_the_second_request_leaves_what_is_known(transport, context):
    lacking = header()
    del lacking.Rows
    transport.answers[SERIES] = answer(lacking)
    found = await describe_by_instance("s", ADDRESS, context)
    assert found is not None
    assert not is_complete(found)
    assert [request.url for request in transport.requests] == [SERIES, INSTANCE]


async def test_metadata_of_the_page_replace_requests(transport, context):
    page = Page({"attributes": {"Rows": 4}}, {"json": answer(header(Rows=7)).decode()})
    context = replace(context, host=page)
    known = await describe("s", ADDRESS, context)
    assert known is not None
    assert value_of(known.dataset, "Rows") == 4
    newest = await describe_by_instance("s", ADDRESS, context)
    assert newest is not None
    assert value_of(newest.dataset, "Rows") == 7
    assert (page.asked, transport.requests) == ([False, False, True], [])


async def test_metadata_of_another_instance_are_refused(context):
    page = Page({"attributes": {"SOPInstanceUID": "1.2.4"}})
    with pytest.raises(FormatError, match=r"belongs to the instance '1\.2\.4'"):
        await describe("s", ADDRESS, replace(context, host=page))


async def test_an_instance_that_nobody_knows_has_no_description(transport, context):
    transport.answers[SERIES] = answer(item(SOPInstanceUID="9"))
    assert await describe("s", ADDRESS, context) is None


# ------------------------------------------------------------------ completeness


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated"])
def test_decoding_needs_each_of_these(keyword):
    dataset = header()
    assert is_complete(Instance(dataset, ExplicitVRLittleEndian, None))
    delattr(dataset, keyword)
    instance = Instance(dataset, ExplicitVRLittleEndian, None)
    assert not is_complete(instance)
    error = incomplete_error(instance, ADDRESS, HttpStatusError("no", "u", status=404))
    assert keyword in str(error)
    assert "status 404" in str(error)
    assert not is_complete(None)


# ------------------------------------------------------------------ bulk data


def bulk(tag: int) -> tuple[Dataset, BulkData]:
    """Return a data set with a value that is elsewhere."""
    found = read_dataset({f"{tag:08X}": {"vr": "OW", "BulkDataURI": "bulk/1"}})
    return found[0], found[1][0]


async def test_bulk_data_are_filled_in(transport, context):
    dataset, one = bulk(PALETTE)
    url = f"{ADDRESS.instance_url}/bulk/1"
    transport.answers[url] = b"\1\2"
    assert await fetch_bulk(one, ADDRESS, context) is None
    assert dataset[PALETTE].value == b"\1\2"
    assert transport.requests[0].linked_from == ADDRESS.instance_url


async def test_bulk_data_that_only_describe_may_be_missing(context):
    dataset, one = bulk(ICC_PROFILE)
    note = await fetch_bulk(one, ADDRESS, context)
    assert note is not None
    assert "ICCProfile" in note
    assert "is left out" in note
    assert value_of(dataset, "ICCProfile") is None


async def test_bulk_data_that_pixels_need_may_not(context):
    _, one = bulk(PALETTE)
    with pytest.raises(NetworkError):
        await fetch_bulk(one, ADDRESS, context)
