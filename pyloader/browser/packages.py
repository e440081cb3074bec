"""Install Python packages with micropip, within what the page allows. In Pyodide only.

A package comes from ``dist/`` if it is there, else from the page's package indexes. Nothing else is
fetched: the dependencies of a wheel follow the same rule as the packages that the page names. All
wheels are checked completely before the first one is installed, so that a failure leaves nothing;
see `pyloader.browser.wheel_checks`.

This module imports micropip, so it is imported itself when the first package is requested.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import zlib
from collections.abc import Collection, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from site import getsitepackages
from typing import Any
from urllib.parse import urldefrag, urljoin
from zipfile import BadZipFile, ZipFile

import micropip
from micropip import package_index, wheelinfo
from micropip._compat import compatibility_layer
from micropip._utils import check_compatible, sys_tags
from micropip._vendored.packaging.src.packaging.markers import default_environment
from micropip._vendored.packaging.src.packaging.requirements import InvalidRequirement
from micropip._vendored.packaging.src.packaging.utils import InvalidWheelFilename, canonicalize_name
from micropip.metadata import UnsupportedWheel
from micropip.package import PackageMetadata
from micropip.transaction import Transaction

from pyloader.browser.package_index import WANTED, Wanted, check_python, obey_indexes
from pyloader.browser.wheel_checks import check_digests, check_files
from pyloader.errors import PackageError
from pyloader.wire import error_from

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"  # PEP 691
BROKEN_WHEEL = (BadZipFile, UnsupportedWheel, InvalidRequirement, zlib.error, EOFError, KeyError)
WASM_MAGIC = b"\0asm"
# Most left-out files of an index that an error text names.
MOST_REASONS = 3


def limit_micropip(indexes: Sequence[str]) -> None:
    """Restrict micropip itself to the page's indexes: a loader may use it too."""
    obey_indexes()
    package_index.DEFAULT_INDEX_URLS[:] = indexes
    micropip.set_index_urls(list(indexes))


async def add_packages(requirements: Sequence[str], js_page: Any) -> None:
    """Install packages and what they need.

    Parameters
    ----------
    requirements : sequence of str
        PEP 508, or the URL of a wheel.
    js_page : JavaScript object
        Of `web/boot/packages.js`: ``rows``, the packages of ``dist/`` by name;
        ``isThere(name)``, whether one of them is installed; ``standard``, names of Python's own
        modules; ``indexes``; ``locate(url)``, its absolute form if the page allows it;
        ``fetch(url, accept)``; ``bring(names)``, which installs packages of ``dist/``.

    Raises
    ------
    PackageError
    """
    compat_layer = PageCompatLayer(js_page)
    search = Search(
        _compat_layer=compat_layer, ctx=default_environment(), ctx_extras=[], keep_going=False,
        deps=True, pre=False, fetch_kwargs={}, index_urls=compat_layer.indexes,
    )  # fmt: skip
    try:
        await search.gather_requirements(requirements)
    except InvalidRequirement as error:
        words, *shown = str(error).splitlines()
        raise PackageError(
            f"{''.join(shown[:1]).strip()!r} is not a requirement of Python (PEP 508): {words}. "
            "Write a name ('pynrrd'), a name and versions ('pynrrd>=1.1'), or a wheel's URL "
            "('….whl')"
        ) from error
    coming = [package.name for package in search.pyodide_packages]
    taken = compat_layer.taken(coming)
    for wheel in search.wheels:
        check_files(ZipFile(BytesIO(wheel._data)).namelist(), wheel.url, wheel.name, taken)
    await compat_layer.bring(coming)
    await install_wheels(search.wheels)


