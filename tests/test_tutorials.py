"""The Python programs of the documentation's pages do what the pages say."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from tests.support import builders

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "web" / "docs"
PROGRAM = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VALUES = np.random.default_rng(5).integers(0, 2000, (3, 6, 8)).astype("u2")


def write(page: str, folder: Path) -> None:
    """Write the programs of a page, each under the name in its first line."""
    programs = PROGRAM.findall((DOCS / page).read_text())
    assert programs
    for name, code in programs:
        (folder / name).write_text(code)


def python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder, and return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_NUM_WORKERS": "2"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a folder with a CT of three slices, from the feet to the head."""
    folder = tmp_path / "study"
    folder.mkdir()
    for number, pixels in enumerate(VALUES):
        body = builders.native(
            pixels,
            ImagePositionPatient=[0, 0, 2.0 * number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[0.5, 0.75],
            RescaleSlope=1,
            RescaleIntercept=-1024,
        )
        (folder / f"{9 - number}.dcm").write_bytes(body)
    return folder


def test_start_with_python(tmp_path: Path, study: Path) -> None:
    write("start/python.md", tmp_path)
    assert "(0.5, 0.75)" in python(tmp_path, "load_one.py", "study")
    volume = VALUES.astype(float) - 1024
    told, _, affine = python(tmp_path, "hounsfield.py", "study").partition("\n")
    assert told == f"{volume.shape} from {volume.min()} to {volume.max()} HU"
    assert affine.split()[:4] == ["[[-0.75", "0.", "0.", "0."]
    assert python(tmp_path, "errors.py").startswith("network wadouri:missing.dcm ")


def test_legacy_cornerstone(tmp_path: Path) -> None:
    write("tutorials/legacy-cornerstone.md", tmp_path)
    python(tmp_path, "make_disc.py")
    command = ("-m", "pyloader", "info", "--loader", "custom1.py", "custom1:disc.raw")
    told = python(tmp_path, *command)
    assert "256 rows, 256 columns" in told
    assert "24 to 1064" in told


def test_first_loader(tmp_path: Path) -> None:
    write("tutorials/first-loader.md", tmp_path)
    python(tmp_path, "make_ball.py")
    command = ("-m", "pyloader", "list", "--loader", "vox_loader.py", "vox:ball.vox#z")
    assert python(tmp_path, *command).split() == [f"vox:ball.vox#z-{z}" for z in range(40)]
    command = ("-m", "pyloader", "render", "--loader", "vox_loader.py")
    python(tmp_path, *command, "vox:ball.vox#x-40", "ball.png")
    picture = imagecodecs.png_decode((tmp_path / "ball.png").read_bytes())
    assert picture[20, 32] > 250
    assert picture[0, 0] < 5
    assert len(np.unique(picture)) > 100
    told = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_vox.py")
    assert " passed" in told


def test_dask(tmp_path: Path, study: Path) -> None:
    write("tutorials/dask.md", tmp_path)
    (study / "9.dcm").write_bytes((study / "9.dcm").read_bytes()[:-40])
    python(tmp_path, "measure.py", "study")
    with (tmp_path / "measured.csv").open() as file:
        rows = {Path(row["image"]).name: row for row in csv.DictReader(file)}
    assert rows["9.dcm"]["error"]
    for number in (1, 2):
        row = rows[f"{9 - number}.dcm"]
        assert (row["rows"], row["columns"], row["error"]) == ("6", "8", "")
        assert float(row["mean"]) == pytest.approx(VALUES[number].mean() - 1024)
