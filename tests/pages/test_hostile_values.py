"""Hostile values in the attributes that readers ask for, in Chromium: the files of the Python tests.

Each load ends with an image or an error of pyloader, and no number of a module is absurd.
"""

from __future__ import annotations

from itertools import islice

from playwright.sync_api import Browser

from tests.support.hostile import drawn_files, hostile_batches
from tests.support.pages import prepare
from tests.support.webserver import WebServer

DRAWN, BATCHES = 60, 60
# Files of a page one behind the other, each behind its length.
LOAD_ALL = """
async (url) => {
  const body = await (await fetch(url)).arrayBuffer();
  const view = new DataView(body);
  const absurd = (path, value) => {
    if (typeof value === 'bigint') return [`${path} is ${value}n`];
    if (ArrayBuffer.isView(value)) return value.every(Number.isFinite) ? [] : [`${path} is not finite`];
    if (value && typeof value === 'object') return Object.entries(value).flatMap(([key, part]) => absurd(`${path}.${key}`, part));
    if (typeof value === 'string') {
      const isDate = /(Date|DateTime)$/.test(path);
      return isDate && !(Number(value.slice(0, 4)) >= 1800 && Number(value.slice(0, 4)) <= 2200) ? [`${path} is ${value}`] : [];
    }
    if (typeof value !== 'number') return [];
    const isSpacing = /(spacing|thickness)(\\.\\d)?$/i.test(path);
    return Number.isFinite(value) && !(isSpacing && !(value >= 0 && value <= 10000)) ? [] : [`${path} is ${value}`];
  };
  const load = async (part) => {
    const imageId = pyloader.addFile(new Blob([part]));
    const outcome = { codes: [], absurd: [] };
    for (const call of [pyloader.loadImage, pyloader.loadMetadata]) {
      try {
        const found = await call(imageId);
        outcome.codes.push('image');
        outcome.absurd.push(...absurd('', found.modules ?? found));
        const { slope, intercept, scaling, rowPixelSpacing, columnPixelSpacing } = found;
        outcome.absurd.push(...absurd('image', { slope, intercept, scaling, rowPixelSpacing, columnPixelSpacing }));
        outcome.absurd.push(...(found.warnings ?? []).filter((each) => each.startsWith('module ')));
      } catch (error) {
        outcome.codes.push(error instanceof pyloader.PyLoaderError ? error.code : `untyped ${error?.name}`);
      }
    }
    pyloader.removeFile(imageId);
    return outcome;
  };
  const parts = [];
  for (let at = 0; at < body.byteLength;) {
    const length = view.getUint32(at, true);
    parts.push(body.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return await Promise.all(parts.map(load));
}
"""


def test_hostile_values_leave_an_image_or_a_typed_error(site: WebServer, browser: Browser) -> None:
    bodies = [*drawn_files(DRAWN), *islice(hostile_batches(), 0, None, 10)][: DRAWN + BATCHES]
    joined = b"".join(len(body).to_bytes(4, "little") + body for body in bodies)
    url = site.put("/hostile/all.bin", joined)
    context = browser.new_context()
    page = context.new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.evaluate("pyloader.init({ workers: 1 })")
    outcomes = page.evaluate(LOAD_ALL, url)
    deaths = page.evaluate("pyloader.stats().deaths")
    context.close()
    codes = [code for outcome in outcomes for code in outcome["codes"]]
    assert set(codes) <= {"image", "format", "unsupported", "decode"}
    assert codes.count("image") > len(bodies)
    assert [each for outcome in outcomes for each in outcome["absurd"]] == []
    assert deaths == 0
