"""The JavaScript of dist/, bundled by esbuild: our own, and the viewers that the demo shows."""

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
# Written into the bundles, by what they are called there.
ASSEMBLED = {
    "PYLOADER_MIN_MAX": "worker/min_max.wat",
    "PYLOADER_SNAPSHOT_CODEC": "boot/snapshot_codec.wat",
}
VENDOR = PRODUCTS / "vendor"
LOCKFILE = WEB / "package-lock.json"
FACTS = ROOT / "pyloader/facts.json"
# The folders of the scripts: the page's, the workers', and what both have.
WINGS = ("page", "scheduler", "worker", "boot", "viewers", "shared")
WORKER = "worker/worker.js"
SOURCES = ("pyloader.js", WORKER, "pyloader.d.ts")

# A classic script has no import.meta, and can ask for its URL only while it first runs.
CLASSIC = (
    "--format=iife",
    "--global-name=pyloader",
    "--inject:build/script-url.js",
    "--define:import.meta.url=pyloaderScriptURL",
)
# Comments on lines of their own. What bundlers read, `/* webpackIgnore */`, is no such comment.
OF_CLASSES = re.compile(r"^[ \t]+(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
# Pyodide's scripts ask for these under node alone.
OF_NODE = ("node:*", "child_process", "crypto", "fs", "path", "ws")
# Written into the worker, and fetched by nobody.
LOCK = "pyodide-lock.json"
MODULE_TYPES = "export * as default from './pyloader.mjs';\n"
ASSET_URLS = SCRIPTS / "asset-urls.js"
PAGES: dict[str, Sequence[str]] = {
    "pyloader.js": ("pyloader.js", *CLASSIC, "--define:PYLOADER_ASSET_URLS=undefined"),
    "pyloader.mjs": ("module.js", "--format=esm", f"--inject:{ASSET_URLS}"),
}
# Beside pyloader.mjs, which they import.
IMPORTED = ("--format=esm", "--alias:pyloader=./pyloader.mjs", "--external:./pyloader.mjs")
VIEWERS = {"ohif.mjs": ("viewers/ohif.js", *IMPORTED)}


def scripts(pyodide: dict[str, Path], boot_list: str, version: str) -> dict[str, Path]:
    """
    Bundle the scripts of web/ with what the build writes in; return the files by name in dist/.

    Each has the digests of what it loads: the worker those of dist/pyodide/, and the page's scripts
    those of the workers. Their own are in ``integrity.json``, for the page. The whole worker has
    Pyodide's scripts in it, for where the worker's can be verified, and what it imports not.
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
    whole += [f"--external:{name}" for name in OF_NODE]
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
    """Return the files that the scripts are bundled of."""
    return sorted(
        [*WEB.glob("*.js"), *(path for wing in WINGS for path in WEB.glob(f"{wing}/*.js"))]
    )


def facts_of(boot_list: str, version: str) -> list[tuple[str, object]]:
    """Return what `version.js` and `facts.js` of web/shared/ say in every script, by name."""
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
    """Return the types of pyloader.mjs: those of pyloader.js, which has no default export."""
    text = (WEB / "pyloader.d.ts").read_text()
    of_script, of_module = "export as namespace pyloader;\n", MODULE_TYPES
    if of_script not in text:
        raise BuildError(f"web/pyloader.d.ts has no line `{of_script.strip()}`")
    target = SCRIPTS / "pyloader.d.mts"
    write_atomically(target, text.replace(of_script, of_module).encode())
    return target


def list_assets(names: Sequence[str]) -> None:
    """Write a module with the address of each file, in the form that bundlers know one by.

    They move and rename files, so that no address can be made of a folder and a name.
    """
    rows = [f"  {json.dumps(name)}: new URL('./{name}', import.meta.url).href," for name in names]
    text = "\n".join(["export const PYLOADER_ASSET_URLS = () => ({", *rows, "});\n"])
    write_atomically(ASSET_URLS, text.encode())


def bundled(name: str, further: Sequence[Path], *options: str) -> Path:
    """Return a script that esbuild makes of web/."""
    target = SCRIPTS / name
    inputs = [LOCKFILE, FACTS, Path(__file__), *sources(), RECIPES / "script-url.js", *further]
    once(target, [*inputs, *options], partial(bundle, options, target))
    return target


def bundle(options: Sequence[str], target: Path) -> None:
    """Bundle a script, without the comments of classes, which esbuild leaves in."""
    whole = target.with_name(f"commented-{target.name}")
    esbuild(*options, "--bundle", f"--outfile={whole}")
    write_atomically(target, OF_CLASSES.sub("", whole.read_text()).encode())
    if dense(whole) != dense(target):
        raise BuildError(f"taking the comments out of {target.name} has changed it")


def dense(script: Path) -> str:
    """Return a script without comments and white space."""
    target = script.with_name(f"dense-{script.name}")
    esbuild(script, "--minify-whitespace", f"--outfile={target}")
    return target.read_text()


def integrity(files: dict[str, Path]) -> Path:
    """Return the list of what the attribute `integrity` of a script tag is to be."""
    digests = {name: hashlib.sha384(files[name].read_bytes()).digest() for name in PAGES}
    rows = {name: f"sha384-{base64.b64encode(each).decode()}" for name, each in digests.items()}
    target = SCRIPTS / "integrity.json"
    write_atomically(target, (json.dumps(rows, indent=2) + "\n").encode())
    return target


def assembled(name: str) -> str:
    """Return the WebAssembly of a text file of web/ in base64."""
    source, recipe = WEB / name, RECIPES / "assemble.mjs"
    target = PRODUCTS / f"{source.stem}.txt"
    once(target, [LOCKFILE, recipe, source], lambda: run(["node", recipe, source, target]))
    return target.read_text()


def esbuild(*options: str | Path) -> None:
    """Run esbuild in web/: the platform's own program, npm has put it beside a slow script."""
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

    Cornerstone3D's core and tools are split, not bundled apart: tools must use the same core.
    """
    say("bundling the viewers of the demo")
    shutil.rmtree(VENDOR, ignore_errors=True)
    options = ("--splitting", "--format=esm", "--minify", "--out-extension:.js=.mjs")
    esbuild(*entries, *options, "--bundle", f"--outdir={VENDOR}")
    legacy = (WEB / "node_modules/cornerstone-core/dist/cornerstone.min.js").read_bytes()
    (VENDOR / "cornerstone.min.js").write_bytes(without_source_map(legacy))
