"""What is known of an instance of a DICOMweb service before its frames: metadata and bulk data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pyloader.context import Context
from pyloader.dicom.address import Address
from pyloader.dicom.attributes import Attribute
from pyloader.dicom.instance import Instance
from pyloader.dicom.json_model import (
    BulkData,
    fill,
    instance_of,
    parse_datasets,
    read_attributes,
    read_dataset,
)
from pyloader.dicom.keywords import keyword_of
from pyloader.dicom.values import value_of
from pyloader.errors import HttpStatusError, LoaderError
from pyloader.loaders.answers import BULK_DATA, JSON, parts_of

# A server answers so when it does not have a service, or cannot give a form.
REFUSED = frozenset({400, 404, 405, 406, 415, 500, 501})
SOP_INSTANCE_UID = "00080018"
# Bulk data that only describe: (0028,2000) ICC Profile, (5400,1010) Waveform Data.
DESCRIPTIVE = frozenset({0x00282000, 0x54001010})


async def describe(source: str, address: Address, context: Context) -> Instance | None:
    """Return an instance without its pixels; None when nobody describes it.

    The page's knowledge comes first, then the metadata of the series, fetched once for all.
    """
    if context.host.describe is not None:
        given = await context.host.describe(source)
    else:
        texts = await context.cached(address.series_url, series_of(address.series_url))
        text = texts.get(unquote(address.instance))
        given = {"json": text} if text else None
    if given is None:
        return None
    if "json" in given:
        dataset, bulk, notes = read_dataset(parse_datasets(given["json"], source)[0])
    else:
        named = {keyword_of(name): value for name, value in given["attributes"].items()}
        dataset, bulk, notes = read_attributes(named)
    uid = value_of(dataset, "SOPInstanceUID")
    address.check_instance(uid, f"the DICOM JSON or attributes given for {source!r}")
    lacking = await asyncio.gather(*[fetch_bulk(item, address, context) for item in bulk])
    return instance_of(dataset, (*notes, *filter(None, lacking)))


def series_of(url: str) -> Any:
    """Return what fetches the metadata of the series at `url`, for `Context.cached`."""

    async def fetch(context: Context) -> dict[str, str]:
        return {uid: json.dumps(found) for uid, found in await fetch_series(url, context)}

    return fetch


async def fetch_series(url: str, context: Context) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the DICOM JSON data sets of a series by SOP Instance UID.

    The list is empty when the server has no metadata; without them, instances are fetched whole.

    Raises
    ------
    FormatError
        The answer is not a list of DICOM JSON data sets.
    """
    try:
        response = await context.fetch(f"{url}/metadata", headers={"Accept": JSON})
    except HttpStatusError as error:
        if error.status not in REFUSED:
            raise
        return []
    if not response.body:
        return []
    found = parse_datasets(response.body, response.url)
    return [(uid, each) for each in found if (uid := uid_of(each))]


def uid_of(attributes: Mapping[str, Any]) -> str | None:
    """Return (0008,0018) of a DICOM JSON data set."""
    element = attributes.get(SOP_INSTANCE_UID)
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else None


async def fetch_bulk(bulk: BulkData, address: Address, context: Context) -> str | None:
    """Fetch a value that stands elsewhere: a palette, a table, an overlay.

    One that no pixel depends on stays absent when the server does not give it; the text that is
    returned then says so.
    """
    url = address.bulk_url(bulk.uri)
    try:
        response = await context.fetch(url, headers={"Accept": BULK_DATA})
        fill(bulk, parts_of(response)[0].body)
    except LoaderError as error:
        if bulk.tag not in DESCRIPTIVE:
            raise
        return f"{Attribute.of(bulk.tag)} stands at {url} and is left out: {error}"
    return None
