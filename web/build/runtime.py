"""dist/pyodide: Pyodide's own files, the packages, and the lock that lists exactly these."""

import json
import re
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from common import PRODUCTS, RECIPES, WORK, once, run, say, sha256, write_atomically
from fetch import Asset
from wheels import pyloader_version, pyloader_wheel, standard_library, third_party_wheel

Layout = dict[str, Path]
Wheels = dict[str, tuple[str, Path]]  # name: (version, file)

THIRD_PARTY = ("numpy", "pydicom", "imagecodecs")
DEPENDS = {"imagecodecs": ["numpy"], "pydicom": ["numpy"], "pyloader": ["numpy", "pydicom"]}
SCRIPTS = ("pyodide.mjs", "pyodide.asm.js")


def pyodide_files(assets: dict[str, Asset]) -> Layout:
    """Return what stands in dist/pyodide/ by name."""
    pyodide = unpacked(assets["pyodide"])
    core = {name: script(pyodide / name) for name in SCRIPTS}
    core["pyodide.asm.wasm"] = pyodide / "pyodide.asm.wasm"
    core["python_stdlib.zip"] = standard_library(pyodide)
    wheels = third_party_wheels([assets[name] for name in THIRD_PARTY], pyodide)
    verify(core | listed("third-party", pyodide, wheels))
    wheels["pyloader"] = (pyloader_version(), pyloader_wheel(pyodide))
    return core | listed("all", pyodide, wheels)


def third_party_wheels(assets: list[Asset], pyodide: Path) -> Wheels:
    """Make the packages of others, side by side: compiling is most of a first build's time."""
    with ThreadPoolExecutor() as pool:
        paths = list(pool.map(lambda asset: third_party_wheel(asset, pyodide), assets))
    return {asset.name: (asset.version, path) for asset, path in zip(assets, paths, strict=True)}


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


def listed(name: str, pyodide: Path, wheels: Wheels) -> Layout:
    """Return the wheels together with a pyodide-lock.json that lists them and nothing else."""
    info = json.loads((pyodide / "pyodide-lock.json").read_text())["info"]
    packages = {package: lock_entry(package, *wheel) for package, wheel in sorted(wheels.items())}
    lock = PRODUCTS / "locks" / f"{name}.json"
    write_atomically(
        lock, (json.dumps({"info": info, "packages": packages}, indent=2) + "\n").encode()
    )
    return {"pyodide-lock.json": lock, **{file.name: file for _, file in wheels.values()}}


def lock_entry(name: str, version: str, wheel: Path) -> dict[str, Any]:
    """Return a package's row of the lock."""
    return {
        "depends": DEPENDS.get(name, []),
        "file_name": wheel.name,
        "imports": [name],
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": sha256(wheel),
        "unvendored_tests": False,
        "version": version,
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
