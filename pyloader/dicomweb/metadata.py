"""Describe an instance of a DICOMweb service before its frames arrive: metadata, bulk data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import unquote

from pyloader.context import Context
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.attributes import Attribute
from pyloader.dicom.json.reader import (
    BulkData,
    Found,
    fill,
    instance_of,
    parse_datasets,
    read_attributes,
    read_dataset,
)
from pyloader.dicom.keywords import keyword_of
from pyloader.dicom.modules import Frame
from pyloader.dicom.modules.pixel import absent_attributes
from pyloader.dicom.parse import noting
from pyloader.dicom.values import value_of
from pyloader.dicomweb.address import Address
from pyloader.dicomweb.media_types import BULK_DATA, JSON, parts_of
from pyloader.errors import FormatError, HttpStatusError, LoaderError
from pyloader.redaction import redacted

# Statuses of servers that lack a service or cannot provide the requested media type.
REFUSED = frozenset({400, 404, 405, 406, 415, 500, 501})
SOP_INSTANCE_UID = "00080018"
# Bulk data that pixels do not depend on: (0028,2000) ICC Profile, (5400,1010) Waveform Data.
DESCRIPTIVE = frozenset({0x00282000, 0x54001010})


async def describe(source: str, address: Address, context: Context) -> Instance | None:
    """Return an instance without its pixels; None without metadata.

    The page's metadata come first, then those of the series, which are fetched once for all loads.
    """
    if context.host.describe is not None:
        given = await context.host.describe(source, False)
    else:
        texts = await context.cached(address.series_url, metadata_fetcher(address.series_url))
        given = description_in(texts, address)
    return await read_description(given, source, address, context)


async def describe_by_instance(source: str, address: Address, context: Context) -> Instance | None:
    """Return an instance from its own metadata, when those of its series are not enough.

    The series' metadata may be older than the instance (PS3.18 10.4). Another load may have
    completed the description by now.
    """
    known = await describe(source, address, context)
    if is_complete(known):
        return known
    try:
        if context.host.describe is not None:
            given = await context.host.describe(source, True)
        else:
            own = address.instance_url
            given = description_in(await context.cached(own, metadata_fetcher(own)), address)
        found = await read_description(given, source, address, context)
    except LoaderError:
        return known  # the other attempts raise why there is no image
    if not is_complete(found):
        context.cache.discard(address.instance_url)  # a later response may have more
    return found or known


def description_in(texts: Mapping[str, str], address: Address) -> Mapping[str, Any] | None:
    """Return the metadata of an instance in the shape that `Host.describe` returns."""
    text = texts.get(unquote(address.instance))
    return {"json": text} if text else None


async def read_description(
    given: Mapping[str, Any] | None, source: str, address: Address, context: Context
) -> Instance | None:
    """Return the instance that a description is of, with its bulk data."""
    if given is None:
        return None
    if "json" in given:
        found = read_dataset(parse_datasets(given["json"], source)[0])
        return await with_bulk(found, address, context)
    named = {keyword_of(name): value for name, value in given["attributes"].items()}
    return await with_bulk(read_attributes(named), address, context)


async def with_bulk(found: Found, address: Address, context: Context) -> Instance:
    """Return the instance of parsed metadata, with its bulk data."""
    dataset, bulk, notes = found
    what = f"the metadata given for {address.instance_url}"
    address.check_instance(value_of(dataset, "SOPInstanceUID"), what)
    warnings = await asyncio.gather(*[fetch_bulk(item, address, context) for item in bulk])
    return instance_of(dataset, (*notes, *filter(None, warnings)))


def is_complete(instance: Instance | None) -> TypeGuard[Instance]:
    """Tell whether metadata have every attribute that decoding needs."""
    if instance is None:
        return False
    with noting():
        return not absent_attributes(Frame(instance.dataset, 0))


def incomplete_error(instance: Instance, address: Address, error: LoaderError) -> FormatError:
    """Return the error for incomplete_error metadata when the whole instance was refused too."""
    with noting():
        absent = ", ".join(absent_attributes(Frame(instance.dataset, 0)))
    reason = f"status {error.status}" if isinstance(error, HttpStatusError) else str(error)
    return FormatError(
        f"the metadata of {address.instance_url} lack {absent}, without which its frames cannot be "
        f"decoded, and the service does not give the whole instance instead ({reason}): add the "
        "missing attributes to the service's metadata, or to those that the page adds"
    )


def metadata_fetcher(url: str) -> Any:
    """Return a function for `Context.cached` that fetches metadata of a series or an instance."""

    async def fetch(context: Context) -> dict[str, str]:
        return {uid: json.dumps(found) for uid, found in await fetch_series(url, context)}

    return fetch


async def fetch_series(url: str, context: Context) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the DICOM JSON data sets of a series, each with its SOP Instance UID.

    The list is empty when the server has no metadata; instances are then fetched whole.

    Raises
    ------
    FormatError
        The response is not a list of DICOM JSON data sets.
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
    """Return (0008,0018) SOP Instance UID of a DICOM JSON data set."""
    element = attributes.get(SOP_INSTANCE_UID)
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else None


async def fetch_bulk(bulk: BulkData, address: Address, context: Context) -> str | None:
    """Fetch a value from its BulkDataURI and fill it in: a palette, a table, an overlay.

    A value that no pixel depends on may stay absent when fetching fails; return a warning then.
    """
    service = address.instance_url
    try:
        url = address.bulk_url(bulk.uri)
        response = await context.fetch(url, headers={"Accept": BULK_DATA}, linked_from=service)
        fill(bulk, parts_of(response)[0].body)
    except LoaderError as error:
        if bulk.tag not in DESCRIPTIVE:
            raise
        where = redacted(bulk.uri)
        return f"{Attribute.of(bulk.tag)} is bulk data ({where}) and is left out: {error}"
    return None
