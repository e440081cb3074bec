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
from pyloader.dicomweb.static_tree import fetch_index, may_be_static, select
from pyloader.errors import HttpStatusError

ACCEPTED = {"Accept": JSON}
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
        list matches if any of its values does. A static tree (`static_tree`) is filtered here.
    """
    named = {keyword_of(name): value for name, value in filters.items()}
    query = "&".join(f"{name}={encode(value)}" for name, value in named.items())
    failure: HttpStatusError | None = None
    body = b""
    try:
        body = (await context.fetch(f"{url}?{query}" if query else url, headers=ACCEPTED)).body
    except HttpStatusError as error:
        failure = error
    index = await fetch_index(url, context) if may_be_static(failure or body) else None
    if index is not None:
        return select([plain_values(each) for each in parse_datasets(index, url)], named)
    if failure is not None:
        raise failure
    # Status 204, without a body: no match.
    return [plain_values(each) for each in parse_datasets(body, url)] if body else []


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
