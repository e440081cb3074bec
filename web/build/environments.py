"""
Make the environments of the build and the tests, once per set of pinned versions.

`python3 -m web.build.environments` prepares both, and prints nothing if they exist already.
"""

import shutil
import sys
from pathlib import Path

from web.build.common import WEB, WORK, BuildError, inputs_digest, run, say, write_atomically

TEST_REQUIREMENTS = WEB.parent / "tests" / "requirements.txt"


def private_pip() -> list[str | Path]:
    """Return the command of a private pip: the system's python3 may have none."""
    return [virtual_environment(WORK / "pip") / "bin" / "python", "-m", "pip"]


def virtual_environment(folder: Path) -> Path:
    """Make an empty virtual environment unless it exists, and return its folder."""
    if not (folder / "bin" / "python").exists() or not (folder / "pyvenv.cfg").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run([sys.executable, "-m", "venv", folder])
        except BuildError as error:
            raise BuildError(
                f"could not make a virtual environment in {folder}; on Debian and Ubuntu, "
                f"install python3-venv first.\n{error}"
            ) from error
    return folder


def test_environment() -> Path:
    """Install the packages of tests and checks, and return the environment's folder."""
    folder = WORK / "venv"
    stamp = folder / ".installed"
    digest = inputs_digest([TEST_REQUIREMENTS, sys.version])
    if stamp.exists() and stamp.read_text() == digest:
        return folder
    say("installing the Python packages that tests and checks need")
    shutil.rmtree(folder, ignore_errors=True)
    python = virtual_environment(folder) / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", TEST_REQUIREMENTS])
    write_atomically(stamp, digest.encode())
    return folder


def node_modules() -> Path:
    """Install the locked npm packages, and return their folder."""
    folder = WEB / "node_modules"
    stamp = folder / ".installed"
    digest = inputs_digest([WEB / "package.json", WEB / "package-lock.json"])
    if stamp.exists() and stamp.read_text() == digest:
        return folder
    say("installing the npm packages that the build needs")
    run(["npm", "ci", "--ignore-scripts", "--loglevel=error"], cwd=WEB)
    write_atomically(stamp, digest.encode())
    return folder


def main() -> None:
    """Prepare both environments, or exit with the error."""
    try:
        node_modules()
        test_environment()
    except BuildError as error:
        raise SystemExit(f"build: {error}") from error


if __name__ == "__main__":
    main()
