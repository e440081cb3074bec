"""NRRD files made in code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.transport.memory import MemoryTransport
from tests.support.slices import numbered

URL = "https://host/folder/a.nrrd"
VOXELS = numbered()
TYPES = {
    "u1": "unsigned char",
    "i1": "int8_t",
    "u2": "ushort",
    "i2": "short",
    "u4": "uint32",
    "i4": "signed int",
    "u8": "unsigned long long int",
    "i8": "int64",
    "f4": "float",
    "f8": "double",
}


def nrrd(body: bytes, *fields: str, sizes: str = "7 5 4", **changes: str) -> bytes:
    """Make a file of 16-bit voxels, with further fields; those of a keyword are replaced."""
    header = {"type": "short", "dimension": "3", "encoding": "raw", "endian": "little"} | changes
    header["dimension"] = str(len(sizes.split()))
    lines = [f"{name}: {value}" for name, value in header.items() if value]
    return "\n".join(["NRRD0005", *lines, f"sizes: {sizes}", *fields, "", ""]).encode() + body


def fresh(context: Context) -> Context:
    """Return a context that has kept nothing."""
    return replace(context, cache=Cache(1 << 20))


def serve(transport: MemoryTransport, file: bytes) -> str:
    """Serve a file and return its source."""
    transport.answers[URL] = file
    return f"nrrd:{URL}"


async def load(
    context: Context, transport: MemoryTransport, file: bytes, part: str = "?frame=1"
) -> np.ndarray:
    """Serve a file and return the pixels of a slice."""
    transport.answers[URL] = file
    return (await load_image(f"nrrd:{URL}{part}", context)).pixels
