"""`init`, called again: what takes effect from then on, what cannot change, what is misspelt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.support import corpus
from tests.support.dicomweb.client import COLOR, CT, Served, file_of
from tests.support.pages.outcome import fail, load
from tests.support.pages.viewers import ELEMENT, THREE_D
from tests.support.webserver import WebServer

IMAGE = "wadouri:/corpus/CT_small.dcm"
GOOD = "{headers: {Authorization: 'Bearer good'}}"


def behind_login(served: Served, name: str = CT) -> str:
    """Return the imageId of a file that needs ``Authorization: Bearer good``."""
    return f"wadouri:{file_of(served, name).replace('/files/', '/quirk/login/files/')}"


def init(page: Page, options: str) -> None:
    """Call `init` with options in JavaScript."""
    page.evaluate(f"() => pyloader.init({options})")


def refusal(page: Page, options: str) -> dict[str, Any]:
    """Return the error of a call of `init`."""
    script = f"() => pyloader.init({options}).then(() => null, describeError)"
    error: dict[str, Any] = page.evaluate(script)
    assert error, f"init({options}) was fine"
    return error


# ------------------------------------------------------------------ what takes effect


IDENTITIES = [
    GOOD,
    "{headers: new Headers({authorization: 'Bearer good'})}",
    "{beforeRequest: (request) => void (request.headers.Authorization = 'Bearer good')}",
    "{onUnauthorized: async () => ({Authorization: 'Bearer good'})}",
    "{onUnauthorized: async () => (await pyloader.init(" + GOOD + "), true)}",
    "{onUnauthorized: async () => void (await pyloader.init(" + GOOD + "))}",
]


@pytest.mark.parametrize(
    ("workers", "given"),
    [("1", given) for given in IDENTITIES]
    + [("0", IDENTITIES[0]), ("0", IDENTITIES[3]), ("2", GOOD)],
)
def test_who_asks(open_named, served: Served, workers: str, given: str) -> None:
    page = open_named()
    init(page, f"{{workers: {workers}}}")
    assert fail(page, behind_login(served))["status"] == 401
    init(page, given)
    assert load(page, behind_login(served))["rows"] == 128


def test_page_whose_first_load_called_init(open_named, served: Served) -> None:
    """As the text of the 401 advises."""
    page = open_named()
    error = fail(page, behind_login(served))
    assert "not signed in: give init() headers, beforeRequest or onUnauthorized" in error["message"]
    asked = page.evaluate(
        """() => {
          globalThis.asked = [];
          return pyloader.init({ onUnauthorized: (details) => { asked.push(details); return { Authorization: 'Bearer good' }; } });
        }"""
    )
    assert asked is None
    assert load(page, behind_login(served))["rows"] == 128
    (details,) = page.evaluate("asked")
    assert (details["status"], details["url"]) == (401, behind_login(served).partition(":")[2])


def test_workers_that_start_later_and_those_that_take_the_place_of_others(
    open_named, served: Served
) -> None:
    page = open_named()
    init(page, "{workers: 1}")
    crash = """
from pyloader import register_loader

@register_loader("crash")
async def load(image_id, context):
    import ctypes; ctypes.string_at(0xFFFFFF00, 16)
