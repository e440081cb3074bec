"""Options of a loader within the query of an imageId; its server never sees them."""

from __future__ import annotations

from urllib.parse import unquote


def take_options(rest: str, *names: str) -> tuple[str, dict[str, str]]:
    """Return the URL without the options `names`, and their values.

    ``https://host/a.npz?token=x&array=mask`` becomes ``https://host/a.npz?token=x`` and
    ``{"array": "mask"}``; what else there is stays as it is.
    """
    url, _, query = rest.partition("?")
    pairs = [(part.partition("=")[0], part) for part in query.split("&") if part]
    kept = "&".join(part for name, part in pairs if name not in names)
    taken = {name: unquote(part.partition("=")[2]) for name, part in pairs if name in names}
    return f"{url}?{kept}" if kept else url, taken
