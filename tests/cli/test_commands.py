"""Commands: lists of images, and pictures of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

from pyloader.cli import main
from tests.support import builders
from tests.support.command_line import CT, FILE, ODD


def test_frame_of_a_path(tmp_path, capsys, monkeypatch):
    cine = np.stack([builders.ramp(16, 24, 8) // 2 + np.uint8(index) for index in range(4)])
    (tmp_path / "us.dcm").write_bytes(builders.native(cine, NumberOfFrames=4))
    monkeypatch.chdir(tmp_path)
    assert main(["info", "us.dcm?frame=3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["image_id"], found["images"]) == ("wadouri:us.dcm?frame=3", 4)
    assert found["minimum"] == int(cine[2].min())


def test_list_prints_imageids(tmp_path, capsys, monkeypatch):
    cine = np.zeros((3, 4, 4), "u1")
    (tmp_path / "us.dcm").write_bytes(builders.native(cine, NumberOfFrames=3))
    monkeypatch.chdir(tmp_path)
    assert main(["list", "us.dcm"]) == 0
    assert capsys.readouterr().out == "".join(f"wadouri:us.dcm?frame={n}\n" for n in (1, 2, 3))


def picture(path: Path) -> np.ndarray:
    """Read a PNG by other means."""
    return np.asarray(Pillow.open(path))


def window(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Apply PS3.3 C.11.2.1.2.1."""
    return np.rint(np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255)


def test_render_shows_the_window_of_the_image(ct, tmp_path, capsys):
    assert main(["render", str(ct), str(tmp_path / "ct.png")]) == 0
    assert capsys.readouterr() == ("", "")
    assert_array_equal(picture(tmp_path / "ct.png"), window(CT.astype(int) - 1024, 40, 400))


def test_render_shows_the_window_that_is_asked_for(ct, tmp_path):
    assert main(["render", str(ct), str(tmp_path / "ct.png"), "--window", "-600", "1500.5"]) == 0
    expected = window(CT.astype(int) - 1024, -600, 1500.5)
    assert_array_equal(picture(tmp_path / "ct.png"), expected)


def test_render_of_color(tmp_path):
    pixels = builders.color(20, 30)
    (tmp_path / "a.dcm").write_bytes(builders.native(pixels))
    assert main(["render", str(tmp_path / "a.dcm"), str(tmp_path / "a.png")]) == 0
    assert_array_equal(picture(tmp_path / "a.png"), pixels)


def test_render_tells_warnings(loader, tmp_path, capsys):
    assert main(["render", "mine:a", str(tmp_path / "a.png"), "--loader", loader(ODD)]) == 0
    assert "pyloader: warning: it is odd, and even\n" in capsys.readouterr().err
    assert picture(tmp_path / "a.png").shape == (2, 3)


def test_render_that_cannot_be_written(ct, tmp_path, capsys):
    assert main(["render", str(ct), str(tmp_path / "no" / "a.png")]) == 1
    assert "a.png' cannot be written: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.tiff", "out.jpg", "ct.dcm", "out.png.bak", "a.PNG8"])
def test_render_writes_no_other_format_under_its_name(tmp_path, capsys, name):
    source, output = tmp_path / "ct.dcm", tmp_path / name
    source.write_bytes(FILE)
    assert main(["render", str(source), str(output)]) == 1
    assert "only PNG is written; name it '" in capsys.readouterr().err
    assert source.read_bytes() == FILE
    assert output.exists() == (name == "ct.dcm")


@pytest.mark.parametrize("name", ["out.png", "out.PNG", "out"])
def test_render_writes_png_under_its_name(tmp_path, name):
    (tmp_path / "ct.dcm").write_bytes(FILE)
    assert main(["render", str(tmp_path / "ct.dcm"), str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