class PageCompatLayer:
    """The compatibility layer that micropip calls while it looks for packages."""

    def __init__(self, js_page: Any) -> None:
        self.js_page = js_page
        self.lockfile_packages: dict[str, dict[str, Any]] = js_page.rows.to_py()
        self.indexes: list[str] = js_page.indexes.to_py()
        self.refusals: list[str] = []

    def taken(self, coming: Collection[str]) -> dict[str, str]:
        """
        Return the package that may provide a module, by the module's name or the package's.

        A package of ``dist/`` may come from elsewhere in another version, while that of ``dist/``
        is neither installed nor `coming`. All others map to "": no package may provide them.
        """
        standard = self.js_page.standard.to_py()
        names = {*standard, *sys.stdlib_module_names, *sys.builtin_module_names}
        found = dict.fromkeys(names, "")
        for name, row in self.lockfile_packages.items():
            is_there = name in coming or self.js_page.isThere(name)
            found |= dict.fromkeys([name, *row["imports"]], "" if is_there else name)
        return found

    def locate(self, url: str) -> str:
        """Return the absolute URL of a wheel that may be fetched."""
        found = self.js_page.locate(url)
        if not found:
            raise PackageError(
                f"the wheel {url} was not fetched: it is neither on this page's own server, nor "
                "beside dist/, nor on the server of one of init({packageIndexes}). Put it on your "
                "server and name that URL, or name its server's package index there"
            )
        return str(found)

    async def fetch_bytes(self, url: str, kwargs: Any) -> bytes:
        """Return the body at a URL."""
        body: bytes = (await self.fetch(url, "*/*")).body.to_bytes()
        return body

    async def fetch_string_and_headers(
        self, url: str, kwargs: dict[str, Any]
    ) -> tuple[str, dict[str, str]]:
        """Return a page of an index and its media type; record why one cannot be fetched."""
        try:
            js_response = await self.fetch(url, kwargs["headers"]["accept"])
        except PackageError as error:
            self.refusals.append(str(error))
            raise
        text = js_response.body.to_bytes().decode()
        if js_response.type.partition(";")[0] == SIMPLE_JSON:
            text = with_absolute_urls(text, js_response.url)
        return text, {"content-type": js_response.type}

    async def fetch(self, url: str, accept: str) -> Any:
        """Fetch through JavaScript; return its ``{body, type, url}``."""
        js_response = await self.js_page.fetch(url, accept)
        if hasattr(js_response, "error"):
            error = error_from(js_response.error.to_py())
            error.status = getattr(js_response, "status", None)  # type: ignore[attr-defined]
            raise error
        return js_response

    async def bring(self, names: Iterable[str]) -> None:
        """Install packages of ``dist/``."""
        js_error = await self.js_page.bring(" ".join(names))
        if js_error:
            raise error_from(js_error.to_py())


