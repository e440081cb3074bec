"""Patches of packages: each fits the pinned file; one that does not fit names its file."""

from __future__ import annotations

import pytest

from web.build.archives import read_zip
from web.build.common import BuildError
from web.build.fetch import manifest
from web.build.patches import FOLDER, LIST, patched, patches_of

TIMES = ("before", "after")
SCRIPT = b'a();import("ws");b();'
SCRIPTS = {"pyodide/pyodide.asm.js": SCRIPT, "pyodide/pyodide.mjs": SCRIPT}


@pytest.mark.parametrize("package", ["numpy", "pydicom"])
def test_package_gets_the_files_of_the_folder(package: str) -> None:
    files = read_zip(manifest()[package].path)
    made = patched(package, files)
    for path in (FOLDER / package).rglob("*"):
        if path.is_file():
            assert made[str(path.relative_to(FOLDER))] == path.read_bytes()
    changed = {path for path in made if made[path] != files.get(path)}
    rows = patches_of(package)
    assert changed == {row.file for row in rows} | {row.moved for row in rows if row.moved}
    assert files.keys() <= made.keys()


def test_every_file_of_the_folder_is_listed() -> None:
    rows = [row for package in ("numpy", "pydicom", "pyodide") for row in patches_of(package)]
    listed = {row.file for row in rows if not row.passage}
    listed |= {f"{row.passage}.{time}.js" for row in rows if row.passage for time in TIMES}
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert listed | {LIST.name} == found


def test_passage_is_replaced() -> None:
    patched_script = b"a();Promise.resolve({});b();"
    assert patched("pyodide", SCRIPTS) == dict.fromkeys(SCRIPTS, patched_script)


@pytest.mark.parametrize(
    ("script", "count"), [(b"a();b();", "0 times"), (SCRIPT + SCRIPT, "2 times")]
)
def test_passage_that_is_not_there_once(script: bytes, count: str) -> None:
    with pytest.raises(BuildError, match=rf"patch of pyodide/pyodide\.mjs does not fit.*{count}"):
        patched("pyodide", SCRIPTS | {"pyodide/pyodide.mjs": script})


def pydicom() -> dict[str, bytes]:
    """Return the files of pydicom's wheel."""
    return read_zip(manifest()["pydicom"].path)


def test_another_text_than_expected() -> None:
    files = pydicom() | {"pydicom/_version.py": b"__version__ = '4'\n"}
    with pytest.raises(BuildError, match=r"patch of pydicom/_version\.py does not fit: its SHA"):
        patched("pydicom", files)


def test_file_that_is_gone() -> None:
    files = pydicom()
    del files["pydicom/data/urls.json"]
    with pytest.raises(BuildError, match=r"patch of pydicom/data/urls\.json .* no such file"):
        patched("pydicom", files)


def test_new_file_that_is_there_already() -> None:
    files = read_zip(manifest()["numpy"].path) | {"numpy/linalg/_umath_linalg.py": b""}
    with pytest.raises(BuildError, match=r"patch of numpy/linalg/_umath_linalg\.py .* has a file"):
        patched("numpy", files)
