"""Every script web/x/y.js has a Node test tests/web/x/y.test.js, or a reason why it has none."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WINGS = ("page", "scheduler", "worker", "boot", "viewers", "shared")
# Where a module needs what Node does not have, it is driven in browsers.
REASONS = {
    "boot/artifacts.js": "compiles what it fetches: tests/pages/test_start.py",
    "boot/pyodide.js": "starts Pyodide: tests/pages/test_start.py",
    "boot/snapshot.js": "restores the memory of Pyodide: tests/pages/test_start.py",
    "page/asset_urls.js": "needs what the build writes in: tests/pages/test_hosting.py",
    "page/policy.js": "asks the browser for headers: tests/security",
    "page/script_tags.js": "asks the browser what it would run: tests/security",
    "scheduler/place.js": "makes workers: tests/pages/test_hosting.py",
    "shared/facts.js": "tests/test_facts.py compares it with Python",
    "shared/trusted_types.js": "is a policy of the browser: tests/security",
    "shared/version.js": "is what the build writes in: tests/web/module.test.js has it from dist/",
    "viewers/ohif.js": "is an extension of OHIF: tests/web/viewers/test_ohif.py",
    "worker/decode_image.js": "is the browser's decoder: tests/pages/test_web.py",
    "worker/policies.js": "asks the browser for headers: tests/security",
    "worker/worker.js": "runs Python: all of tests/pages",
}
# These are driven by the test of another module, of which they are a part.
PARTS = {
    "boot/lock.js": "boot/packages.test.js",
    "page/engine.js": "page/client.test.js",
    "page/page_url.js": "page/client.test.js",
    "page/progress.js": "page/loads.test.js",
    "shared/secrets.js": "worker/fetch.test.js",
    "viewers/metadata.js": "names.test.js",
    "viewers/voi.js": "viewers/cornerstone.test.js",
    "worker/interpreter.js": "worker/handlers.test.js",
    "worker/redirects.js": "worker/fetch.test.js",
}


def modules() -> set[str]:
    """Return the modules of the wings."""
    web = ROOT / "web"
    return {
        path.relative_to(web).as_posix() for wing in WINGS for path in (web / wing).glob("*.js")
    }


def node_tests() -> set[str]:
    """Return the Node tests, by the path of their module."""
    folder = ROOT / "tests/web"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.test.js")}


def test_modules_without_a_test_have_a_reason():
    tested = {name.replace(".test.js", ".js") for name in node_tests()}
    assert modules() - tested == REASONS.keys() | PARTS.keys()


def test_reasons_name_tests_that_exist():
    assert {*PARTS.values()} <= node_tests()
    named = {path for reason in REASONS.values() for path in re.findall(r"tests/[\w./]+", reason)}
    assert len(named) > 5
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_tests_stand_beside_their_modules():
    """A test whose name is no module's says by its first words which module it belongs to."""
    others = {name for name in node_tests() if name.replace(".test.js", ".js") not in modules()}
    stems = {name.partition(".")[0] for name in modules()}
    assert others - {"module.test.js", "names.test.js"} == {
        name for name in others if any(name.startswith(f"{stem}_") for stem in stems)
    }
