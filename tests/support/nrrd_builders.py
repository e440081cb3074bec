"""NRRD files made in code."""

from __future__ import annotations


def nrrd(body: bytes, *fields: str, sizes: str = "7 5 4", **changes: str) -> bytes:
    """Make a file of 16-bit voxels, with further fields; those of a keyword are replaced."""
    header = {"type": "short", "dimension": "3", "encoding": "raw", "endian": "little"} | changes
    header["dimension"] = str(len(sizes.split()))
    lines = [f"{name}: {value}" for name, value in header.items() if value]
    return "\n".join(["NRRD0005", *lines, f"sizes: {sizes}", *fields, "", ""]).encode() + body
