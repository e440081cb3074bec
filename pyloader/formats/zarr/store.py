"""The files of a Zarr hierarchy: in a folder over HTTP or here, or in a zip archive.

A missing file is no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyloader import Context
from pyloader.errors import FormatError, HttpStatusError, NetworkError
from pyloader.formats.zarr.archive import ZarrArchive, is_archive
from pyloader.jsontext import read_json

MISSING = (404, 410)
# The status of object stores for a missing object if listing is not permitted.
HIDDEN = (403,)


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """The folder of a Zarr hierarchy.

    Attributes
    ----------
    context : Context
    source : str
        The source of the imageId, and the prefix of cache keys.
    url : str
        Of the folder, with its query.
    """

    context: Context
    source: str
    url: str

    def url_of(self, key: str) -> str:
        """Return the URL of a file; it has the query of the folder's URL."""
        folder, mark, query = self.url.partition("?")
        return self.context.url_beside(f"{folder.rstrip('/')}/zarr.json", key) + mark + query

    async def get(self, key: str, missing: tuple[int, ...] = MISSING) -> bytes | None:
        """Fetch a file; return None if it does not exist.

        Raises
        ------
        FormatError
            The server answers with an HTML page.
        TransportError
        """
        if is_archive(self.url):
            archive = await self.context.cached((self.source, "archive"), self._open_archive)
            return archive.read(key, self.context)
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
                f"{url!r} is an HTML page; its server has to answer with status 404 for missing "
                "files"
            )
        return body

    async def _open_archive(self, context: Context) -> ZarrArchive:
        return ZarrArchive.open((await context.fetch(self.url)).body, self.url)

    async def get_json(self, key: str) -> Any:
        """Fetch a JSON file; return None if it does not exist or is hidden."""
        body = await self.get(key, MISSING + HIDDEN)
        try:
            return None if body is None else read_json(body)
        except ValueError as error:
            raise FormatError(f"{self.url_of(key)!r} is not JSON: {error}") from error


def is_missing_file(error: NetworkError) -> bool:
    """Return whether an error means that a local file does not exist."""
    cause = error.__cause__
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, (FileNotFoundError, NotADirectoryError))
