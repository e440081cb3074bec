"""Blocks of the page's own thread while a series is loaded, by Chromium's own trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.bench import files
from tests.bench.figures import Row
from tests.bench.visits import Track, check

COUNT = 200
CATEGORIES = ["toplevel", "devtools.timeline", "__metadata"]
MAIN_THREAD = "CrRendererMain"
TASK = "ThreadControllerImpl::RunTask"
# What of a task is script: the calls of its functions, and what its promises go on with.
SCRIPT = ("FunctionCall", "RunMicrotasks", "v8.callFunction", "EvaluateScript")


def blocking(track: Track, turn: int) -> Iterator[Row]:
    """Load a series with two workers, and trace the page's main thread."""
    slices = [files.slice_of("raw", index % files.DISTINCT) for index in range(COUNT)]
    urls = [track.put(f"/made/raw/{index}.dcm", each.body) for index, each in enumerate(slices)]
    for subject in track.in_turn(turn):
        with track.visit(subject, workers=2) as page:
            page.evaluate("([url]) => bench.latency({url, pixelBytes: 1, count: 1, warm: 4})", urls)
            track.browser.start_tracing(page=page, categories=CATEGORIES)
            found = page.evaluate(
                "(urls) => bench.together({imageIds: urls.map((url) => `wadouri:${url}`)})", urls
            )
            events = json.loads(track.browser.stop_tracing())["traceEvents"]
            digests = page.evaluate("bench.heldDigests()")
        case = f"{COUNT} raw, 2 w: longest task"
        check(subject, case, digests, [each.digests[0] for each in slices])
        further = {"script ms": longest(events, SCRIPT), "gap ms": found["longestGap"]}
        yield Row("blocking", case, subject, turn, longest(events, (TASK,)), None, further)


def longest(events: list[dict[str, Any]], names: tuple[str, ...]) -> float:
    """Return milliseconds of the longest event of one of `names` on a page's main thread.

    Of all pages that are open the one that was held up longest is that of the race.
    """
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    found = [
        event.get("dur", 0) / 1000
        for event in events
        if event["name"] in names and (event["pid"], event["tid"]) in threads
    ]
    return max(found, default=0.0)
