"""The chain of directories of a TIFF: each one points to the next (TIFF 6.0 section 2)."""

from __future__ import annotations

import struct

BIG = (b"II+\0", b"MM\0+")


def without_cycle(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Cut a cycle in the chain of directories; return the file's bytes, and warnings.

    A directory that points back to itself or to an earlier one becomes the last. libtiff ends the
    chain there too; tifffile would follow it forever.
    """
    order = "<" if body[:2] == b"II" else ">"
    is_big = body[:4] in BIG
    count, pointer = struct.Struct(order + "HQ"[is_big]), struct.Struct(order + "LQ"[is_big])
    entry, at = (20, 8) if is_big else (12, 4)
    seen: dict[int, int] = {}
    while at + pointer.size <= len(body):
        (start,) = pointer.unpack_from(body, at)
        if start in seen:
            ended = body[:at] + bytes(pointer.size) + body[at + pointer.size :]
            return ended, (
                f"page {len(seen)} names page {seen[start]} as the next one: the list of pages ends"
                " there, so pages may be missing",
            )
        if not 0 < start <= len(body) - count.size:
            break
        seen[start] = len(seen) + 1
        at = start + count.size + entry * count.unpack_from(body, start)[0]
    return body, ()
