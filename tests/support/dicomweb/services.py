"""Honest answers: DICOMweb below ``/dicomweb``, WADO-URI at ``/wado``, files with byte ranges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from pydicom.uid import ExplicitVRLittleEndian

from tests.support.dicomweb.answers import (
    Answer,
    Part,
    Plain,
    RefusalError,
    Request,
    Source,
    dicom_json,
    multipart,
)
from tests.support.dicomweb.archive import MEDIA_TYPES, Archive, Instance
from tests.support.dicomweb.files import answer_file
from tests.support.dicomweb.media import OCTETS, MediaRange, accepted, parse_accept
from tests.support.dicomweb.search import search

SCOPE = (
    r"(?:/studies/(?P<study>[0-9.]+)(?:/series/(?P<series>[0-9.]+)"
    r"(?:/instances/(?P<instance>[0-9.]+))?)?)?"
)
Scope = dict[str, str | None]


@dataclass
class Site:
    """The data that the services answer from.

    Attributes
    ----------
    files : dict of str to Source
        What stands at paths of its own.
    """

    archive: Archive = field(default_factory=Archive)
    files: dict[str, Source] = field(default_factory=dict)


def answer(site: Site, request: Request) -> Answer:
    """Answer a request of any of the services."""
    try:
        if request.path.startswith("/dicomweb/"):
            return answer_dicomweb(site.archive, request)
        if request.path == "/wado":
            return answer_wado(site.archive, request)
        return answer_file(find_file(site, request.path), request)
    except RefusalError as refusal:
        return refusal.answer


def find_file(site: Site, path: str) -> Source:
    """Return what stands at a path: a file of its own, or an instance by its UID."""
    if path in site.files:
        return site.files[path]
    named = re.fullmatch(r"/files/([0-9.]+)\.dcm", path)
    found = site.archive.find(instance=named[1]) if named else []
    if not found:
        raise RefusalError(404, f"there is nothing at {path}")
    return found[0].file


# ------------------------------------------------------------------ DICOMweb


def answer_dicomweb(archive: Archive, request: Request) -> Answer:
    """Choose the transaction by the path (PS3.18 10.1.1)."""
    path = request.path.removeprefix("/dicomweb")
    if request.method == "POST":
        return store(archive, request)
    for pattern, transaction in TRANSACTIONS.items():
        if match := re.fullmatch(SCOPE + pattern, path):
            return transaction(archive, request, match.groupdict())
    raise RefusalError(404, f"there is no service at {request.path}")


def found_in(archive: Archive, scope: Scope) -> list[Instance]:
    """Return the instances that a path names."""
    found = archive.find(scope["study"], scope["series"], scope["instance"])
    if not found or not scope["study"]:
        raise RefusalError(404, "there are no such instances")
    return found


def answer_search(archive: Archive, request: Request, scope: Scope) -> Answer:
    """Search for studies, series or instances (PS3.18 10.6)."""
    within = archive.find(scope["study"], scope["series"])
    root = f"{request.base}/dicomweb"
    found = search(scope["level"] or "", within, request.query, root)
    return dicom_json(found) if found else Answer(204)


def answer_metadata(archive: Archive, request: Request, scope: Scope) -> Answer:
    """Retrieve metadata (PS3.18 10.4.1.1.2)."""
    content = json.dumps([instance.json for instance in found_in(archive, scope)], allow_nan=False)
    # Inside a value the quotes would be escaped.
    absolute = content.replace(
        '"BulkDataURI": "/', f'"BulkDataURI": {json.dumps(request.base)[:-1]}/dicomweb/'
    )
    return Answer(200, {"Content-Type": "application/dicom+json"}, Plain(absolute.encode()))


def answer_instances(archive: Archive, request: Request, scope: Scope) -> Answer:
    """Retrieve files as they were stored, of all instances or of one (PS3.18 10.4.1.1.1)."""
    found = found_in(archive, scope)
    for media in accepted(request):
        if all(media.takes("application/dicom", instance.syntax) for instance in found):
            parts = tuple(instance_part(instance, request) for instance in found)
            if media.is_multipart:
                return multipart("application/dicom", parts)
            if len(parts) == 1:
                return Answer(200, parts[0].headers, Plain(parts[0].body))
    raise RefusalError(406, "instances are only sent as they were stored; ask transfer-syntax=*")


def instance_part(instance: Instance, request: Request) -> Part:
    """Make the part of one file."""
    location = f"{request.base}/dicomweb{instance.path}"
    return part(f"application/dicom; transfer-syntax={instance.syntax}", instance.body, location)


def part(content_type: str, body: bytes, location: str) -> Part:
    """Make a part with the headers that PS3.18 8.6.1.2.1 has."""
    headers = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Content-Location": location,
    }
    return Part(headers, body)


def answer_frames(archive: Archive, request: Request, scope: Scope) -> Answer:
    """Retrieve frames, untouched or decoded (PS3.18 10.4.1.1.6)."""
    (instance,) = found_in(archive, scope)
    numbers = frame_numbers(scope["frames"] or "")
    there = [number for number in numbers if 0 < number <= len(instance.frames)]
    if not there:
        raise RefusalError(404, f"there is no such frame among {len(instance.frames)}")
    where = f"{request.base}/dicomweb{instance.path}/frames"
    for media_type, syntax, frame in acceptable(instance, request):
        label = f"{media_type}; transfer-syntax={syntax}"
        with suppress(ValueError):
            parts = tuple(part(label, frame(number - 1), f"{where}/{number}") for number in there)
            # Some of what was asked for (PS3.18 table 8.5-1).
            return multipart(media_type, parts, 200 if there == numbers else 206)
    raise RefusalError(
        406, f"frames of {instance.syntax.name} cannot be sent in any of these types"
    )


def frame_numbers(asked: str) -> list[int]:
    """Parse the frame list of a path."""
    if not re.fullmatch(r"\d+(,\d+)*", asked):
        raise RefusalError(400, f"{asked!r} is no list of frame numbers")
    return [int(number) for number in asked.split(",")]


Representation = tuple[str, str, Callable[[int], bytes]]


def acceptable(instance: Instance, request: Request) -> Iterator[Representation]:
    """Return the representations of frames that a client takes, the best first."""
    for media in accepted(request):
        for media_type, syntax, frame in representations(instance):
            if media.is_multipart and media.takes(media_type, syntax):
                yield media_type, syntax, frame


def representations(instance: Instance) -> Iterator[Representation]:
    """Return the media types and transfer syntaxes that frames can be sent in."""
    original = instance.frames.__getitem__
    yield OCTETS, instance.sent_syntax, original
    if instance.syntax in MEDIA_TYPES:
        yield OCTETS, ExplicitVRLittleEndian, instance.native_frame
        yield MEDIA_TYPES[instance.syntax], instance.sent_syntax, original


def answer_bulk(archive: Archive, request: Request, scope: Scope) -> Answer:
    """Retrieve a binary value (PS3.18 10.4.1.1.5)."""
    (instance,) = found_in(archive, scope)
    try:
        body = instance.bulk(scope["bulk"] or "")
    except LookupError as error:
        raise RefusalError(404, f"no such binary value: {error}") from error
    for media in accepted(request):
        if media.takes(OCTETS, ExplicitVRLittleEndian):
            if not media.is_multipart:
                return Answer(200, {"Content-Type": OCTETS}, Plain(body))
            label = f"{OCTETS}; transfer-syntax={ExplicitVRLittleEndian}"
            return multipart(OCTETS, (part(label, body, request.base + request.path),))
    raise RefusalError(406, f"bulk data is sent as {OCTETS}")


TRANSACTIONS: dict[str, Callable[[Archive, Request, Scope], Answer]] = {
    r"/(?P<level>studies|series|instances)": answer_search,
    r"/metadata": answer_metadata,
    r"/frames/(?P<frames>[^/]+)": answer_frames,
    r"/bulkdata/(?P<bulk>.+)": answer_bulk,
    r"": answer_instances,
}


def store(archive: Archive, request: Request) -> Answer:
    """Store instances (PS3.18 10.5)."""
    content_type = request.headers.get("content-type", "")
    media = next(iter(parse_accept(content_type)), MediaRange("", {}))
    if media.kind != "multipart/related" or media.root != "application/dicom":
        raise RefusalError(415, f"{content_type!r} is no multipart/related of application/dicom")
    stored, failed = [], 0
    for body in split(request.body, media.parameters.get("boundary", "")):
        try:
            stored.append(archive.store(body))
        except ValueError:
            failed += 1
    status = 200 if not failed else 202 if stored else 409
    return dicom_json(stored_report(stored, failed, f"{request.base}/dicomweb"), status)


def split(body: bytes, boundary: str) -> list[bytes]:
    """Return the bodies of the parts (RFC 2046 5.1.1)."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces]


