"""Requires-Python and yanked files of a package index (PEP 503, PEP 592). In Pyodide.

micropip does not look at the former (data-requires-python of PEP 503), and takes a withdrawn file
when it is the only one (PEP 592). pip does as is done here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Any
from zipfile import ZipFile

from micropip._utils import parse_version
from micropip._vendored.packaging.src.packaging.specifiers import InvalidSpecifier, SpecifierSet
from micropip._vendored.packaging.src.packaging.utils import InvalidWheelFilename
from micropip._vendored.packaging.src.packaging.version import InvalidVersion
from micropip.package_index import ProjectInfo

from pyloader.errors import PackageError

PYTHON = ".".join(map(str, sys.version_info[:3]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Versions that are looked for, and the files that were left out, each with its reason."""

    specifier: Any = ()
    left_out: list[str] = field(default_factory=list)


WANTED: ContextVar[Wanted | None] = ContextVar("WANTED", default=None)
"""What the task that reads a page of an index looks for."""


def obey_indexes() -> None:
    """Let micropip see no file of an index that is not for this Python, or is withdrawn."""
    parse = ProjectInfo._parse_pep691_response

    def parse_suiting(page: dict[str, Any], index_base_url: str) -> Any:
        return parse(page | {"files": suiting(page["files"])}, index_base_url)

    ProjectInfo._parse_pep691_response = staticmethod(parse_suiting)


def suiting(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the files of a page (PEP 691) that may be taken, and note the others."""
    wanted = WANTED.get() or Wanted()
    reasons = [why_left_out(file, wanted.specifier) for file in files]
    pairs = [*zip(files, reasons, strict=True)]
    wanted.left_out.extend(f"{file['filename']} {reason}" for file, reason in pairs if reason)
    return [file for file, reason in pairs if not reason]


def why_left_out(file: Mapping[str, Any], wanted: Any) -> str:
    """Return why a file of an index is not for this Python, or is withdrawn; nothing otherwise.

    A file that was withdrawn is taken by who asks for its very version (PEP 592).
    """
    needs = file.get("requires-python") or ""
    if not suits_python(needs):
        return f"needs Python {needs}, and this is {PYTHON}"
    return "was withdrawn" if file.get("yanked") and not is_pinned(file["filename"], wanted) else ""


def suits_python(needs: str) -> bool:
    """Tell whether this Python will do; what cannot be read says nothing."""
    try:
        return bool(SpecifierSet(needs).contains(PYTHON, prereleases=True))
    except InvalidSpecifier:
        return True


def is_pinned(filename: str, wanted: Any) -> bool:
    """Tell whether versions are wanted of which only that of a file will do."""
    try:
        version = parse_version(filename)
    except (InvalidVersion, InvalidWheelFilename):
        return False
    exact = [each for each in wanted if each.operator in ("==", "===") and "*" not in each.version]
    return any(each.contains(version, prereleases=True) for each in exact)


def check_python(archive: ZipFile, url: str) -> None:
    """Raise when a wheel says itself that it is for another Python."""
    name = next((each for each in archive.namelist() if each.endswith(".dist-info/METADATA")), None)
    metadata = BytesHeaderParser().parsebytes(archive.read(name) if name else b"")
    needs = metadata.get("Requires-Python", "")
    if not suits_python(needs):
        raise PackageError(
            f"the wheel {url} needs Python {needs}, and this is {PYTHON}: name another version"
        )
