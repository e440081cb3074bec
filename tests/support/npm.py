"""pyloader's npm package, and the commands that install and build with it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


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


def pack(folder: Path) -> Path:
    """Make npm's package of dist/ in a folder; return the tarball."""
    run(sys.executable, "-m", "web.build.pack", "--npm-only", folder, cwd=ROOT)
    [tarball] = folder.glob("*.tgz")
    return tarball
