"""The Accept header, as DICOMweb uses it (PS3.18 8.7.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.uid import ExplicitVRLittleEndian

from tests.support.dicomweb.answers import RefusalError, Request

OCTETS = "application/octet-stream"
# What a media type without a transfer syntax stands for (PS3.18 8.7.3.3).
DEFAULT_SYNTAX = {
    "application/dicom": ExplicitVRLittleEndian,
    OCTETS: ExplicitVRLittleEndian,
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpeg": "1.2.840.10008.1.2.4.70",
    "image/jphc": "1.2.840.10008.1.2.4.201",
}
KIND = re.compile(r"([^\s;,\"/]+/[^\s;,\"/]+)\s*")
# A parameter's value is a token or a quoted string (RFC 9110 5.6.6); everybody's `type=a/b` is not.
PARAMETER = re.compile(r';\s*([\w-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]+)\s*')


@dataclass(frozen=True)
class MediaRange:
    """One media range of an Accept header (RFC 9110 12.5.1)."""

    kind: str
    parameters: Mapping[str, str]

    @property
    def root(self) -> str:
        """The media type of the parts, or of the body when it is no multipart."""
        return self.parameters.get("type", "*/*") if self.is_multipart else self.kind

    @property
    def is_multipart(self) -> bool:
        """Tell whether a multipart body is asked for."""
        return self.kind in ("*/*", "multipart/*", "multipart/related")

    @property
    def quality(self) -> float:
        """The preference among others (RFC 9110 12.4.2)."""
        weight = self.parameters.get("q", "1")
        return float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0

    def takes(self, media_type: str, syntax: str) -> bool:
        """Tell whether a representation will do."""
        if self.root not in ("*/*", media_type):
            return False
        return self.parameters.get("transfer-syntax", DEFAULT_SYNTAX[media_type]) in ("*", syntax)


def parse_accept(value: str) -> list[MediaRange]:
    """Return the media ranges of an Accept header, the best first."""
    found, rest = [], value.strip()
    while rest:
        media, rest = split_off(rest)
        found.append(media)
    return sorted((media for media in found if media.quality), key=lambda media: -media.quality)


def split_off(text: str) -> tuple[MediaRange, str]:
    """Return the first media range of a list, and the rest."""
    kind = KIND.match(text)
    if not kind:
        raise RefusalError(400, f"this is no media range: {text!r}")
    rest, parameters = text[kind.end() :], {}
    while parameter := PARAMETER.match(rest):
        parameters[parameter[1].lower()] = parameter[2].strip('"')
        rest = rest[parameter.end() :]
    if rest and not rest.startswith(","):
        raise RefusalError(400, f"this is no parameter of a media range: {rest!r}")
    return MediaRange(kind[1].lower(), parameters), rest.removeprefix(",").lstrip()


def accepted(request: Request) -> list[MediaRange]:
    """Return what a request takes, any type when it does not say."""
    return parse_accept(request.headers.get("accept") or "*/*")
