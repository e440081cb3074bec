"""Damaged files under CPython: refused for a reason, or an image that its header describes.

Loads run in a child process: a codec that crashes must not end the tests. `FUZZ_EACH=20` has every
file damaged 60 times.
"""

from __future__ import annotations

import asyncio
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from struct import pack
from typing import Any

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from pyloader import Context, Image, LoaderError, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support import builders, corpus, fuzz

pytestmark = pytest.mark.timeout(900)
FILES = [*corpus.files(), *corpus.further_images()]
SECONDS_OF_A_FILE = 60
URL = "https://host/a.dcm"


def load_all(name: str) -> list[dict[str, Any]]:
    """Load a file with each damage."""
    warnings.simplefilter("ignore")
    subject = fuzz.read_subject(name)
    return [outcome_of(each.of(subject.body), each.frame_index) for each in fuzz.loads(subject)]


def outcome_of(body: bytes, frame_index: int) -> dict[str, Any]:
    """Load a frame of a file; metadata are asked for too."""
    context = Context(Network(MemoryTransport({URL: body}), retries=0), Cache(1 << 20))
    image_id = f"wadouri:{URL}?frame={frame_index + 1}"
    try:
        image = asyncio.run(load_both(image_id, context))
    except LoaderError as error:
        return {"code": error.code, "message": str(error)}
    except Exception as error:
        return {"code": "internal", "message": f"{type(error).__name__}: {error}"}
    return {"shape": image.pixels.shape[:2], "digest": digest_of(image)}


async def load_both(image_id: str, context: Context) -> Image:
    """Load an image, also when what describes it cannot be read."""
    with suppress(LoaderError):
        await load_metadata(image_id, context)
    return await load_image(image_id, context)


def digest_of(image: Image) -> str:
    """Return what tells one image from another."""
    return f"{image.pixels.dtype} {hashlib.sha256(image.pixels.tobytes()).hexdigest()}"


class Child:
    """A process that loads; another takes its place when it dies."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, get_context("spawn"))

    def load_all(self, name: str) -> list[dict[str, Any]]:
        """Load a file with each damage."""
        try:
            return self.pool.submit(load_all, name).result(SECONDS_OF_A_FILE)
        except (BrokenProcessPool, TimeoutError):
            self.end()
            self.pool = ProcessPoolExecutor(1, get_context("spawn"))
            raise

    def end(self) -> None:
        """End the process, also one that never returns."""
        for process in list(self.pool._processes.values()):
            process.kill()
        self.pool.shutdown()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Start a process that loads."""
    child = Child()
    yield child
    child.end()


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """Return how many loads came to what."""
    return Counter()


@pytest.mark.parametrize("name", FILES)
def test_damaged_file_is_refused_or_what_its_header_says(
    child: Child, tally: Counter[str], name: str
) -> None:
    outcomes = child.load_all(name)
    tally.update(outcome.get("code", "images") for outcome in outcomes)
    assert not fuzz.read_subject(name).complaints(outcomes)


def with_size(body: bytes, syntax: str, rows: int, columns: int) -> bytes:
    """Return a file whose header tells another size."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    vr = b"" if syntax == ImplicitVRLittleEndian else b"US"
    for element, value in ((0x10, rows), (0x11, columns)):
        length = pack(f"{order}H", 2) if vr else pack("<L", 2)
        place = body.index(pack(f"{order}HH", 0x28, element) + vr + length) + 8
        body = body[:place] + pack(f"{order}H", value) + body[place + 2 :]
    return body


def with_codestream_size(body: bytes, rows: int, columns: int) -> bytes:
    """Return a file whose JPEG, JPEG-LS or JPEG 2000 tells another size; of the last, one tile."""
    if (size := body.find(b"\xff\x4f\xff\x51")) >= 0:  # ISO 15444-1 A.5.1
        return (
            body[: size + 8] + pack(">6L", columns, rows, 0, 0, columns, rows) + body[size + 32 :]
        )
    starts = (body.find(bytes((0xFF, marker, 0))) for marker in (0xC0, 0xC1, 0xC3, 0xF7))
    start = next(place for place in starts if place >= 0)  # ISO 10918-1 B.2.2
    return body[: start + 5] + pack(">2H", rows, columns) + body[start + 9 :]


NOT_DEFLATED = [syntax for syntax in builders.ALL if syntax != DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", NOT_DEFLATED)
def test_header_that_claims_gigabytes_is_refused_before_they_are_taken(syntax: str) -> None:
    body, _ = builders.grey_file(syntax)
    outcome = outcome_of(with_size(body, syntax, 60_000, 60_000), 0)
    assert outcome["code"] == "format"
    assert "60000 x 60000, needs " in outcome["message"]


@pytest.mark.parametrize("syntax", builders.ENCODERS)
def test_codestream_that_claims_gigabytes_is_refused_before_they_are_taken(syntax: str) -> None:
    body, _ = builders.grey_file(syntax)
    outcome = outcome_of(with_codestream_size(body, 60_000, 60_000), 0)
    assert outcome["code"] == "decode"
    assert "holds (60000, 60000, 1)" in outcome["message"]


def test_tally(tally: Counter[str], add_row: Callable[[str, str], None]) -> None:
    for outcome, count in tally.items():
        add_row("damaged files under CPython", f"{outcome:12} {count:6}")
    assert set(tally) <= {"images", *fuzz.CODES}
