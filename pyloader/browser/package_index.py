"""Make micropip obey package indexes as pip does (PEP 503, PEP 592). In Pyodide only.

micropip ignores Requires-Python (data-requires-python of PEP 503), and takes a yanked file when it
is the only one (PEP 592). It compares SHA-256 and no other digest. It also takes any failure of an
index for "this one does not have it", and asks the next. So an attacker who makes a private index
fail, or registers its packages' names in a public one, could run code in the page.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import urldefrag
from zipfile import ZipFile

from micropip import package_index
from micropip._utils import parse_version
from micropip._vendored.packaging.src.packaging.specifiers import InvalidSpecifier, SpecifierSet
from micropip._vendored.packaging.src.packaging.utils import InvalidWheelFilename
from micropip._vendored.packaging.src.packaging.version import InvalidVersion
from micropip.package_index import ProjectInfo

from pyloader.browser.wheel_checks import with_digests
from pyloader.errors import PackageError

NOT_FOUND = 404
PYTHON = ".".join(map(str, sys.version_info[:3]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The versions to look for, and the files that were left out, each with its reason."""

    specifier: Any = ()
    left_out: list[str] = field(default_factory=list)


WANTED: ContextVar[Wanted | None] = ContextVar("WANTED", default=None)
"""The versions that the task looks for while it reads a page of an index."""


def obey_indexes() -> None:
    """Patch micropip: skip yanked files and files for another Python, and obey indexes."""
    parse, describe = ProjectInfo._parse_pep691_response, ProjectInfo._compatible_wheels
    query = package_index.query_package

    def parse_suiting(page: dict[str, Any], index_base_url: str) -> Any:
        return parse(page | {"files": suiting(page["files"])}, index_base_url)

    def describe_with_digests(files: list[dict[str, Any]], version: Any, name: str) -> Any:
        return describe([in_address(file) for file in files], version, name)

    async def query_in_turn(
        name: str, index_urls: list[str] | str, *, compat_layer: Any, fetch_kwargs: Any = None
    ) -> Any:
        """Ask the next index only when one says that it does not have the package."""
        refusals: list[Exception] = []
        for url in [index_urls] if isinstance(index_urls, str) else index_urls:
            witness = Witness(compat_layer)
            try:
                return await query(name, [url], compat_layer=witness, fetch_kwargs=fetch_kwargs)
            except ValueError:
                if witness.failure is None:
                    raise  # a page that cannot be read
            if getattr(witness.failure, "status", None) != NOT_FOUND:
                raise PackageError(
                    f"the package index {url} could not say whether it has {name!r}: "
                    f"{witness.failure}. No other index was asked: it may have another package of "
                    "that name"
                ) from witness.failure
            refusals.append(witness.failure)
        raise ValueError("; ".join(map(str, refusals)) or f"no index has {name!r}")

    ProjectInfo._parse_pep691_response = staticmethod(parse_suiting)
    ProjectInfo._compatible_wheels = staticmethod(describe_with_digests)
    package_index.query_package = query_in_turn


class Witness:
    """Passes on micropip's requests for pages, and remembers why one failed."""

    def __init__(self, compat_layer: Any) -> None:
        self.compat_layer = compat_layer
        self.failure: Exception | None = None

    async def fetch_string_and_headers(self, url: str, kwargs: Any) -> Any:
        """Fetch a page of an index."""
        try:
            return await self.compat_layer.fetch_string_and_headers(url, kwargs)
        except Exception as error:
            self.failure = error
            raise


def in_address(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file of an index with all its digests in its URL, where they are checked."""
    digests = file["digests"] if "digests" in file else file["hashes"]
    return file | {"url": with_digests(file["url"], digests)}


def suiting(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the files of a page (PEP 691) that may be taken, and record the others."""
    wanted = WANTED.get() or Wanted()
    reasons = [why_left_out(file, wanted.specifier) for file in files]
    pairs = [*zip(files, reasons, strict=True)]
    wanted.left_out.extend(f"{file['filename']} {reason}" for file, reason in pairs if reason)
    return [file for file, reason in pairs if not reason]


def why_left_out(file: Mapping[str, Any], wanted: Any) -> str:
    """Return why a file of an index is left out (other Python, yanked); "" when it is not.

    A yanked file is taken only when exactly its version is requested (PEP 592).
    """
    needs = file.get("requires-python") or ""
    if not suits_python(needs):
        return f"needs Python {needs}, and this is {PYTHON}"
    return "was yanked" if file.get("yanked") and not is_pinned(file["filename"], wanted) else ""


def suits_python(needs: str) -> bool:
    """Return whether a specifier allows this Python; True when it cannot be parsed."""
    try:
        return bool(SpecifierSet(needs).contains(PYTHON, prereleases=True))
    except InvalidSpecifier:
        return True


def is_pinned(filename: str, wanted: Any) -> bool:
    """Return whether the wanted versions pin exactly the version of a file."""
    try:
        version = parse_version(filename)
    except (InvalidVersion, InvalidWheelFilename):
        return False
    exact = [each for each in wanted if each.operator in ("==", "===") and "*" not in each.version]
    return any(each.contains(version, prereleases=True) for each in exact)


def check_python(archive: ZipFile, url: str) -> None:
    """Raise when a wheel's own metadata require another Python."""
    name = next((each for each in archive.namelist() if each.endswith(".dist-info/METADATA")), None)
    metadata = BytesHeaderParser().parsebytes(archive.read(name) if name else b"")
    needs = metadata.get("Requires-Python", "")
    if not suits_python(needs):
        raise PackageError(
            f"the wheel {urldefrag(url)[0]} needs Python {needs}, and this is {PYTHON}: name "
            "another version"
        )
