"""Search a DICOMweb service (QIDO-RS, PS3.18 10.6), and list a series in order of position."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pyloader.context import Context
from pyloader.dicom.json.plain_values import plain_values
from pyloader.dicom.json.reader import parse_datasets
from pyloader.dicom.keywords import keyword_of
from pyloader.dicom.series import frame_count, sort_by_position
from pyloader.dicomweb.media_types import JSON
from pyloader.dicomweb.metadata import fetch_series, uid_of

# Characters left unencoded in queries: some servers do not decode them.
PLAIN_CHARACTERS = "*?^,/:@"


async def search(url: str, filters: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """Return the matches of a search, each as plain values by snake_case keyword.

    Parameters
    ----------
    url : str
        Of studies, series or instances.
    filters : mapping
        Values by DICOM keyword, in any case, or by tag; also ``limit`` and other parameters. A
        list matches if any of its values does.
    """
    query = "&".join(f"{keyword_of(name)}={encode(value)}" for name, value in filters.items())
    response = await context.fetch(f"{url}?{query}" if query else url, headers={"Accept": JSON})
    if not response.body:
        return []  # status 204: no match
    return [plain_values(found) for found in parse_datasets(response.body, response.url)]


def encode(value: Any) -> str:
    """Return a value as text for a query string."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(encode, value))
    if isinstance(value, bool):
        return str(value).lower()
    return quote(str(value), safe=PLAIN_CHARACTERS)


async def open_series(url: str, context: Context) -> list[dict[str, Any]]:
    """Return the instances of a series, sorted by position.

    Returns
    -------
    list of dict
        ``instance``: its URL; ``frames``: number of frames; ``json``: metadata as DICOM JSON.
        The list is empty when the server has no metadata.
    """
    found = dict(await fetch_series(url, context))
    ordered = sort_by_position(list(found.values()))
    return [
        {
            "instance": f"{url}/instances/{uid_of(attributes)}",
            "frames": frame_count(attributes),
            "json": json.dumps(attributes),
        }
        for attributes in ordered
    ]
