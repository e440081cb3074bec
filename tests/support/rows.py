"""Inputs that are small and would eat much: how they are built, and what is done with them.

Each row is measured in a process of its own, which may take no more memory and time than it says.
"""

from __future__ import annotations

import asyncio
import json
import resource
import struct
import subprocess
import sys
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit

from pyloader.cache import Cache
from pyloader.context import Context
from pyloader.errors import LoaderError
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support import builders
from tests.support.tiffs import chain

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
# More than the modules take that the loads import on their way.
PROCESS_BYTES = 3 << 30


@dataclass(frozen=True)
class Row:
    """One input.

    Attributes
    ----------
    build : callable
        Returns the input, of a size.
    use : callable
        Does with it what a page would, and returns the outcome in a word.
    size : int
    outcome : str
        What the outcome begins with.
    most_bytes : int
        What it may take in memory at its peak.
    seconds : float
        How long it may take: ten times what it takes, and more.
    """

    build: Callable[[int], Any]
    use: Callable[[Any], str]
    size: int
    outcome: str
    most_bytes: int = 64 * MIB
    seconds: float = 60.0


def measure(name: str, size: int | None = None) -> dict[str, Any]:
    """Return outcome, input bytes, seconds and peak of a row; the outcome ``killed`` if it died."""
    row = ROWS[name]
    script = f"from tests.support.rows import main; main({name!r}, {size or row.size})"
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=row.seconds + 60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"outcome": "killed: no end", "input": 0, "seconds": row.seconds, "peak": 0}
    if done.returncode:
        words = (done.stderr.strip() or "no word").splitlines()[-1]
        return {"outcome": f"killed: {words}", "input": 0, "seconds": 0, "peak": 0}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(name: str, size: int) -> None:
    """Measure a row in this process, and print what was found."""
    row = ROWS[name]
    body = row.build(size)
    resource.setrlimit(resource.RLIMIT_AS, (PROCESS_BYTES, PROCESS_BYTES))
    warnings.simplefilter("ignore")
    tracemalloc.start()
    started = time.perf_counter()
    try:
        outcome = row.use(body)
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1]
    told = len(body) if isinstance(body, (bytes, str)) else size
    print(json.dumps({"outcome": outcome[:200], "input": told, "seconds": seconds, "peak": peak}))


# ------------------------------------------------------------------ what is done with them


def loaded(scheme: str, url: str = "https://host/a") -> Callable[[bytes], str]:
    """Return what loads an image of bytes."""
    from pyloader.load import load_image

    return lambda body: run(lambda context: load_image(f"{scheme}:{url}", context), {url: body})


def listed(scheme: str) -> Callable[[bytes], str]:
    """Return what lists the images of bytes."""
    from pyloader.load import list_image_ids

    url = "https://host/a"
    return lambda body: run(lambda context: list_image_ids(f"{scheme}:{url}", context), {url: body})


def run(work: Callable[[Context], Any], answers: Any, transport: Any = None) -> str:
    """Do something with a context, and tell what came of it."""

    async def whole() -> str:
        network = Network(transport or MemoryTransport(answers), retries=0)
        context = Context(network, Cache(256 * MIB), decoded_bytes=32 * MIB)
        found = await work(context)
        return f"list of {len(found)}" if isinstance(found, list) else type(found).__name__

    return asyncio.run(whole())


def value(keyword: str) -> Callable[[bytes], str]:
    """Return what reads a value of a data set that has its bytes."""
    from pyloader.dicom.values import tag_of, value_of, vr_of

    def use(body: bytes) -> str:
        dataset = Dataset()
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        tag = BaseTag(tag_of(keyword))
        dataset._dict[tag] = RawDataElement(tag, vr_of(tag), len(body), body, 0, False, True)
        return type(value_of(dataset, keyword)).__name__

    return use


def refused(body: bytes) -> str:
    """Say what a file is that is no picture."""
    from pyloader.loaders.web_images.recognise import unsupported_error

    return type(unsupported_error(body, "a")).__name__


def labelled(text: str) -> str:
    """Read the media type of an answer."""
    from pyloader.dicomweb.multipart import parse_media_type

    return parse_media_type(text)[0]


def described(text: str) -> str:
    """Read DICOM JSON."""
    from pyloader.dicom.json.reader import parse_json

    return type(parse_json(text)).__name__


# ------------------------------------------------------------------ how they are built


