"""Zip archives, folders and DICOMDIRs in the page: what is listed loads, with its own pixels."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from playwright.sync_api import Page

from tests.support import builders
from tests.support.corpus import DATA
from tests.support.filesets import (
    IN_ORDER,
    order_by_pydicom,
    pixels_of,
    slice_file,
    study_files,
    write_fileset,
    zip_of,
)
from tests.support.mixed_files import volumes, web_images
from tests.support.pages.outcome import fail, load
from tests.support.webserver import WebServer
from tests.support.zarr_builders import write

NUMBERS = (101, 102, 103, 201, 202, 203)  # of `study_files`, in order
# Files with paths as a folder's, of [path, base64]; the last first.
MAKE_FILES = """
(given) => given.map(([path, text]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const file = new File([bytes], path.split('/').at(-1));
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}).reverse()
"""


def texts(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return files as they cross to the page."""
    return [(name, base64.b64encode(body).decode()) for name, body in files.items()]


def series(page: Page, files: Mapping[str, bytes], options: str = "{}") -> list[dict[str, Any]]:
    """Return the series of files that a page is given."""
    found: list[dict[str, Any]] = page.evaluate(
        f"(given) => pyloader.series(({MAKE_FILES})(given), {options})", texts(files)
    )
    return found


def loaded(page: Page, image_ids: list[str]) -> list[np.ndarray]:
    """Return the pixels of images."""
    return [load(page, image_id)["pixels"] for image_id in image_ids]


def assert_in_order(page: Page, image_ids: list[str]) -> None:
    """Check that imageIds are those of `study_files` in order, by their pixels."""
    assert len(image_ids) == len(NUMBERS)
    for pixels, number in zip(loaded(page, image_ids), NUMBERS, strict=True):
        assert_array_equal(pixels, pixels_of(number))


# ------------------------------------------------------------------ archives


def test_zip_of_a_server_is_fetched_once(page: Page, site: WebServer) -> None:
    path = site.put("/made/study.zip", zip_of({**study_files(), "README": b"read me"}))
    image_ids = page.evaluate("(id) => pyloader.imageIds(id)", f"wadouri:{path}#member=B/2.dcm")
    assert image_ids == [f"wadouri:{path}#member=B/2.dcm?frame=1"]
    image_ids = page.evaluate("(id) => pyloader.imageIds(id)", f"wadouri:{path}")
    assert image_ids == [f"wadouri:{path}#member={name}" for name in IN_ORDER]
    assert_in_order(page, image_ids)
    asked = site.asked(path)
    assert len(asked) == 1
    assert asked[0].path == path, "what names a member is for no server"


def test_zip_members_are_asked_for_together(open_page, site: WebServer) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 3})")
    path = site.put("/made/together.zip", zip_of(study_files()))
    ids = [f"wadouri:{path}#member={name}" for name in IN_ORDER]
    found = page.evaluate("(ids) => Promise.all(ids.map((id) => load(id)))", ids)
    assert [each["image"]["imageId"] for each in found] == ids
    assert len(site.asked(path)) == 1, "one source, one worker"


def test_zip_of_the_user(page: Page) -> None:
    (one, two) = series(page, {"study.zip": zip_of(study_files())})
    assert_in_order(page, one["imageIds"] + two["imageIds"])
    plane = page.evaluate("(id) => pyloader.metaData('imagePlaneModule', id)", two["imageIds"][2])
    assert plane["imagePositionPatient"] == [0, 0, 3]
    member = one["imageIds"][0]
    assert member.endswith("#member=B/2.dcm")
    page.evaluate("(id) => pyloader.removeFile(id)", member)
    assert "removeFile" in fail(page, member)["message"]
    assert page.evaluate("(id) => pyloader.metaData('imagePlaneModule', id) === undefined", member)


def test_zip_by_add_file(page: Page, site: WebServer) -> None:
    site.put("/made/user.zip", zip_of(study_files()))
    image_id = page.evaluate("addFileOf('/made/user.zip')")
    found = page.evaluate("(id) => pyloader.series(id)", image_id)
    assert [each["seriesDescription"] for each in found] == ["series 1", "series 2"]
    assert_in_order(page, [each for some in found for each in some["imageIds"]])
    error = fail(page, image_id)
    assert (error["code"], error["kind"]) == ("image-id", "ImageIdError")
    assert "is a zip archive of 6 files" in error["message"]