def stored_report(stored: list[Instance], failed: int, root: str) -> dict[str, Any]:
    """Tell what was stored and what was not (PS3.18 10.5.3.3, PS3.3 table I.1-1)."""
    referenced = [
        {
            "00081150": {"vr": "UI", "Value": [str(instance.dataset.SOPClassUID)]},
            "00081155": {"vr": "UI", "Value": [instance.uid]},
            "00081190": {"vr": "UR", "Value": [root + instance.path]},
        }
        for instance in stored
    ]
    # 0xC000: cannot understand.
    failures = [{"00081197": {"vr": "US", "Value": [0xC000]}}] * failed
    sequences = {"00081199": referenced, "00081198": failures}
    return {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}


# ------------------------------------------------------------------ WADO-URI


def answer_wado(archive: Archive, request: Request) -> Answer:
    """Retrieve a file by WADO-URI (PS3.18 9.4)."""
    asked = {name: found[0] for name, found in parse_qs(request.query).items()}
    missing = {"requestType", "studyUID", "seriesUID", "objectUID"} - asked.keys()
    if missing or asked["requestType"] != "WADO":
        raise RefusalError(400, f"requestType=WADO and three UIDs are needed; missing: {missing}")
    if asked.get("contentType") != "application/dicom":
        raise RefusalError(406, "only contentType=application/dicom is there")
    found = archive.find(asked["studyUID"], asked["seriesUID"], asked["objectUID"])
    if not found:
        raise RefusalError(404, "there is no such instance")
    return Answer(200, {"Content-Type": "application/dicom"}, Plain(found[0].body))
