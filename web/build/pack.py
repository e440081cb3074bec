"""
Make the packages that users install: npm's, and the wheel and the sdist of Python.

The same dist/ and sources give the same bytes.
"""

import json
import shutil
from pathlib import Path

from common import DIST, PRODUCTS, RECIPES, ROOT, WORK, BuildError, run, say
from metadata import readable, repository_of
from wheels import pyloader_version

PACKAGES = WORK / "packages"
NPM = PRODUCTS / "npm"
RECIPE = RECIPES / "npm"
# Of dist/; what servers choose from and what the demo shows is not for apps.
SCRIPTS = ("pyloader.js", "pyloader.mjs", "worker.mjs", "whole-worker.mjs")
OTHERS = ("pyloader.d.ts", "pyloader.d.mts", "integrity.json", "LICENSES.txt")
PACKED = {".br", ".gz"}


def distributions(folder: Path) -> None:
    """Build the wheel and the sdist into a folder."""
    python = WORK / "venv/bin/python"
    run([python, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", folder])


def npm_package(folder: Path) -> None:
    """Build npm's package from dist/ into a folder."""
    shutil.rmtree(NPM, ignore_errors=True)
    (NPM / "pyodide").mkdir(parents=True)
    found = [path for path in (DIST / "pyodide").iterdir() if path.suffix not in PACKED]
    for path in [*(DIST / name for name in (*SCRIPTS, *OTHERS)), *found]:
        shutil.copyfile(path, NPM / path.relative_to(DIST))
    for path in RECIPE.glob("*.mjs"):
        shutil.copyfile(path, NPM / path.name)
    (NPM / "command.mjs").chmod(0o755)
    shutil.copyfile(ROOT / "LICENSE", NPM / "LICENSE")
    repository = repository_of(ROOT)
    (NPM / "README.md").write_text(readable((ROOT / "README.md").read_text(), repository))
    content = json.loads((RECIPE / "package.json").read_text()) | {"version": pyloader_version()}
    content |= {"repository": {"type": "git", "url": f"git+{repository}.git"}} if repository else {}
    (NPM / "package.json").write_text(json.dumps(content, indent=2) + "\n")
    run(["npm", "pack", "--ignore-scripts", "--pack-destination", folder], cwd=NPM)


def main() -> None:
    """Make all packages anew, and print where they are."""
    shutil.rmtree(PACKAGES, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    try:
        npm_package(PACKAGES)
        distributions(PACKAGES)
    except BuildError as error:
        raise SystemExit(f"build: {error}") from error
    for path in sorted(PACKAGES.iterdir()):
        say(f"{path.relative_to(ROOT)}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
