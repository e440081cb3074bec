"""Policies of workers: each has that of its own response, and the page is told of one without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.pages.index_server import IndexServer
from tests.support.waiting import until
from tests.support.webserver import WebServer

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
# Those of web/docs/security.md: for a script of the page's origin, and for one of another.
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
OF_ANOTHER = (
    "default-src 'self'; script-src {other} 'wasm-unsafe-eval'; worker-src blob:; "
    "connect-src 'self' {other}"
)
# Of Python: whether it gets an answer from an address.
CONNECT = """
from js import XMLHttpRequest
request = XMLHttpRequest.new()
request.open("GET", "{url}", False)
try:
    request.send()
except Exception as error:
    print("refused")
else:
    print("connected")
"""
INIT = "(options) => pyloader.init(options).then(() => null, describeError)"
RUN = """async (source) => {
  const lines = [];
  const listen = ({ detail }) => lines.push(detail.text);
  pyloader.events.addEventListener('print', listen);
  await pyloader.loadPython({ source, name: 'connect.py' });
  pyloader.events.removeEventListener('print', listen);
  return lines[0];
}"""
# The headers are looked at some seconds after `ready`: until a worker has asked for its own.
LOOKED = "pyloader.stats().warnings.length"
REPORTS = """
globalThis.reports = [];
addEventListener('securitypolicyviolation', ({ blockedURI }) => reports.push(blockedURI));
"""


@pytest.fixture
def serve(open_page: OpenPage, site: WebServer) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page with policies for it and for the worker's script."""

    def serve(
        policy: str = "", of_worker: str = "", meta: str = "", script: str = "/pyloader.js"
    ) -> Page:
        page = open_page(script="")
        page.add_init_script(REPORTS)
        page.noise = []  # type: ignore[attr-defined]
        page.on("console", lambda said: page.noise.append(said.text))  # type: ignore[attr-defined]
        site.policies |= {"/made/policy.html": policy, "/worker.mjs": of_worker}
        html = f"<!DOCTYPE html>{meta}<body><script src='{script}'></script>"
        page.goto(site.url + site.put("/made/policy.html", html.encode()))
        return page

    yield serve
    site.policies.clear()


def connects(page: Page, url: str) -> str:
    """Return whether Python gets through to an address."""
    return str(page.evaluate(RUN, CONNECT.format(url=url)))


META = f'<meta http-equiv="content-security-policy" content="{POLICY}">'


@pytest.mark.parametrize(
    ("policy", "meta"), [(POLICY, ""), ("", META)], ids=["by header", "by meta"]
)
def test_worker_without_the_policy_of_the_page_is_told(
    serve, site: WebServer, policy: str, meta: str
) -> None:
    page = serve(policy, meta=meta)
    assert page.evaluate(INIT, {"workers": 1}) is None
    assert page.evaluate("pyloader.stats().warnings") == []
    until(page, LOOKED)
    (warning,) = page.evaluate("pyloader.stats().warnings")
    assert "serve worker.mjs with the page's Content-Security-Policy header" in warning
    assert page.evaluate("reports") == []
    assert page.noise == []
    assert connects(page, f"{site.other_origin}/blank.html") == "connected", "which is why"
    page.evaluate("pyloader.terminate()")
    assert page.evaluate("pyloader.stats().warnings") == []


@pytest.mark.parametrize(
    ("policy", "of_worker"), [(POLICY, POLICY), ("", ""), ("", POLICY)], ids=["both", "none", "its"]
)
def test_otherwise_nothing_is_said(serve, site: WebServer, policy: str, of_worker: str) -> None:
    page = serve(policy, of_worker)
    assert page.evaluate(INIT, {"workers": 1}) is None
    # It looks at its own headers first, and at the page's only without a policy of its own.
    last = "/worker.mjs" if of_worker else "/made/policy.html"
    asked = len(site.asked(last))
    deadline = time.monotonic() + 60
    while len(site.asked(last)) == asked and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert len(site.asked(last)) == asked + 1
    page.evaluate("pyloader.loadPython({ source: '' })")  # the answer is there before this one's
    assert page.evaluate("pyloader.stats().warnings") == []
    assert page.evaluate("reports") == []
    expected = "refused" if of_worker else "connected"
    assert connects(page, f"{site.other_origin}/blank.html") == expected


@pytest.fixture
def elsewhere() -> Iterator[IndexServer]:
    """Return a server that no policy here allows."""
    server = IndexServer()
    yield server
    server.stop()


