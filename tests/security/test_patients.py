"""Traces of a patient: none in storage, none after `purge`."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support import builders
from tests.support.webserver import WebServer

OpenPage = Callable[..., Page]
NAME = "Quastel^Zoe"


def test_nothing_of_a_patient_is_stored(site: WebServer, open_page: OpenPage) -> None:
    path = site.put("/patients/a.dcm", builders.native(builders.ramp(4, 6), PatientName=NAME))
    page = open_page()
    stored = page.evaluate(
        """async (id) => {
          await pyloader.init({workers: 1});
          const { imagePixelModule } = await pyloader.loadMetadata(id);
          await pyloader.loadAndCacheImage(id);
          const caches_ = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname)));
          return [imagePixelModule.rows, localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, caches_.flat()];
        }""",
        f"wadouri:{path}",
    )
    assert stored[:5] == [4, 0, 0, "", 0]
    assert set(stored[5]) <= {"/pyodide/snapshot.bin"}


def test_purge_lets_go_of_all(site: WebServer, open_page: OpenPage) -> None:
    path = site.put("/patients/b.dcm", builders.native(builders.ramp(4, 6), PatientName=NAME))
    page = open_page()
    left = page.evaluate(
        """async (id) => {
          await pyloader.init({workers: 1});
          await pyloader.loadAndCacheImage(id);
          const before = [pyloader.cache.size, Boolean(pyloader.metaData('patientModule', id))];
          await pyloader.purge();
          return [before, [pyloader.cache.size, Boolean(pyloader.metaData('patientModule', id))]];
        }""",
        f"wadouri:{path}",
    )
    assert left == [[1, True], [0, False]]
    asked = len(site.asked(path))
    page.evaluate("(id) => pyloader.loadImage(id).then(() => null)", f"wadouri:{path}")
    assert len(site.asked(path)) > asked, "its worker had it no more"
