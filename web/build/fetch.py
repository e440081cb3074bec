"""Fetch the assets of the manifest `assets.json`, from the download cache or their sources."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from web.build.common import RECIPES, BuildError, download_cache, say, sha256, write_atomically
from web.build.sources import Source, describe, obtain

MANIFEST = RECIPES / "assets.json"


@dataclass(frozen=True, slots=True)
class Asset:
    """
    One row of the manifest: a third-party file for dist/.

    Attributes
    ----------
    depends : list of str
        Packages that a wheel needs in a page.
    imports : list of str
        Modules of a wheel, if they are not named after it.
    """

    name: str
    version: str
    file: str
    license: str
    sha256: str
    sources: list[Source]
    integrity: str = ""
    depends: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Path of the file below the download cache, and below a mirror."""
        return f"{self.sha256}/{self.file}"

    @property
    def path(self) -> Path:
        """Path of the file in the download cache."""
        return download_cache() / self.place


def manifest() -> dict[str, Asset]:
    """Read the manifest: assets by name."""
    rows = json.loads(MANIFEST.read_text())["assets"]
    return {row["name"]: Asset(**row) for row in rows}


def fetch_all() -> dict[str, Asset]:
    """Return the assets by name, all fetched and checked."""
    assets = manifest()
    for asset in assets.values():
        if not asset.path.exists() or sha256(asset.path) != asset.sha256:
            say(f"fetching {asset.name} {asset.version}")
            write_atomically(asset.path, from_first_source(asset))
    return assets


def from_first_source(asset: Asset) -> bytes:
    """Return the file's bytes from the first source that has the right ones."""
    failures = []
    for source in [*mirrors(asset), *asset.sources]:
        try:
            return checked(obtain(source), asset.sha256)
        except BuildError as error:
            failures.append(f"  - {describe(source)}\n      {indented(str(error))}")
    raise BuildError(
        f"could not fetch {asset.name} {asset.version} ({asset.file}). Tried, in order:\n"
        + "\n".join(failures)
        + "\nCheck the network (proxy, package index settings of pip and npm) and run again; or "
        f"name in PYLOADER_MIRROR a folder or an address that has it as {asset.place}; "
        f"or put the file, from wherever you have it, at\n  {asset.path}"
    )


def mirrors(asset: Asset) -> list[Source]:
    """Return the file's source at `PYLOADER_MIRROR` (a folder or an address), which comes first."""
    mirror = os.environ.get("PYLOADER_MIRROR", "").rstrip("/")
    if not mirror:
        return []
    is_address = "://" in mirror
    return [{"url": f"{mirror if is_address else Path(mirror).absolute().as_uri()}/{asset.place}"}]


def checked(content: bytes, expected: str) -> bytes:
    """Return the content if it has the expected SHA-256."""
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise BuildError(f"wrong file: SHA-256 is {actual}, expected {expected}")
    return content


def indented(words: str) -> str:
    """Indent the lines after the first under their list item."""
    return words.replace("\n", "\n      ")
