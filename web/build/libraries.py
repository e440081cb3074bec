"""
The shared libraries that stand beside the wheels, so that a browser compiles each as it comes.

Those of `import numpy` and what all codecs share, which every page needs, are in place before
Python starts; of the codecs an image needs one.
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
# Behind a module of the same name, which is in patches/.
MOVED = {"numpy/linalg/_umath_linalg": "numpy/linalg/_library/_umath_linalg"}


class Library(NamedTuple):
    """A shared library as it stands in dist/pyodide/."""

    module: str
    path: str
    is_starting: bool
    source: Path

    @property
    def file(self) -> str:
        """Name of the file; the ending tells any server its media type."""
        return f"{self.module}.wasm"


def separate_libraries(assets: Iterable[Asset]) -> list[Library]:
    """Return the shared libraries of the wheels that stand beside them."""
    return [library for asset in assets if asset.file.endswith(".whl") for library in of(asset)]


def of(asset: Asset) -> list[Library]:
    """Return those of one wheel."""
    folder = PRODUCTS / "libraries" / asset.name
    recipes = [RECIPES / name for name in ("archives.py", "libraries.py", "prune.py")]
    once(folder, [asset.sha256, *recipes], partial(lay_out, asset, folder))
    return [row(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*.so"))]


def lay_out(asset: Asset, folder: Path) -> None:
    """Make the folder of the libraries of a wheel."""
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
    """Tell whether a file of a wheel is a shared library that stands beside the wheels."""
    return is_any(path, SEPARATE)


def is_any(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path matches one of the patterns."""
    return any(fnmatch(path, pattern) for pattern in patterns)
