"""Paths and small tools that every build step shares: digests, stamps, commands."""

import filecmp
import hashlib
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
RECIPES = WEB / "build"
DIST = ROOT / "dist"
WORK = ROOT / ".cache"
PRODUCTS = WORK / "products"
# Version of Python in Pyodide. Its lock file has it too; the scripts read it from there.
PYTHON = "3.13"
SITE_PACKAGES = f"/lib/python{PYTHON}/site-packages/"
STDLIB = f"/lib/python{PYTHON.replace('.', '')}.zip/"
CACHE_TAG = f"cpython-{PYTHON.replace('.', '')}"


class BuildError(Exception):
    """A build step failed; the message says what to do about it."""


def download_cache() -> Path:
    """Return the folder where downloads are kept between builds and checkouts."""
    chosen = os.environ.get("PYLOADER_CACHE")
    if chosen:
        return Path(chosen)
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared) / "pyloader"


def repository_address() -> str:
    """Return the address of the project, without a final slash; "" while it has none."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyloader"]
    return str(settings["repository"]).rstrip("/")


def say(message: str) -> None:
    """Print the slow step that begins."""
    print(f"build: {message}", flush=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run(command: Sequence[str | Path], *, cwd: Path = ROOT) -> None:
    """Run a command quietly; raise BuildError with the end of its output if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-3000:]
        name = " ".join(str(part) for part in command[:4])
        raise BuildError(f"`{name} ...` ended with status {done.returncode}:\n{words}")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees either the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def synchronise(files: Mapping[str, Path], folder: Path) -> None:
    """Make a folder contain exactly these files, by their path in it; write those that differ."""
    for name, source in files.items():
        target = folder / name
        if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
            write_atomically(target, source.read_bytes())
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            remove_if_empty(path)
        elif str(path.relative_to(folder)) not in files:
            path.unlink()


def remove_if_empty(folder: Path) -> None:
    """Remove a folder if it is empty."""
    if not any(folder.iterdir()):
        folder.rmdir()


def inputs_digest(inputs: Iterable[Path | str]) -> str:
    """Return one digest over the given strings and the names and contents of the files."""
    digest = hashlib.sha256()
    for item in inputs:
        words = f"{item.name} {sha256(item)}" if isinstance(item, Path) else item
        digest.update(words.encode() + b"\0")
    return digest.hexdigest()


def once(target: Path, inputs: Iterable[Path | str], make: Callable[[], None]) -> bool:
    """
    Call `make` unless `target` was already made from the same inputs.

    Returns
    -------
    bool
        True when `make` was called.
    """
    stamp = WORK / "stamps" / str(target.relative_to(ROOT)).replace("/", "_")
    digest = inputs_digest(inputs)
    if target.exists() and stamp.exists() and stamp.read_text() == digest:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    make()
    write_atomically(stamp, digest.encode())
    return True
