"""Search a static tree: a DICOMweb service as files on a server that knows nothing of DICOMweb.

A resource that is also a folder is the file ``index.json`` in it, maybe compressed by gzip, as
Static-DICOMWeb writes them. Such a server ignores queries, so searches are filtered here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from pyloader.context import Context
from pyloader.dicom.keywords import snake
from pyloader.dicom.values import MOMENTS, as_tuple, tag_of, vr_of
from pyloader.errors import FormatError, HttpStatusError, TransportError
from pyloader.loaders.filesets.archive import gunzip
from pyloader.loaders.signatures import is_gzip

# Statuses of static servers for a folder without an index, and for a missing file.
MISSING = frozenset({403, 404})
FILES = ("/index.json", "/index.json.gz")
HTML = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
# Parameters of a search that name no attribute (PS3.18 8.3.4).
PARAMETERS = frozenset({"limit", "offset", "includefield", "fuzzymatching"})

Matches = list[dict[str, Any]]


def may_be_static(outcome: bytes | HttpStatusError) -> bool:
    """Return whether a search's body or error is what static servers send for a folder."""
    if isinstance(outcome, HttpStatusError):
        return outcome.status in MISSING
    return HTML.match(outcome[:64]) is not None


async def fetch_index(url: str, context: Context) -> bytes | None:
    """Return the index of a resource of a static tree, None if there is none.

    Parameters
    ----------
    url : str
        Of the resource, without a query.
    """
    for file in FILES:
        try:
            response = await context.fetch(f"{url}{file}")
        except TransportError:
            continue
        body = response.body
        if not may_be_static(body):
            return gunzip(body, response.url, context) if is_gzip(body) else body
    return None


# ------------------------------------------------------------------ matching


def select(found: Matches, filters: Mapping[str, Any]) -> Matches:
    """Return the matches of a search among all that a tree lists (PS3.4 C.2.2.2).

    Parameters
    ----------
    found : list of dict
        Plain values by snake_case keyword.
    filters : mapping
        Values by DICOM keyword, with ``limit`` and ``offset``.

    Raises
    ------
    FormatError
        A filter is named by its tag.
    """
    wanted = {name: value for name, value in filters.items() if name not in PARAMETERS}
    tags = [name for name in wanted if name[:1].isdigit()]
    if tags:
        raise FormatError(
            f"the service is a static tree, which is searched here by keyword, such as "
            f"'PatientName', not by the tag {tags[0]!r}"
        )
    kept = [
        each
        for each in found
        if all(matches(name, each.get(snake(name)), value) for name, value in wanted.items())
    ]
    start = int(filters.get("offset") or 0)
    limit = filters.get("limit")
    return kept[start:] if limit is None else kept[start : start + int(limit)]


def matches(keyword: str, value: Any, wanted: Any) -> bool:
    """Return whether an attribute has a wanted value: one of a list, a wildcard, or a range."""
    values = ["" if each is None else str(each) for each in as_tuple(value)] or [""]
    is_like = is_within if vr_of(tag_of(keyword)) in MOMENTS else is_named
    return any(is_like(each, str(choice)) for each in values for choice in as_tuple(wanted))


def is_within(text: str, wanted: str) -> bool:
    """Return whether a date or time is in a range, or is the wanted one."""
    first, dash, last = wanted.partition("-")
    if not dash or not text:
        return is_named(text, wanted)
    return (not first or text >= first) and (not last or text <= last)


def is_named(text: str, pattern: str) -> bool:
    """Return whether a text equals a pattern, in any case."""
    # Only * and ? are wildcards (PS3.4 C.2.2.2.4).
    escaped = pattern.casefold().replace("[", "[[]")
    return fnmatchcase(text.casefold(), escaped)
