"""
Prepare a release: set the version, date the changelog, build from clean, check and pack.

This publishes nothing. It prints the commands that do, and leaves the commit to the maintainer. If
a step fails, the version and the changelog are as before.
"""

import argparse
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

from web.build.common import (
    DIST,
    PRODUCTS,
    ROOT,
    WEB,
    WORK,
    BuildError,
    repository_address,
    run,
    say,
)
from web.build.pack import PACKAGES
from web.build.wheels import pyloader_version

VERSION_FILE = ROOT / "pyloader/__init__.py"
CHANGELOG = WEB / "docs/changelog.md"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
UNRELEASED = "## Unreleased\n"


def numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version."""
    match = VERSION.fullmatch(version)
    if not match:
        raise BuildError(
            f"the version {version!r} is not three whole numbers with points, such as 1.2.3: "
            "npm and Python's index both take that form alone"
        )
    return tuple(map(int, match.groups()))


def require_later(version: str, last: str) -> None:
    """Refuse a version that is not above the last one."""
    if numbers(version) <= numbers(last):
        raise BuildError(
            f"the version {version} is not above {last}, the last one: "
            "a version cannot be published twice, and users would not get a lower one"
        )


def require_clean_tree() -> None:
    """Refuse files that are changed or new since the last commit."""
    command = ["git", "status", "--porcelain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"`git status` failed, so nothing is known to be committed: {done.stderr}")
    if done.stdout:
        raise BuildError(
            "the tree differs from its last commit, and the packages would too: "
            f"commit these files first, or remove them:\n{done.stdout.rstrip()}"
        )


def released_changelog(text: str, version: str, day: str) -> str:
    """Return the changelog with its changes under the version, below an empty 'Unreleased'."""
    before, heading, below = text.partition(UNRELEASED)
    if not heading:
        raise BuildError(f"{CHANGELOG.name} has no line {UNRELEASED.strip()!r}: add it on top")
    changes = below.partition("\n## ")[0]
    if "\n- " not in changes:
        raise BuildError(
            f"{CHANGELOG.name} has no changes below 'Unreleased': a release needs at least one; "
            "write a line for each that users notice"
        )
    return f"{before}{heading}\n## {version} - {day}\n{below}"


def released_source(text: str, version: str) -> str:
    """Return pyloader/__init__.py with the version."""
    return re.sub(r'^__version__ = ".+"$', f'__version__ = "{version}"', text, flags=re.MULTILINE)


@contextmanager
def undone_on_failure(*paths: Path) -> Iterator[None]:
    """Restore files if a later step fails or is interrupted."""
    before = {path: path.read_text() for path in paths}
    try:
        yield
    except BaseException:
        for path, text in before.items():
            path.write_text(text)
        raise


def build_from_clean() -> None:
    """Check the sources, then make dist/ and the packages again; downloads are kept."""
    say("checking format, lint, types and spelling")
    run([ROOT / "build.sh", "check"])
    for folder in (DIST, PRODUCTS, WORK / "stamps", PACKAGES):
        shutil.rmtree(folder, ignore_errors=True)
    say("building dist/ from nothing, which takes minutes")
    run([ROOT / "build.sh"])
    say("building the documentation and the packages")
    run([ROOT / "build.sh", "docs"])
    python = WORK / "venv/bin/python"
    run([python, "-m", "web.build.pack"])
    run([python, "-m", "twine", "check", "--strict", *PACKAGES.glob("pyloader_dicom-*")])


def package_versions(folder: Path) -> dict[str, str]:
    """Return the version that each package in a folder carries inside, by file name."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".whl":
            with ZipFile(path) as wheel:
                [name] = (each for each in wheel.namelist() if each.endswith("dist-info/METADATA"))
                found[path.name] = str(BytesParser().parsebytes(wheel.read(name))["Version"])
        elif path.suffix == ".tgz":
            found[path.name] = json.loads(member(path, r"package/package\.json"))["version"]
        else:
            headers = BytesParser().parsebytes(member(path, r"[^/]+/PKG-INFO"))
            found[path.name] = str(headers["Version"])
    return found


def member(archive: Path, pattern: str) -> bytes:
    """Return the content of the one file of a tar archive whose path fits a pattern."""
    with tarfile.open(archive) as opened:
        [name] = (name for name in opened.getnames() if re.fullmatch(pattern, name))
        stream = opened.extractfile(name)
        if stream is None:
            raise BuildError(f"{name} of {archive} is not a file: pack again")
        return stream.read()


def require_versions(folder: Path, version: str) -> None:
    """Refuse packages that are not the three of this version, inside and by name."""
    expected = dict.fromkeys(
        (
            f"pyloader-{version}.tgz",
            f"pyloader_dicom-{version}-py3-none-any.whl",
            f"pyloader_dicom-{version}.tar.gz",
        ),
        version,
    )
    found = package_versions(folder)
    if found != expected:
        raise BuildError(f"the packages are {found}, expected {expected}: see {folder}")


def instructions(version: str) -> str:
    """Return what the maintainer does next, as text with commands."""
    digest = json.loads((DIST / "integrity.json").read_text())["pyloader.js"]
    packages = PACKAGES.relative_to(ROOT)
    note = "" if repository_address() else NO_ADDRESS
    return INSTRUCTIONS.format(version=version, packages=packages, digest=digest) + note


INSTRUCTIONS = """
Version {version} is built, checked and packed. Nothing is published yet. To publish it:

  git commit -am "Release {version}"
  git tag -a v{version} -m "pyloader {version}"
  git push --follow-tags
  npm publish {packages}/pyloader-{version}.tgz
  python -m twine upload {packages}/pyloader_dicom-{version}*

For a CDN, upload dist/ without demo/, docs/ and samples/ to a new folder, here {version}/.
Pages name it so:

  <script src="https://cdn.example/pyloader/{version}/pyloader.js"
    integrity="{digest}" crossorigin></script>

To take all back before the commit: git checkout pyloader/__init__.py web/docs/changelog.md
"""
NO_ADDRESS = """
The packages have no links: `repository` in pyproject.toml is empty. Set it first, if there is one.
"""


def release(version: str) -> None:
    """Prepare a version; raise BuildError, with all files as before, if it cannot be."""
    require_later(version, pyloader_version())
    require_clean_tree()
    day = datetime.now(UTC).date().isoformat()
    changelog = released_changelog(CHANGELOG.read_text(), version, day)
    with undone_on_failure(CHANGELOG, VERSION_FILE):
        CHANGELOG.write_text(changelog)
        VERSION_FILE.write_text(released_source(VERSION_FILE.read_text(), version))
        build_from_clean()
        require_versions(PACKAGES, version)
    print(instructions(version))


def main() -> None:
    """Prepare the version that the command names."""
    parser = argparse.ArgumentParser(prog="build.sh release", description=__doc__)
    parser.add_argument("version", metavar="X.Y.Z", help="the new version, above the last one")
    given = parser.parse_args()
    try:
        release(given.version)
    except BuildError as error:
        raise SystemExit(f"build: {error}") from error


if __name__ == "__main__":
    main()
