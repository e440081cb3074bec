"""Files with byte ranges (RFC 9110 14)."""

from __future__ import annotations

import mimetypes
import re

from tests.support.dicomweb.answers import Answer, Piece, RefusalError, Request, Source
from tests.support.dicomweb.media import OCTETS

mimetypes.add_type("application/dicom", ".dcm")


def answer_file(source: Source, request: Request) -> Answer:
    """Answer with a file, or a range of it (RFC 9110 14)."""
    if request.headers.get("if-match", source.etag) != source.etag:
        raise RefusalError(412, f"the file is {source.etag} now")
    kind = mimetypes.guess_type(request.path)[0] or OCTETS
    headers = {"Content-Type": kind, "Accept-Ranges": "bytes", "ETag": source.etag}
    unchanged = request.headers.get("if-range", source.etag) == source.etag
    wanted = parse_range(request.headers.get("range", ""), source.size) if unchanged else None
    if wanted is None:
        return Answer(200, headers, Piece(source, 0, source.size))
    return answer_range(source, headers, *wanted)


def answer_range(source: Source, headers: dict[str, str], start: int, stop: int) -> Answer:
    """Answer with the range [start, stop) (RFC 9110 14.4, 15.5.17)."""
    if start >= source.size:
        return Answer(416, headers | {"Content-Range": f"bytes */{source.size}"})
    content_range = f"bytes {start}-{stop - 1}/{source.size}"
    return Answer(206, headers | {"Content-Range": content_range}, Piece(source, start, stop))


def parse_range(value: str, size: int) -> tuple[int, int] | None:
    """Return the [start, stop) of one byte range, None for what may be ignored (RFC 9110 14.2)."""
    match = re.fullmatch(r"bytes=(?:(\d+)-(\d*)|-(\d+))", value.strip())
    if not match:
        return None
    first, last, suffix = match.groups()
    if suffix:
        return max(0, size - int(suffix)) if int(suffix) else size, size
    stop = min(size, int(last) + 1) if last else size
    return None if last and int(last) < int(first) else (int(first), stop)
