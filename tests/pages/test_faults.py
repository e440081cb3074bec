"""Two thousand loads from a server that lets every fifth answer fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydicom.uid import JPEGLSLossless

from pyloader.loaders.frame_requests import IDLE_SECONDS
from tests.support import builders
from tests.support.dicomweb import Exchange
from tests.support.dicomweb.client import CT, Served

LOADS = 2000
PREFIX = "/quirk/random-7-20"
CODES = {"decode", "format", "http-status", "network"}
# In turn: a cine loop by DICOMweb, some of its frames by byte ranges, single images by either.
LOAD_ALL = """
async ([url, prefix, cine, ct, files, count]) => {
  await pyloader.init({workers: 2});
  const good = {};
  for (const [name, path, last] of [['cine', cine, 30], ['ct', ct, 1]])
    for (let frame = 1; frame <= last; frame++)
      [good[name + frame]] = await digests([`wadors:${url}/dicomweb${path}/frames/${frame}`]);
  const loads = [];
  const add = (name, path) => loads.push([name, path]);
  for (let round = 0; loads.length < count; round++) {
    for (let frame = 1; frame <= 30; frame++) add(`cine${frame}`, `wadors:${url}${prefix}/dicomweb${cine}/frames/${frame}?round=${round}`);
    for (let frame = 1; frame <= 5; frame++) add(`cine${frame}`, `wadouri:${url}${prefix}/files/${files[0]}.dcm?round=${round}&frame=${frame}`);
    for (let copy = 1; copy <= 5; copy++) add('ct1', `wadouri:${url}${prefix}/files/${files[1]}.dcm?round=${round}-${copy}`);
    for (let copy = 1; copy <= 5; copy++) add('ct1', `wadors:${url}${prefix}/dicomweb${ct}/frames/1?round=${round}-${copy}`);
  }
  loads.length = count;
  const started = performance.now();
  const describe = (error) => [error instanceof pyloader.PyLoaderError, error.code, error.message];
  const outcomes = await Promise.all(loads.map(([, id]) => pyloader.loadImage(id).then(digest, describe)));
  const seconds = (performance.now() - started) / 1000;
  const isGood = (outcome, index) => outcome === good[loads[index][0]];
  return [outcomes.filter((outcome, index) => !isGood(outcome, index)), {...pyloader.stats(), seconds}];
}
"""


def test_every_load_ends_and_nothing_is_fetched_twice_without_reason(
    open_page, served: Served
) -> None:
    """Image or typed error, pixels never wrong; what had come whole is not asked for again."""
    page = open_page()
    page.set_default_timeout(300_000)
    cine = store_cine(served)
    paths = [cine, served.paths[CT]]
    files = [path.rpartition("/")[2] for path in paths]
    failures, stats = page.evaluate(LOAD_ALL, [served.server.url, PREFIX, *paths, files, LOADS])
    assert not [text for text in failures if isinstance(text, str)], "pixels are never wrong"
    assert all(is_typed for is_typed, _, _ in failures), failures[:3]
    codes = Counter(code for _, code, _ in failures)
    assert set(codes) <= CODES, failures
    assert 0 < len(failures) < LOADS / 5
    assert (stats["loading"], stats["queued"], stats["deaths"]) == (0, 0, 0)
    assert served.server.settle()
    asked = [seen for seen in served.server.log if seen.path.startswith(PREFIX)]
    print(
        f"{LOADS} loads, {len(asked)} requests, {sum(seen.is_faulty for seen in asked)} of them "
        f"failed: {LOADS - len(failures)} images, errors {dict(codes)}, {stats['seconds']:.0f} s"
    )
    assert asked_again(asked) == []


def store_cine(served: Served) -> str:
    """Store thirty frames of a lossless syntax, so that all ways to them give the same pixels."""
    frames = np.random.default_rng(3).integers(0, 4096, (30, 64, 64)).astype("u2")
    encoded = [builders.ENCODERS[JPEGLSLossless](frame) for frame in frames]
    uids = {
        f"{level}InstanceUID": f"1.2.9.{place}"
        for place, level in enumerate(("Study", "Series", "SOP"))
    }
    return served.server.store(builders.encapsulated(encoded, frames[0], JPEGLSLossless, **uids))


def asked_again(log: Sequence[Exchange]) -> list[tuple[str, str]]:
    """Return the requests of what had come whole and without a fault before.

    Frames that were announced, and that no load has asked for in a while, are given up on the way:
    on a slow machine their load may come later than that.
    """
    come: dict[tuple[str, str], float] = {}
    again = []
    for seen in sorted(log, key=lambda seen: seen.began):
        key = (seen.path, seen.headers.get("range", ""))
        was_given_up = "/frames/" in seen.path and seen.began - come.get(key, 0) >= IDLE_SECONDS
        # WADO-URI does not tell these loads apart.
        if key in come and "/wado?" not in seen.path and not was_given_up:
            again.append(key)
        if seen.whole and seen.status in (200, 206) and not seen.is_faulty:
            come[key] = seen.began
    return again
