"""The npm package, and what the apps of this folder are built with: installed once, and kept."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from web.build.common import download_cache

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
APPS = HERE / "apps"


def run(
    *command: object, cwd: Path, environment: dict[str, str] | None = None, timeout: float = 600
) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=timeout,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told[-8000:]
    return told


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes from doing the same meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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


def pack(folder: Path) -> Path:
    """Make npm's package of dist/ in a folder; return the tarball."""
    run(sys.executable, "-m", "web.build.pack", "--npm-only", folder, cwd=ROOT)
    [tarball] = folder.glob("*.tgz")
    return tarball
