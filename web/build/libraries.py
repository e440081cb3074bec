"""
Shared libraries shipped beside the wheels, so that a browser compiles each as it arrives.

Every page needs those of `import numpy` and the one that all codecs share: they are linked before
Python starts. An image needs only one of the codecs.
"""

import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NamedTuple

from web.build.archives import read_zip
from web.build.common import PRODUCTS, RECIPES, SITE_PACKAGES, once, write_atomically
from web.build.fetch import Asset
from web.build.prune import pruned

STARTING = ("numpy/_core/_multiarray_umath.*.so", "imagecodecs/_shared.*.so")
SEPARATE = (*STARTING, "imagecodecs/*.so", "numpy/linalg/_umath_linalg.*.so")
# Moved behind a module of the same name in patches/, which imports the library when it is used.
MOVED = {"numpy/linalg/_umath_linalg": "numpy/linalg/_library/_umath_linalg"}


class Library(NamedTuple):
    """A shared library in dist/pyodide/."""

    module: str
    path: str
    is_starting: bool
    source: Path

    @property
    def file(self) -> str:
        """Name of the file; every server knows the media type of its ending."""
        return f"{self.module}.wasm"


def separate_libraries(assets: Iterable[Asset]) -> list[Library]:
    """Return the shared libraries shipped beside the wheels."""
    wheels = [asset for asset in assets if asset.file.endswith(".whl")]
    return [library for asset in wheels for library in libraries_of(asset)]


def libraries_of(asset: Asset) -> list[Library]:
    """Return the shared libraries of one wheel."""
    folder = PRODUCTS / "libraries" / asset.name
    recipes = [RECIPES / name for name in ("archives.py", "libraries.py", "prune.py")]
    once(folder, [asset.sha256, *recipes], partial(lay_out, asset, folder))
    return [row(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*.so"))]


def lay_out(asset: Asset, folder: Path) -> None:
    """Write the libraries of a wheel into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in pruned(asset.name, read_zip(asset.path)).items():
        if is_separate(path):
            write_atomically(folder / path, content)


def row(source: Path, path: str) -> Library:
    """Describe a library by its path in its wheel."""
    place, _, ending = path.partition(".")
    place = MOVED.get(place, place)
    full = f"{SITE_PACKAGES}{place}.{ending}"
    return Library(place.replace("/", "."), full, is_any(path, STARTING), source)


def is_separate(path: str) -> bool:
    """Return whether a file of a wheel is a shared library shipped beside the wheels."""
    return is_any(path, SEPARATE)


def is_any(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of the patterns."""
    return any(fnmatch(path, pattern) for pattern in patterns)
