"""
Compressed forms of the files that a page starts with, for servers that can choose them.

``.br`` and ``.gz`` contain the file itself (nginx: ``brotli_static``, ``gzip_static``). The
snapshot is a gzip file already, since most servers would send it uncompressed. Its ``.br`` contains
it unpacked, which is smaller; the worker reads either.
"""

import gzip
from functools import partial
from pathlib import Path

from web.build.common import PRODUCTS, RECIPES, once, run, write_atomically

FOLDER = PRODUCTS / "compressed"
SUFFIXES = {".js", ".mjs", ".wasm"}
BEST, QUICK = 11, 5


def compressed(
    files: dict[str, Path], unpacked_snapshot: Path, *, for_trial: bool
) -> dict[str, Path]:
    """
    Return the compressed forms of files, by their path in dist/.

    Parameters
    ----------
    for_trial : bool
        True for demo and test builds: compress the snapshot, which changes with every change, in
        seconds instead of a minute and a half; it is a fifth larger.
    """
    chosen = {
        name: path
        for name, path in files.items()
        if Path(name).suffix in SUFFIXES and not name.startswith("demo/")
    }
    made = {f"{name}.gz": in_gzip(name, path) for name, path in chosen.items()}
    made |= {f"{name}.br": in_brotli(name, path, BEST) for name, path in chosen.items()}
    quality = QUICK if for_trial else BEST
    packed = in_brotli(f"{quality}/snapshot.bin", unpacked_snapshot, quality)
    return made | {"pyodide/snapshot.bin.br": packed}


def in_gzip(name: str, source: Path) -> Path:
    """Return the gzip of a file."""
    target = FOLDER / f"{name}.gz"

    def make() -> None:
        write_atomically(target, gzip.compress(source.read_bytes(), 9, mtime=0))

    once(target, [source], make)
    return target


def in_brotli(name: str, source: Path, quality: int) -> Path:
    """Return the brotli of a file."""
    target = FOLDER / f"{name}.br"
    recipe = RECIPES / "compress.mjs"
    command: list[str | Path] = ["node", recipe, source, target, str(quality)]
    once(target, [source, recipe, str(quality)], partial(run, command))
    return target
