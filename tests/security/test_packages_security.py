"""Packages from elsewhere: the file that was meant, from where the page allows, beside ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.installing import index, refused, run, start
from tests.support.pages.index_server import SIMPLE_HTML, SIMPLE_JSON, IndexServer, wheel_of
from tests.support.webserver import WebServer

__all__ = ["index", "start"]  # fixtures


@pytest.fixture
def public() -> Iterator[IndexServer]:
    """Return a second one, where anybody may register a name."""
    server = IndexServer()
    yield server
    server.stop()


def digest(algorithm: str, body: bytes) -> str:
    """Return a digest as an address has it."""
    return f"{algorithm}={hashlib.new(algorithm, body).hexdigest()}"


def test_digest_in_the_address_of_a_wheel(start, site: WebServer) -> None:
    body = wheel_of("pinned", {"pinned.py": "answer = 7"})
    url = site.put("/made/pinned-1.0-py3-none-any.whl", body)
    page = start()
    wrong = digest("sha256", b"another")
    text = refused(page, f"{url}#{wrong}")
    assert "pinned-1.0-py3-none-any.whl is not the file" in text
    assert wrong.partition("=")[2] in text
    assert "not the file" in refused(page, f"pinned @ {site.url}{url}#{digest('sha512', b'no')}")
    assert "names no digest" in refused(page, f"{url}#sha-256=00")
    right = f"{digest('sha256', body)}&{digest('sha512', body)}"
    assert run(page, "import pinned; print(pinned.answer)", f"{url}#{right}") == ["7"]


@pytest.mark.parametrize("kind", [SIMPLE_HTML, SIMPLE_JSON])
def test_any_digest_of_an_index_counts(start, index: IndexServer, kind: str) -> None:
    body = wheel_of("strong", {"strong.py": "answer = 7"})
    index.publish("strong", body, "strong-1.0-py3-none-any.whl", kind)
    path = "/simple/strong/"
    media, told = index.files[path]
    sha256 = hashlib.sha256(body).hexdigest()
    page = start(packageIndexes=[index.simple])
    for other in (hashlib.sha512(b"another").hexdigest(), hashlib.sha512(body).hexdigest()):
        changed = told.decode().replace("sha256", "sha512").replace(sha256, other)
        index.files[path] = (media, changed.encode())
        if other == hashlib.sha512(body).hexdigest():
            assert run(page, "import strong; print(strong.answer)", "strong") == ["7"]
        else:
            assert "is not the file" in refused(page, "strong")


def redirects(page: Page, path: str, to: str) -> None:
    """Have the page's server send a path on."""
    headers = {"Location": to, "Access-Control-Allow-Origin": "*"}
    page.context.route(f"**{path}*", lambda route: route.fulfill(status=302, headers=headers))


def test_wheel_may_not_be_sent_on_to_where_nothing_is_allowed(
    start, site: WebServer, index: IndexServer, public: IndexServer
) -> None:
    body = wheel_of("moved", {"moved.py": "answer = 7"})
    file = "moved-1.0-py3-none-any.whl"
    public.files[f"/{file}"] = index.files[f"/{file}"] = ("application/zip", body)
    page = start(packageIndexes=[index.simple])
    redirects(page, "/sent-away.whl/", f"{public.origin}/{file}")
    redirects(page, f"/away/{file}", f"{public.origin}/{file}")
    redirects(page, f"/on/{file}", f"{index.origin}/{file}")
    text = refused(page, f"/away/{file}")
    assert f"was redirected to {public.origin}" in text
    assert "packageIndexes" in text
    assert run(page, "import moved; print(moved.answer)", f"/on/{file}") == ["7"]
    page.context.unroute_all()


def test_index_may_not_be_sent_on_either(
    start, site: WebServer, index: IndexServer, public: IndexServer
) -> None:
    body = wheel_of("moved", {"moved.py": ""})
    public.publish("moved", body, "moved-1.0-py3-none-any.whl", SIMPLE_JSON)
    page = start(packageIndexes=["/simple", index.simple])
    redirects(page, "/simple/moved/", f"{public.simple}/moved/")
    text = refused(page, "moved")
    assert f"was redirected to {public.origin}" in text
    assert index.asked == [], "nor is another asked"
    page.context.unroute_all()


@pytest.mark.parametrize("status", [401, 403, 410, 500, 503])
def test_index_that_fails_is_no_index_without_the_package(
    start, site: WebServer, index: IndexServer, public: IndexServer, status: int
) -> None:
    body = wheel_of("private", {"private.py": "owner = 'somebody else'"})
    public.publish("private", body, "private-1.0-py3-none-any.whl", SIMPLE_JSON)
    page = start(packageIndexes=["/private-index", public.simple])
    headers = {"Access-Control-Allow-Origin": "*"}
    page.context.route(
        "**/private-index/**", lambda route: route.fulfill(status=status, headers=headers)
    )
    text = refused(page, "private")
    assert f"answered with status {status}" in text
    assert "No other index was asked" in text
    assert public.asked == []
    page.context.unroute_all()


def test_index_that_cannot_be_reached_is_none_either(
    start, index: IndexServer, public: IndexServer
) -> None:
    body = wheel_of("private", {"private.py": "owner = 'somebody else'"})
    public.publish("private", body, "private-1.0-py3-none-any.whl", SIMPLE_JSON)
    index.stop()
    page = start(packageIndexes=[index.simple, public.simple])
    assert "No other index was asked" in refused(page, "private")
    assert public.asked == []


def test_index_that_does_not_have_it_is_followed_by_the_next(
    start, index: IndexServer, public: IndexServer
) -> None:
    body = wheel_of("shared", {"shared.py": "answer = 7"})
    public.publish("shared", body, "shared-1.0-py3-none-any.whl", SIMPLE_HTML)
    page = start(packageIndexes=[index.simple, public.simple])
    assert run(page, "import shared; print(shared.answer)", "shared") == ["7"]
    assert index.asked == ["/simple/shared/"]


OVERWRITING = {
    "pyloader/browser/bridge.py": "takes the place of pyloader",
    "numpy/__init__.py": "takes the place of numpy",
    "nrrd/__init__.py": "takes the place of nrrd",
    "json/__init__.py": "takes the place of json",
    "js.py": "takes the place of js",
    "anything.pth": "runs when an interpreter starts",
    "sitecustomize.py": "runs when an interpreter starts",
    "../lib/x.py": "leaves the folder of packages",
    "bad-1.0.data/data/lib/python3.13/site-packages/pyloader/x.py": "leaves the folder of packages",
}


def test_wheel_may_not_write_over_what_is_there(start, site: WebServer) -> None:
    page = start()
    for name, reason in OVERWRITING.items():
        body = wheel_of("bad", {"bad.py": "", name: "raise SystemExit"})
        url = site.put("/made/bad-1.0-py3-none-any.whl", body)
        assert reason in refused(page, url), name
        with pytest.raises(AssertionError, match="No module named 'bad'"):
            run(page, "import bad")
    # What it needs is not laid out either, and what was there works.
    assert run(page, "import nrrd, json; print(nrrd.__version__)", "pynrrd") == ["1.1.3"]
    url = site.put(
        "/made/pynrrd-9.0-py3-none-any.whl", wheel_of("pynrrd", {"nrrd.py": ""}, version="9.0")
    )
    assert "takes the place of" in refused(page, url), "now it is there"
