"""Small apps of each bundler, built from the packed package, show a CT in Chromium."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from tests import corpus
from tests.support.pages import DIST
from tests.web.conftest import run
from tests.webserver import POLICY, WebServer

CT = "CT_small.dcm"
# Not by the driver's own wait, which a strict policy forbids.
UNTIL_SHOWN = """new Promise((resolve, reject) => {
  const look = () => (globalThis.shown || globalThis.failed ? resolve() : setTimeout(look, 50));
  setTimeout(reject, 45_000, new Error('nothing was shown'));
  look();
})"""
# Of an app that fails where its files are missing.
PLAIN = """
import pyloader from 'pyloader';
import { show } from './show.js';

const assetsURL = new URLSearchParams(location.search).get('assetsURL') ?? undefined;
pyloader.init({ assetsURL }).then(
  () => show(pyloader, document.querySelector('canvas')),
  (error) => { globalThis.failed = error; document.body.append(error.message); },
);
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
        page.told = []  # type: ignore[attr-defined]
        page.on("console", lambda message: page.told.append(message.text))  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.told.append(error.message))  # type: ignore[attr-defined]
        page.goto(url)
        page.evaluate(UNTIL_SHOWN)
        pictures = os.environ.get("PYLOADER_PICTURES")
        page.screenshot(path=Path(pictures or tmp_path) / f"{name}.png")
        return page

    yield show
    for context in contexts:
        context.close()


def assert_ct(page: Page) -> None:
    """Compare what the app has loaded with pydicom's pixels."""
    expected = corpus.reference(CT).pixels
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
    with serving("node", program, "--config", settings, "--strictPort", cwd=app) as url:
        assert_ct(show(url, f"developing-{version}"))


class serving:
    """A server of development, on a free port, as long as a block lasts."""

    def __init__(self, *command: object, cwd: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [*map(str, command), "--host", "127.0.0.1", "--port", str(self.port)]
        self.cwd = cwd

    def __enter__(self) -> str:
        self.process = subprocess.Popen(self.command, cwd=self.cwd, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{self.port}/"
        for _ in range(300):
            try:
                urlopen(url).close()
            except URLError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.1)
            else:
                return url
        raise TimeoutError(url)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


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
    assert_ct(show(publish(host, app / "out", "parcel"), "parcel"))


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