"""
    page.evaluate("(source) => pyloader.loadPython({source})", crash)
    init(page, GOOD)
    fail(page, "crash:now", timeout=1000)
    page.wait_for_function("pyloader.stats().deaths === 1", timeout=30_000)
    assert load(page, behind_login(served))["rows"] == 128


def test_what_is_not_given_again_stays(open_page, site: WebServer) -> None:
    page = open_page()

    def sent(query: str) -> tuple[str | None, ...]:
        load(page, f"{IMAGE}?{query}")
        headers = next(seen for seen in site.seen if seen.path.endswith(f"?{query}")).headers
        return tuple(headers.get(name) for name in ("x-token", "x-hook", "x-other"))

    init(page, "{workers: 1, headers: {'X-Token': 'good'}, retries: 0, timeout: 5000}")
    init(page, "{beforeRequest: (request) => void (request.headers['X-Hook'] = '1')}")
    init(page, "{credentials: 'omit', headers: undefined}")
    assert sent("stays=1") == ("good", "1", None)
    init(page, "{headers: {'X-Other': '1'}}")
    assert sent("stays=2") == (None, "1", "1")
    init(page, "{beforeRequest: null}")
    assert sent("stays=3") == (None, None, "1")


def test_new_headers_count_more_than_what_was_granted_before(open_named, served: Served) -> None:
    page = open_named()
    init(page, "{workers: 1, onUnauthorized: () => ({Authorization: 'Bearer old'})}")
    error = fail(page, behind_login(served))
    assert "the Authorization that was sent was refused" in error["message"]
    init(page, GOOD)
    assert load(page, behind_login(served))["rows"] == 128


def test_retries_and_timeouts(open_named, served: Served) -> None:
    page = open_named()
    init(page, "{workers: 1, retries: 0}")
    busy = f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/unavailable/files/')}"
    assert fail(page, busy)["status"] == 503
    init(page, "{retries: 2}")
    assert load(page, busy)["rows"] == 128
    never = f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/never/files/')}"
    init(page, "{retries: 0, requestTimeout: 300}")
    assert "no byte came for 300 ms" in fail(page, never)["message"]
    init(page, "{requestTimeout: 0, timeout: 300}")
    error = fail(page, never)
    assert (error["code"], "for 300 ms" in error["message"]) == ("timeout", True)


def test_limits_and_the_cache_of_images(open_named, served: Served) -> None:
    page = open_named()
    load(page, IMAGE)
    init(page, "{limits: {decodedBytes: 1000}, cacheBytes: 40_000}")
    assert "limits.decodedBytes" in fail(page, f"wadouri:{file_of(served, COLOR)}")["message"]
    assert page.evaluate("pyloader.cache.maximumBytes") == 40_000
    init(page, "{limits: {decodedBytes: null}}")
    assert load(page, f"wadouri:{file_of(served, COLOR)}")["rows"] == 240


def test_call_while_python_starts_waits_and_takes_effect(open_named, served: Served) -> None:
    page = open_named()
    rows = page.evaluate(
        f"""async (id) => {{
          const first = pyloader.init({{workers: 1}});
          const second = pyloader.init({GOOD});
          let isStarted = false;
          pyloader.ready.then(() => (isStarted = true));
          await second;
          const waited = isStarted;
          await first;
          return [waited, (await pyloader.loadImage(id)).rows];
        }}""",
        behind_login(served),
    )
    assert rows == [True, 128]


def test_load_right_after_a_call_need_not_wait_for_it(open_named, served: Served) -> None:
    page = open_named()
    load(page, IMAGE)
    rows = page.evaluate(
        f"(id) => (pyloader.init({GOOD}), pyloader.loadImage(id).then((image) => image.rows))",
        behind_login(served),
    )
    assert rows == 128


@pytest.mark.parametrize("scheme", ["wadouri", "web"])
def test_loads_under_way(open_page, site: WebServer, scheme: str) -> None:
    """A refused option is asked for again; who comes later shares nothing with it."""
    page = open_page()
    init(page, "{workers: 1, retries: 0}")
    held: list[Route] = []
    body = (corpus.DATA / "CT_small.dcm").read_bytes()
    if scheme == "web":
        body = (site.roots["/"] / "samples/web/labels.png").read_bytes()

    def answer(route: Route) -> None:
        is_known = route.request.headers.get("authorization") == "Bearer good"
        if is_known:
            route.fulfill(status=200, body=body)
        else:
            held.append(route)

    page.context.route("**/late*", answer)
    page.evaluate(f"() => {{ globalThis.first = load('{scheme}:/late'); }}")
    while not held:
        page.wait_for_timeout(20)
    page.evaluate(f"() => {{ pyloader.init({GOOD}); globalThis.second = load('{scheme}:/late'); }}")
    assert "image" in page.evaluate("second"), "it has not waited for the first"
    if scheme == "web":  # of a file that goes to Python whole, the request is given up
        held[0].fulfill(status=401)
    assert "image" in page.evaluate("first")
    assert len(held) == 1
    page.context.unroute("**/late*")


# ------------------------------------------------------------------ what cannot change


def test_the_same_again_is_fine(open_page) -> None:
    page = open_page()
    init(page, "{workers: 1, assetsURL: '/'}")
    init(page, "{workers: 1, assetsURL: location.origin, packages: [], packageIndexes: []}")
    assert page.evaluate("pyloader.init() === pyloader.init()")


@pytest.mark.parametrize(
    ("call", "starter"),
    [
        (f"pyloader.loadImage('{IMAGE}')", f"loadImage('{IMAGE}')"),
        (f"pyloader.loadMetadata('{IMAGE}')", f"loadMetadata('{IMAGE}')"),
        (f"pyloader.imageIds('{IMAGE}')", f"imageIds('{IMAGE}')"),
        ("pyloader.loadPython({source: '', name: 'mine.py'})", "loadPython(), for 'mine.py'"),
        ("pyloader.dicomweb('/dw').searchStudies()", "a search of '/dw/studies'"),
        ("pyloader.init()", "the page"),
    ],
)
def test_who_called_it_first_is_said(open_page, call: str, starter: str) -> None:
    page = open_page()
    page.evaluate(f"() => {call}.then(() => null, () => null)")
    for option in ("workers: 3", "assetsURL: '/sub/folder/'", "packages: ['nibabel']"):
        error = refusal(page, f"{{{option}, headers: {{A: '1'}}}}")
        assert (error["code"], error["isPyLoaderError"]) == ("boot", True)
        name = option.partition(":")[0]
        start = f"init() was called by {starter} already, and {name} cannot be changed any more"
        assert error["message"].startswith(start)
        assert "call init first" in error["message"]
    assert load(page, IMAGE)["rows"] == 128


def test_after_terminate_all_may_change(open_named, served: Served) -> None:
    page = open_named()
    init(page, "{workers: 1, headers: {Authorization: 'Bearer good'}, cacheBytes: 5}")
    page.evaluate("pyloader.terminate()")
    init(page, "{workers: 2}")
    assert page.evaluate("pyloader.stats().workers.length") == 2
    assert page.evaluate("pyloader.cache.maximumBytes") == 2**30
    assert fail(page, behind_login(served))["status"] == 401, "nobody is signed in any more"


def test_start_that_failed_keeps_what_the_page_has_said(open_named, served: Served) -> None:
    page = open_named()
    error = refusal(
        page, "{workers: 1, assetsURL: '/nowhere', headers: {Authorization: 'Bearer good'}}"
    )
    assert error["code"] == "boot"
    init(page, "{assetsURL: '/'}")
    assert load(page, behind_login(served))["rows"] == 128
    assert page.evaluate("pyloader.stats().workers.length") == 1


# ------------------------------------------------------------------ what is misspelt, or cannot be


def test_unknown_options_are_told_once(open_page) -> None:
    page = open_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    init(page, "{header: {}, limits: {requestPerOrigin: 1}}")
    init(page, "{header: {}}")
    image_id = json.dumps(IMAGE)
    page.evaluate(f"pyloader.loadImage({image_id}, {{onprogress: 1, useNativeDataType: true}})")
    page.evaluate("pyloader.dicomweb('/dw', {header: {}}) && null")
    page.evaluate("pyloader.loadPython({source: '', package: []})")
    told = [text for text in said if text.startswith("pyloader:")]
    assert told == [
        "pyloader: init has no option 'header': did you mean 'headers'?",
        "pyloader: init has no option 'limits.requestPerOrigin': did you mean 'limits.requestsPerOrigin'?",
        "pyloader: loadImage has no option 'onprogress': did you mean 'onProgress'?",
        "pyloader: dicomweb has no option 'header': did you mean 'headers'?",
        "pyloader: loadPython has no option 'package': did you mean 'packages'?",
    ]


def test_options_of_viewers_are_not_told(open_page) -> None:
    page = open_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D)
    page.evaluate("start()")
    page.evaluate("(id) => show3d([id])", IMAGE)
    page.evaluate(
        "(id) => cs.imageLoader.loadAndCacheImage(id, {anything: 1, onprogress: 2})", f"{IMAGE}?2"
    )
    page.evaluate("(id) => pyloader.imageLoader(id, {anything: 1}).promise.then(() => 1)", IMAGE)
    assert not [text for text in said if text.startswith("pyloader:")]


@pytest.mark.parametrize("options", ["{workers: -1}", "{workers: 'x'}", "{timeout: '60'}", "5"])
def test_what_cannot_be_fails_all_that_waits_for_it(open_page, options: str) -> None:
    page = open_page()
    expected = refusal(page, options)
    assert (expected["code"], expected["stage"], expected["isPyLoaderError"]) == (
        "boot",
        "boot",
        True,
    )
    found = page.evaluate(
        """(id) => Promise.all([pyloader.ready, pyloader.loadImage(id), pyloader.imageIds(id), pyloader.loadPython({source: ''})]
          .map((each) => each.then(() => null, (error) => error.message)))""",
        IMAGE,
    )
    assert found == [expected["message"]] * 4
    init(page, "{workers: 1}")
    assert load(page, IMAGE)["rows"] == 128
    page.evaluate("pyloader.ready")


def test_what_cannot_be_later_changes_nothing(open_named, served: Served) -> None:
    page = open_named()
    init(page, "{workers: 1, headers: {Authorization: 'Bearer good'}}")
    assert refusal(page, "{headers: {}, retries: 'many'}")["code"] == "boot"
    assert load(page, behind_login(served))["rows"] == 128
    page.evaluate("pyloader.ready")
