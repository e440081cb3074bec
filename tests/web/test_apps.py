"""Small apps of each bundler, built from the packed package, show a CT in Chromium."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support import corpus
from tests.support.npm import run
from tests.support.pages import DIST
from tests.support.program import Program, free_ports
from tests.support.webserver import POLICY, WebServer

CT = "CT_small.dcm"
# Not by the driver's own wait, which a strict policy forbids.
UNTIL_SHOWN = """new Promise((resolve) => {
  const look = () => (globalThis.shown || globalThis.failed ? resolve(true) : setTimeout(look, 50));
  setTimeout(resolve, 45_000, false);
  look();
})"""
# Of an app that fails where its files are missing.
PLAIN = """
import pyloader from 'pyloader';
import { show } from './show.js';

const assetsURL = new URLSearchParams(location.search).get('assetsURL') ?? undefined;
pyloader.init({ assetsURL }).catch(() => {}); // the load fails as it did
show(pyloader, document.querySelector('canvas'));
"""
HTML = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>{title}</title></head>
  <body><h1>CT, by {title}</h1><canvas style="width: 384px"></canvas>{script}</body>
</html>
"""


@pytest.fixture(scope="module")
def host() -> Iterator[WebServer]:
    """Serve what apps put into `roots`, each below a folder of its own."""
    server = WebServer({})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def show(host: WebServer, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an app, and waits until it shows its CT."""
    contexts = []

    def show(url: str, name: str) -> Page:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(error.message))
        page.goto(url)
        assert page.evaluate(UNTIL_SHOWN), "\n".join(told)
        pictures = os.environ.get("PYLOADER_PICTURES")
        page.screenshot(path=Path(pictures or tmp_path) / f"{name}.png")
        return page

    yield show
    for context in contexts:
        context.close()


def assert_ct(page: Page) -> None:
    """Compare what the app has loaded with pydicom's pixels."""
    expected = corpus.reference(CT).pixels
    assert page.evaluate("globalThis.failed?.message") is None
    found = page.evaluate("[shown.rows, shown.columns, shown.sum]")
    assert found == [*expected.shape, int(expected.sum())]
    assert page.evaluate("shown.pyloader.stats().warnings") == []
    assert page.evaluate("shown.pyloader.stats().workers[0].boot.kind") == "snapshot"


def publish(host: WebServer, folder: Path, name: str, script: str = "") -> str:
    """Serve an app below a path of its own; return its address."""
    shutil.copy(corpus.path_of(CT), folder / CT)
    if script:
        (folder / "index.html").write_text(HTML.format(title=name, script=script))
    host.roots[f"/{name}/"] = folder
    return f"{host.url}/{name}/"


def digests_of(folder: Path) -> set[str]:
    """Return the digest of every file of a folder, and of the folders in it."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_unchanged(folder: Path, *unused: str) -> None:
    """Check that all that a page fetches at run time is there as the build made it."""
    there = digests_of(folder)
    fetched = [DIST / "whole-worker.mjs", *(DIST / "pyodide").iterdir()]
    missing = [
        path.name
        for path in fetched
        if path.suffix not in {".br", ".gz", ".json"}
        and path.name not in unused
        and hashlib.sha256(path.read_bytes()).hexdigest() not in there
    ]
    assert missing == []


def node(script: Path, *arguments: object) -> str:
    """Run a script of an app."""
    return run("node", script, *arguments, cwd=script.parent)


def test_vite_with_react_and_typescript(workshop: Path, host: WebServer, show) -> None:
    app = workshop / "vite"
    tool = workshop / "node_modules/.bin"
    run(tool / "tsc", "--project", app, cwd=app)
    told = run(tool / "vite", "build", cwd=app)
    assert "warning" not in told.lower(), told
    assert_unchanged(app / "dist")
    url = publish(host, app / "dist", "vite")
    assert_ct(show(url, "vite"))
    paths = (f"/vite/{path.relative_to(app / 'dist')}" for path in (app / "dist").rglob("*"))
    host.policies |= dict.fromkeys(["/vite/", *paths], POLICY)
    page = show(url, "vite-strict-policy")
    assert_ct(page)
    assert page.evaluate("fetch('data:,x').then(() => 'allowed', () => 'refused')") == "refused"


@pytest.mark.parametrize("version", ["vite", "vite-7"])
def test_vite_while_developing(workshop: Path, show, version: str) -> None:
    app = workshop / f"developing-{version}"
    shutil.copytree(workshop / "vite", app, ignore=shutil.ignore_patterns("dist"))
    (app / "public").mkdir()
    shutil.copy(corpus.path_of(CT), app / "public" / CT)
    program = workshop / "node_modules" / version / "bin/vite.js"
    settings = app / ("vite.config.mjs" if version == "vite" else "vite-7.config.mjs")
    [port] = free_ports(1)
    options = ["--config", settings, "--host", "127.0.0.1", "--strictPort", "--port", port]
    server = Program([*map(str, ["node", program, *options])], app, port)
    server.start()
    try:
        assert_ct(show(f"http://127.0.0.1:{port}/", f"developing-{version}"))
    finally:
        server.stop()


@pytest.mark.parametrize("bundler", ["webpack", "@rspack/core"])
@pytest.mark.parametrize("plugin", ["", "plugin"])
def test_webpack_and_rspack(
    workshop: Path, host: WebServer, show, bundler: str, plugin: str
) -> None:
    name = f"{bundler.strip('@').split('/')[0]}{plugin and '-with-plugin'}"
    out = workshop / "out" / name
    node(workshop / "webpack/build.mjs", bundler, out, plugin)
    if plugin:
        assert_unchanged(out)
    url = publish(host, out, name, '<script src="main.js"></script>')
    assert_ct(show(url, name))
    if plugin:
        elsewhere = f'<script src="{host.other_origin}/{name}/main.js"></script>'
        (out / "index.html").write_text(HTML.format(title=name, script=elsewhere))
        assert_ct(show(url, f"{name}-on-another-origin"))


def test_extension_of_ohif_in_a_bundle(workshop: Path, host: WebServer, show) -> None:
    out = workshop / "out/ohif"
    node(workshop / "webpack/build.mjs", "@rspack/core", out, "plugin", "ohif")
    assert_ct(show(publish(host, out, "ohif", '<script src="main.js"></script>'), "ohif"))


@pytest.mark.parametrize("format", ["esm", "iife"])
def test_esbuild(workshop: Path, host: WebServer, show, format: str) -> None:
    out = workshop / "out" / f"esbuild-{format}"
    node(workshop / "esbuild/build.mjs", out, format)
    assert_unchanged(out)
    kind = ' type="module"' if format == "esm" else ""
    url = publish(host, out, f"esbuild-{format}", f'<script{kind} src="main.js"></script>')
    assert_ct(show(url, f"esbuild-{format}"))


def test_without_a_plugin_the_error_names_it_and_a_copy_helps(
    workshop: Path, host: WebServer, show
) -> None:
    out, program = workshop / "out/plain", workshop / "node_modules/pyloader/command.mjs"
    app = workshop / "plain.js"
    app.write_text(PLAIN)
    esbuild = workshop / "node_modules/.bin/esbuild"
    run(esbuild, app, "--bundle", "--format=esm", f"--outfile={out}/main.js", cwd=workshop)
    url = publish(host, out, "plain", '<script type="module" src="main.js"></script>')
    message = show(url, "plain").evaluate("failed.message")
    assert f"{host.url}/plain/worker.mjs answered with status 404" in message
    for words in ("pyloader/esbuild", "npx pyloader copy", "init({ assetsURL })", "docs/apps.md"):
        assert words in message
    run("node", program, "copy", out / "files", cwd=workshop)
    assert_ct(show(f"{url}?assetsURL=files", "copied"))


def test_parcel(workshop: Path, host: WebServer, show) -> None:
    app = workshop / "parcel"
    program = workshop / "node_modules/.bin/parcel"
    options = ("--public-url", "./", "--no-cache", "--no-source-maps", "--dist-dir", "out")
    run(program, "build", "index.html", *options, cwd=app)
    assert_unchanged(app / "out", "pyodide.mjs", "pyodide.asm.js")
    url = publish(host, app / "out", "parcel")
    page = show(url, "parcel")
    assert_ct(page)
    page = show(f"{url}?workers=0", "parcel-on-the-page")
    assert_ct(page)
    assert not page.workers
    # Parcel writes an inline import map.
    host.policies["/parcel/"] = POLICY.replace("'self' 'wasm", "'self' 'unsafe-inline' 'wasm")
    for workers, needed in ((1, "worker-src blob:"), (0, "script-src blob:")):
        page = show(f"{url}?workers={workers}", f"parcel-strict-policy-{workers}")
        message = page.evaluate("failed.message")
        assert f"{host.url}/parcel/whole-worker." in message
        assert needed in message


@pytest.mark.parametrize("bundler", ["turbopack", "webpack"])
def test_next(workshop: Path, host: WebServer, show, bundler: str) -> None:
    app, name = workshop / f"next-{bundler}", f"next-{bundler}"
    shutil.copytree(workshop / "next", app)
    program = workshop / "node_modules/.bin/next"
    environment = os.environ | {
        "BASE_PATH": f"/{name}",
        "NEXT_TELEMETRY_DISABLED": "1",
        "DIST_DIR": "out",
    }
    run(program, "build", f"--{bundler}", cwd=app, environment=environment)
    if bundler == "turbopack":  # webpack minifies the scripts, whose digests count elsewhere only
        assert_unchanged(app / "out")
    assert_ct(show(publish(host, app / "out", name), name))
