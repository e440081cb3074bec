"""Describe an image on the command line, for people and as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyloader.cli import main
from tests.support import builders
from tests.support.command_line import CT, ODD
from tests.support.luts import item


def test_info_tells_what_an_image_is(ct, capsys):
    assert main(["info", str(ct)]) == 0
    found = capsys.readouterr()
    assert found.err == ""
    lines = found.out.splitlines()
    assert f"image         wadouri:{ct}" in lines
    for line in [
        "images        1 in this source",
        "size          40 rows, 48 columns",
        "dtype         uint16, 12 bits stored",
        "photometric   MONOCHROME2",
        f"values        {CT.min()} to {CT.max()}, as stored",
        "spacing       0.5 mm between rows, 0.75 mm between columns",
        "position      (-10.5, 20, 30) mm",
        "orientation   (1, 0, 0) along a row, (0, 1, 0) along a column",
        "rescale       slope 1, intercept -1024, to HU",
        "window        centre 40, width 400",
        "window        centre 300, width 1500",
        "modality      CT",
        "encoding      1.2.840.10008.1.2.1",
        "patient_id = p1",
    ]:
        assert line in lines


def test_info_as_json_has_all_modules(ct, capsys):
    assert main(["info", str(ct), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["image_id"] == f"wadouri:{ct}"
    assert (found["images"], found["shape"], found["dtype"]) == (1, [40, 48], "uint16")
    assert (found["minimum"], found["maximum"]) == (int(CT.min()), int(CT.max()))
    assert found["modules"]["image_plane"]["pixel_spacing"] == [0.5, 0.75]
    assert found["modules"]["modality_lut"]["rescale_intercept"] == -1024
    assert found["modules"]["patient"] == {"patient_id": "p1"}
    assert found["modules"]["voi_lut"]["window_center"] == [40, 300]
    assert found["encoding"]["transfer_syntax_uid"] == "1.2.840.10008.1.2.1"
    assert found["warnings"] == []


def test_info_tells_warnings(loader, capsys):
    path = loader(ODD)
    assert main(["info", "mine:a", "--loader", path]) == 0
    assert "warning       it is odd, and even" in capsys.readouterr().out.splitlines()
    assert main(["info", "mine:a", "--json", "--loader", path]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == ["it is odd,\n  and even"]


def test_info_of_values_that_json_does_not_have(loader, capsys):
    body = """return Image.from_array(
        np.array([[np.nan, 1.5]], "f4"), lut=None,
        modules={"odd": {"a": np.float32(2), "b": float("nan"), "c": np.arange(2)}})"""
    assert main(["info", "mine:a", "--json", "--loader", loader(body)]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["modules"]["odd"] == {"a": 2.0, "b": None, "c": [0.0, 1.0]}
    assert (found["minimum"], found["maximum"]) == (1.5, 1.5)


def test_info_of_tables(tmp_path, capsys):
    path = tmp_path / "cr.dcm"
    tables = {
        "ModalityLUTSequence": [item(300, 0, 16, np.arange(300), ModalityLUTType="US")],
        "VOILUTSequence": [item(300, 0, 12, np.arange(300))],
    }
    path.write_bytes(builders.native(CT, **tables))
    assert main(["info", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "rescale       table of 300 entries" in lines
    assert "VOI table     300 entries of 12 bits" in lines
    assert any("300 values, 0, 1, 2, 3, ..." in line for line in lines)
