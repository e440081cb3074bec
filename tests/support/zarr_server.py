"""A server of one Zarr folder, and loads from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from pyloader import Context, Image, load_image
from pyloader.transport import Request, Response
from pyloader.transport.memory import MemoryTransport
from tests.support.zarr_builders import write

URL = "https://host/folder/image.zarr"


class Folder(MemoryTransport):
    """A server of one folder: what is not there is answered with 404."""

    def __init__(self, root: Path) -> None:
        super().__init__({})
        self.root = root

    async def send(self, request: Request, *rest: Any) -> Response:
        """Answer from the folder, whatever the query asks for."""
        path = self.root / request.url.partition("?")[0].removeprefix(URL).strip("/")
        found = Response(request.url, 404, {}, b"")
        self.answers = {request.url: path.read_bytes() if path.is_file() else found}
        return await super().send(request, *rest)

    @property
    def keys(self) -> list[str]:
        """Return the paths of the requests so far, below the URL."""
        return [request.url.removeprefix(f"{URL}/") for request in self.requests]


async def load(context: Context, rest: str = "?frame=1") -> Image:
    """Load a slice."""
    return await load_image(f"zarr:{URL}{rest}", context)


async def check_all(context: Context, source: str, voxels: np.ndarray) -> None:
    """Assert that slices in each direction are those of the voxels."""
    mark = "&" if "?" in source else "?"
    for rest, expected in (
        (f"{mark}frame=5", voxels[4]),
        ("#z-1", voxels[1]),
        ("#x-17", voxels[:, :, 17]),
        ("#y-29", voxels[:, 29]),
    ):
        image = await load_image(f"{source}{rest}", context)
        assert image.pixels.dtype == expected.dtype
        assert_array_equal(image.pixels, expected)


def change(path: Path, **values: Any) -> None:
    """Change values of a JSON file; None removes nothing."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def altered(folder: Folder, name: str = "zarr.json", **values: Any) -> None:
    """Write an array of version 3 whose description says something else."""
    write(folder.root, compressors=None)
    change(folder.root / name, **values)
