"""
Compressed forms beside the files that a page starts with, for servers that can choose them.

``.br`` and ``.gz`` hold the file itself (nginx: ``brotli_static``, ``gzip_static``). The snapshot
is packed already, since most servers would send it as it is; its ``.br`` holds it unpacked, which
is smaller, and the worker takes either.
"""

import gzip
from functools import partial
from pathlib import Path

from common import PRODUCTS, RECIPES, once, run, write_atomically

FOLDER = PRODUCTS / "compressed"
SUFFIXES = {".js", ".mjs", ".wasm"}


def compressed(files: dict[str, Path], unpacked_snapshot: Path) -> dict[str, Path]:
    """Return the compressed forms of files, by their path in dist/."""
    chosen = {
        name: path
        for name, path in files.items()
        if Path(name).suffix in SUFFIXES and not name.startswith("demo/")
    }
    made = {f"{name}.gz": in_gzip(name, path) for name, path in chosen.items()}
    chosen["pyodide/snapshot.bin"] = unpacked_snapshot
    return made | {f"{name}.br": in_brotli(name, path) for name, path in chosen.items()}


def in_gzip(name: str, source: Path) -> Path:
    """Return the gzip of a file."""
    target = FOLDER / f"{name}.gz"

    def make() -> None:
        write_atomically(target, gzip.compress(source.read_bytes(), 9, mtime=0))

    once(target, [source], make)
    return target


def in_brotli(name: str, source: Path) -> Path:
    """Return the brotli of a file."""
    target = FOLDER / f"{name}.br"
    recipe = RECIPES / "compress.mjs"
    once(target, [source, recipe], partial(run, ["node", recipe, source, target]))
    return target
