"""Files that a header names: they are fetched from its own folder, and from nowhere else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from pyloader import Context
from pyloader.errors import FormatError

Value = TypeVar("Value")
# "slice%03d.raw 1 60 1": a pattern with first and last number and step; NRRD adds a dimension.
NUMBERED = re.compile(
    r"(?P<head>[^%]*)%(?P<width>0?\d{0,2})[di](?P<tail>[^%]*?)"
    r"\s+(?P<first>-?\d{1,9})\s+(?P<last>-?\d{1,9})\s+(?P<step>-?\d{1,9})(\s+\d+)?"
)
MOST_FILES = 10_000
LONGEST_ENTRY = 1024


async def fetch_beside(context: Context, header: str, names: list[str]) -> list[bytes]:
    """Fetch the files that the header at the URL `header` names.

    Raises
    ------
    FormatError
        A name leads out of the folder of the header.
    TransportError
    """
    urls = [context.url_beside(header, name) for name in names]
    return [answer.body for answer in await together(context.fetch(url) for url in urls)]


def text_of(body: bytes) -> str:
    """Return the text of a header: UTF-8, or where it is none the Latin-1 of older programs."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def list_names(entry: str, following: str, header: str) -> list[str]:
    """Return the names that an entry of a header stands for.

    Parameters
    ----------
    entry : str
        ``"a.raw"``, ``"LIST"`` or ``"slice%03d.raw 1 60 1"``: first and last number, and step.
    following : str
        What stands after it in the header: the names, one a line, when it is a ``LIST``.

    Raises
    ------
    FormatError
        There are none, or more than 10000.
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


async def together(works: Iterable[Coroutine[Any, Any, Value]]) -> list[Value]:
    """Await all at once; when one fails, none of the others goes on."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
