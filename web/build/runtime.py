"""Make dist/pyodide: Pyodide's own files, the packages, and the lock that lists exactly these."""

import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from web.build.archives import read_zip
from web.build.common import (
    PRODUCTS,
    PYTHON,
    RECIPES,
    WEB,
    WORK,
    BuildError,
    once,
    run,
    say,
    sha256,
    write_atomically,
)
from web.build.compressed import in_gzip
from web.build.fetch import Asset
from web.build.libraries import Library, separate_libraries
from web.build.patches import patched, recipes_of
from web.build.wheels import (
    NAME,
    pyloader_version,
    pyloader_wheel,
    standard_library,
    third_party_wheel,
)

Layout = dict[str, Path]
STANDARD_LIBRARY = "python_stdlib.zip"
SNAPSHOT = PRODUCTS / "snapshot"
SNAPSHOT_SOURCES = ("pyodide.js", "snapshot.js", "snapshot_codec.js", "snapshot_codec.wat")
PYODIDE = "pyodide"
# Pyodide's scripts, in an order that works in a single script.
INTERPRETER = ("pyodide.asm.js", "pyodide.mjs")
# Packages imported before the first image: a start without a snapshot unpacks their wheels.
STARTING = ("numpy", "pydicom", "imagecodecs", NAME)


class Wheel(NamedTuple):
    """A package in dist/pyodide/."""

    name: str
    version: str
    path: Path
    depends: list[str]
    imports: Sequence[str] = ()


def pyodide_files(assets: dict[str, Asset]) -> Layout:
    """Return the files of dist/pyodide/ by name."""
    pyodide = unpacked(assets[PYODIDE])
    core = interpreter(pyodide)
    core["pyodide.asm.wasm"] = pyodide / "pyodide.asm.wasm"
    core[STANDARD_LIBRARY] = standard_library(pyodide)
    libraries = separate_libraries(assets.values())
    core |= {library.file: library.source for library in libraries}
    wheels = third_party_wheels(assets.values(), pyodide)
    verify(listed("third-party", pyodide, core, libraries, wheels))
    depends, imports = ["numpy", "pydicom"], ["pyloader"]
    own = Wheel(NAME, pyloader_version(), pyloader_wheel(pyodide), depends, imports)
    files = listed("all", pyodide, core, libraries, [*wheels, own])
    return files | {"snapshot.bin": in_gzip("snapshot.bin", snapshot(files))}


def third_party_wheels(assets: Iterable[Asset], pyodide: Path) -> list[Wheel]:
    """Make the third-party packages in parallel: compiling is most of a first build's time."""

    def make(asset: Asset) -> Wheel:
        path = third_party_wheel(asset, pyodide)
        return Wheel(asset.name, asset.version, path, asset.depends, asset.imports)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(make, (asset for asset in assets if asset.file.endswith(".whl"))))


def unpacked(asset: Asset) -> Path:
    """Return the folder with the files of the npm package `pyodide`."""
    folder = WORK / f"pyodide-{asset.version}"

    def make() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(asset.path) as archive:
            archive.extractall(folder.parent, members_under(folder.name, archive))

    once(folder, [asset.sha256], make)
    return folder