def test_script_of_another_origin_needs_the_policy_of_the_documentation(
    serve, site: WebServer, elsewhere: IndexServer
) -> None:
    other = site.other_origin
    page = serve(OF_ANOTHER.format(other=other), script=f"{other}/pyloader.js")
    assert page.evaluate(INIT, {"workers": 1}) is None
    assert page.evaluate("pyloader.stats().workers[0].boot.kind") == "snapshot"
    assert page.evaluate("reports") == []
    # A copy has the page's policy.
    assert connects(page, f"{elsewhere.origin}/x") == "refused"
    assert elsewhere.asked == []
    assert page.evaluate("pyloader.stats().warnings") == []


@pytest.mark.parametrize("lacking", ["worker-src blob:; ", "connect-src 'self' {other}"])
def test_script_of_another_origin_that_may_not_run_says_what_it_needs(
    serve, site: WebServer, lacking: str
) -> None:
    other = site.other_origin
    policy = OF_ANOTHER.replace(lacking, "").format(other=other)
    page = serve(policy, script=f"{other}/pyloader.js")
    error: dict[str, Any] = page.evaluate(INIT, {"workers": 1})
    assert error["code"] == "boot"
    expected = "worker-src blob:" if "blob" in lacking else "connect-src"
    assert expected in error["message"]


TRUSTED = "require-trusted-types-for 'script'"


@pytest.mark.parametrize("other", [False, True], ids=["own origin", "another origin"])
def test_trusted_types(serve, site: WebServer, other: bool) -> None:
    policy = f"{TRUSTED}; trusted-types pyloader"
    page = serve(policy, policy, script=f"{site.other_origin if other else ''}/pyloader.js")
    assert page.evaluate(INIT, {"workers": 2}) is None
    page.evaluate("pyloader.terminate()")
    assert page.evaluate(INIT, {"workers": 0}) is None, "again, with the same policy"
    assert page.evaluate("reports") == []


def test_trusted_types_without_ours_say_what_to_allow(serve) -> None:
    page = serve(f"{TRUSTED}; trusted-types theirs")
    error = page.evaluate(INIT, {"workers": 1})
    assert (error["code"], error["stage"]) == ("boot", "boot")
    assert "`trusted-types pyloader`" in error["message"]


def test_policy_of_trusted_types_admits_nothing_else(serve) -> None:
    page = serve(f"{TRUSTED}; trusted-types pyloader")
    made = """() => {
      const made = [];
      const { createPolicy } = TrustedTypePolicyFactory.prototype;
      TrustedTypePolicyFactory.prototype.createPolicy = function (name, rules) {
        made.push(rules);
        return createPolicy.call(this, name, rules);
      };
      return pyloader.init({ workers: 1 }).then(() => {
        const refused = (make) => { try { make(); return false; } catch { return true; } };
        return [
          made.length,
          refused(() => made[0].createScriptURL('https://elsewhere/x.js')),
          refused(() => made[0].createScriptURL('blob:x')),
          refused(() => made[0].createHTML('<img src=x onerror=alert(1)>')),
          refused(() => made[0].createHTML('<script nonce="a">window.ran = 1;</script><img>')),
          'createScript' in made[0],
        ];
      });
    }"""
    assert page.evaluate(made) == [1, True, True, True, True, False]


@pytest.mark.parametrize("allowed", [True, False])
def test_sandboxed_frame(open_page, site: WebServer, allowed: bool) -> None:
    prefix = "" if allowed else "/nocors"
    inner = f"<!DOCTYPE html><body><script src='{prefix}/pyloader.js'></script>"
    site.put("/made/sandboxed.html", inner.encode())
    outer = '<!DOCTYPE html><iframe sandbox="allow-scripts" src="/made/sandboxed.html"></iframe>'
    site.put("/made/outer-sandbox.html", outer.encode())
    page = open_page("/made/outer-sandbox.html", script="")
    frame = page.frames[1]
    until(frame, "'pyloader' in globalThis")
    for workers in (1, 0):
        error = frame.evaluate(INIT, {"workers": workers})
        if allowed:
            assert error is None, error
            assert frame.evaluate("pyloader.stats().workers[0].boot.kind") == "snapshot"
        else:
            assert error["code"] == "boot"
            assert "Access-Control-Allow-Origin" in error["message"]
        frame.evaluate("pyloader.terminate()")
