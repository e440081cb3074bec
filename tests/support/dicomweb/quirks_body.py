"""The quirks of multipart bodies and of DICOM JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydicom.uid import ExplicitVRLittleEndian

from tests.support.dicomweb.answers import Answer, Multipart, Part, Plain, Request
from tests.support.dicomweb.archive import MEDIA_TYPES
from tests.support.dicomweb.combine import (
    Quirk,
    Serve,
    chained,
    headed,
    headless,
    on_announced,
    on_multipart,
    on_part,
)
from tests.support.dicomweb.media import OCTETS

# All that RFC 2046 5.1.1 allows but letters, and as long as it may be.
ODD_BOUNDARY = "0'()+_,-./:=?".ljust(70, "0")
INSIDE_BOUNDARY = "boundary-inside"


def on_length(change: Callable[[int], int]) -> Quirk:
    """Return a quirk that changes what the parts say of their length."""
    return on_part(lambda part: headed(part, Content_Length=str(change(len(part.body)))))


def without_length(part: Part) -> Part:
    """Return a part without Content-Length."""
    return headless(part, "Content-Length")


def rebounded(boundary: str) -> Quirk:
    """Return a quirk that uses, and announces quoted, a certain boundary."""
    announced = on_announced(
        lambda kind, body: kind.replace(f"boundary={body.boundary}", f'boundary="{boundary}"')
    )
    return chained([announced, on_multipart(lambda body: replace(body, boundary=boundary))])


def with_boundary_inside(frame: bytes) -> bytes:
    """Return a frame as `boundary-inside` sends it: a delimiter stands in its middle."""
    delimiter = f"\r\n--{INSIDE_BOUNDARY}\r\n".encode()
    middle = len(frame) // 2
    return frame[:middle] + delimiter + frame[middle + len(delimiter) :]


def broken_up(part: Part) -> Part:
    """Return a part with a delimiter inside."""
    return replace(part, body=with_boundary_inside(part.body))


def amid_text(body: Multipart) -> Multipart:
    """Return a body between two lines of text, which are to be ignored (RFC 2046 5.1.1)."""
    return replace(body, preamble=b"This is MIME.", epilogue=b"That was MIME.\r\n")


def syntax_of(part: Part) -> str:
    """Return the transfer syntax that a part is labelled with."""
    return part.headers["Content-Type"].partition("transfer-syntax=")[2]


def media_type_of(part: Part) -> str:
    """Return the media type that says what a part's transfer syntax is, with RLE's old name."""
    media_type = MEDIA_TYPES.get(syntax_of(part), OCTETS)
    return media_type.replace("image/dicom-rle", "image/x-dicom-rle")


def as_media_type(part: Part) -> Part:
    """Label a part with its media type alone."""
    return headed(part, Content_Type=media_type_of(part))


def announce_media_type(kind: str, body: Multipart) -> str:
    """Name the media type of the first part as the root type."""
    return kind.replace(OCTETS, media_type_of(body.parts[0]))


def mislabelled(part: Part) -> Part:
    """Say of a part that it is native."""
    return headed(part, Content_Type=f"{OCTETS}; transfer-syntax={ExplicitVRLittleEndian}")


def label_inside_type(kind: str, body: Multipart) -> str:
    """Move the transfer syntax into the quoted root type, as Orthanc does."""
    return kind.replace('"; boundary', f'; transfer-syntax={syntax_of(body.parts[0])}"; boundary')


def unlabelled(part: Part) -> Part:
    """Return a part without its transfer syntax."""
    return headed(part, Content_Type=part.headers["Content-Type"].partition(";")[0])


def unasked(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Add a frame that nobody asked for."""
    where = parts[0].headers["Content-Location"].rpartition("/")[0]
    return (*parts, headed(parts[0], Content_Location=f"{where}/99999"))


def with_note(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Put a part of text before the others."""
    words = b"thank you for asking"
    return Part({"Content-Type": "text/plain", "Content-Length": str(len(words))}, words), *parts


def single_part(request: Request, serve: Serve) -> Answer:
    """Send one part without multipart."""
    answer = serve(request)
    if isinstance(answer.body, Multipart) and len(answer.body.parts) == 1:
        (part,) = answer.body.parts
        return replace(answer, headers=without_length(part).headers, body=Plain(part.body))
    return answer


def renamed_headers(rename: Callable[[str], str]) -> Quirk:
    """Return a quirk that writes the names of headers in another case."""

    def changed(part: Part) -> Part:
        return replace(part, headers={rename(name): at for name, at in part.headers.items()})

    def quirk(request: Request, serve: Serve) -> Answer:
        answer = on_part(changed)(request, serve)
        headers = {rename(name): value for name, value in answer.headers.items()}
        return replace(answer, headers=headers)

    return quirk


def drop_rows(instance: dict[str, Any]) -> None:
    """Leave Rows out."""
    instance.pop("00280010", None)


def shorts(instance: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the elements of 16-bit numbers."""
    return [element for element in instance.values() if element.get("vr") == "US"]


def write_strings(instance: dict[str, Any]) -> None:
    """Write 16-bit numbers as text."""
    for element in shorts(instance):
        element["Value"] = [str(value) for value in element.get("Value", [])]


def write_unknown(instance: dict[str, Any]) -> None:
    """Give 16-bit numbers the VR of what is unknown."""
    for element in shorts(instance):
        element["vr"] = "UN"


def write_no_vr(instance: dict[str, Any]) -> None:
    """Give 16-bit numbers no VR."""
    for element in shorts(instance):
        del element["vr"]


def write_wrong(instance: dict[str, Any]) -> None:
    """Do each of these to a third of the 16-bit numbers."""
    names = [tag for tag in instance if instance[tag].get("vr") == "US"]
    for number, change in enumerate((write_strings, write_unknown, write_no_vr)):
        change({tag: instance[tag] for tag in names[number::3]})


def cut_json(request: Request, serve: Serve) -> Answer:
    """Send the first half of JSON as if it were all."""
    answer = serve(request)
    if "json" not in answer.headers.get("Content-Type", ""):
        return answer
    content = b"".join(answer.body.chunks())
    return replace(answer, body=Plain(content[: len(content) // 2]))
