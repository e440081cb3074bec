"""Overlay planes (PS3.3 C.9.2): one byte per pixel, by frame, complete or cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.overlays import read_overlays
from tests.support import builders
from tests.support.enhanced import PIXELS, reread


def with_overlay(dataset: Dataset, planes: np.ndarray, number: int = 0, **values: Any) -> Dataset:
    """Add an overlay of (rows, columns) or (frames, rows, columns) to a data set."""
    base = 0x60000000 + 0x20000 * number
    defaults = {
        0x0010: ("US", planes.shape[-2]),
        0x0011: ("US", planes.shape[-1]),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x3000: ("OW", np.packbits(planes.ravel(), bitorder="little").tobytes()),
    }
    if planes.ndim == 3:
        defaults[0x0015] = ("IS", len(planes))
    for element, (vr, value) in (defaults | values.get("elements", {})).items():
        dataset.add_new(base + element, vr, value)
    return dataset


def test_overlay_is_one_byte_a_pixel():
    plane = (np.arange(32) % 3 == 0).astype("u1").reshape(4, 8)
    elements = {0x0050: ("SS", [3, -2]), 0x1500: ("LO", "ROI"), 0x1301: ("IS", 11)}
    frame = Frame(with_overlay(builders.header(PIXELS), plane, elements=elements), 0)
    (overlay,) = read_overlays(frame)["overlays"]
    assert overlay.pop("pixel_data").tolist() == plane.ravel().tolist()
    assert overlay == {
        "rows": 4,
        "columns": 8,
        "x": -2,
        "y": 3,
        "type": "G",
        "label": "ROI",
        "roi_area": 11,
    }


def test_overlay_of_a_file():
    plane = (np.arange(32) % 5 == 0).astype("u1").reshape(4, 8)
    frame = reread(with_overlay(builders.header(PIXELS), plane))
    (overlay,) = read_overlays(frame)["overlays"]
    assert overlay["pixel_data"].tolist() == plane.ravel().tolist()


def test_overlays_are_in_the_order_of_their_groups():
    dataset = builders.header(PIXELS)
    for number in (15, 0, 3):
        with_overlay(dataset, np.ones((number + 1, 8), "u1"), number)
    overlays = read_overlays(Frame(dataset, 0))["overlays"]
    assert [overlay["rows"] for overlay in overlays] == [1, 4, 16]


def test_each_frame_has_its_own_overlay_plane():
    planes = np.stack([np.full((3, 5), index % 2, "u1") for index in range(1, 4)])
    planes[2, 0, 0] = 0
    dataset = with_overlay(builders.header(PIXELS), planes)
    for index in range(3):
        (overlay,) = read_overlays(Frame(dataset, index))["overlays"]
        assert overlay["pixel_data"].tolist() == planes[index].ravel().tolist()
    assert read_overlays(Frame(dataset, 3)) == {}


def test_overlay_planes_may_begin_at_a_later_frame():
    planes = np.stack([np.zeros((3, 5), "u1"), np.ones((3, 5), "u1")])
    dataset = with_overlay(builders.header(PIXELS), planes, elements={0x0051: ("US", 3)})
    found = [read_overlays(Frame(dataset, index)) for index in range(5)]
    assert [bool(overlays) for overlays in found] == [False, False, True, True, False]
    assert found[3]["overlays"][0]["pixel_data"].all()


def test_lone_overlay_plane_is_on_every_frame():
    dataset = with_overlay(builders.header(PIXELS), np.ones((4, 8), "u1"))
    assert read_overlays(Frame(dataset, 5))["overlays"][0]["pixel_data"].all()


def test_overlay_that_is_cut_off_is_left_out():
    plane = np.ones((4, 8), "u1")
    dataset = with_overlay(builders.header(PIXELS), plane, elements={0x3000: ("OW", b"\xff\xff")})
    with pytest.warns(UserWarning, match="the overlay of group 6000 has 2 bytes, frame 1 needs 4"):
        assert read_overlays(Frame(dataset, 0)) == {}
