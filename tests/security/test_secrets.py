"""Secrets of a page in Chromium: its own origin and the named ones have them, and no other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support import builders
from tests.support.palettes import PIXELS, palette_header
from tests.support.webserver import Seen, WebServer

OpenPage = Callable[..., Page]
SECRETS = "{headers: {Authorization: 'Bearer s3cr3t', 'X-Token': 's3cr3t'}, credentials: 'include'}"
LOAD = "(id) => pyloader.loadImage(id).then(({rows}) => [rows], describeError)"
SERIES = "/pacs/studies/1.2/series/3.4"
INSTANCE = f"{SERIES}/instances/5.6"


def secrets_in(seen: list[Seen]) -> list[str]:
    """Return the hosts that were asked with a secret."""
    return [each.headers["host"] for each in seen if "s3cr3t" in json.dumps(each.headers)]


@pytest.fixture
def file(site: WebServer) -> str:
    """Return the path of a DICOM file, whose server has been asked nothing yet."""
    site.seen.clear()
    return site.put("/secrets/a.dcm", builders.native(builders.ramp(4, 6)))


@pytest.mark.parametrize("workers", [0, 1])
def test_only_named_origins_have_headers(
    site: WebServer, open_page: OpenPage, file: str, workers: int
) -> None:
    page = open_page()
    page.evaluate(f"pyloader.init({{workers: {workers}, ...{SECRETS}}})")
    assert page.evaluate(LOAD, f"wadouri:{site.other_origin}{file}") == [4]
    assert secrets_in(site.asked(file)) == []
    assert page.evaluate(LOAD, f"wadouri:{site.url}{file}?own") == [4]
    assert len(secrets_in(site.asked(file))) == 1
    page.evaluate(
        "(origin) => pyloader.init({origins: [origin], credentials: 'omit'})", site.other_origin
    )
    assert page.evaluate(LOAD, f"wadouri:{site.other_origin}{file}?named") == [4]
    assert len(secrets_in(site.asked(file))) == 2


def test_hooks_are_not_called_for_others(site: WebServer, open_page: OpenPage, file: str) -> None:
    page = open_page()
    found = page.evaluate(
        """async ([here, there, absent]) => {
          const asked = [];
          const note = (what) => ({origin, headers}) => {
            asked.push([what, origin]);
            if (headers) headers['X-Token'] = 's3cr3t'; // in place
            return what === 'after' ? {Authorization: 's3cr3t'} : undefined;
          };
          await pyloader.init({workers: 1, beforeRequest: note('before'), onUnauthorized: note('after')});
          for (const id of [there, here]) await pyloader.loadImage(`wadouri:${id}`);
          return asked;
        }""",
        [f"{site.url}{file}", f"{site.other_origin}{file}", ""],
    )
    assert found == [["before", site.url]]
    assert secrets_in(site.asked(file)) == [site.url.removeprefix("http://")]


def test_refusal_says_what_was_kept_back(open_page: OpenPage, served) -> None:
    page = open_page()
    page.evaluate(f"pyloader.init({{workers: 1, ...{SECRETS}, onUnauthorized: () => true}})")
    url = f"{served.server.url}/quirk/login/files/{{}}.dcm"
    sop = next(iter(served.paths.values())).rpartition("/")[2]
    error = page.evaluate(LOAD, f"wadouri:{url.format(sop)}")
    words = "Authorization and X-Token and cookies and onUnauthorized of the page: kept back from "
    assert f"({words}{served.server.url}, which the page has not named" in error["message"]
    assert f"init({{ origins: ['{served.server.url}'] }})" in error["message"]
    assert len(served.server.log) == 1, "nor is it asked again"


@pytest.mark.parametrize("target", ["own", "other"])
def test_metadata_send_no_secrets_to_other_origins(
    site: WebServer, open_page: OpenPage, target: str
) -> None:
    """A service, though it is named, names bulk data on the page's origin, or on a third."""
    site.seen.clear()
    service, named = (
        (site.other_origin, site.url) if target == "own" else (site.url, site.other_origin)
    )
    described = json.loads(palette_header("5.6").to_json())
    described["00281201"] = {"vr": "OW", "BulkDataURI": f"{named}/secrets/red"}
    site.put("/secrets/red", bytes(512))
    site.put(f"{SERIES}/metadata", json.dumps([described]).encode())
    site.put(f"{INSTANCE}/frames/1", PIXELS.tobytes())
    page = open_page()
    page.evaluate(f"pyloader.init({{workers: 1, ...{SECRETS}, credentials: 'same-origin'}})")
    page.evaluate("(base) => void pyloader.dicomweb(base)", f"{service}/pacs")
    assert page.evaluate(LOAD, f"wadors:{service}{INSTANCE}/frames/1") == [4]
    assert secrets_in(site.asked("/secrets/red")) == []
    assert len(site.asked("/secrets/red")) == 1
    assert len(secrets_in(site.asked(f"{INSTANCE}/frames/1"))) == 1
    page.evaluate("pyloader.purge()")
    page.evaluate("pyloader.init({linkedOrigins: 'refuse'})")
    error = page.evaluate(LOAD, f"wadors:{service}{INSTANCE}/frames/1")
    assert "which is another origin; init({ linkedOrigins: 'without-secrets' })" in error["message"]


def test_errors_and_events_tell_no_secrets(site: WebServer, open_page: OpenPage, file: str) -> None:
    page = open_page()
    told = page.evaluate(
        """async ([good, bad]) => {
          await pyloader.init({workers: 1, retries: 0});
          const told = [];
          for (const type of ['start', 'progress', 'end', 'failed'])
            pyloader.events.addEventListener(`imageload${type}`, ({detail}) => told.push([type, {...detail, error: {...detail.error, message: detail.error?.message}}]));
          const onProgress = (detail) => told.push(['onProgress', detail]);
          for (const id of [good, bad]) told.push(await pyloader.loadImage(id, {onProgress}).then(({rows}) => rows, describeError));
          return JSON.stringify(told);
        }""",
        [
            f"wadouri:{file}?X-Amz-Signature=s3cr3t&access_token=s3cr3t",
            f"wadouri:{site.url.replace('//', '//user:s3cr3t@')}{file}?sig=s3cr3t",
        ],
    )
    assert "s3cr3t" not in told
    assert "access_token=***" in told
    assert "failed" in told
