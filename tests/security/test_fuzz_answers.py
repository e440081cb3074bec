"""Damaged answers of a DICOMweb service: an image that its metadata describe, or a typed error.

What is damaged follows from a number alone. `FUZZ_EACH=20` has each answer damaged 2000 times.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest

from pyloader import Context, LoaderError, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport
from tests.support import builders, fuzz

SERIES = "https://host/dw/studies/1.2/series/3.4"
INSTANCE = f"{SERIES}/instances/5.6"
ADDRESS = f"wadors:{INSTANCE}/frames/1"
PIXELS = builders.ramp(6, 8)
ROUNDS = 100 * fuzz.EACH
MOST_REQUESTS = 60
CODES = {"decode", "format", "http-status", "image-id", "network", "request", "unsupported"}
VALUES: tuple[Any, ...] = (
    *(-1, 0, 1, 3, 2**31, 2**63, 10**400, 1e308, -1e-308, True, None, "", "x", "1\\2", "-0", "NaN"),
    *([], {}, [[1]], {"Alphabetic": "a"}, ["RGB"], ["PALETTE COLOR"], "\u0000", "9" * 5000),
)
VRS = ("US", "SS", "UL", "DS", "IS", "OW", "OB", "SQ", "UN", "PN", "AT", "UI", "ZZ", "", 5, None)
HEADERS = ("content-type", "content-length", "content-encoding", "content-location", "etag")
TEXTS = (
    *("", "text/html", "multipart/related", 'multipart/related; boundary="', "*/*", "a/b;=;=;"),
    *("image/jls", "application/dicom", "multipart/related; type=x; boundary=--", "\u00ff", "-1"),
)
STATUS = (100, 199, 200, 201, 203, 204, 205, 206, 226, 300, 301, 302, 304, 307, 308, 401, 418, 599)
Answers = dict[str, Response]


def honest() -> Answers:
    """Return the metadata and the frame of an instance, as a service answers."""
    described = json.dumps([json.loads(builders.header(PIXELS, SOPInstanceUID="5.6").to_json())])
    head = b"--edge\r\nContent-Type: application/octet-stream\r\n\r\n"
    frame = head + PIXELS.astype("<u2").tobytes() + b"\r\n--edge--\r\n"
    kind = 'multipart/related; type="application/octet-stream"; boundary=edge'
    return {
        f"{SERIES}/metadata": answer(described.encode(), "application/dicom+json"),
        f"{INSTANCE}/metadata": answer(described.encode(), "application/dicom+json"),
        f"{INSTANCE}/frames/1": answer(frame, kind),
    }


def answer(body: bytes, kind: str, status: int = 200) -> Response:
    """Return an answer of a media type."""
    return Response("https://host/", status, {"content-type": kind}, body)


def damage(found: Response, chance: Random) -> Response:
    """Return an answer with something wrong."""
    body, headers, status = found.body, dict(found.headers), found.status
    match chance.choice(["attribute", "bytes", "cut", "header", "status", "twice"]):
        case "attribute" if "json" in headers["content-type"]:
            body = json.dumps(with_lie(json.loads(body), chance)).encode()
        case "cut":
            body = body[: chance.randrange(len(body))]
        case "header":
            headers[chance.choice(HEADERS)] = chance.choice(TEXTS)
        case "status":
            status = chance.choice(STATUS)
            headers["location"] = chance.choice(["", "//evil", "file:///etc/passwd", "x" * 5000])
        case "twice":
            body = body + body
        case _:
            changed = bytearray(body)
            for _ in range(chance.randrange(1, 6)):
                changed[chance.randrange(len(body))] = chance.randrange(256)
            body = bytes(changed)
    return Response(found.url, status, headers, body)


def with_lie(found: list[Any], chance: Random) -> Any:
    """Return metadata in which one attribute, or their whole, is another."""
    dataset = found[0]
    tag = chance.choice(sorted(dataset))
    match chance.randrange(6):
        case 0:
            del dataset[tag]
        case 1:
            dataset[tag]["vr"] = chance.choice(VRS)
        case 2:
            dataset[tag]["Value"] = [chance.choice(VALUES)] * chance.choice([1, 2, 1000])
        case 3:
            dataset[tag] = chance.choice(VALUES)
        case 4:
            uris = ("file:///etc/passwd", "//evil", "\\\\evil", "", 5, "../" * 50, "javascript:1")
            dataset[tag] = {"vr": "OW", "BulkDataURI": chance.choice(uris)}
        case _:
            dataset[chance.choice(["0020", "zzzzzzzz", "", "FFFEE000", "7FE00010"])] = dataset[tag]
    return chance.choice([found, found, found, found * 3, dataset, {"a": found}, []])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["/metadata", "/frames/1", "all"])
async def test_damaged_answers(name: str) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS):
        chance = Random(f"{name} {number}")
        answers = honest()
        for url in answers:
            if name == "all" or url.endswith(name):
                answers[url] = damage(answers[url], chance)
        outcomes[await outcome(answers, f"{name}, {number}")] += 1
    print(f"{ROUNDS} damaged answers of {name}: {dict(outcomes)}")
    assert set(outcomes) <= {"image", *CODES}
    assert len(outcomes) > 1


async def outcome(answers: Answers, which: str) -> str:
    """Load the frame, and return how that ends."""
    transport = MemoryTransport(answers)
    context = Context(Network(transport, retries=0), Cache(1 << 24), decoded_bytes=1 << 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for load in (load_metadata, load_image):
            try:
                found: Any = await load(ADDRESS, context)
            except LoaderError as error:
                told = error.code
            else:
                told = "image"
    assert len(transport.requests) <= MOST_REQUESTS, which
    # What an answer names goes elsewhere with the mark that keeps secrets away from it.
    elsewhere = [each for each in transport.requests if not each.url.startswith("https://host/")]
    assert all(each.linked_from for each in elsewhere), which
    if told == "image":
        pixel = found.pixel
        assert found.pixels.shape[:2] == (pixel.rows, pixel.columns), which
        assert np.asarray(found.pixels).dtype.kind in "uif", which
    return told


async def test_the_honest_answers_give_the_image() -> None:
    context = Context(Network(MemoryTransport(honest()), retries=0), Cache(1 << 24))
    assert np.array_equal((await load_image(ADDRESS, context)).pixels, PIXELS)


async def test_warnings_of_bulk_data_tell_no_secrets() -> None:
    answers = honest()
    described = json.loads(answers[f"{SERIES}/metadata"].body)
    uri = "https://host/bulk/icc?token=s3cr3t"
    described[0]["00282000"] = {"vr": "OB", "BulkDataURI": uri}
    answers[f"{SERIES}/metadata"] = answer(json.dumps(described).encode(), "application/dicom+json")
    image = await load_image(ADDRESS, Context(Network(MemoryTransport(answers)), Cache(1 << 24)))
    (note,) = [each for each in image.warnings if "ICCProfile" in each]
    assert "token=***" in note
    assert "s3cr3t" not in note
