"""The demo pages, as a visitor uses them: what all share, DICOM files, Cornerstone."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import corpus
from tests.support.filesets import study_files, write_fileset, zip_of
from tests.support.mixed_files import volumes, web_images
from tests.support.pages.demo import canvas, corner, wait, wait_for_corner

PAGES = ["index", "nifti", "web", "cornerstone", "cornerstone3d", "custom-loader", "start"]


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_an_image(demo, name: str) -> None:
    page = demo(f"{name}.html")
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    wait(page, "shown")
    drawn = canvas(page, "canvas")
    assert len(np.unique(drawn[..., 0])) > 20, "the canvas holds a picture"
    assert (page.uncaught, problems) == ([], [])
    links = page.eval_on_selector_all("nav a", "(links) => links.map((a) => a.pathname)")
    assert {f"/demo/{other}.html" for other in PAGES} <= set(links)
    assert page.locator("pre").first.inner_text().strip(), "the page shows its code"


def test_every_sample_ends_as_it_should(demo) -> None:
    page = demo("index.html")
    wait(page, "shown")
    names = page.eval_on_selector_all(
        "[data-sample]", "(items) => items.map((item) => item.dataset.sample)"
    )
    assert len(names) > 10
    for name in names:
        page.click(f'[data-sample="{name}"]')
        page.wait_for_function(
            "['shown', 'failed'].includes(document.documentElement.dataset.state)"
        )
        state, code = page.evaluate(
            "[document.documentElement.dataset.state, document.documentElement.dataset.error ?? null]"
        )
        expected = ("failed", "format") if name == "reportsi.dcm" else ("shown", None)
        assert (state, code or None) == expected, name
    assert page.inner_text("#samples .failed") == "Cannot be shown: format"
    assert page.uncaught == []


def test_dropped_file_and_window(demo) -> None:
    page = demo("index.html")
    wait(page, "shown")
    page.set_input_files("input[type=file]", corpus.DATA / "CT_small.dcm")
    page.wait_for_function("document.querySelector('#stage canvas').width === 128")
    wait(page, "shown")
    before = canvas(page)
    box = page.locator("#stage canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + box["height"] / 2 + 60, steps=5)
    page.mouse.up()
    assert not np.array_equal(before, canvas(page)), "dragging changes the window"
    page.locator("#stage canvas").dblclick()
    assert np.array_equal(before, canvas(page)), "a double click puts it back"


def test_what_is_no_dicom_is_said(demo, tmp_path) -> None:
    page = demo("index.html")
    wait(page, "shown")
    file = tmp_path / "notes.txt"
    file.write_text("not an image")
    page.set_input_files("input[type=file]", file)
    wait(page, "failed")
    assert page.evaluate("document.documentElement.dataset.error") == "format"
    error = page.inner_text("#error")
    assert "'notes.txt' begins with b'not an image', which no loader reads" in error
    assert "NIfTI" in error


def choices(page: Page) -> list[str]:
    """Return what stands in the list below the samples: the files of the reader."""
    found = page.locator("#samples li").all_inner_texts()
    return [text for text in found if text.endswith("your files")]


def test_files_of_any_format(demo, tmp_path) -> None:
    page = demo("index.html")
    wait(page, "shown")
    for name, body in volumes().items():
        (tmp_path / name).write_bytes(body)
    page.set_input_files("#files", list(tmp_path.iterdir()))
    wait_for_corner(page, "top.left", "a1")
    wait(page, "shown")
    assert [text.split("\n")[:2] for text in choices(page)] == [
        [name, f"{count} images"] for name, count in zip(volumes(), (3, 3, 4, 4, 4, 4), strict=True)
    ]
    assert corner(page, "top.right") == "Slice 2 of 3", "it begins in the middle"
    for name in volumes():
        page.click(f'#samples button:has-text("{name}")')
        wait_for_corner(page, "top.left", name)
        wait(page, "shown")
    page.set_input_files("#files", {"name": "x", "mimeType": "", "buffer": web_images()["b3"]})
    wait_for_corner(page, "top.right", "Slice 1 of 2")
    assert page.uncaught == []


def test_what_is_opened_by_its_address_can_be_shared(demo) -> None:
    page = demo("index.html")
    wait(page, "shown")
    page.fill("#address input", "../samples/MR_small.dcm")
    page.keyboard.press("Enter")
    wait_for_corner(page, "top.left", "MR_small.dcm")
    wait(page, "shown")
    link = page.evaluate("location.search")
    assert link == "?url=..%2Fsamples%2FMR_small.dcm"
    page.fill("#address input", "../samples/nifti/sagittal.nii")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#facts').innerText.includes('nifti:localfile')")
    page.fill("#address input", "nifti:../samples/nifti/sagittal.nii#x")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#facts').innerText.includes('nii#x-40')")
    page.click('[data-sample="CT_small.dcm"]')
    page.wait_for_function("location.search === '' && location.hash === '#CT_small.dcm'")
    page.goto(page.url.partition("#")[0] + link)
    wait_for_corner(page, "top.left", "MR_small.dcm")
    page.fill("#address input", "../samples/none.dcm")
    page.keyboard.press("Enter")
    wait(page, "failed")
    assert "404" in page.inner_text("#error")
    assert page.uncaught == []


def test_zip_archive_by_series(demo, tmp_path) -> None:
    page = demo("index.html")
    wait(page, "shown")
    archive = tmp_path / "study.zip"
    archive.write_bytes(zip_of(study_files()))
    page.set_input_files("#files", archive)
    page.wait_for_function("document.querySelector('#stage canvas').width === 10")
    wait(page, "shown")
    assert choices(page) == [
        f"series {number}\nCT, 3 images\nDoe Jane, 2020-01-01, your files" for number in (1, 2)
    ]
    assert page.inner_text("#stack output") == "Slice 1 of 3"
    page.locator("#samples button").last.click()
    page.wait_for_function("document.querySelector('.corner.top.left').textContent === 'series 2'")
    wait(page, "shown")
    assert "#member=A/8" in page.inner_text("#facts")


def test_folder_of_a_disc_with_a_file_missing(demo, tmp_path) -> None:
    page = demo("index.html")
    wait(page, "shown")
    order = write_fileset(tmp_path / "disc", study_files())
    (tmp_path / "disc" / order[4]).unlink()
    page.set_input_files("#folder", tmp_path / "disc")
    page.wait_for_function("document.querySelector('#stage canvas').width === 10")
    wait(page, "shown")
    assert [text.split("\n")[1] for text in choices(page)] == [
        "CT, 3 images",
        "CT, 2 images, 1 missing",
    ]
    missing = page.inner_text("#missing")
    assert missing == f"disc/{order[4]} is listed in the DICOMDIR but does not exist"
    assert page.uncaught == []


def test_frames_by_wheel(demo) -> None:
    page = demo("index.html#examples_ybr_color.dcm")
    wait(page, "shown")
    page.click('[data-sample="examples_ybr_color.dcm"]')
    page.wait_for_function("document.querySelector('#stage canvas').width === 320")
    wait(page, "shown")
    before = canvas(page)
    page.hover("#stage canvas")
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(500)
    wait(page, "shown")
    assert not np.array_equal(before, canvas(page))


@pytest.mark.parametrize("source", ["", "?source=nifti:../samples/nifti/head.nii.gz%23z,t-4"])
def test_volume_in_three_planes(demo, source: str) -> None:
    page = demo(f"cornerstone3d.html{source}")
    wait(page, "shown")
    page.wait_for_function("document.documentElement.dataset.volume === 'shown'", timeout=60_000)
    assert page.uncaught == []
