"""The NIfTI page: three planes with one crosshair, time, window, files of the reader."""

from __future__ import annotations

import re

import nibabel
import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.pages import DIST
from tests.support.pages.demo import canvas, wait

SAMPLES = DIST / "samples" / "nifti"
TIMES = "\N{MULTIPLICATION SIGN}"
PLANES = ("axial", "coronal", "sagittal")


def counters(page: Page) -> list[str]:
    """Return what the planes say of their slices: axial, coronal, sagittal."""
    return [page.inner_text(f"#{plane} .corner.top.right") for plane in PLANES]


def click(page: Page, plane: str, column: float, row: float) -> None:
    """Click into a plane, at shares of its width and height."""
    box = page.locator(f"#{plane} canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + column * box["width"], box["y"] + row * box["height"])


def settled(page: Page) -> None:
    """Wait until the page shows what it is to show."""
    page.wait_for_function("new Promise((resolve) => setTimeout(() => resolve(true), 400))")
    wait(page, "shown")


def position(page: Page) -> dict[str, str]:
    """Return what stands at the crosshair."""
    rows = page.locator("#position tr").all_inner_texts()
    return dict(row.split("\t") for row in rows)


def millimetres(words: str) -> np.ndarray:
    """Return a position of the page, such as ``L 36.7  A 26.2  S 7.6 mm``, in RAS."""
    signs = {"R": 1, "L": -1, "A": 1, "P": -1, "S": 1, "I": -1}
    found = re.findall(r"([RLAPSI]) ([\d.]+)", words)
    assert len(found) == 3
    return np.array([signs[letter] * float(value) for letter, value in found])


@pytest.mark.parametrize("name", ["head.nii.gz", "sagittal.nii"])
def test_a_click_moves_the_other_planes_and_tells_the_right_value(demo, name: str) -> None:
    page = demo(f"nifti.html#nifti/{name}")
    wait(page, "shown")
    volume = nibabel.load(SAMPLES / name)
    voxels = np.asarray(volume.dataobj)
    voxels = voxels[..., 0] if voxels.ndim == 4 else voxels
    for plane, column, row in (("axial", 0.7, 0.4), ("coronal", 0.3, 0.6), ("sagittal", 0.6, 0.3)):
        before, drawn = counters(page), {each: canvas(page, f"#{each} canvas") for each in PLANES}
        click(page, plane, column, row)
        settled(page)
        after = counters(page)
        for index, other in enumerate(PLANES):
            is_same = np.array_equal(drawn[other], canvas(page, f"#{other} canvas"))
            assert (before[index] == after[index]) == (other == plane) == is_same, other
        found = position(page)
        place = np.linalg.inv(volume.affine) @ [*millimetres(found["position"]), 1]
        i, j, k = place[:3].round().astype(int)
        assert np.abs(place[:3] - (i, j, k)).max() < 0.1, "the crosshair is on a voxel"
        assert int(found["value"]) == voxels[i, j, k]


def test_letters_and_sides(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    edges = {
        plane: [
            page.inner_text(f"#{plane} .edge.{edge}") for edge in ("left", "right", "top", "bottom")
        ]
        for plane in PLANES
    }
    assert edges == {
        "axial": ["R", "L", "A", "P"],
        "coronal": ["R", "L", "S", "I"],
        "sagittal": ["A", "P", "S", "I"],
    }
    # The bright lesion of the phantom is on the patient's left, in front, above the middle.
    page.focus("#stack [type=range]")
    page.keyboard.press("End")
    settled(page)
    click(page, "sagittal", 0.4, 0.4)
    settled(page)
    drawn = canvas(page, "#axial canvas")[..., 0].astype(int)
    rows, columns = drawn.shape
    inner = drawn[rows // 5 : -rows // 5, columns // 5 : -columns // 5]
    bright = np.argwhere(inner > 230)
    assert bright[:, 1].mean() > inner.shape[1] / 2, "to the right of the picture"
    assert bright[:, 0].mean() < inner.shape[0] / 2, "in its upper half"


def test_time(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    voxels = np.asarray(nibabel.load(SAMPLES / "head.nii.gz").dataobj)
    assert page.inner_text("#stack output") == "Timepoint 1 of 6"
    click(page, "sagittal", 0.35, 0.4)
    settled(page)
    z, y, x = (int(part.split("-")[1]) for part in position(page)["slices"].split())
    page.focus("#stack [type=range]")
    values = [position(page)["value"]]
    for number in range(2, 7):
        page.keyboard.press("ArrowRight")
        settled(page)
        assert page.inner_text("#stack output") == f"Timepoint {number} of 6"
        values.append(position(page)["value"])
    assert values == [str(value) for value in voxels[x, y, z]]


def test_wheel_and_keys_go_through_slices(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    assert counters(page) == ["33 / 64", "48 / 96", "41 / 80"]
    page.hover("#coronal canvas")
    page.mouse.wheel(0, 120)
    page.wait_for_function(
        "document.querySelector('#coronal .corner.top.right').innerText === '49 / 96'"
    )
    page.focus("#axial canvas")
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('#axial .corner.top.right').innerText === '64 / 64'"
    )
    settled(page)
    page.keyboard.press("ArrowDown")
    settled(page)
    assert counters(page) == ["64 / 64", "49 / 96", "41 / 80"], "there is nothing beyond the last"


def test_window_of_all_three(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    words = [page.inner_text(f"#{plane} .corner.bottom.left") for plane in PLANES]
    assert len({*words}) == 1
    box = page.locator("#coronal canvas").bounding_box()
    assert box
    slices = counters(page)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 80, steps=4)
    page.mouse.up()
    after = [page.inner_text(f"#{plane} .corner.bottom.left") for plane in PLANES]
    assert len({*after}) == 1
    assert after != words
    assert counters(page) == slices, "a drag is no click"


def test_under_the_pointer(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    page.hover("#axial canvas")
    text = page.inner_text("#axial .corner.bottom.right")
    assert re.fullmatch(r"-?\d+\n[RL] [\d.]+ +[AP] [\d.]+ +[IS] [\d.]+ mm", text)


def test_a_file_of_the_reader(demo, tmp_path) -> None:
    voxels = np.random.default_rng(2).normal(size=(10, 12, 14)).astype("f4")
    affine = np.diag([3.0, 2.0, 4.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "mine.nii.gz")
    page = demo("nifti.html")
    wait(page, "shown")
    page.set_input_files("input[type=file]", tmp_path / "mine.nii.gz")
    shape = f" {TIMES} ".join(["10", "12", "14"])
    page.wait_for_function(
        "(shape) => document.querySelector('#facts').innerText.includes(shape)", arg=shape
    )
    settled(page)
    facts = page.inner_text("#facts")
    assert f"3 {TIMES} 2 {TIMES} 4 mm" in facts
    assert "Float32" in facts
    assert page.locator("#stack").is_hidden(), "one time only"
    assert page.inner_text("#axial .edge.left") == "R"


def test_what_is_no_nifti_is_said(demo, tmp_path) -> None:
    (tmp_path / "notes.nii").write_text("not an image")
    page = demo("nifti.html")
    wait(page, "shown")
    page.set_input_files("input[type=file]", tmp_path / "notes.nii")
    wait(page, "failed")
    assert page.inner_text("#error .badge") == "format"
    assert not any(canvas(page, f"#{plane} canvas").any() for plane in PLANES)