class Search(Transaction):  # type: ignore[misc] # micropip is not there for the type checker
    """micropip's search for packages: ``dist/`` first, then only what the page allows."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.search_pyodide_lock_first = True

    def check_version_satisfied(self, req: Any, *, allow_reinstall: bool = False) -> Any:
        """Return whether the package is installed already."""
        try:
            return super().check_version_satisfied(req, allow_reinstall=allow_reinstall)
        except ValueError as error:
            raise PackageError(
                f"the Python package {str(req)!r} is requested, but another version of it is "
                f"already installed: {str(error).split('. ')[0]}. Python has one version of a "
                "package at a time: let all loaders and packages of this page request one that "
                "suits them all"
            ) from error

    async def add_requirement_from_url(self, req: str, extras: set[str] | None = None) -> None:
        """Add a wheel by its URL."""
        url = self._compat_layer.locate(req)
        try:
            check_compatible(wheelinfo.WheelInfo.from_url(url).filename)
        except (ValueError, InvalidWheelFilename) as error:
            raise PackageError(
                f"the wheel {url} was not fetched: {error}. {what_runs()}"
            ) from error
        await super().add_requirement_from_url(url, extras)

    async def _add_requirement_from_pyodide_lock(self, req: Any) -> bool:
        is_found: bool = await super()._add_requirement_from_pyodide_lock(req)
        if is_found:
            # From now on, a request for another version is a contradiction.
            self.locked[req.name] = self.pyodide_packages[-1]
        return is_found

    async def _add_requirement_from_package_index(self, req: Any) -> None:
        wanted = Wanted(req.specifier)
        token = WANTED.set(wanted)
        try:
            await super()._add_requirement_from_package_index(req)
        except ValueError as error:
            raise PackageError(self.why_not(req, wanted.left_out)) from error
        finally:
            WANTED.reset(token)

    def why_not(self, req: Any, left_out: Sequence[str]) -> str:
        """Return why neither ``dist/`` nor an index provides a package."""
        row = self._compat_layer.lockfile_packages.get(req.name)
        has = f"has {row['name']} {row['version']}" if row else "does not have it"
        begin = f"the Python package {str(req)!r} is not available: dist/pyodide/ {has}"
        if not self.index_urls:
            return (
                f"{begin}, and this page allows no package index. Ask for what is there, put a "
                f"wheel on your server and name its URL, or name an index in "
                f"init({{packageIndexes}}). {what_runs()}"
            )
        if len(self._compat_layer.refusals) >= len(self.index_urls):
            return f"{begin}, and no index has it: {'; '.join(self._compat_layer.refusals)}"
        reasons = f" ({'; '.join(left_out[-MOST_REASONS:])})" if left_out else ""
        return f"{begin}, and the index has no wheel of it that suits{reasons}. {what_runs()}"

    async def add_wheel(self, wheel: Any, extras: set[str], *, specifier: str = "") -> None:
        """Fetch a wheel, check it, and look for its dependencies."""
        self.locked[canonicalize_name(wheel.name)] = PackageMetadata(wheel.name, str(wheel.version))
        # The wheel itself names its dependencies: this saves a request.
        wheel.core_metadata = None
        await self.fetch_wheel(wheel)
        try:
            await super().add_wheel(wheel, extras, specifier=specifier)
        except PackageError as error:
            raise PackageError(f"{wheel.filename} needs another package: {error}") from error

    async def fetch_wheel(self, wheel: Any) -> None:
        """Fetch a wheel, and check it completely."""
        try:
            await wheel.download(self.fetch_kwargs, self._compat_layer)
            check_digests(wheel._data, wheel.url)
            archive = ZipFile(BytesIO(wheel._data))
            check_members(archive)
            check_python(archive, wheel.url)
        except BROKEN_WHEEL as error:
            raise PackageError(
                f"the wheel {urldefrag(wheel.url)[0]} is broken ({type(error).__name__}: {error}), "
                f"after {len(wheel._data)} bytes: was it copied whole, and built by a tool for "
                "wheels?"
            ) from error


def what_runs() -> str:
    """Return which wheels run here; PEP 783 and Pyodide name the platform differently."""
    tags = " or ".join(map(str, sys_tags()[:2]))
    return f"What runs here are wheels of pure Python (none-any), or built for {tags}"


def with_absolute_urls(text: str, base: str) -> str:
    """Return a page of an index (PEP 691) with the URLs of its files resolved."""
    page = json.loads(text)
    for file in page["files"]:
        file["url"] = urljoin(base, file["url"])
    return json.dumps(page)


def check_members(archive: ZipFile) -> None:
    """Raise the error of `zipfile` for a damaged member, BadZipFile for a foreign library."""
    for member in archive.infolist():
        content = archive.read(member)
        if member.filename.endswith(".so") and not content.startswith(WASM_MAGIC):
            raise BadZipFile(f"{member.filename} is a library for another machine")


async def install_wheels(wheels: Iterable[Any]) -> None:
    """Install wheels into site-packages, and open their shared libraries."""
    site_packages = Path(getsitepackages()[0])
    for wheel in wheels:
        try:
            await wheel.install(site_packages, compatibility_layer)
        except Exception as error:
            remove_files(ZipFile(BytesIO(wheel._data)).namelist(), site_packages)
            raise PackageError(
                f"the wheel {urldefrag(wheel.url)[0]} cannot be installed: {error}. Was it built "
                f"for this version of Pyodide? {what_runs()}"
            ) from error
    importlib.invalidate_caches()


def remove_files(names: Sequence[str], site_packages: Path) -> None:
    """Remove those files of a wheel that were installed."""
    folders = {folder for name in names for folder in Path(name).parents[:-1]}
    for name in names:
        (site_packages / name).unlink(missing_ok=True)
    for folder in sorted(folders, reverse=True):
        path = site_packages / folder
        if path.is_dir() and (path.suffix == ".dist-info" or not any(path.iterdir())):
            shutil.rmtree(path)
