"""Every module of web/ has a Node test that imports it, or a reason why it has none."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WINGS = ("page", "scheduler", "worker", "boot", "viewers", "shared")
IMPORTED = re.compile(r"""web/((?:\w+/)?\w+\.js)(?=['"?])""")
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
    "shared/version.js": "is what the build writes in: tests/js/import.test.js has it from dist/",
    "viewers/ohif.js": "is an extension of OHIF: tests/web/viewers/test_ohif.py",
    "worker/decode_image.js": "is the browser's decoder: tests/pages/test_web.py",
    "worker/policies.js": "asks the browser for headers: tests/security",
    "worker/worker.js": "runs Python: all of tests/pages",
}
# Driven by the tests of what they are a part of.
PARTS = {
    "page/auth.js": "identity.test.js",
    "page/engine.js": "client.test.js",
    "page/progress.js": "loads.test.js",
    "page/page_url.js": "client.test.js",
    "boot/lock.js": "packages.test.js",
    "shared/secrets.js": "transport.test.js",
    "viewers/voi.js": "cornerstone.test.js",
    "worker/redirects.js": "transport.test.js",
    "scheduler/workers.js": "crew.test.js",
}


def modules() -> set[str]:
    """Return the modules of the wings."""
    web = ROOT / "web"
    return {
        path.relative_to(web).as_posix() for wing in WINGS for path in (web / wing).glob("*.js")
    }


def imported() -> set[str]:
    """Return the modules that Node tests import."""
    tests = [*(ROOT / "tests/js").glob("*.js"), *(ROOT / "tests/web").glob("*/*.test.js")]
    return {name for path in tests for name in IMPORTED.findall(path.read_text())}


def test_modules_without_a_test_have_a_reason():
    without = modules() - imported() - PARTS.keys()
    assert without == REASONS.keys()


def test_parts_are_driven_by_a_test():
    assert PARTS.keys() <= modules()
    names = {path.name for path in (ROOT / "tests/js").glob("*.test.js")}
    assert {*PARTS.values()} <= names


def test_tests_import_what_there_is():
    assert {name for name in imported() if "/" in name} <= modules()
