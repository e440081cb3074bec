"""Fetch a file from a source: a URL, the Python package index, or npm."""

import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from web.build.common import BuildError, run
from web.build.environments import private_pip

Source = dict[str, Any]

# A mirror that does not answer must not block the next source.
URL_TIMEOUT_SECONDS = 10
PURE_WHEEL = {"implementation": "py", "platform": "any", "python-version": "3.13", "abi": "none"}


def obtain(source: Source) -> bytes:
    """Return the file's bytes from a source of the manifest, unchecked."""
    if "url" in source:
        return from_url(source["url"])
    with tempfile.TemporaryDirectory() as folder:
        return downloaded(source, Path(folder))


def describe(source: Source) -> str:
    """Name a source in an error message."""
    if "url" in source:
        return str(source["url"])
    if "npm" in source:
        return f"npm package {source['npm']}"
    inside = f", member {source['member']}" if "member" in source else ""
    return f"Python package {source['pip']}{inside}"


def from_url(url: str) -> bytes:
    """Fetch a URL."""
    try:
        with urllib.request.urlopen(url, timeout=URL_TIMEOUT_SECONDS) as response:
            return bytes(response.read())
    except OSError as error:
        raise BuildError(str(error)) from error


def downloaded(source: Source, folder: Path) -> bytes:
    """Fetch a package with its own client, and return the file or its member."""
    command = npm_command(source, folder) if "npm" in source else pip_command(source, folder)
    run(command, cwd=folder)
    files = list(folder.iterdir())
    if len(files) != 1:
        raise BuildError(f"expected one downloaded file, got {[file.name for file in files]}")
    return member_of(files[0], source.get("member"))


def npm_command(source: Source, folder: Path) -> list[str | Path]:
    """Return the command that puts an npm package's archive into a folder."""
    return ["npm", "pack", "--loglevel=error", "--pack-destination", folder, source["npm"]]


def pip_command(source: Source, folder: Path) -> list[str | Path]:
    """Return the command that puts a wheel into a folder, for the Python of pages, not this one."""
    command = [*private_pip(), "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    target = [f"--{option}={source.get(option, value)}" for option, value in PURE_WHEEL.items()]
    return [*command, *target, "--dest", folder, source["pip"]]


def member_of(archive: Path, member: str | None) -> bytes:
    """Return a whole file, or one member of a zip archive."""
    if member is None:
        return archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        return opened.read(member)
