"""Images and loaders for the tests of many images."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pyloader.loaders import schemes
from tests.support import builders
from tests.support.bulk import FRAMES, LOADER


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the file of a loader."""
    path = tmp_path_factory.mktemp("loaders") / "raw_loader.py"
    path.write_text(LOADER)
    yield str(path)
    schemes.drop(str(path))


@pytest.fixture(scope="module")
def image_ids(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return 1000 imageIds: frames of 40 DICOM files, and 200 files of the loader's."""
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(3)
    found = []
    for number in range(40):
        pixels = noise.integers(0, 4096, (FRAMES, 16, 24)).astype("u2")
        path = folder / f"{number}.dcm"
        path.write_bytes(builders.native(pixels, NumberOfFrames=FRAMES))
        found += [f"wadouri:{path}?frame={frame + 1}" for frame in range(FRAMES)]
    for number in range(200):
        path = folder / f"{number}.raw"
        path.write_bytes(noise.integers(0, 4096, 32).astype("<u2").tobytes())
        found.append(f"raw:{path}")
    return found


@pytest.fixture(scope="module")
def expected(image_ids: list[str], loader: str) -> list[int]:
    """Return the sum of each image's pixels, by a plain loop."""
    sums = []
    with_files = [image_id.partition(":")[2].partition("?")[0] for image_id in image_ids]
    for image_id, path in zip(image_ids, with_files, strict=True):
        if path.endswith(".raw"):
            sums.append(int(np.fromfile(path, "<u2").sum()))
            continue
        frame = int(image_id.rpartition("=")[2])
        values = np.frombuffer(Path(path).read_bytes()[-FRAMES * 768 :], "<u2")
        sums.append(int(values.reshape(FRAMES, -1)[frame - 1].sum()))
    return sums


@pytest.fixture
def no_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide Dask."""
    for name in ("dask", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
