"""Searches of a DICOMweb service, and its series in order, against a strict server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydicom.uid import generate_uid

from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.dicomweb.search import encode, open_series, search
from pyloader.errors import FormatError, HttpStatusError
from pyloader.host import PlainHost
from pyloader.network import Network
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport
from pyloader.transport.native import NativeTransport
from tests.support import builders
from tests.support.dicomweb import DicomWebServer
from tests.support.servers import own_server

STUDY, SERIES = generate_uid(), generate_uid()
PATIENTS = ("Müller^Anna", "Miller^Bob", "O'Neil^Cas")
# Instance numbers and positions of a series' slices, in the order in which they are stored.
SLICES = ((3, 20.0), (1, 0.0), (2, 10.0))


@pytest.fixture(scope="module")
def server() -> Iterator[DicomWebServer]:
    """Serve a study of each patient, and a series of several slices."""
    with own_server() as server:
        for number, name in enumerate(PATIENTS):
            server.store(
                image(PatientName=name, PatientID=f"P{number}", StudyDate=f"2024010{number}")
            )
        for number, place in SLICES:
            server.store(
                image(
                    StudyInstanceUID=STUDY,
                    SeriesInstanceUID=SERIES,
                    SOPInstanceUID=f"{SERIES}.{number}",
                    InstanceNumber=number,
                    ImagePositionPatient=[0, 0, place],
                    NumberOfFrames=number,
                    StudyDate="20230101",
                )
            )
        yield server


def image(**attributes: Any) -> bytes:
    """Make a file, by default in its own study."""
    own = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    own |= {"SOPInstanceUID": generate_uid(), "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    pixels = builders.ramp(8, 8 * attributes.get("NumberOfFrames", 1))
    dataset = own | {"SpecificCharacterSet": "ISO_IR 192"} | attributes
    return builders.native(pixels, **dataset | {"Columns": 8})


@pytest.fixture
def context(server: DicomWebServer) -> Context:
    """Return the context of a search."""
    server.clear()
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 20))


def names(found: list[dict[str, Any]]) -> list[str]:
    """Return the patient names that a search found."""
    return sorted(each["patient_name"] for each in found if "patient_name" in each)


# ------------------------------------------------------------------ searches


async def test_all_studies(server, context):
    found = await search(f"{server.dicomweb}/studies", {}, context)
    assert len(found) == 4
    assert names(found) == sorted(PATIENTS)
    assert server.log[0].path == "/dicomweb/studies"
    assert server.log[0].headers["accept"] == "application/dicom+json"


async def test_study_is_plain_values_by_keyword(server, context):
    (study,) = await search(f"{server.dicomweb}/studies", {"studyInstanceUID": STUDY}, context)
    assert study["study_instance_uid"] == STUDY
    assert study["modalities_in_study"] == ["CT"]
    assert study["number_of_study_related_instances"] == 3


@pytest.mark.parametrize("name", ["PatientID", "patientID", "patientId", "patientid", "00100020"])
async def test_filter_may_be_written_in_any_case(server, context, name):
    found = await search(f"{server.dicomweb}/studies", {name: "P1"}, context)
    assert names(found) == ["Miller^Bob"]
    keyword = name if name.isdigit() else "PatientID"
    assert server.log[0].path.endswith(f"/studies?{keyword}=P1")


@pytest.mark.parametrize(
    ("pattern", "whom"),
    [
        ("M*", ["Miller^Bob", "Müller^Anna"]),
        ("M?ller^*", ["Miller^Bob", "Müller^Anna"]),
        ("Müller^Anna", ["Müller^Anna"]),
        ("O'Neil*", ["O'Neil^Cas"]),
        ("X*", []),
    ],
)
async def test_wild_cards(server, context, pattern, whom):
    assert (
        names(await search(f"{server.dicomweb}/studies", {"patientName": pattern}, context)) == whom
    )


async def test_wild_cards_are_sent_unencoded(server, context):
    """Some servers do not decode percent-encoding of these."""
    await search(f"{server.dicomweb}/studies", {"patientName": "M?l*^"}, context)
    assert server.log[0].path.endswith("/studies?PatientName=M?l*^")


async def test_range_of_dates(server, context):
    filters = {"studyDate": "20240101-20240102"}
    found = await search(f"{server.dicomweb}/studies", filters, context)
    assert names(found) == ["Miller^Bob", "O'Neil^Cas"]


async def test_several_filters_and_parameters(server, context):
    filters = {"patientName": "M*", "limit": 1, "offset": 1}
    found = await search(f"{server.dicomweb}/studies", filters, context)
    assert names(found) == ["Miller^Bob"]


async def test_list_matches_any_of_it(server, context):
    uids = [f"{SERIES}.1", f"{SERIES}.3"]
    found = await search(f"{server.dicomweb}/instances", {"sopInstanceUID": uids}, context)
    assert sorted(each["sop_instance_uid"] for each in found) == uids


async def test_more_fields(server, context):
    filters = {"patientID": "P2", "includefield": ["SpecificCharacterSet", "StudyDate"]}
    (study,) = await search(f"{server.dicomweb}/studies", filters, context)
    assert study["specific_character_set"] == ["ISO_IR 192"]


async def test_search_within_a_study(server, context):
    (series,) = await search(f"{server.dicomweb}/studies/{STUDY}/series", {}, context)
    assert series["series_instance_uid"] == SERIES
    assert series["number_of_series_related_instances"] == 3


@pytest.mark.parametrize("status", [200, 204])
async def test_nothing_is_found(status):
    transport = MemoryTransport({"https://host/studies": Response("", status, {}, b"")})
    context = Context(Network(transport), Cache(100))
    assert await search("https://host/studies", {}, context) == []


async def test_strict_server_finds_nothing(server, context):
    assert await search(f"{server.dicomweb}/studies", {"patientID": "nobody"}, context) == []
    assert server.log[0].status == 204


async def test_refusal(server, context):
    with pytest.raises(HttpStatusError, match=r"status 400, .*'Nonsense' is no attribute"):
        await search(f"{server.dicomweb}/studies", {"Nonsense": 1}, context)


async def test_invalid_response(server, context):
    with pytest.raises(FormatError, match="cannot be read as a DICOM JSON data set"):
        await search(f"{server.url}/quirk/html/dicomweb/studies", {}, context)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("A B&C=D#E+F%", "A%20B%26C%3DD%23E%2BF%25"),
        ("*?^,/:@-._", "*?^,/:@-._"),
        ("Müller", "M%C3%BCller"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (["1.2", "3.4"], "1.2,3.4"),
        (("a", 1), "a,1"),
    ],
)
def test_values_in_a_query(value, text):
    assert encode(value) == text
    if not isinstance(value, (bool, list, tuple)):
        assert parse_qsl(f"x={text}") == [("x", str(value))]


# ------------------------------------------------------------------ series


async def test_series_is_in_order_of_position(server, context):
    url = f"{server.dicomweb}/studies/{STUDY}/series/{SERIES}"
    rows = await open_series(url, context)
    assert [row["instance"] for row in rows] == [
        f"{url}/instances/{SERIES}.{number}" for number in (1, 2, 3)
    ]
    assert [row["frames"] for row in rows] == [1, 2, 3]
    assert len(server.log) == 1


async def test_series_describes_its_images_for_loads(server, context):
    """A page passes this JSON on to the loads of the images."""
    rows = await open_series(f"{server.dicomweb}/studies/{STUDY}/series/{SERIES}", context)
    given = {f"wadors:{row['instance']}": row["json"] for row in rows}
    assert json.loads(rows[0]["json"])["00080018"]["Value"] == [f"{SERIES}.1"]

    async def describe(source: str, asks_anew: bool) -> dict[str, str]:
        return {"json": given[source]}

    server.clear()
    host = PlainHost()
    host.describe = describe
    own = Context(context.network, context.cache, host=host)
    image = await load_image(f"wadors:{rows[2]['instance']}/frames/3", own)
    assert image.pixels.shape == (8, 8)
    assert len(server.log) == 1


@pytest.mark.parametrize("quirk", ["no-metadata", "empty", "empty-204"])
async def test_series_without_metadata(server, context, quirk):
    url = f"{server.url}/quirk/{quirk}/dicomweb/studies/{STUDY}/series/{SERIES}"
    assert await open_series(url, context) == []
    assert len(server.log) == 1


async def test_series_that_does_not_exist(server, context):
    assert await open_series(f"{server.dicomweb}/studies/{STUDY}/series/1.2.3", context) == []


async def test_invalid_metadata_of_a_series(server, context):
    url = f"{server.url}/quirk/bad-json/dicomweb/studies/{STUDY}/series/{SERIES}"
    with pytest.raises(FormatError, match=f"{url}/metadata cannot be read as a DICOM JSON data"):
        await open_series(url, context)


async def test_series_behind_a_login(server, context):
    url = f"{server.url}/quirk/login/dicomweb/studies/{STUDY}/series/{SERIES}"
    with pytest.raises(HttpStatusError, match=r"status 401, expected 200 \(not signed in"):
        await open_series(url, context)


async def test_data_sets_without_a_name_are_left_out(server, context):
    """An instance without a UID has no URL."""
    body = b'[{"00080018": {"vr": "UI", "Value": ["1.2"]}}, {"00080060": {"vr": "CS"}}, {}]'
    transport = MemoryTransport({"https://host/series/1/metadata": body})
    (row,) = await open_series("https://host/series/1", Context(Network(transport), Cache(100)))
    assert row["instance"] == "https://host/series/1/instances/1.2"
