"""
Build dist/: make each product whose inputs changed, then update the folder.

dist/docs/ stays as `web.build.docs` made it. ``--for-trial`` skips steps that take long and only
make downloads smaller.
"""

import argparse
import fcntl
from pathlib import Path

from web.build.bundle import scripts, vendor
from web.build.common import DIST, PRODUCTS, WORK, BuildError, synchronise, write_atomically
from web.build.compressed import compressed
from web.build.demo import demo
from web.build.docs import documentation
from web.build.environments import node_modules
from web.build.fetch import Asset, fetch_all
from web.build.runtime import SNAPSHOT, Layout, boot_list, pyodide_files
from web.build.sbom import bill_of_materials
from web.build.wheels import pyloader_version
from web.samples.samples import samples


def layout(*, for_trial: bool) -> Layout:
    """Make every product; return the files by their path in dist/."""
    assets = fetch_all()
    node_modules()
    pyodide = pyodide_files(assets)
    files = {
        **scripts(pyodide, boot_list(pyodide), pyloader_version()),
        **under("demo", demo()),
        **under("demo/vendor", vendor()),
        **under("samples", samples(assets["pydicom"])),
        **under("pyodide", pyodide),
        "LICENSES.txt": licenses(list(assets.values())),
        "sbom.cdx.json": bill_of_materials(assets.values(), pyloader_version()),
    }
    files |= compressed(files, SNAPSHOT, for_trial=for_trial)
    return files | under("docs", documentation())


def under(folder: str, files: Layout) -> Layout:
    """Return the layout moved into a folder."""
    return {f"{folder}/{name}": path for name, path in files.items()}


def licenses(assets: list[Asset]) -> Path:
    """Return the list of third-party software in dist/, with licences."""
    rows = [
        f"{asset.name} {asset.version}, {asset.license}\n  from {asset.file}\n"
        f"  SHA-256 {asset.sha256}\n"
        for asset in assets
    ]
    text = (
        "pyloader is under the MIT licence. dist/ also holds, pruned and compiled to bytecode\n"
        "(each wheel in pyodide/ carries its own licence texts):\n\n" + "\n".join(rows) + "\n"
        "demo/vendor: cornerstone-core, @cornerstonejs/core and @cornerstonejs/tools, MIT\n"
        "docs, if it is there: Material for MkDocs, with lunr, and iframe-worker, MIT\n"
        "samples: see samples/samples.json\n"
    )
    target = PRODUCTS / "LICENSES.txt"
    write_atomically(target, text.encode())
    return target


def main() -> None:
    """Build, one build at a time in this checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for-trial", action="store_true")
    for_trial = parser.parse_args().for_trial
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            synchronise(layout(for_trial=for_trial), DIST)
        except BuildError as error:
            raise SystemExit(f"build: {error}") from error


if __name__ == "__main__":
    main()
