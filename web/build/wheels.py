"""
Make the Python archives of dist/pyodide: the standard library, pruned packages, pyloader itself.

Third-party code is shipped as bytecode only; pyloader keeps its sources for tracebacks.
"""

import re
import tempfile
from pathlib import Path

from web.build.archives import Files, read_zip, wheel_bytes, zip_bytes
from web.build.common import (
    CACHE_TAG,
    PRODUCTS,
    RECIPES,
    ROOT,
    SITE_PACKAGES,
    STDLIB,
    once,
    run,
    say,
    write_atomically,
)
from web.build.fetch import Asset
from web.build.libraries import is_separate
from web.build.patches import patched, recipes_of
from web.build.prune import pruned

# Name of the distribution; the package is `pyloader`.
NAME = "pyloader-dicom"
PACKAGES = PRODUCTS / "packages"
# Parts that pages do not need: the command line, and the tests for authors of loaders.
PLAIN_PYTHON_ONLY = {"__main__.py", "cli", "testing"}
WHEEL_RECIPES = [
    RECIPES / name
    for name in [
        "archives.py",
        "compile.mjs",
        "compile_zip.py",
        "libraries.py",
        "prune.py",
        "pyodide.mjs",
        "wheels.py",
    ]
]


def third_party_wheel(asset: Asset, pyodide: Path) -> Path:
    """Return the wheel of a package, pruned and compiled."""
    target = PACKAGES / asset.file

    def make() -> None:
        say(f"compiling {asset.name}")
        files = patched(asset.name, pruned(asset.name, read_zip(asset.path)))
        files = {path: content for path, content in files.items() if not is_separate(path)}
        write_atomically(target, wheel_bytes(sourceless(files, SITE_PACKAGES, pyodide)))

    once(target, [asset.sha256, pyodide.name, *WHEEL_RECIPES, *recipes_of(asset.name)], make)
    return target


def standard_library(pyodide: Path) -> Path:
    """Return Pyodide's python_stdlib.zip with bytecode in place of its sources."""
    target = PACKAGES / "python_stdlib.zip"

    def make() -> None:
        say("compiling the standard library")
        files = read_zip(pyodide / "python_stdlib.zip")
        write_atomically(target, zip_bytes(sourceless(files, STDLIB, pyodide)))

    once(target, [pyodide.name, *WHEEL_RECIPES], make)
    return target


def pyloader_wheel(pyodide: Path) -> Path:
    """Return the wheel of pyloader, for pages."""
    version = pyloader_version()
    target = PACKAGES / f"pyloader_dicom-{version}-py3-none-any.whl"
    paths = sorted(path for path in (ROOT / "pyloader").rglob("*") if is_packaged(path))
    names = {str(path.relative_to(ROOT)): path for path in paths}

    def make() -> None:
        files = {name: path.read_bytes() for name, path in names.items()}
        files |= beside_sources(compiled(files, SITE_PACKAGES, pyodide))
        write_atomically(target, wheel_bytes(files | wheel_metadata(version)))

    once(target, [version, pyodide.name, *names, *paths, *WHEEL_RECIPES], make)
    return target


def pyloader_version() -> str:
    """Read the version from pyloader/__init__.py."""
    text = (ROOT / "pyloader/__init__.py").read_text()
    [version] = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return str(version)


def is_packaged(path: Path) -> bool:
    """Return whether pages need a file of pyloader/."""
    parts = path.relative_to(ROOT / "pyloader").parts
    is_hidden = "__pycache__" in parts or path.name.startswith(".")
    return path.is_file() and not is_hidden and parts[0] not in PLAIN_PYTHON_ONLY


def wheel_metadata(version: str) -> Files:
    """Return the .dist-info files of pyloader's wheel."""
    folder = f"pyloader_dicom-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nGenerator: pyloader\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return {
        f"{folder}/METADATA": metadata.encode(),
        f"{folder}/WHEEL": wheel.encode(),
        f"{folder}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
    }


def sourceless(files: Files, root: str, pyodide: Path) -> Files:
    """Return the files with bytecode in place of the sources."""
    rest = {path: content for path, content in files.items() if not path.endswith(".py")}
    return rest | compiled(files, root, pyodide)


def beside_sources(bytecode: Files) -> Files:
    """Move `module.pyc` to the path where Python looks for the bytecode of an existing source."""
    moved = {}
    for path, content in bytecode.items():
        folder, name = path.rsplit("/", 1)
        moved[f"{folder}/__pycache__/{name.removesuffix('.pyc')}.{CACHE_TAG}.pyc"] = content
    return moved


def compiled(files: Files, root: str, pyodide: Path) -> Files:
    """Return the bytecode of the sources among the files, as `module.pyc`."""
    sources = {path: content for path, content in files.items() if path.endswith(".py")}
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "sources.zip"), Path(folder, "compiled.zip")
        given.write_bytes(zip_bytes(sources))
        run(["node", RECIPES / "compile.mjs", pyodide, given, made, root])
        return read_zip(made)
