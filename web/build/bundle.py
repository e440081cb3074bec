"""Bundle the JavaScript of dist/ with esbuild: pyloader's own, and the viewers of the demo."""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from web.build.common import (
    PRODUCTS,
    RECIPES,
    ROOT,
    WEB,
    BuildError,
    once,
    repository_address,
    run,
    say,
    sha256,
    write_atomically,
)
from web.build.runtime import INTERPRETER, without_source_map

SCRIPTS = PRODUCTS / "scripts"
# WebAssembly written into the bundles, by the name of its constant there.
ASSEMBLED = {
    "PYLOADER_MIN_MAX": "worker/min_max.wat",
    "PYLOADER_SNAPSHOT_CODEC": "boot/snapshot_codec.wat",
}
VENDOR = PRODUCTS / "vendor"
LOCKFILE = WEB / "package-lock.json"
FACTS = ROOT / "pyloader/facts.json"
# Folders of the scripts: for the page, for workers, and for both.
WINGS = ("page", "scheduler", "worker", "boot", "viewers", "shared")
WORKER = "worker/worker.js"
SOURCES = ("pyloader.js", WORKER, "pyloader.d.ts")

# A classic script has no import.meta, and can find its URL only while it first runs.
CLASSIC = (
    "--format=iife",
    "--global-name=pyloader",
    "--inject:build/script-url.js",
    "--define:import.meta.url=pyloaderScriptURL",
)
# Comments on lines of their own. It does not match bundlers' directives like `/* webpackIgnore */`.
CLASS_COMMENTS = re.compile(r"^[ \t]+(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
# Modules that Pyodide's scripts import only under Node.
NODE_MODULES = ("node:*", "child_process", "crypto", "fs", "path", "ws")
# Written into the worker, so nothing fetches it.
LOCK = "pyodide-lock.json"
MODULE_TYPES = "export * as default from './pyloader.mjs';\n"
ASSET_URLS = SCRIPTS / "asset-urls.js"
PAGES: dict[str, Sequence[str]] = {
    "pyloader.js": ("pyloader.js", *CLASSIC, "--define:PYLOADER_ASSET_URLS=undefined"),
    "pyloader.mjs": ("module.js", "--format=esm", f"--inject:{ASSET_URLS}"),
}
# Options of scripts that import pyloader.mjs from beside themselves.
IMPORTED = ("--format=esm", "--alias:pyloader=./pyloader.mjs", "--external:./pyloader.mjs")
VIEWERS = {"ohif.mjs": ("viewers/ohif.js", *IMPORTED)}


def scripts(pyodide: dict[str, Path], boot_list: str, version: str) -> dict[str, Path]:
    """
    Bundle the scripts of web/ with the build's constants; return the files by name in dist/.

    Each script has the digests of the files that it loads: the worker those of dist/pyodide/, and
    the page's scripts those of the workers. Their own are in ``integrity.json``, for the page. The
    whole worker includes Pyodide's scripts. It is for places where a worker's script can be
    verified, but not its imports.
    """
    missing = [f"web/{name}" for name in SOURCES if not (WEB / name).exists()]
    if missing:
        raise BuildError(f"missing source: {', '.join(missing)}")
    codes = [f'--define:{name}="{assembled(file)}"' for name, file in ASSEMBLED.items()]
    facts = [f"--define:{name}={json.dumps(value)}" for name, value in facts_of(boot_list, version)]
    worker = [WORKER, "--format=esm", f"--define:PYLOADER_LOCK={boot_list}", *codes, *facts]
    plain = [*worker, "--define:PYLOADER_IS_WHOLE=false"]
    whole = [*worker, "--define:PYLOADER_IS_WHOLE=true", "--minify-whitespace"]
    interpreter = [pyodide[name] for name in INTERPRETER]
    whole += [f"--inject:{path}" for path in interpreter]
    whole += [f"--external:{name}" for name in NODE_MODULES]
    workers = {
        "worker.mjs": bundled("worker.mjs", [], *plain),
        "whole-worker.mjs": bundled("whole-worker.mjs", interpreter, *whole),
    }
    digests = json.dumps({name: sha256(path) for name, path in workers.items()})
    list_assets([*workers, *(f"pyodide/{name}" for name in pyodide if name != LOCK)])
    known = [f"--define:PYLOADER_WORKERS={digests}", *facts]
    pages = {name: bundled(name, [ASSET_URLS], *given, *known) for name, given in PAGES.items()}
    files = workers | pages | {name: bundled(name, [], *given) for name, given in VIEWERS.items()}
    types = {"pyloader.d.ts": WEB / "pyloader.d.ts", "pyloader.d.mts": module_types()}
    types |= {"ohif.d.mts": WEB / "viewers/ohif.d.ts"}
    return {**types, "integrity.json": integrity(files), **files}


def sources() -> list[Path]:
    """Return the files that the scripts are bundled from."""
    return sorted(
        [*WEB.glob("*.js"), *(path for wing in WINGS for path in WEB.glob(f"{wing}/*.js"))]
    )


def facts_of(boot_list: str, version: str) -> list[tuple[str, object]]:
    """Return the constants of `version.js` and `facts.js` of web/shared/, by name."""
    digest = hashlib.sha256(boot_list.encode())
    for path in [FACTS, *sources()]:
        digest.update(path.read_bytes())
    repository = repository_address()
    return [
        ("PYLOADER_VERSION", version),
        ("PYLOADER_BUILD", f"{version} (build {digest.hexdigest()[:8]})"),
        ("PYLOADER_FACTS", json.loads(FACTS.read_text())),
        ("PYLOADER_DOCS", f"{repository}/blob/HEAD/web/docs" if repository else ""),
    ]


def module_types() -> Path:
    """Return the types of pyloader.mjs: those of pyloader.js, and a default export."""
    text = (WEB / "pyloader.d.ts").read_text()
    of_script, of_module = "export as namespace pyloader;\n", MODULE_TYPES
    if of_script not in text:
        raise BuildError(f"web/pyloader.d.ts has no line `{of_script.strip()}`")
    target = SCRIPTS / "pyloader.d.mts"
    write_atomically(target, text.replace(of_script, of_module).encode())
    return target


def list_assets(names: Sequence[str]) -> None:
    """Write a module with the address of each file, in a form that bundlers recognise.

    Bundlers move and rename files, so an address cannot be joined from a folder and a name.
    """
    rows = [f"  {json.dumps(name)}: new URL('./{name}', import.meta.url).href," for name in names]
    text = "\n".join(["export const PYLOADER_ASSET_URLS = () => ({", *rows, "});\n"])
    write_atomically(ASSET_URLS, text.encode())


def bundled(name: str, further: Sequence[Path], *options: str) -> Path:
    """Return a script that esbuild makes from web/."""
    target = SCRIPTS / name
    inputs = [LOCKFILE, FACTS, Path(__file__), *sources(), RECIPES / "script-url.js", *further]
    once(target, [*inputs, *options], partial(bundle, options, target))
    return target


def bundle(options: Sequence[str], target: Path) -> None:
    """Bundle a script, without the comments in classes, which esbuild keeps."""
    whole = target.with_name(f"commented-{target.name}")
    esbuild(*options, "--bundle", f"--outfile={whole}")
    write_atomically(target, CLASS_COMMENTS.sub("", whole.read_text()).encode())
    if dense(whole) != dense(target):
        raise BuildError(f"removing the comments of {target.name} has changed its code")


def dense(script: Path) -> str:
    """Return a script without comments and white space."""
    target = script.with_name(f"dense-{script.name}")
    esbuild(script, "--minify-whitespace", f"--outfile={target}")
    return target.read_text()


def integrity(files: dict[str, Path]) -> Path:
    """Return the list of values for the attribute `integrity` of script tags."""
    digests = {name: hashlib.sha384(files[name].read_bytes()).digest() for name in PAGES}
    rows = {name: f"sha384-{base64.b64encode(each).decode()}" for name, each in digests.items()}
    target = SCRIPTS / "integrity.json"
    write_atomically(target, (json.dumps(rows, indent=2) + "\n").encode())
    return target


def assembled(name: str) -> str:
    """Return the WebAssembly of a text file of web/, in base64."""
    source, recipe = WEB / name, RECIPES / "assemble.mjs"
    target = PRODUCTS / f"{source.stem}.txt"
    once(target, [LOCKFILE, recipe, source], lambda: run(["node", recipe, source, target]))
    return target.read_text()


def esbuild(*options: str | Path) -> None:
    """Run esbuild in web/: the native program, since npm's own entry is a slow script."""
    command = next((WEB / "node_modules/@esbuild").glob("*/bin/esbuild"))
    run([command, *options, "--target=es2022", "--log-level=warning"], cwd=WEB)


def vendor() -> dict[str, Path]:
    """Bundle the viewers; return the files by their name in dist/demo/vendor/."""
    entries = sorted((RECIPES / "vendor").glob("*.js"))
    once(VENDOR, [LOCKFILE, Path(__file__), *entries], partial(bundle_viewers, entries))
    return {path.name: path for path in sorted(VENDOR.iterdir())}


def bundle_viewers(entries: Sequence[Path]) -> None:
    """
    Put cornerstone-core and Cornerstone3D into the vendor folder.

    Bundle Cornerstone3D's core and tools together, with splitting: tools must use the same core.
    """
    say("bundling the viewers of the demo")
    shutil.rmtree(VENDOR, ignore_errors=True)
    options = ("--splitting", "--format=esm", "--minify", "--out-extension:.js=.mjs")
    esbuild(*entries, *options, "--bundle", f"--outdir={VENDOR}")
    legacy = (WEB / "node_modules/cornerstone-core/dist/cornerstone.min.js").read_bytes()
    (VENDOR / "cornerstone.min.js").write_bytes(without_source_map(legacy))
