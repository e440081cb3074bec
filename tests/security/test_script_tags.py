"""Script tags of Python run only where the browser would run a script in their place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page

from tests.support.waiting import until
from tests.support.webserver import WebServer

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
SOURCE = "print('it ran')"
HASH = base64.b64encode(hashlib.sha256(SOURCE.encode()).digest()).decode()
# Counts workers instead of starting Python: one is made when a tag runs.
WATCH = """
globalThis.workersMade = 0;
globalThis.refusals = [];
globalThis.Worker = class extends EventTarget {
  constructor() { super(); workersMade++; }
  postMessage() {}
  terminate() {}
};
const { error } = console;
console.error = (...words) => {
  if (String(words[0]).includes('were not run')) refusals.push(words[0]);
  error.apply(console, words);
};
"""
OUTCOME = "globalThis.workersMade + globalThis.refusals?.length > 0 && [workersMade > 0, refusals]"
NONCE = "'wasm-unsafe-eval' 'nonce-good'"
INLINE = f'<script type="text/python" data-pyloader id="tag"{{}}>{SOURCE}</script>'
OWN = '<script type="text/python" data-pyloader src="/made/tag.py"{}></script>'
OTHER = '<script type="text/python" data-pyloader src="OTHER/made/tag.py"{}></script>'
GOOD, WRONG, NONE = ' nonce="good"', ' nonce="bad"', ""
SWALLOWED = ' x="<script" nonce="good"'

# Policy, tag, whether it runs.
CASES: dict[str, tuple[str, str, bool]] = {
    "no policy": ("", INLINE.format(NONE), True),
    "no policy, other origin": ("", OTHER.format(NONE), True),
    "no script-src": ("img-src 'self'", INLINE.format(NONE), True),
    "unsafe-inline": ("script-src 'self' 'unsafe-inline'", INLINE.format(NONE), True),
    "unsafe-inline, other": ("script-src 'self' 'unsafe-inline'", OTHER.format(NONE), True),
    "self": ("script-src 'self'", INLINE.format(NONE), False),
    "self, with a nonce": ("script-src 'self'", INLINE.format(GOOD), False),
    "self, own file": ("script-src 'self'", OWN.format(NONE), True),
    "self, other origin": ("script-src 'self'", OTHER.format(NONE), False),
    "default-src": ("default-src 'self'", INLINE.format(NONE), False),
    "nonce": (f"script-src 'self' {NONCE}", INLINE.format(GOOD), True),
    "nonce, frames forbidden": (
        f"default-src 'none'; connect-src 'self'; script-src 'self' {NONCE}",
        INLINE.format(GOOD),
        True,
    ),
    "nonce, wrong": (f"script-src 'self' {NONCE}", INLINE.format(WRONG), False),
    "nonce, absent": (f"script-src 'self' {NONCE}", INLINE.format(NONE), False),
    "nonce, unsafe-inline": (
        f"script-src 'self' 'unsafe-inline' {NONCE}",
        INLINE.format(NONE),
        False,
    ),
    "nonce, other origin": (f"script-src 'self' {NONCE}", OTHER.format(GOOD), True),
    "nonce, other, wrong": (f"script-src 'self' {NONCE}", OTHER.format(WRONG), False),
    "nonce, swallowed": (f"script-src 'self' {NONCE}", INLINE.format(SWALLOWED), False),
    "nonce, swallowed, other": (f"script-src 'self' {NONCE}", OTHER.format(SWALLOWED), False),
    "hash": (f"script-src 'self' 'sha256-{HASH}'", INLINE.format(NONE), False),
    "dynamic": (f"script-src 'strict-dynamic' {NONCE}", INLINE.format(GOOD), True),
    "dynamic, wrong": (f"script-src 'strict-dynamic' {NONCE}", INLINE.format(WRONG), False),
    "dynamic, absent": (f"script-src 'strict-dynamic' {NONCE}", INLINE.format(NONE), False),
    "dynamic, other": (f"script-src 'strict-dynamic' {NONCE}", OTHER.format(NONE), False),
    "elements": (
        f"script-src 'unsafe-inline' 'self'; script-src-elem 'self' {NONCE}",
        INLINE.format(NONE),
        False,
    ),
    "elements, nonce": (
        f"script-src 'none'; script-src-elem 'self' {NONCE}",
        INLINE.format(GOOD),
        True,
    ),
    "trusted types": (
        f"script-src 'self' {NONCE}; require-trusted-types-for 'script'; trusted-types pyloader",
        INLINE.format(GOOD),
        True,
    ),
    "trusted types, wrong nonce": (
        f"script-src 'self' {NONCE}; require-trusted-types-for 'script'; trusted-types pyloader",
        INLINE.format(WRONG),
        False,
    ),
    "trusted types, not ours": (
        f"script-src 'self' {NONCE}; require-trusted-types-for 'script'; trusted-types theirs",
        INLINE.format(GOOD),
        False,
    ),
}
CLASSIC = '<script nonce="good" src="/pyloader.js"></script>'
MODULE = '<script nonce="good" type="module" src="/pyloader.mjs"></script>'


def open_with(
    open_page: OpenPage, site: WebServer, policy: str, body: str, *, by_meta: bool = False
) -> Page:
    """Open a page with a policy, where workers are only counted."""
    site.put("/made/tag.py", SOURCE.encode())
    page = open_page(script="")
    page.add_init_script(WATCH)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if by_meta else ""
    html = f"<!DOCTYPE html>{meta}<body>{body.replace('OTHER', site.other_origin)}</body>"
    site.policies["/made/tags.html"] = "" if by_meta else policy
    page.goto(site.url + site.put("/made/tags.html", html.encode()))
    return page


def outcome(page: Page | Frame) -> tuple[bool, list[str]]:
    """Return whether a tag ran, and what the console was told of those that did not."""
    ran, refusals = until(page, OUTCOME)
    return bool(ran), list(refusals)


@pytest.mark.parametrize("by_meta", [False, True], ids=["header", "meta"])
@pytest.mark.parametrize("case", CASES)
def test_a_tag_runs_where_a_script_would(open_page, site: WebServer, case: str, by_meta) -> None:
    policy, tag, runs = CASES[case]
    page = open_with(open_page, site, policy, CLASSIC + tag, by_meta=by_meta)
    ran, refusals = outcome(page)
    assert (ran, len(refusals)) == (runs, 0 if runs else 1)
    assert page.evaluate("document.querySelectorAll('iframe').length") == 0


@pytest.mark.parametrize(
    "case", ["no policy", "self", "nonce", "nonce, wrong", "dynamic", "dynamic, absent"]
)
def test_a_module_asks_the_same(open_page, site: WebServer, case: str) -> None:
    policy, tag, runs = CASES[case]
    page = open_with(open_page, site, policy, MODULE + tag)
    assert outcome(page)[0] == runs


def test_of_several_tags_each_is_asked_and_those_refused_are_told_once(
    open_page, site: WebServer
) -> None:
    tags = [
        INLINE.format(GOOD),
        INLINE.format(NONE),
        OTHER.format(WRONG),
        '<script type="text/python" data-pyloader>x = 1</script>',
    ]
    page = open_with(open_page, site, f"script-src 'self' {NONCE}", CLASSIC + "".join(tags))
    ran, refusals = outcome(page)
    assert ran
    assert len(refusals) == 1
    assert f"(#tag, '{site.other_origin}/made/tag.py', an inline one)" in refusals[0]
    assert "the nonce of the policy" in refusals[0]
    assert "pyloader.loadPython()" in refusals[0]


def test_a_file_of_the_page_is_not_sent_on_to_another_origin(open_page, site: WebServer) -> None:
    site.put("/made/elsewhere.py", SOURCE.encode())
    page = open_page(script="")
    page.add_init_script(WATCH)
    headers = {"Location": f"{site.other_origin}/made/elsewhere.py"}
    page.context.route(
        f"{site.url}/sent-on.py", lambda route: route.fulfill(status=302, headers=headers)
    )
    tag = '<script type="text/python" data-pyloader src="/sent-on.py"></script>'
    site.put("/made/sent-on.html", f"<!DOCTYPE html><body>{CLASSIC}{tag}</body>".encode())
    with page.expect_event("pageerror") as failure:
        page.goto(f"{site.url}/made/sent-on.html")
    page.context.unroute(f"{site.url}/sent-on.py")
    assert "sent-on.py could not be fetched" in failure.value.message
    assert page.evaluate("workersMade") == 0


def test_in_a_sandboxed_frame_no_inline_tag_runs(open_page, site: WebServer) -> None:
    site.put("/made/inner.html", f"<!DOCTYPE html><body>{CLASSIC}{INLINE.format(NONE)}".encode())
    page = open_page(script="")
    page.add_init_script(WATCH)
    site.put(
        "/made/outer.html",
        b'<!DOCTYPE html><iframe sandbox="allow-scripts" src="/made/inner.html"></iframe>',
    )
    page.goto(f"{site.url}/made/outer.html")
    frame = page.frames[1]
    ran, refusals = outcome(frame)
    assert (ran, len(refusals)) == (False, 1)
    assert "sandboxed frame" in refusals[0]


def test_python_of_an_injected_tag_never_runs_beside_that_of_the_page(
    open_page, site: WebServer
) -> None:
    injected = '<script type="text/python" data-pyloader>print("injected")</script>'
    page_s = '<script type="text/python" data-pyloader nonce="good">print("of the page")</script>'
    page = open_page(script="")
    site.policies["/made/tags.html"] = f"script-src 'self' {NONCE}"
    watch = (
        '<script nonce="good">lines = [];'
        "pyloader.events.addEventListener('print', ({detail}) => lines.push(detail.text))</script>"
    )
    html = f"<!DOCTYPE html><body>{CLASSIC}{watch}{injected}{page_s}</body>"
    page.goto(site.url + site.put("/made/tags.html", html.encode()))
    until(page, "lines.length > 0")
    # Whatever was to run has run before this.
    page.evaluate("pyloader.loadPython({ source: 'print(\"the last\")', name: 'last.py' })")
    assert page.evaluate("lines.filter((line) => !line.includes('scheme'))") == [
        "of the page",
        "the last",
    ]
