"""
Make the packages that users install: npm's, and the wheel and the sdist of Python.

The same dist/ and sources give the same bytes.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from web.build.common import (
    DIST,
    RECIPES,
    ROOT,
    WEB,
    WORK,
    BuildError,
    repository_address,
    run,
    say,
)
from web.build.metadata import readable
from web.build.wheels import pyloader_version

PACKAGES = WORK / "packages"
RECIPE = RECIPES / "npm"
# Files of dist/ for apps: without compressed forms, the demo and its samples.
SCRIPTS = ("pyloader.js", "pyloader.mjs", "worker.mjs", "whole-worker.mjs", "ohif.mjs")
OTHERS = (
    "pyloader.d.ts",
    "pyloader.d.mts",
    "ohif.d.mts",
    "integrity.json",
    "LICENSES.txt",
    "sbom.cdx.json",
)
PACKED = {".br", ".gz"}
# Rows of the list of addresses in pyloader.mjs.
SCRIPT_ROW = re.compile(r'^ *"(?:worker\.mjs|pyodide/[^"]+js)": new URL\(.*\n', re.MULTILINE)
WHOLE_WORKER = 'new URL("./whole-worker.mjs", import.meta.url)'
DOCUMENTS = sorted(path for path in (WEB / "docs").rglob("*") if path.is_file())


def distributions(folder: Path) -> None:
    """Build the wheel and the sdist into a folder."""
    python = WORK / "venv/bin/python"
    run([python, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", folder])


def write_npm_files(folder: Path) -> None:
    """Write the files of npm's package, made from dist/."""
    found = [path for path in (DIST / "pyodide").iterdir() if path.suffix not in PACKED]
    for path in [*(DIST / name for name in (*SCRIPTS, *OTHERS)), *found]:
        copy(path, folder / path.relative_to(DIST))
    write_parcel_entry(folder)
    for path in RECIPE.iterdir():
        copy(path, folder / path.name)
    for path in DOCUMENTS:
        copy(path, folder / path.relative_to(WEB))
    copy(WEB / "guide.md", folder / "docs" / "guide.md")
    (folder / "command.mjs").chmod(0o755)
    copy(ROOT / "LICENSE", folder / "LICENSE")
    repository = repository_address()
    (folder / "README.md").write_text(readable((ROOT / "README.md").read_text(), repository))
    content = json.loads((RECIPE / "package.json").read_text()) | {"version": pyloader_version()}
    content |= {"repository": {"type": "git", "url": f"git+{repository}.git"}} if repository else {}
    (folder / "package.json").write_text(json.dumps(content, indent=2) + "\n")
    write_subpaths(folder, content["exports"])


def write_parcel_entry(folder: Path) -> None:
    """Write pyloader.mjs for Parcel, which ignores `exports` and would bundle the scripts again.

    The worker is data there; the page makes a script of it.
    """
    script, rows = SCRIPT_ROW.subn("", (DIST / "pyloader.mjs").read_text())
    if rows != 3 or script.count(WHOLE_WORKER) != 1:
        raise BuildError("pyloader.mjs does not list its files in the form that pack.py expects")
    data = WHOLE_WORKER.replace("mjs", "bin")
    (folder / "parcel.mjs").write_text(script.replace(WHOLE_WORKER, data))
    copy(DIST / "whole-worker.mjs", folder / "whole-worker.bin")


def copy(source: Path, target: Path) -> None:
    """Copy a file, and create its folder if needed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_subpaths(folder: Path, exports: dict[str, dict[str, str] | str]) -> None:
    """Write a folder for each subpath, for tools that ignore `exports`."""
    for name, entry in exports.items():
        if isinstance(entry, str) or name == ".":
            continue
        content = {"main": f"../{entry['default']}", "types": f"../{entry['types']}"}
        (folder / name).mkdir()
        (folder / name / "package.json").write_text(json.dumps(content, indent=2) + "\n")


def npm_package(folder: Path) -> None:
    """Build npm's package from dist/ into a folder."""
    with TemporaryDirectory() as made:
        write_npm_files(Path(made))
        run(["npm", "pack", "--ignore-scripts", "--pack-destination", folder], cwd=Path(made))


def main() -> None:
    """Make the packages again, and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PACKAGES)
    parser.add_argument("--npm-only", action="store_true")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    try:
        npm_package(given.folder)
        if not given.npm_only:
            distributions(given.folder)
    except BuildError as error:
        raise SystemExit(f"build: {error}") from error
    for path in sorted(given.folder.iterdir()):
        say(f"{path}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
