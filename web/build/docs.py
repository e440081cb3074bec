"""
Build the documentation site and put it into dist/docs/.

MkDocs reads `web/mkdocs.yml`. TypeDoc makes the page of the JavaScript API before it.
"""

import fcntl
import shutil
from pathlib import Path

from web.build.common import (
    DIST,
    PRODUCTS,
    RECIPES,
    ROOT,
    WEB,
    WORK,
    BuildError,
    once,
    run,
    say,
    synchronise,
)
from web.build.environments import TEST_REQUIREMENTS, node_modules, test_environment
from web.build.runtime import Layout

SETTINGS = WEB / "mkdocs.yml"
API_SETTINGS = WEB / "typedoc.json"
TYPES = WEB / "pyloader.d.ts"
LOCKFILE = WEB / "package-lock.json"
SITE = PRODUCTS / "docs"
JAVASCRIPT = PRODUCTS / "docs-javascript"


def sources() -> list[Path | str]:
    """Return the files that the site is made from, and their paths."""
    folders = (WEB / "docs", RECIPES / "docs_theme")
    pages = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    pages += [WEB / "demo" / name for name in ("icon.svg", "preview.png")]
    recipes = [RECIPES / name for name in ("docs.py", "docs_hooks.py", "docstrings.py")]
    settings = [SETTINGS, API_SETTINGS, LOCKFILE, TEST_REQUIREMENTS, ROOT / "pyproject.toml"]
    further = [TYPES, WEB / "guide.md", *(ROOT / "pyloader").rglob("*.py")]
    found = sorted([*pages, *recipes, *settings, *further])
    return [*found, *(str(path.relative_to(ROOT)) for path in found)]


def write_javascript_page() -> None:
    """Write the names of `pyloader.d.ts` in Markdown."""
    command = (WEB / "node_modules/.bin/typedoc", "--options", API_SETTINGS, "--out", JAVASCRIPT)
    once(JAVASCRIPT, [TYPES, API_SETTINGS, LOCKFILE], lambda: run(command))


def build_site(folder: Path, settings: Path = SETTINGS) -> None:
    """Build the site into a folder; a warning, such as of a broken link, ends the build."""
    write_javascript_page()
    # The variable keeps Material from printing news. With --quiet, MkDocs would count no warnings.
    mkdocs = ("env", "NO_MKDOCS_2_WARNING=1", WORK / "venv/bin/python", "-m", "mkdocs")
    run([*mkdocs, "build", "--strict", "-f", settings, "-d", folder])


def make_product() -> None:
    """Build the site as a product of the build."""
    say("building the documentation")
    partial = SITE.with_name("docs-partial")
    build_site(partial)
    shutil.rmtree(SITE, ignore_errors=True)
    partial.rename(SITE)


def documentation() -> Layout:
    """Return the files of the site that was built last, by their path in dist/docs/."""
    return {str(path.relative_to(SITE)): path for path in SITE.rglob("*") if path.is_file()}


def main() -> None:
    """Build the site, and update dist/docs/."""
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            node_modules()
            test_environment()
            once(SITE, sources(), make_product)
            synchronise(documentation(), DIST / "docs")
        except BuildError as error:
            raise SystemExit(f"build: {error}") from error
    say(f"open {DIST / 'docs/index.html'}")


if __name__ == "__main__":
    main()
