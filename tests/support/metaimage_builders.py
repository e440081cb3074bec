"""MetaImage files made in code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from pyloader import Context, load_image
from pyloader.transport.memory import MemoryTransport
from tests.support.slices import numbered

URL = "https://host/folder/a.mha"
VOXELS = numbered()
TILTED = "0 1 0 0.6 0 0.8 0.8 0 -0.6"


def mha(body: bytes, *fields: str, data: str = "LOCAL", **changes: str) -> bytes:
    """Make a file of 16-bit voxels, with further fields; those of a keyword are replaced."""
    header = {"ObjectType": "Image", "NDims": "3", "DimSize": "7 5 4", "ElementType": "MET_SHORT"}
    lines = [f"{name} = {value}" for name, value in (header | changes).items() if value]
    return "\n".join([*lines, *fields, f"ElementDataFile = {data}", ""]).encode() + body


async def load(
    context: Context, transport: MemoryTransport, file: bytes, part: str = "?frame=1"
) -> np.ndarray:
    """Serve a file and return the pixels of a slice."""
    transport.answers[URL] = file
    return (await load_image(f"metaimage:{URL}{part}", context)).pixels


def as_simpleitk(file: bytes, folder: Path) -> sitk.Image:
    """Read a file with SimpleITK."""
    (folder / "reference.mha").write_bytes(file)
    return sitk.ReadImage(str(folder / "reference.mha"))
