"""Sidecars: the files that a header names, fetched only from the header's own folder."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from pyloader import Context
from pyloader.errors import FormatError

Value = TypeVar("Value")
# "slice%03d.raw 1 60 1": a pattern, first and last number, step; NRRD appends a dimension.
NUMBERED = re.compile(
    r"(?P<head>[^%]*)%(?P<width>0?\d{0,2})[di](?P<tail>[^%]*?)"
    r"\s+(?P<first>-?\d{1,9})\s+(?P<last>-?\d{1,9})\s+(?P<step>-?\d{1,9})(\s+\d+)?"
)
MOST_FILES = 10_000
LONGEST_ENTRY = 1024


async def fetch_sidecars(context: Context, header: str, names: list[str]) -> list[bytes]:
    """Fetch the sidecars that the header at the URL `header` names.

    Raises
    ------
    FormatError
        A name points outside the header's folder.
    TransportError
    """
    urls = [context.url_beside(header, name) for name in names]
    return [answer.body for answer in await gather_or_cancel(context.fetch(url) for url in urls)]


def text_of(body: bytes) -> str:
    """Decode the text of a header: UTF-8 or, if invalid, the Latin-1 of older programs."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def list_names(entry: str, following: str, header: str) -> list[str]:
    """Expand an entry of a header to file names.

    Parameters
    ----------
    entry : str
        ``"a.raw"``, ``"LIST"`` or ``"slice%03d.raw 1 60 1"``: first and last number, and step.
    following : str
        The header's text after the entry: for a ``LIST`` the names, one a line.

    Raises
    ------
    FormatError
        The entry names no files, or more than 10000.
    """
    numbered = NUMBERED.fullmatch(entry) if len(entry) <= LONGEST_ENTRY else None
    if entry.split()[:1] == ["LIST"]:
        names = [line.strip() for line in following.splitlines() if line.strip()]
    elif numbered:
        head, width, tail = numbered.group("head", "width", "tail")
        first, last, step = map(int, numbered.group("first", "last", "step"))
        numbers = range(first, last + (1 if step > 0 else -1), step or 1)
        names = [f"{head}{number:{width}d}{tail}" for number in numbers[: MOST_FILES + 1]]
    else:
        names = [entry]
    if not 0 < len(names) <= MOST_FILES:
        raise FormatError(
            f"{header!r} names {'no' if not names else 'too many'} files by {entry!r}; expected 1 "
            f"to {MOST_FILES}"
        )
    return list(names)


async def gather_or_cancel(works: Iterable[Coroutine[Any, Any, Value]]) -> list[Value]:
    """Await all coroutines concurrently; if one fails, cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
