"""dist/pyodide: Pyodide's own files, the packages, and the lock that lists exactly these."""

import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from common import PRODUCTS, RECIPES, WORK, once, run, say, sha256, write_atomically
from fetch import Asset
from wheels import pyloader_version, pyloader_wheel, standard_library, third_party_wheel

Layout = dict[str, Path]
SCRIPTS = ("pyodide.mjs", "pyodide.asm.js")


class Wheel(NamedTuple):
    """A package as it stands in dist/pyodide/."""

    name: str
    version: str
    path: Path
    depends: list[str]
    imports: Sequence[str] = ()


def pyodide_files(assets: dict[str, Asset]) -> Layout:
    """Return what stands in dist/pyodide/ by name."""
    pyodide = unpacked(assets["pyodide"])
    core = {name: script(pyodide / name) for name in SCRIPTS}
    core["pyodide.asm.wasm"] = pyodide / "pyodide.asm.wasm"
    core["python_stdlib.zip"] = standard_library(pyodide)
    wheels = third_party_wheels(assets.values(), pyodide)
    verify(core | listed("third-party", pyodide, wheels))
    own = Wheel("pyloader", pyloader_version(), pyloader_wheel(pyodide), ["numpy", "pydicom"])
    return core | listed("all", pyodide, [*wheels, own])


def third_party_wheels(assets: Iterable[Asset], pyodide: Path) -> list[Wheel]:
    """Make the packages of others, side by side: compiling is most of a first build's time."""

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
    """Return npm's members, moved from its `package/` to a folder of our name."""
    members = archive.getmembers()
    for member in members:
        member.name = f"{name}/{member.name.removeprefix('package/')}"
    return members


def script(source: Path) -> Path:
    """Return a script without the line that makes developer tools ask for its source map."""
    target = PRODUCTS / "core" / source.name
    content = re.sub(rb"//# sourceMappingURL=\S+\s*", b"", source.read_bytes())
    once(target, [source, Path(__file__)], partial(write_atomically, target, content))
    return target


def listed(name: str, pyodide: Path, wheels: Sequence[Wheel]) -> Layout:
    """Return the wheels together with a pyodide-lock.json that lists them and nothing else."""
    info = json.loads((pyodide / "pyodide-lock.json").read_text())["info"]
    ordered = sorted(wheels, key=attrgetter("name"))
    packages = {wheel.name: lock_entry(wheel) for wheel in ordered}
    lock = PRODUCTS / "locks" / f"{name}.json"
    write_atomically(
        lock, (json.dumps({"info": info, "packages": packages}, indent=2) + "\n").encode()
    )
    return {"pyodide-lock.json": lock, **{wheel.path.name: wheel.path for wheel in wheels}}


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


def verify(files: Layout) -> None:
    """Boot these files under node and use the packages, unless these very files passed before."""
    folder = WORK / "verify"

    def make() -> None:
        say("checking that the packages work in Pyodide")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, path in files.items():
            (folder / name).symlink_to(path)
        run(["node", RECIPES / "verify.mjs", folder])

    once(folder, [*files.values(), RECIPES / "verify.mjs"], make)
