"""The npm package, and what the apps of this folder are built with: installed once, and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.npm import alone, pack, run
from web.build.common import download_cache

HERE = Path(__file__).parent
APPS = HERE / "apps"


@pytest.fixture(scope="session")
def installed() -> Path:
    """Return the node_modules of the apps, as their lock has them, from the download cache."""
    lock = (APPS / "package-lock.json").read_bytes()
    folder = download_cache() / "apps" / hashlib.sha256(lock).hexdigest()[:16]
    with alone(folder):
        if not (folder / "done").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(APPS / name, folder / name)
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps")
            run("npm", "ci", *options, cwd=folder)
            (folder / "done").touch()
    return folder / "node_modules"


@pytest.fixture(scope="session")
def workshop(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the apps, and with node_modules in which pyloader's tarball is."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(APPS, folder, dirs_exist_ok=True)
    link = subprocess.run(["cp", "-al", installed, folder / "node_modules"], check=False)
    if link.returncode:  # the cache is on another file system
        shutil.copytree(installed, folder / "node_modules", symlinks=True, dirs_exist_ok=True)
    tarball = pack(folder / "packed")
    target = folder / "node_modules/pyloader"
    target.mkdir()
    run("tar", "xzf", tarball, "--strip-components=1", "-C", target, cwd=folder)
    return folder
