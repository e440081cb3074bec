"""Fixtures of real DICOMweb servers, for the tests under CPython and in the browser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import HTJ2KLossless, generate_uid

from tests.support import builders, corpus
from tests.support.dicomweb import DicomWebServer
from tests.support.dicomweb.archive import quiet
from tests.support.dicomweb.client import BIG, COLOR, CT, RLE, Served
from tests.support.orthanc import NEEDED, Orthanc, is_installed

Uids = tuple[str, str, str]
KEYWORDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
# What `orthanc_with_login` holds.
BEHIND_LOGIN = (CT, COLOR)


@pytest.fixture(scope="session")
def orthanc() -> Iterator[Orthanc]:
    """Run Orthanc with all of pydicom's files that it takes, each in a series of its own."""
    with running(Orthanc()) as server:
        fill(server, corpus.files())
        yield server


@pytest.fixture(scope="session")
def orthanc_with_login() -> Iterator[Orthanc]:
    """Run Orthanc with a few files, for ``demo`` with the password ``secret``."""
    with running(Orthanc({"demo": "secret"})) as server:
        fill(server, BEHIND_LOGIN)
        yield server


@pytest.fixture(scope="session")
def dicomweb_server() -> Iterator[DicomWebServer]:
    """Run our own server, which tests fill."""
    with own_server() as server:
        yield server


@pytest.fixture(scope="session")
def served_files() -> dict[str, bytes]:
    """Return what `served` holds: files of the corpus, and one of HTJ2K made here."""
    names = (CT, "MR_small_bigendian.dcm", COLOR, BIG, RLE, "liver_1frame.dcm")
    files = {name: (corpus.DATA / name).read_bytes() for name in names}
    files["htj2k"] = builders.grey_file(HTJ2KLossless)[0]
    return files


@pytest.fixture(scope="module")
def filled(served_files: dict[str, bytes]) -> Iterator[Served]:
    """Run our own server with a few files."""
    with own_server() as server:
        paths = {name: server.store(body) for name, body in served_files.items()}
        yield Served(server, paths)


@pytest.fixture
def served(filled: Served) -> Served:
    """Return our own server with a few files and nothing asked."""
    filled.server.clear()
    return filled


@contextmanager
def own_server() -> Iterator[DicomWebServer]:
    """Start and stop a server of ours, which is not to have failed itself."""
    server = DicomWebServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
    assert not server.failures, "\n".join(server.failures)


@contextmanager
def running(server: Orthanc) -> Iterator[Orthanc]:
    """Start and stop a server, or skip the test when it is not installed."""
    if not is_installed():
        pytest.skip(f"this needs Orthanc: {NEEDED}")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def fill(server: Orthanc, names: Iterable[str]) -> None:
    """Store files of the corpus and note where those are that were not refused."""
    files = distinct(names)
    refused = server.fill(body for body, _ in files.values())
    kept = [name for index, name in enumerate(files) if index not in refused]
    server.instances.update({name: files[name][1] for name in kept})


def distinct(names: Iterable[str]) -> dict[str, tuple[bytes, Uids]]:
    """Return files of the corpus, each a series of its own, with their three UIDs.

    A file is as it was unless it lacks a UID, or has the series or instance of one before it.
    """
    taken: set[str] = set()
    files = {}
    for name in names:
        body = (corpus.DATA / name).read_bytes()
        with quiet():
            uids = read_uids(body)
            if "" in uids or taken.intersection(uids[1:]):
                body = with_own_uids(body, name)
                uids = read_uids(body)
        taken.update(uids[1:])
        files[name] = body, uids
    return files


def read_uids(body: bytes) -> Uids:
    """Return the study, series and SOP instance UID of a file, empty where there is none."""
    dataset = dcmread(BytesIO(body), specific_tags=list(KEYWORDS), force=True)
    study, series, instance = (str(dataset.get(keyword) or "") for keyword in KEYWORDS)
    return study, series, instance


def with_own_uids(body: bytes, name: str) -> bytes:
    """Return a file with a series and an instance UID made from its name, and some study UID."""
    stream = BytesIO()
    dataset = dcmread(BytesIO(body), force=True)
    # What was not parsed is written as it was read, which fails for rtdose_rle.dcm: its
    # elements lack the VRs that its transfer syntax promises.
    list(dataset.iterall())
    for keyword in KEYWORDS[1:]:
        setattr(dataset, keyword, generate_uid(entropy_srcs=[name, keyword]))
    if not dataset.get("StudyInstanceUID"):
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=[name])
    dcmwrite(stream, dataset)
    return stream.getvalue()
