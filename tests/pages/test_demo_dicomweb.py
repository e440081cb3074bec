"""The DICOMweb page before a real Orthanc, both started as `./build.sh demo --orthanc` does."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.support.pages import DIST, prepare
from tests.support.pages.demo import corner, wait
from web.build import serve

ROOT = Path(__file__).parents[2]
VOLUME = "CT volume, 40 slices"
CINE = "Ultrasound, JPEG baseline, 30 frames"
READ_CANVAS = """
(selector) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.toDataURL(), new Set(data.filter((_, index) => index % 4 === 0)).size];
}
"""
AUTHORIZATION = {"Authorization": f"Basic {base64.b64encode(b'demo:demo').decode()}"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve dist/ with an Orthanc behind it; return the address of the DICOMweb page."""
    command = [sys.executable, "-m", "web.build.serve", DIST, "--port", "0", "--orthanc"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    served = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    assert served.stdout
    assert served.stderr
    found = re.search(r"http://\S+", served.stdout.readline())
    if found:
        yield found.group()
        served.terminate()
    _, words = served.communicate(timeout=30)
    if "--orthanc needs" in words:
        pytest.skip(words.strip())
    assert found, words
    assert served.returncode == 0, words


@pytest.fixture
def open_archive(address: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the page, which must not have uncaught errors."""
    pages: list[Page] = []

    def open_archive(query: str = "", login: bool = True) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        pages.append(context.new_page())
        prepare(pages[-1], address.partition("?")[0] + query if query else address)
        if login:
            log_in(pages[-1], "demo")
            wait(pages[-1], "ready")
        return pages[-1]

    yield open_archive
    for page in pages:
        assert page.uncaught == []  # type: ignore[attr-defined]
        page.context.close()


def log_in(page: Page, password: str) -> None:
    """Send the form once it is there."""
    page.wait_for_selector("[data-login=needed] #login")
    page.fill("#login [name=user]", "demo")
    page.fill("#login [name=password]", password)
    page.keyboard.press("Enter")


def patients(page: Page) -> list[str]:
    """Return the names in the list of studies."""
    return page.locator("#studies td:first-child").all_inner_texts()


def choose(page: Page, patient: str, series: str) -> None:
    """Open a series of the only study of a patient."""
    page.click(f'#studies td:first-child:has-text("{patient}")')
    page.click(f'#series button:has-text("{series}")')


def wait_until_loaded(page: Page, count: str) -> None:
    """Wait until as many images of the open series are loaded, such as ``40/40``."""
    page.wait_for_selector(f'#series [aria-current=true][data-loaded="{count}"]')


def picture(page: Page, selector: str = "#stage canvas") -> str:
    """Return what a canvas shows, as a PNG in a data URL; it must not be empty."""
    url, levels = page.evaluate(READ_CANVAS, selector)
    assert levels > 20, "the canvas holds a picture"
    return url


# ---------------------------------------------------------------- log-in and lists


def test_log_in_wrongly_then_rightly(open_archive) -> None:
    page = open_archive(login=False)
    log_in(page, "wrong")
    page.wait_for_selector("#login .wrong:visible")
    assert "does not let demo in" in page.inner_text("#login")
    assert patients(page) == []
    log_in(page, "demo")
    wait(page, "ready")
    assert page.locator("#login").is_hidden()
    assert len(patients(page)) == 12
    row = page.locator('#studies tr:has-text("Phantom")').inner_text()
    assert row.split("\t") == ["Phantom Chest", "2024-06-07", "made by the build", "CT", "40"]


def test_who_cancels_the_log_in_is_told(open_archive) -> None:
    page = open_archive(login=False)
    page.click("#login [name=cancel]")
    wait(page, "failed")
    assert page.evaluate("document.documentElement.dataset.error") == "http-status"
    assert "401" in page.inner_text("#error")


def test_log_out(open_archive) -> None:
    page = open_archive()
    page.click("#log-out")
    page.wait_for_selector("[data-login=needed] #login")
    assert patients(page) == []
    log_in(page, "demo")
    wait(page, "ready")
    assert len(patients(page)) == 12


def test_a_server_on_another_origin(address, open_archive) -> None:
    server = f"http://localhost:{urlsplit(address).port}/dicom-web"
    page = open_archive(f"?server={server}")
    choose(page, "PLA", CINE)
    wait(page, "shown")
    # What one server was told is not told to another.
    page.fill("#server input", "../dicom-web")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-login=needed] #login")
    assert page.locator("#login .wrong").is_hidden()
    # Who asks for something else has answered the form, too.
    page.fill("#server input", f"http://localhost:{urlsplit(address).port}/demo")
    page.click("#server button")
    wait(page, "failed")
    assert page.locator("#login").is_hidden()


def test_without_a_server_the_page_shows_a_static_tree(demo) -> None:
    page = demo("dicomweb.html")
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    wait(page, "shown")
    assert page.input_value("#server input") == "../samples/dicom-web"
    assert patients(page) == ["Phantom Heart", "Phantom Chest"]
    assert corner(page, "top.right") == "Frame 9 of 16"
    wait_until_loaded(page, "16/16")
    choose(page, "Phantom Chest", "Synthetic chest")
    wait_until_loaded(page, "10/10")
    assert "z 40.0 mm" in corner(page, "bottom.right")
    picture(page)
    page.fill("#search input", "*chest")
    page.wait_for_function("document.querySelectorAll('#studies tr').length === 1")
    assert (page.uncaught, problems) == ([], [])


def test_pixels_of_the_static_tree_are_those_of_the_volume(page) -> None:
    found = page.evaluate(
        """async () => {
          const server = pyloader.dicomweb('/samples/dicom-web');
          const [study] = await server.searchStudies({ patientName: '*chest' });
          const [series] = await server.searchSeries(study.studyInstanceUID);
          const imageIds = await server.imageIds(study.studyInstanceUID, series.seriesInstanceUID);
          const names = [1, 21].map((number) => `wadouri:/samples/volume/slice-${String(number).padStart(2, '0')}.dcm`);
          return Promise.all([imageIds[0], imageIds[5], ...names].map((imageId) => digests([imageId])));
        }"""
    )
    assert found[:2] == found[2:]
    assert found[0] != found[1]


def test_without_a_server_behind_the_page_it_says_what_to_do(open_page) -> None:
    page = open_page("/demo/dicomweb.html?server=../dicom-web", script="")
    wait(page, "failed")
    assert page.evaluate("document.documentElement.dataset.error") == "http-status"
    assert "./build.sh demo --orthanc starts it" in page.inner_text("#error")
    assert page.uncaught == []


def test_search_by_name(open_archive) -> None:
    page = open_archive()
    for pattern, found in [("Phan*", 1), ("*Samples^?R1", 1), ("compressed", 4), ("Nobody", 0)]:
        page.fill("#search input", pattern)
        page.wait_for_function(
            "(count) => document.querySelectorAll('#studies tr').length === count", arg=found
        )
    assert "No patient is called Nobody*" in page.inner_text("main")


def test_thumbnails(open_archive) -> None:
    page = open_archive()
    page.click('#studies td:first-child:has-text("MR1")')
    page.wait_for_selector("#series canvas")
    drawn = []
    for number in range(1, 6):  # one image in five transfer syntaxes
        thumbnail = f"#series li:nth-child({number}) canvas"
        page.locator(thumbnail).scroll_into_view_if_needed()
        page.wait_for_selector(f"{thumbnail}[data-drawn=true]")
        drawn.append(picture(page, thumbnail))
    assert set(drawn) == {drawn[0]}


# ---------------------------------------------------------------- images


def test_slices_of_a_volume(open_archive) -> None:
    page = open_archive()
    choose(page, "Phantom", VOLUME)
    wait(page, "shown")
    assert corner(page, "top.right") == "Slice 21 of 40"
    assert "z 40.0 mm" in corner(page, "bottom.right")
    middle = picture(page)
    wait_until_loaded(page, "40/40")
    page.hover("#stage")
    page.mouse.wheel(0, 120)
    page.wait_for_function("document.querySelector('.corner.top.right').innerText.includes('22')")
    wait(page, "shown")
    assert picture(page) != middle
    page.focus("#stage .viewport")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.corner.top.right').innerText.includes(' 1 ')")
    wait(page, "shown")
    assert "z 0.0 mm" in corner(page, "bottom.right")


def test_window_by_drag(open_archive) -> None:
    page = open_archive()
    choose(page, "Phantom", VOLUME)
    wait(page, "shown")
    before, words = picture(page), corner(page, "bottom.left")
    box = page.locator("#stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 240, steps=4)
    page.mouse.up()
    assert corner(page, "bottom.left") != words == "W 400 C 40"
    page.wait_for_timeout(100)
    assert picture(page) != before
    page.dblclick("#stage")
    assert corner(page, "bottom.left") == words


def test_another_series_ends_the_prefetch(open_archive) -> None:
    page = open_archive()
    page.route("**/frames/*", lambda route: (page.wait_for_timeout(100), route.continue_()))
    choose(page, "Phantom", VOLUME)
    wait(page, "shown")
    volume = page.evaluate_handle("document.querySelector('#series [aria-current=true]')")
    choose(page, "CT1", "CT, uncompressed")
    page.wait_for_function("document.querySelector('.corner').innerText.includes('CT1')")
    wait(page, "shown")
    loaded = volume.get_attribute("data-loaded")
    assert loaded != "40/40"
    assert page.evaluate("pyloader.stats().cancelled") > 0
    page.wait_for_timeout(1000)
    assert volume.get_attribute("data-loaded") == loaded
    page.unroute_all()
    choose(page, "Phantom", VOLUME)
    wait_until_loaded(page, "40/40")


def test_frames(open_archive) -> None:
    page = open_archive()
    choose(page, "PLA", CINE)
    wait(page, "shown")
    assert corner(page, "top.right") == "Frame 16 of 30"
    before = picture(page)
    wait_until_loaded(page, "30/30")
    page.focus("#stage .viewport")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.corner.top.right').innerText.includes('17')")
    wait(page, "shown")
    assert picture(page) != before


def test_every_series_ends_as_it_should(open_archive) -> None:
    page = open_archive()
    opened = 0
    for row in page.locator("#studies tr").all():
        row.click()
        page.wait_for_selector("#series button")
        for button in page.locator("#series button").all():
            button.click()
            title = button.locator("strong").inner_text()
            page.wait_for_function(
                "['shown', 'failed'].includes(document.documentElement.dataset.state)"
            )
            state = page.evaluate("document.documentElement.dataset.state")
            assert (title, state) == (title, "failed" if "no pixels" in title else "shown")
            opened += 1
    assert opened == 18


# ---------------------------------------------------------------- the server


def ask(address: str, path: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    """Return the status, headers and body of an answer."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_the_browser_shall_not_ask_for_the_password(address: str) -> None:
    status, headers, _ = ask(address, "/dicom-web/studies", {})
    assert status == 401
    assert "WWW-Authenticate" not in headers
    assert headers["X-WWW-Authenticate"].startswith("Basic")
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_addresses_in_answers_lead_through_the_server(address: str) -> None:
    port = urlsplit(address).port
    headers = {**AUTHORIZATION, "Host": f"localhost:{port}"}
    _, _, body = ask(address, "/dicom-web/studies?PatientName=Phantom*", headers)
    (study,) = json.loads(body)
    url = study["00081190"]["Value"][0]
    assert url.startswith(f"http://localhost:{port}/dicom-web/studies/")
    _, _, metadata = ask(address, urlsplit(url).path + "/metadata", headers)
    bulk = json.loads(metadata)[0]["7FE00010"]["BulkDataURI"]
    assert bulk.startswith(url)
    assert ask(address, urlsplit(bulk).path, headers)[0] == 200


def test_who_goes_away_ends_the_request_behind() -> None:
    behind = socket.create_server(("127.0.0.1", 0))
    behind.settimeout(10)
    server = serve.server_from(DIST, 0, behind.getsockname()[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = socket.create_connection(server.server_address)
    client.sendall(b"GET /dicom-web/studies HTTP/1.1\r\nHost: here\r\n\r\n")
    request, _ = behind.accept()
    request.settimeout(10)
    assert b"Forwarded: proto=http;host=here" in request.recv(4096)
    client.close()
    assert request.recv(4096) == b""
    request.close()
    behind.close()
    server.shutdown()
    server.server_close()
