"""The races after the start: one image, a series, the frames of a film, the slices of a volume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench import files
from tests.bench.figures import Row
from tests.bench.files import Made
from tests.bench.visits import Memory, Track, check

COUNT, WARM = 12, 4
SERIES = 200
SERIES_ENCODINGS = ("raw", "JPEG-LS", "HTJ2K", "JPEG 2000")


def single_files() -> dict[str, Made]:
    """Return what is loaded one at a time."""
    return {
        **{encoding: files.slice_of(encoding) for encoding in files.ENCODINGS},
        "JPEG": files.photograph(),
        "7 MB raw": files.square(7),
        "32 kB raw": files.small(),
    }


def latency(track: Track, turn: int) -> Iterator[Row]:
    """Load one image at a time, warm; the subjects take turns with each file."""
    with ExitStack() as stack:
        subjects = track.in_turn(turn)
        pages = {subject: stack.enter_context(track.visit(subject)) for subject in subjects}
        for case, file in single_files().items():
            url = track.put(f"/made/{case.replace(' ', '-')}.dcm", file.body)
            asked = {"url": url, "pixelBytes": file.pixel_bytes, "count": COUNT, "warm": WARM}
            for subject, page in pages.items():
                found = page.evaluate("(asked) => bench.latency(asked)", asked)
                check(subject, case, found["digests"], file.digests * COUNT)
                yield Row("latency", case, subject, turn, found["milliseconds"], found["floor"])


def series(track: Track, turn: int, count: int = SERIES) -> Iterator[Row]:
    """Load many slices at once, with one worker and with two."""
    for encoding in SERIES_ENCODINGS:
        for workers in (1, 2):
            for subject in track.in_turn(turn):
                yield one_series(track, turn, subject, (encoding, workers, count))


def one_series(track: Track, turn: int, subject: str, what: tuple[str, int, int]) -> Row:
    """Load one series in a page of its own."""
    encoding, workers, count = what
    name, case = encoding.replace(" ", "-"), f"{count} {encoding}, {workers} w"
    distinct = [files.slice_of(encoding, index) for index in range(files.DISTINCT)]
    slices = [distinct[index % files.DISTINCT] for index in range(count)]
    urls = [track.put(f"/made/{name}/{index}.dcm", each.body) for index, each in enumerate(slices)]
    with track.visit(subject, workers) as page:
        page.evaluate("([url]) => bench.latency({url, pixelBytes: 1, count: 1, warm: 4})", urls)
        page.evaluate("() => bench.sleep(200)")
        memory = Memory(track.browser)
        found = page.evaluate(
            "(urls) => bench.together({imageIds: urls.map((url) => `wadouri:${url}`)})", urls
        )
        peak = memory.peak
        asked = {"urls": [f"{url}?floor" for url in urls], "pixelBytes": slices[0].pixel_bytes}
        floor = page.evaluate("(asked) => bench.fetchTogether(asked)", asked)
        check(
            subject,
            case,
            page.evaluate("bench.heldDigests()"),
            [each.digests[0] for each in slices],
        )
    further = {"gap ms": found["longestGap"], "peak MB": peak}
    return Row("series", case, subject, turn, found["milliseconds"], floor, further)


def frames(track: Track, turn: int) -> Iterator[Row]:
    """Load all frames of a colour JPEG at once."""
    film = files.film()
    url = track.put("/made/film.dcm", film.body)
    for workers in (1, 2):
        for subject in track.in_turn(turn):
            case = f"{len(film.digests)} frames of JPEG, {workers} w"
            with track.visit(subject, workers) as page:
                page.evaluate("(url) => pyloader.loadImage(`wadouri:${url}?warm`)", url)
                found = page.evaluate(
                    "({url, count}) => bench.together({imageIds: Array.from({length: count}, "
                    "(_, index) => `wadouri:${url}?frame=${index + 1}`)})",
                    {"url": url, "count": len(film.digests)},
                )
                asked = {"urls": [f"{url}?floor"], "pixelBytes": film.pixel_bytes}
                floor = page.evaluate("(asked) => bench.fetchTogether(asked)", asked)
                check(subject, case, page.evaluate("bench.heldDigests()"), film.digests)
            further = {"gap ms": found["longestGap"]}
            yield Row("frames", case, subject, turn, found["milliseconds"], floor, further)


def nifti(track: Track, turn: int) -> Iterator[Row]:
    """List and load all slices of a volume."""
    for name, compressed in ((".nii.gz", True), (".nii", False)):
        volume = files.volume(compressed)
        url = track.put(f"/made/volume{name}", volume.body)
        for subject in track.in_turn(turn):
            with track.visit(subject) as page:
                for _ in range(2):
                    found = page.evaluate("(url) => bench.volume({url})", url)
                    check(subject, name, found["digests"], volume.digests)
                    floor = page.evaluate("(url) => bench.inflate({url})", url)
            yield Row("nifti", name, subject, turn, found["milliseconds"], floor)
