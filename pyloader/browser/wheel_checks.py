"""Check a wheel before it is installed: its digests, and where its files would go.

A wheel that a page requests may add files of its own. It may not replace files of pyloader, of
Python's library or of a package of ``dist/``, nor run anything when an interpreter starts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urldefrag, urlencode

from pyloader.errors import PackageError

NO_DIGESTS = {"egg", "subdirectory"}
"""Names in the fragment of a wheel's URL that mean something else."""
ALGORITHMS = {each for each in hashlib.algorithms_guaranteed if not each.startswith("shake")}
AT_START = {"sitecustomize", "usercustomize"}
"""Modules that Python itself imports when it starts."""
OUTSIDE = {"share", "etc"}
"""Folders of the installation that data files of a wheel may go to."""
SCHEMES = {"purelib", "platlib"}
"""Folders of ``.data/`` whose files go into site-packages."""


def with_digests(url: str, digests: Mapping[str, str]) -> str:
    """Return the URL of a wheel with an index's digests in its fragment, as in PEP 503."""
    plain, fragment = urldefrag(url)
    pairs = [*parse_qsl(fragment), *digests.items()]
    return f"{plain}#{urlencode(pairs)}" if pairs else plain


def check_digests(body: bytes, url: str) -> None:
    """
    Compare a wheel with the digests in the fragment of its URL.

    Raises
    ------
    PackageError
        A digest differs, or there are digests and Python knows none of them.
    """
    plain, fragment = urldefrag(url)
    found = {name.lower(): value for name, value in parse_qsl(fragment, keep_blank_values=True)}
    wanted = {name: value for name, value in found.items() if name not in NO_DIGESTS}
    known = {name: value for name, value in wanted.items() if name in ALGORITHMS}
    if (wanted and not known) or (fragment and not found):
        raise PackageError(
            f"the wheel {plain} was not installed: '#{fragment}' in its address names no digest "
            "that Python knows. Write '#sha256=' and the digest in hexadecimal"
        )
    for name, value in known.items():
        digest = hashlib.new(name, body).hexdigest()
        if not hmac.compare_digest(digest, value.strip().lower()):
            raise PackageError(
                f"the wheel {plain} is not the file that its address or its index describes: its "
                f"{name} is {digest}, not {value}. It was replaced or damaged on its way, and was "
                "not installed: tell who runs the server"
            )


def check_files(names: Iterable[str], url: str, own: str, taken: Mapping[str, str]) -> None:
    """
    Raise when a wheel has files that it may not write.

    Parameters
    ----------
    names : iterable of str
        Members of the wheel.
    url : str
        URL of the wheel, for the message.
    own : str
        The package's name.
    taken : mapping of str to str
        The package that may provide a module, by the module's name or the package's; empty when
        no package may.

    Raises
    ------
    PackageError
    """
    for name in names:
        reason = why_not_written(name, own, taken)
        if reason:
            raise PackageError(
                f"the wheel {urldefrag(url)[0]} was not installed: its file {name!r} {reason}. A "
                "wheel may only bring modules of its own: report it to whoever built it"
            )


def why_not_written(name: str, own: str, taken: Mapping[str, str]) -> str:
    """Return why a member of a wheel may not be installed; "" when it may."""
    parts = name.rstrip("/").split("/")
    if "\\" in name or "\0" in name or ":" in parts[0] or {"", ".", ".."} & set(parts):
        return "leaves the folder of packages"
    top, suffix = parts[0], PurePosixPath(parts[0]).suffix
    if suffix in (".dist-info", ".data"):
        package = normal(top.removesuffix(suffix).rpartition("-")[0])
        if package != normal(own):
            return f"belongs to another package than {own}"
        if taken.get(package, package) != package:
            return f"takes the place of {package}, which pyloader brings itself"
        return why_not_data(parts[1:], own, taken) if suffix == ".data" and parts[2:] else ""
    if top == "__pycache__" and parts[1:]:
        top = parts[1]
    module = top.partition(".")[0]
    if suffix == ".pth" or module in AT_START:
        return "runs when an interpreter starts"
    if taken.get(module, normal(own)) != normal(own):
        return f"takes the place of {module}, which pyloader brings itself"
    return ""


def why_not_data(parts: list[str], own: str, taken: Mapping[str, str]) -> str:
    """Return why a file of a ``.data`` folder may not be installed; "" when it may."""
    scheme, *rest = parts
    if scheme in SCHEMES:
        return why_not_written("/".join(rest), own, taken)
    # Of the other folders Pyodide installs only `data`, at the root of the installation.
    if scheme == "data" and rest[0] not in OUTSIDE:
        return "leaves the folder of packages"
    return ""


def normal(name: str) -> str:
    """Return the normal form of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
