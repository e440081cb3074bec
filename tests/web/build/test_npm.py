"""npm's package: what is in it, how it is found, and its command."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

import pyloader
from tests.support.npm import pack, run
from tests.support.pages import DIST

SUBPATHS = ("vite", "webpack", "esbuild")


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(tmp_path_factory.mktemp("npm") / "packed")


@pytest.fixture(scope="module")
def app(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package into an app, as its users do."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "package.json").write_text('{"name": "app", "private": true, "type": "module"}')
    run("npm", "install", "--offline", "--no-audit", "--no-fund", tarball, cwd=folder)
    return folder


def test_holds_what_an_app_needs_and_no_more(tarball: Path) -> None:
    assert tarball.name == f"pyloader-{pyloader.__version__}.tgz"
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    assert {
        "package.json",
        "pyloader.mjs",
        "pyloader.d.mts",
        "pyloader.js",
        "pyloader.d.ts",
        "worker.mjs",
        "ohif.mjs",
        "ohif.d.mts",
        "ohif/package.json",
    } <= names
    assert {
        "README.md",
        "LICENSE",
        "LICENSES.txt",
        "sbom.cdx.json",
        "integrity.json",
        "docs/apps.md",
        "docs/ohif.md",
    } <= names
    fetched = {
        path.name for path in (DIST / "pyodide").iterdir() if path.suffix not in {".br", ".gz"}
    }
    assert {f"pyodide/{name}" for name in fetched} <= names
    assert [name for name in names if re.search(r"\.(br|gz|map|py)$|^(demo|samples)/", name)] == []


def test_npm_would_publish_the_same(app: Path, tarball: Path) -> None:
    told = run(
        "npm", "pack", "--dry-run", "--json", "--loglevel=error", cwd=app / "node_modules/pyloader"
    )
    [row] = json.loads(told)
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    assert {each["path"] for each in row["files"]} == names
    assert (row["name"], row["version"]) == ("pyloader", pyloader.__version__)


def test_the_same_dist_gives_the_same_bytes(tarball: Path, tmp_path: Path) -> None:
    assert pack(tmp_path / "again").read_bytes() == tarball.read_bytes()


def evaluate(app: Path, code: str, kind: str = "module") -> object:
    """Return what a script in the app prints, as JSON."""
    return json.loads(run("node", f"--input-type={kind}", "--eval", code, cwd=app))


def test_import_is_harmless_in_node(app: Path) -> None:
    code = """
    import pyloader, { version, loadImage } from 'pyloader';
    const error = await loadImage('wadouri:https://host/a.dcm').catch((error) => error);
    console.log(JSON.stringify([version, pyloader.loadImage === loadImage, error.code]));
    """
    assert evaluate(app, code) == [pyloader.__version__, True, "boot"]


@pytest.mark.parametrize("name", SUBPATHS)
def test_plugins_are_found_in_either_kind_of_module(app: Path, name: str) -> None:
    by_import = f"import plugin from 'pyloader/{name}'; console.log(typeof plugin === 'function')"
    by_require = f"console.log(typeof require('pyloader/{name}') === 'function')"
    assert evaluate(app, by_import) is True
    assert evaluate(app, by_require, "commonjs") is True


@pytest.mark.parametrize("name", SUBPATHS)
def test_subpaths_are_files_too(app: Path, name: str) -> None:
    folder = app / "node_modules/pyloader" / name
    content = json.loads((folder / "package.json").read_text())
    assert {path: (folder / path).is_file() for path in content.values()} == dict.fromkeys(
        content.values(), True
    )


def test_every_export_is_there(app: Path) -> None:
    package = app / "node_modules/pyloader"
    content = json.loads((package / "package.json").read_text())
    exports = (entry for entry in content["exports"].values() if isinstance(entry, dict))
    paths = [path for entry in exports for path in entry.values()]
    paths += [content[name] for name in ("main", "module", "types", "unpkg", "jsdelivr")]
    paths += [*content["bin"].values(), *content["sideEffects"]]
    assert [path for path in paths if not (package / path).is_file()] == []


def test_command_copies_what_is_fetched_and_removes_what_an_older_one_left(app: Path) -> None:
    old = app / "public/pyloader/pyodide/older.whl"
    old.parent.mkdir(parents=True)
    old.touch()
    told = run("npx", "--no-install", "pyloader", "copy", "public/pyloader", cwd=app)
    folder = app / "public/pyloader"
    assert f"files are in {folder}" in told
    assert not old.exists()
    for name in ("worker.mjs", "whole-worker.mjs", "pyodide/pyodide.asm.wasm", "pyloader.js"):
        assert (folder / name).read_bytes() == (DIST / name).read_bytes()


@pytest.mark.parametrize("arguments", [(), ("copy",), ("copy", "a", "b"), ("nonsense",)])
def test_command_says_how_it_is_used(app: Path, arguments: tuple[str, ...]) -> None:
    program = app / "node_modules/pyloader/command.mjs"
    with pytest.raises(AssertionError, match="usage: pyloader copy FOLDER"):
        run("node", program, *arguments, cwd=app)
