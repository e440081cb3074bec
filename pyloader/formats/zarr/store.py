"""The files of a Zarr hierarchy over HTTP, or in a local folder: what is not there is no error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyloader import Context
from pyloader.errors import FormatError, HttpStatusError, NetworkError
from pyloader.jsontext import read_json

NOT_THERE = (404, 410)
# How stores of objects answer for what is not there, when they may not be listed.
HIDDEN = (403,)


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A folder.

    Attributes
    ----------
    context : Context
    source : str
        That of the imageId; keys of the cache begin with it.
    url : str
        Of the folder, with what its query asks for.
    """

    context: Context
    source: str
    url: str

    def url_of(self, key: str) -> str:
        """Return the URL of a file; the query of the folder's is that of all its files."""
        folder, mark, query = self.url.partition("?")
        return self.context.url_beside(f"{folder.rstrip('/')}/zarr.json", key) + mark + query

    async def get(self, key: str, missing: tuple[int, ...] = NOT_THERE) -> bytes | None:
        """Return a file; None when it is not there.

        Raises
        ------
        FormatError
            The server answers with a page of HTML.
        TransportError
        """
        url = self.url_of(key)
        try:
            body = (await self.context.fetch(url)).body
        except HttpStatusError as error:
            if error.status in missing:
                return None
            raise
        except NetworkError as error:
            if is_missing_file(error):
                return None
            raise
        if body[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise FormatError(
                f"{url!r} is a page of HTML; its server has to answer with status 404 for what is "
                "not there"
            )
        return body

    async def get_json(self, key: str) -> Any:
        """Return a file of JSON; None when it is not there, or hidden."""
        body = await self.get(key, NOT_THERE + HIDDEN)
        try:
            return None if body is None else read_json(body)
        except ValueError as error:
            raise FormatError(f"{self.url_of(key)!r} is not JSON: {error}") from error


def is_missing_file(error: NetworkError) -> bool:
    """Tell whether a local file is not there."""
    cause = error.__cause__
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, (FileNotFoundError, NotADirectoryError))