def zipped(method: int, level: int | None = None) -> Callable[[int], bytes]:
    """Return what packs a DICOM file that ends with many zeros."""

    def build(size: int) -> bytes:
        stream = BytesIO()
        with ZipFile(stream, "w", method, compresslevel=level) as archive:
            with archive.open("a.dcm", "w") as member:
                member.write(bytes(128) + b"DICM")
                for _ in range(size // MIB):
                    member.write(bytes(MIB))
            archive.writestr("b.dcm", builders.native(np.zeros((2, 2), "u2")))
        return stream.getvalue()

    return build


def deflated(size: int) -> bytes:
    """Return a file whose data set is deflated, and has a long private value."""
    plain = builders.native(np.zeros((2, 2), "u2"), DeflatedExplicitVRLittleEndian)
    start = plain.index(b"1.2.840.10008.1.2.1.99") + 22
    return plain[:start] + zlib.compress(bytes(size), 9, -15)


def empty_members(size: int) -> bytes:
    """Return a file of gzip with many empty members before the file."""
    import gzip

    return gzip.compress(b"") * (size // 20) + gzip.compress(
        builders.native(np.zeros((2, 2), "u2"))
    )


def nested_json(depth: int) -> str:
    """Return DICOM JSON with sequences within sequences."""
    head = '{"00081140":{"vr":"SQ","Value":['
    return head * depth + "{}" + "]}}" * depth


def announcing(frames: int) -> bytes:
    """Return a file that announces many frames."""
    return builders.native(np.zeros((2, 2), "u2"), NumberOfFrames=frames)


def many_announcing(files: int) -> bytes:
    """Return an archive of files that each announce as many frames as a list may have."""
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"{number}.dcm", announcing(1 << 20))
    return stream.getvalue()


def long_name(digits: int) -> bytes:
    """Return an archive with a member whose name is a number of many digits."""
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name in ("1" * digits, "2"):
            archive.writestr(f"{name}.dcm", builders.native(np.zeros((2, 2), "u2")))
    return stream.getvalue()


def long_nifti(slices: int) -> bytes:
    """Return the header of a NIfTI file that announces so many slices, twice, and no voxels."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 4, 1, 1, slices, slices, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, *[1.0] * 8)
    struct.pack_into("<2f", head, 108, 352.0, 1.0)
    head[344:348] = b"n+1\0"
    return bytes(head)


def film(size: int) -> bytes:
    """Return a film in whose many fragments no frame but the first begins."""
    body = builders.encapsulated(
        [b"\xff\xd8" + bytes(4094)],
        np.zeros((64, 64), "u1"),
        JPEGBaseline8Bit,
        offsets=False,
        NumberOfFrames=100,
    )
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", 4096) + bytes(4096)
    return body[:-8] + item * (size // len(item)) + body[-8:]


def walked(body: bytes) -> str:
    """Load a frame of a film, and tell how many requests that takes."""
    from pyloader.load import load_image

    url = "https://host/a"
    transport = MemoryTransport({url: body})
    try:
        run(lambda context: load_image(f"wadouri:{url}?frame=50", context), {}, transport)
    except LoaderError as error:
        return f"{type(error).__name__} after {len(transport.requests):05d} requests"
    return "an image"


ROWS: dict[str, Row] = {
    "comments of HTML": Row(lambda n: b"<!---->" * n + b"PNG", refused, 580, "FormatError"),
    "declarations of SVG": Row(lambda n: b"<!a>" * n + b"PNG", refused, 1000, "FormatError"),
    "zip, bzip2": Row(zipped(ZIP_BZIP2), listed("wadouri"), 64 * MIB, "list of", 96 * MIB),
    "zip, lzma": Row(zipped(ZIP_LZMA), listed("wadouri"), 64 * MIB, "list of", 96 * MIB),
    "zip, deflate": Row(zipped(ZIP_DEFLATED), listed("wadouri"), 64 * MIB, "list of", 96 * MIB),
    "deflated data set": Row(deflated, loaded("wadouri"), 512 * MIB, "FormatError", 128 * MIB),
    "empty members of gzip": Row(empty_members, loaded("wadouri"), MIB // 4, "Image"),
    "directories of a TIFF, many": Row(chain, listed("web"), MIB, "list of 58254"),
    "directories of a TIFF, in a circle": Row(
        lambda n: chain(n, 8), listed("web"), MIB // 4, "list of 14563"
    ),
    "quotes in a media type": Row(lambda n: "a/b" + ';c="' * (n // 4), labelled, MIB // 4, "a/b"),
    "nested JSON": Row(nested_json, described, 20_000, "FormatError"),
    "frames announced": Row(announcing, listed("wadouri"), 2**31 - 1, "FormatError"),
    "frames announced, by many files": Row(
        many_announcing, listed("wadouri"), 40, "list of 1048615", 512 * MIB, 600.0
    ),
    "name of many digits": Row(long_name, listed("wadouri"), 5000, "list of 2"),
    "DS, many": Row(lambda n: b"1\\" * (n // 2) + b"x", value("PixelSpacing"), MIB, "NoneType"),
    "IS, many": Row(lambda n: b"1\\" * (n // 2) + b"x", value("NumberOfFrames"), MIB, "NoneType"),
    "DS, many that keep the rules": Row(
        lambda n: b"\\".join([b"1"] * (n // 2)), value("FrameTimeVector"), MIB, "list"
    ),
    "PN, ISO 2022": Row(lambda n: b"\x1b$B8" * (n // 4), value("PatientName"), MIB, "NoneType"),
    "slices announced": Row(long_nifti, listed("nifti"), 32767, "FormatError"),
    "film without frame starts": Row(film, walked, 16 * MIB, "FormatError after 001"),
    "UT, ISO 2022": Row(lambda n: b"\x1b$B8" * (n // 4), value("TextValue"), MIB, "NoneType"),
}