def members_under(name: str, archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """Return the members of npm's archive, moved from `package/` to a folder `name`."""
    members = archive.getmembers()
    for member in members:
        member.name = f"{name}/{member.name.removeprefix('package/')}"
    return members


def interpreter(pyodide: Path) -> Layout:
    """Return Pyodide's scripts for pages: patched, and without source maps."""
    folder = PRODUCTS / "core"
    sources = [pyodide / name for name in INTERPRETER]

    def make() -> None:
        files = {f"{PYODIDE}/{path.name}": path.read_bytes() for path in sources}
        for path, content in patched(PYODIDE, files).items():
            write_atomically(folder / Path(path).name, without_source_map(content))

    once(folder, [*sources, RECIPES / "runtime.py", *recipes_of(PYODIDE)], make)
    return {name: folder / name for name in INTERPRETER}


def without_source_map(script: bytes) -> bytes:
    """Return a script without the line that makes developer tools fetch its source map."""
    return re.sub(rb"//# sourceMappingURL=\S+\s*", b"", script)


def listed(
    name: str,
    pyodide: Path,
    core: Layout,
    libraries: Sequence[Library],
    wheels: Sequence[Wheel],
) -> Layout:
    """Return the files together with a pyodide-lock.json that lists these and nothing else."""
    info = json.loads((pyodide / "pyodide-lock.json").read_text())["info"]
    if not info["python"].startswith(f"{PYTHON}."):
        raise BuildError(f"Pyodide has Python {info['python']}, PYTHON in common.py is {PYTHON}")
    ordered = sorted(wheels, key=attrgetter("name"))
    content = {
        "info": info,
        "packages": {wheel.name: lock_entry(wheel) for wheel in ordered},
        "starting": [wheel.name for wheel in ordered if wheel.name in STARTING],
        "standard": top_level(core[STANDARD_LIBRARY]),
        "libraries": {library.module: library_entry(library) for library in libraries},
        "digests": {name: sha256(path) for name, path in core.items()},
    }
    lock = PRODUCTS / "locks" / f"{name}.json"
    write_atomically(lock, (json.dumps(content, indent=2) + "\n").encode())
    return core | {"pyodide-lock.json": lock} | {wheel.path.name: wheel.path for wheel in wheels}


def lock_entry(wheel: Wheel) -> dict[str, Any]:
    """Return a package's row of the lock."""
    return {
        "depends": wheel.depends,
        "file_name": wheel.path.name,
        "imports": wheel.imports or [wheel.name],
        "install_dir": "site",
        "name": wheel.name,
        "package_type": "package",
        "sha256": sha256(wheel.path),
        "unvendored_tests": False,
        "version": wheel.version,
    }


def top_level(archive: Path) -> list[str]:
    """Return the names of the top-level modules in an archive."""
    return sorted({path.split("/")[0].removesuffix(".pyc") for path in read_zip(archive)})


def library_entry(library: Library) -> dict[str, Any]:
    """Return a shared library's row of the lock."""
    return {"file_name": library.file, "path": library.path, "starting": library.is_starting}


def verify(files: Layout) -> None:
    """Boot these files under Node and use the packages, unless the same files passed before."""
    folder = WORK / "verify"

    def make() -> None:
        say("checking that the packages work in Pyodide")
        link(files, folder)
        run(["node", RECIPES / "verify.mjs", folder])

    once(folder, [*files.values(), RECIPES / "verify.mjs"], make)


def snapshot(files: Layout) -> Path:
    """Return the snapshot of an interpreter that has done all imports of a start."""
    folder = WORK / "snapshot"
    recipes = [RECIPES / "snapshot.mjs", RECIPES / "snapshot.py"]
    recipes += [WEB / "boot" / name for name in SNAPSHOT_SOURCES]

    def make() -> None:
        say("taking the snapshot of Python's memory")
        link(files, folder)
        run(["node", RECIPES / "snapshot.mjs", folder, SNAPSHOT, identity(files)])

    once(SNAPSHOT, [*files.values(), *recipes], make)
    return SNAPSHOT


def identity(files: Layout) -> str:
    """Return a digest of everything that the lock lists; a snapshot has to have the same."""
    return sha256(files["pyodide-lock.json"])


def boot_list(files: Layout) -> str:
    """Return the lock for the worker, in JSON: with the digests of all files."""
    lock = json.loads(files["pyodide-lock.json"].read_text())
    of_snapshot = {"unpacked": sha256(SNAPSHOT), "packed": sha256(files["snapshot.bin"])}
    return json.dumps({**lock, "identity": identity(files), "snapshot": of_snapshot})


def link(files: Layout, folder: Path) -> None:
    """Make a folder with links to these files."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(path)