@pytest.mark.parametrize("frame", [0, 3])
def test_zip_frames_count_from_one(page: Page, site: WebServer, frame: int) -> None:
    frames = np.stack([builders.ramp(6, 8), builders.ramp(6, 8)[::-1]])
    path = site.put("/made/us.zip", zip_of({"us": builders.native(frames, NumberOfFrames=2)}))
    image_ids = page.evaluate("(id) => pyloader.imageIds(id)", f"wadouri:{path}")
    assert image_ids == [f"wadouri:{path}#member=us?frame={number}" for number in (1, 2)]
    assert_array_equal(loaded(page, image_ids), frames)
    assert_array_equal(loaded(page, [f"{image_ids[1]}#decimation=2"])[0], frames[1])
    assert fail(page, f"WADOURI:{path}#member=us?frame={frame}")["code"] == "image-id"


def test_gzip_of_one_file(page: Page, site: WebServer) -> None:
    import gzip

    path = site.put("/made/a.dcm.gz", gzip.compress(slice_file(1)))
    assert_array_equal(load(page, f"wadouri:{path}")["pixels"], pixels_of(101))


# ------------------------------------------------------------------ folders and DICOMDIRs


def test_files_of_a_disc_come_in_the_order_of_its_directory(page: Page, tmp_path: Path) -> None:
    order = write_fileset(tmp_path, study_files())
    files = {f"disc/{name.lower()};1": (tmp_path / name).read_bytes() for name in order}
    bodies = list(files.values())
    files["disc/dicomdir"] = (tmp_path / "DICOMDIR").read_bytes()
    image_ids = page.evaluate(f"(given) => pyloader.imageIds(({MAKE_FILES})(given))", texts(files))
    for pixels, body in zip(loaded(page, image_ids), bodies, strict=True):
        assert body.endswith(pixels.tobytes())


def test_missing_files_of_a_disc_are_told(page: Page, tmp_path: Path) -> None:
    order = write_fileset(tmp_path, study_files())
    names = [*order[:2], "DICOMDIR"]
    page.evaluate(
        "pyloader.events.addEventListener('print', ({detail}) => (globalThis.printed ??= []).push(detail))"
    )
    first, second = series(page, {name: (tmp_path / name).read_bytes() for name in names})
    assert (len(first["imageIds"]), first["missing"]) == (2, order[2:3])
    assert (second["imageIds"], second["missing"]) == ([], order[3:])
    page.wait_for_function("globalThis.printed?.length")
    printed = page.evaluate("globalThis.printed[0]")
    assert printed["level"] == "warn"
    assert "4 of the files that the DICOMDIR names do not exist" in printed["text"]


def test_folder_that_is_chosen(open_page, tmp_path: Path) -> None:
    for name, body in {**study_files(), "README.txt": b"read me"}.items():
        (tmp_path / "study" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "study" / name).write_bytes(body)
    page = open_page()
    page.set_content("<input type=file webkitdirectory>")
    page.add_script_tag(url="/pyloader.js")
    page.set_input_files("input", tmp_path / "study")
    image_ids = page.evaluate("pyloader.imageIds(document.querySelector('input').files)")
    assert_in_order(page, image_ids)


