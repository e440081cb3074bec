"""The command `./build.sh release`, in a repository of its own."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.npm import ROOT
from web.build import release
from web.build.common import BuildError

CHANGELOG = "web/docs/changelog.md"
VERSIONED = "pyloader/__init__.py"
NEEDED = ("web/__init__.py", "web/build", "pyproject.toml", "LICENSE", VERSIONED, CHANGELOG)
# Notes what the check finds, and fails.
CHECK = f"#!/bin/sh\ncp {CHANGELOG} {VERSIONED} .git/\nexit 3\n"
TEXT = """# Changelog

## Unreleased

### Fixed

- A fault.

## 1.2.9 - 2026-01-02

- Older.
"""
Release = Callable[[str], str]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody."""
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    command = ("git", *who, *arguments)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository at version 1.2.9 with the build's recipes, whose check fails."""
    for name in NEEDED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    (tmp_path / CHANGELOG).write_text(TEXT)
    versioned = tmp_path / VERSIONED
    versioned.write_text(release.released_source(versioned.read_text(), "1.2.9"))
    (tmp_path / "build.sh").write_text(CHECK)
    (tmp_path / "build.sh").chmod(0o755)
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    """Commit all files."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")


@pytest.fixture
def refused(repository: Path) -> Release:
    """Return a function that prepares a release, which fails; it returns the message."""

    def refused(version: str) -> str:
        command = (sys.executable, "-m", "web.build.release", version)
        done = subprocess.run(
            command, cwd=repository, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout == "" or done.stdout.startswith("build: checking")
        return done.stderr

    return refused


@pytest.mark.parametrize(
    "version",
    ["1.3", "v1.3.0", "1.3.0-rc.1", "1.3.0rc1", "01.3.0", "1.3.0.0", "1.3.x", " 1.3.0", ""],
)
def test_text_that_is_no_version(refused: Release, version: str) -> None:
    assert f"the version {version!r} is not three whole numbers" in refused(version)


@pytest.mark.parametrize("version", ["1.2.9", "1.2.8", "1.1.10", "0.9.99"])
def test_version_that_is_not_above_the_last(refused: Release, version: str) -> None:
    assert f"the version {version} is not above 1.2.9, the last one" in refused(version)


@pytest.mark.parametrize("version", ["1.2.10", "1.10.0", "2.0.0"])
def test_numbers_are_compared_as_numbers(version: str) -> None:
    release.require_later(version, "1.2.9")


def test_file_that_is_not_committed(refused: Release, repository: Path) -> None:
    (repository / "new.txt").touch()
    assert "the tree differs from its last commit" in refused("1.3.0")
    (repository / "new.txt").unlink()
    (repository / "LICENSE").write_text("changed")
    assert " M LICENSE" in refused("1.3.0")


def test_folder_without_git(refused: Release, repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    assert "`git status` failed" in refused("1.3.0")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- A fault.\n", "", "has no changes below 'Unreleased'"),
        ("## Unreleased", "## Soon", "has no line '## Unreleased'"),
    ],
)
def test_changelog_without_changes(
    refused: Release, repository: Path, old: str, new: str, words: str
) -> None:
    (repository / CHANGELOG).write_text(TEXT.replace(old, new))
    commit(repository)
    assert words in refused("1.3.0")


def test_failed_check_leaves_all_files_as_before(refused: Release, repository: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    assert "build.sh check ...` ended with status 3" in refused("1.3.0")
    assert f"\n## 1.3.0 - {today}\n" in (repository / ".git/changelog.md").read_text()
    assert '__version__ = "1.3.0"' in (repository / ".git/__init__.py").read_text()
    assert git(repository, "status", "--porcelain") == ""


def test_changes_come_below_the_version() -> None:
    text = release.released_changelog(TEXT, "1.3.0", "2026-11-30")
    expected = "# Changelog\n\n## Unreleased\n\n## 1.3.0 - 2026-11-30\n\n### Fixed\n\n- A fault.\n"
    assert text == expected + TEXT.partition("- A fault.\n")[2]
    with pytest.raises(BuildError, match="no changes below"):
        release.released_changelog(text, "1.4.0", "2026-12-01")


def test_version_stands_in_one_place_of_the_source() -> None:
    text = (ROOT / VERSIONED).read_text()
    changed = release.released_source(text, "7.8.9").splitlines()
    lines = [new for old, new in zip(text.splitlines(), changed, strict=True) if old != new]
    assert lines == ['__version__ = "7.8.9"']


def test_last_version_of_the_changelog_is_that_of_the_source() -> None:
    [first, *_] = re.findall(r"^## (\d\S*)", (ROOT / CHANGELOG).read_text(), re.MULTILINE)
    assert first == release.pyloader_version()


def write_packages(folder: Path, inside: str) -> None:
    """Write small packages of version 1.3.0 whose metadata say another one."""
    headers = f"Metadata-Version: 2.1\nName: pyloader-dicom\nVersion: {inside}\n".encode()
    with ZipFile(folder / "pyloader_dicom-1.3.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"pyloader_dicom-{inside}.dist-info/METADATA", headers)
    files = {
        "pyloader_dicom-1.3.0.tar.gz": ("pyloader_dicom-1.3.0/PKG-INFO", headers),
        "pyloader-1.3.0.tgz": ("package/package.json", json.dumps({"version": inside}).encode()),
    }
    for name, (path, content) in files.items():
        with tarfile.open(folder / name, "w:gz") as archive:
            row = tarfile.TarInfo(path)
            row.size = len(content)
            archive.addfile(row, io.BytesIO(content))


def test_packages_of_another_version_are_refused(tmp_path: Path) -> None:
    write_packages(tmp_path, "1.3.0")
    release.require_versions(tmp_path, "1.3.0")
    with pytest.raises(BuildError, match=r"expected .*pyloader-1\.4\.0\.tgz"):
        release.require_versions(tmp_path, "1.4.0")
    write_packages(tmp_path, "1.2.9")
    with pytest.raises(BuildError, match=r"'pyloader-1\.3\.0\.tgz': '1\.2\.9'"):
        release.require_versions(tmp_path, "1.3.0")
    write_packages(tmp_path, "1.3.0")
    (tmp_path / "pyloader-1.3.0.tgz").unlink()
    with pytest.raises(BuildError, match="the packages are"):
        release.require_versions(tmp_path, "1.3.0")
