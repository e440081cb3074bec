"""Growth of time and memory: with the number of images, and with the size of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench import files
from tests.bench.figures import NEW, Row, slope
from tests.bench.files import Made
from tests.bench.visits import Memory, Track, check

COUNTS = (1, 10, 100, 1000)
MEGABYTES = (0.1, 1, 10, 50, 200)
BY_COUNT, BY_SIZE = "images", "MB"


def counts(track: Track, turn: int) -> Iterator[Row]:
    """Load 1 to 1,000 small images at once, each from its own address."""
    file = files.small()
    for count in COUNTS:
        urls = [track.put(f"/made/many/{index}.dcm", file.body) for index in range(count)]
        for subject in track.in_turn(turn):
            yield measure(track, turn, subject, (BY_COUNT, count, urls, file))


def sizes(track: Track, turn: int) -> Iterator[Row]:
    """Load one image of 0.1 to 200 MB."""
    for megabytes in MEGABYTES:
        file = files.square(megabytes)
        url = track.put(f"/made/of-{megabytes}-MB.dcm", file.body)
        for subject in track.in_turn(turn):
            yield measure(track, turn, subject, (BY_SIZE, megabytes, [url], file))
        del track.server.made[url]


def measure(
    track: Track, turn: int, subject: str, what: tuple[str, float, Sequence[str], Made]
) -> Row:
    """Load some addresses at once, in a page of their own."""
    unit, amount, urls, file = what
    warm = track.put("/made/warm.dcm", files.small().body)
    with track.visit(subject) as page:
        page.evaluate("(url) => bench.latency({url, pixelBytes: 1, count: 1, warm: 4})", warm)
        memory = Memory(track.browser)
        found = page.evaluate(
            "(urls) => bench.together({imageIds: urls.map((url) => `wadouri:${url}`)})", urls
        )
        peak = memory.peak - memory.before
        asked = {"urls": [f"{url}?floor" for url in urls], "pixelBytes": file.pixel_bytes}
        floor = page.evaluate("(asked) => bench.fetchTogether(asked)", asked)
        digests = page.evaluate("bench.heldDigests()")
    check(subject, f"{amount:g} {unit}", digests, file.digests * len(urls))
    further = {"more MB": peak}
    return Row(
        f"by {unit}", f"{amount:g} {unit}", subject, turn, found["milliseconds"], floor, further
    )


def slopes(rows: Sequence[Row]) -> list[str]:
    """Say what one more image, and one more MB, costs: time and memory by least squares."""
    sentences = []
    for unit in (BY_COUNT, BY_SIZE):
        found = [row for row in rows if row.race == f"by {unit}" and row.subject == NEW]
        amounts = [float(row.case.split()[0]) for row in found]
        if len(set(amounts)) < 2:
            continue
        time, start = slope([(x, row.milliseconds) for x, row in zip(amounts, found, strict=True)])
        space, _ = slope(
            [(x, row.further["more MB"]) for x, row in zip(amounts, found, strict=True)]
        )
        one = unit.removesuffix("s")
        sentences.append(
            f"each {one} takes {time:.2f} ms and {space:.2f} MB, beside {start:.0f} ms"
        )
    return sentences
