"""`urllib.request` as it is in a page: the standard library's own, with pyodide-http to send."""

from __future__ import annotations

import sys
import urllib
from importlib import import_module
from io import BytesIO
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from pyloader.browser import urllib_patch

URL = "https://host/a.bin"


class Browser:
    """Answers in place of pyodide-http, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[SimpleNamespace] = []
        self.brought = 0
        self.answer: Any = SimpleNamespace(status_code=200, headers={}, body=b"abc")

    def bring(self) -> None:
        """Note that pyodide-http is needed."""
        self.brought += 1

    def send(self, request: SimpleNamespace) -> Any:
        """Answer, or raise what stands for an answer."""
        self.sent.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Return what answers; `urllib.request` is one of its own, imported after `enable`."""
    browser = Browser()
    package, core = ModuleType("pyodide_http"), ModuleType("pyodide_http._core")

    def request(method: str, url: str, **more: Any) -> SimpleNamespace:
        return SimpleNamespace(method=method, url=url, timeout=0, **more)

    core.Request, core.send = request, browser.send  # type: ignore[attr-defined]
    package._core = core  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyodide_http", package)
    monkeypatch.setitem(sys.modules, "pyodide_http._core", core)
    monkeypatch.setattr(urllib, "request", None)
    monkeypatch.delitem(sys.modules, "urllib.request")
    before = list(sys.meta_path)
    urllib_patch.enable(browser.bring)
    assert "urllib.request" not in sys.modules, "it takes long to import"
    import_module("urllib.request")
    assert sys.meta_path == before
    return browser


def urlopen(request: Any, **options: Any) -> Any:
    """Open by the `urllib.request` of now."""
    return sys.modules["urllib.request"].urlopen(request, **options)


def request(*arguments: Any, **options: Any) -> Any:
    """Make a request of the `urllib.request` of now."""
    return sys.modules["urllib.request"].Request(*arguments, **options)


def test_answer(browser):
    browser.answer.headers = {"Content-Type": "a/b", "ETag": "ö"}
    with urlopen(URL) as answer:
        assert (answer.status, answer.reason, answer.url) == (200, "OK", URL)
        assert (answer.headers["content-type"], answer.headers["etag"]) == ("a/b", "ö")
        assert answer.read() == b"abc"
    assert browser.brought == 1
    assert browser.sent[0].headers == {}, "browsers set these themselves"


def test_module_that_is_there_already_is_patched_too(browser):
    other = Browser()
    urllib_patch.enable(other.bring)
    assert urlopen(URL).read() == b"abc"
    assert (other.brought, browser.brought) == (1, 0)


@pytest.mark.parametrize("content", [b"x=1", BytesIO(b"x=1"), [b"x", b"=1"]])
def test_what_is_sent(browser, content):
    headers = {"X-Mine": "1", "Content-Type": "a/b", "Content-Length": "3"}
    urlopen(request(URL, content, headers, method="PUT"), timeout=1.5)
    (sent,) = browser.sent
    assert (sent.method, sent.url, sent.body, sent.timeout) == ("PUT", URL, b"x=1", 1.5)
    assert sent.headers == {"X-mine": "1", "Content-type": "a/b"}


def test_status_is_an_error_as_usual(browser):
    browser.answer.status_code = 404
    with pytest.raises(HTTPError, match="HTTP Error 404: Not Found") as caught:
        urlopen("http://host/none")
    assert caught.value.read() == b"abc"
    caught.value.close()


def test_no_answer_is_an_error_as_usual(browser):
    browser.answer = RuntimeError("NetworkError: Failed to execute 'send'")
    with pytest.raises(URLError, match=r"Failed to execute 'send'.*Access-Control-Allow-Origin"):
        urlopen(URL)


def test_answer_without_a_status_is_none(browser):
    browser.answer = SimpleNamespace(status_code=0, headers={}, body=b"")
    with pytest.raises(URLError, match=r"no status.*Access-Control-Allow-Origin"):
        urlopen(URL)


def test_headers_of_the_wire_say_nothing_of_the_body(browser):
    browser.answer.headers = {
        "Transfer-Encoding": "chunked",
        "Content-Encoding": "gzip",
        "Content-Length": "2",
    }
    with urlopen(URL) as answer:
        assert answer.read() == b"abc"
        assert dict(answer.headers) == {"content-length": "3"}


def test_body_that_is_not_whole(browser):
    browser.answer.headers = {"Content-Length": "4"}
    with pytest.raises(URLError, match=r"3 bytes arrived of 4.*byte order mark"):
        urlopen(URL)


def test_head_has_a_length_and_no_body(browser):
    browser.answer.headers, browser.answer.body = {"Content-Length": "4"}, b""
    answer = urlopen(request(URL, method="HEAD"))
    assert (answer.read(), answer.headers["content-length"]) == (b"", "4")


def test_other_schemes_and_mistakes_stay_as_they_are(browser):
    assert urlopen("data:,hello").read() == b"hello"
    with pytest.raises(ValueError, match="unknown url type"):
        urlopen("a.bin")
    assert browser.sent == []