def test_folder_that_is_dropped(open_page) -> None:
    page = open_page()
    page.evaluate(
        """() => {
          addEventListener('dragover', (event) => event.preventDefault());
          addEventListener('drop', (event) => {
            event.preventDefault();
            globalThis.found = pyloader.series(event.dataTransfer);
          });
        }"""
    )
    drop(page, DATA / "dicomdirtests")
    found = page.evaluate("found")
    expected = order_by_pydicom(DATA / "dicomdirtests" / "DICOMDIR")
    image_ids = [each for some in found if "patientID" in some for each in some["imageIds"]]
    assert len(image_ids) == len(expected) == 31
    for index in (0, 5, 30):
        body = (DATA / "dicomdirtests" / expected[index]).read_bytes()
        assert body.endswith(loaded(page, [image_ids[index]])[0].tobytes())
    assert {some["patientID"] for some in found if "patientID" in some} == {"77654033", "98890234"}


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders of this machine onto a page, as its reader does."""
    session = page.context.new_cdp_session(page)
    given = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 50, "y": 50, "data": given})
    page.wait_for_function("globalThis.found")


def test_directory_on_a_server(page: Page) -> None:
    image_ids = page.evaluate("pyloader.imageIds('wadouri:/corpus/dicomdirtests/DICOMDIR')")
    expected = order_by_pydicom(DATA / "dicomdirtests" / "DICOMDIR")
    assert image_ids == [f"wadouri:/corpus/dicomdirtests/{name}" for name in expected]
    body = (DATA / "dicomdirtests" / expected[0]).read_bytes()
    assert body.endswith(loaded(page, image_ids[:1])[0].tobytes())


# ------------------------------------------------------------------ many files


def test_headers_of_many_large_files_are_read_from_slices(page: Page) -> None:
    found = page.evaluate(
        """async ([text, count]) => {
          const head = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const files = Array.from({ length: count }, (_, number) => new File([head, new Uint8Array(2 ** 21)], `${number}`));
          let whole = 0;
          for (const file of files) file.arrayBuffer = file.text = file.stream = () => (whole++, Promise.reject());
          const reports = [];
          const imageIds = await pyloader.imageIds(files, { onProgress: ({ loaded, total }) => reports.push([loaded, total]) });
          const before = performance.now();
          return [imageIds.length, new Set(imageIds).size, whole, reports.at(-1), reports.length];
        }""",
        [base64.b64encode(slice_file(1)).decode(), 200],
    )
    assert found == [200, 200, 0, [200, 200], 200]


def test_list_is_cancelled(page: Page) -> None:
    found = page.evaluate(
        f"""async (given) => {{
          const controller = new AbortController();
          const many = Array.from({{ length: 50 }}, () => ({MAKE_FILES})(given)).flat();
          const listing = pyloader.series(many, {{ signal: controller.signal, onProgress: () => controller.abort() }});
          const error = await listing.catch((error) => error.name);
          return [error, (await pyloader.series(({MAKE_FILES})(given))).length];
        }}""",
        texts(study_files()),
    )
    assert found == ["AbortError", 2]


def test_files_are_there_for_every_worker(open_page) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 2})")
    one, two = series(page, study_files())
    ids = one["imageIds"] + two["imageIds"]
    found = page.evaluate("(ids) => digests(ids)", ids)
    assert len(set(found)) == 6
    assert all(text.startswith("Uint16Array 8 10 1 ") for text in found)


# ------------------------------------------------------------------ what is no image


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ("[]", "image-id", "were given no file"),
        ("undefined", "image-id", "take an imageId, or files"),
        (
            "[new File(['notes'], 'notes.txt')]",
            "format",
            "'notes.txt' begins with b'notes', which no loader reads",
        ),
        ("[new File(['a'], 'a'), new File(['b'], 'b')]", "format", "no DICOM image among 2 files"),
        ("new File([], 'empty.dcm')", "format", "empty"),
        ("new File(['PK\\x03\\x04 and no more'], 'cut.zip')", "format", "begins as a zip archive"),
    ],
)
def test_what_holds_no_image_is_said(page: Page, given: str, code: str, message: str) -> None:
    error = page.evaluate(f"pyloader.imageIds({given}).then(String, describeError)")
    assert error["isPyLoaderError"]
    assert error["code"] == code
    assert message in error["message"]


def test_files_of_other_formats_load(page: Page, tmp_path: Path) -> None:
    files = {**volumes(), "z.dcm": slice_file(1)}
    found = series(page, files)
    assert [each.get("seriesDescription") for each in found[1:]] == [*volumes()]
    image_ids = [each["imageIds"][-1] for each in found]
    assert len(loaded(page, image_ids)) == 7
    write(tmp_path / "a.zarr")
    packed = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    zipped = zip_of({path.relative_to(tmp_path).as_posix(): body for path, body in packed.items()})
    [found] = series(page, {"zipped": zipped})
    assert found["imageIds"][0].startswith("zarr:localfile:")
    assert len(loaded(page, found["imageIds"][:2])) == 2
    [pages] = series(page, {"pages": web_images()["b3"]})
    assert len(loaded(page, pages["imageIds"])) == 2
    assert page.uncaught == []  # type: ignore[attr-defined]


def test_damaged_file_fails_alone(page: Page) -> None:
    files = {**study_files(), "A/7": study_files()["A/7"][:350]}
    found = series(page, files)
    image_ids = [each for some in found for each in some["imageIds"]]
    assert len(image_ids) == 6
    assert len(loaded(page, image_ids[:5])) == 5
    assert fail(page, image_ids[5])["code"] == "format"
    assert page.uncaught == []
