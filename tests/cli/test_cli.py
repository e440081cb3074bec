"""The command line: what it prints, writes and ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from gzip import compress
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.cli import main
from pyloader.errors import ImageIdError
from pyloader.load import default_context
from pyloader.loaders import schemes
from pyloader.loaders.filesets.paths import image_id_of
from tests.support import builders
from tests.support.filesets import IN_ORDER, study_files, write_fileset, zip_of
from tests.support.luts import item

ROOT = Path(__file__).parents[2]
CT = builders.ramp(40, 48, 12)
FILE = builders.native(
    CT,
    BitsStored=12,
    ImagePositionPatient=[-10.5, 20, 30],
    ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    PixelSpacing=[0.5, 0.75],
    RescaleSlope=1,
    RescaleIntercept=-1024,
    RescaleType="HU",
    WindowCenter=[40, 300],
    WindowWidth=[400, 1500],
    PatientID="p1",
)
LOADER = """
import numpy as np
from pyloader import Image, register_loader

async def image_ids(image_id, context):
    return [image_id.of_frame(index) for index in range(3)]

@register_loader("mine", image_ids=image_ids)
async def load(image_id, context):
    print("loading", image_id.text)
    {body}
"""


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    """Let go of files: a command has its own process, and these tests share one."""
    yield
    default_context().cache.clear()


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    """Return a file."""
    path = tmp_path / "ct.dcm"
    path.write_bytes(FILE)
    return path


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Any]:
    """Return a function that writes a loader file."""
    path = tmp_path / "my_loader.py"

    def write(body: str) -> str:
        path.write_text(LOADER.format(body=body))
        return str(path)

    yield write
    schemes.drop(str(path))


def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "pyloader", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options
    )


# ------------------------------------------------------------------ info


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


ODD = """from dataclasses import replace
    image = Image.from_array(np.full((2, 3), 7, "u1"))
    return replace(image, warnings=("it is odd,\\n  and even",))"""


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


def test_frame_of_a_path(tmp_path, capsys, monkeypatch):
    cine = np.stack([builders.ramp(16, 24, 8) // 2 + np.uint8(index) for index in range(4)])
    (tmp_path / "us.dcm").write_bytes(builders.native(cine, NumberOfFrames=4))
    monkeypatch.chdir(tmp_path)
    assert main(["info", "us.dcm?frame=3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["image_id"], found["images"]) == ("wadouri:us.dcm?frame=3", 4)
    assert found["minimum"] == int(cine[2].min())


# ------------------------------------------------------------------ list


def test_list_prints_imageids(tmp_path, capsys, monkeypatch):
    cine = np.zeros((3, 4, 4), "u1")
    (tmp_path / "us.dcm").write_bytes(builders.native(cine, NumberOfFrames=3))
    monkeypatch.chdir(tmp_path)
    assert main(["list", "us.dcm"]) == 0
    assert capsys.readouterr().out == "".join(f"wadouri:us.dcm?frame={n}\n" for n in (1, 2, 3))


# ------------------------------------------------------------------ render


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


def test_window_that_is_none(ct, tmp_path, capsys):
    assert main(["render", str(ct), str(tmp_path / "a.png"), "--window", "40", "0"]) == 1
    assert "centre 40 and width 0 cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


# ------------------------------------------------------------------ which scheme


def nifti(shape: tuple[int, ...] = (4, 5, 6), kind: type = nibabel.Nifti1Image) -> bytes:
    """Make a NIfTI file."""
    return kind(np.arange(np.prod(shape), dtype="i2").reshape(shape), np.eye(4)).to_bytes()


GREY = builders.ramp(8, 8, 8)
KINDS = {
    "a.dcm": (FILE, "wadouri"),
    "noname": (FILE, "wadouri"),
    "bare": (builders.bare(FILE), "wadouri"),
    "wrong.png": (FILE, "wadouri"),
    "empty.dcm": (b"", "wadouri"),
    "a.nii": (nifti(), "nifti"),
    "a.nii.gz": (compress(nifti()), "nifti"),
    "volume": (nifti(kind=nibabel.Nifti2Image), "nifti"),
    "packed": (compress(nifti()), "nifti"),
    "broken.nii.gz": (b"\x1f\x8b\x08broken", "nifti"),
    "a.nrrd": (b"NRRD0004\n", "nrrd"),
    "a.mhd": (b"NDims = 3\n", "metaimage"),
    "meta": (b"ObjectType = Image\n", "metaimage"),
    "a.npy": (b"\x93NUMPY\x01\x00", "numpy"),
    "a.npz": (b"PK\x03\x04", "numpy"),
    "a.png": (imagecodecs.png_encode(GREY), "web"),
    "photo": (imagecodecs.jpeg8_encode(GREY), "web"),
    "a.tif": (imagecodecs.tiff_encode(GREY), "web"),
    "a.webp": (imagecodecs.webp_encode(builders.color(8, 8), lossless=True), "web"),
    "upper.GIF": (b"GIF89a", "web"),
}


@pytest.mark.parametrize("name", KINDS)
def test_scheme_of_a_file(tmp_path, name):
    body, scheme = KINDS[name]
    path = tmp_path / name
    path.write_bytes(body)
    assert image_id_of(str(path)) == f"{scheme}:{path}"
    assert image_id_of(path.as_uri()) == f"{scheme}:{path.as_uri()}"


@pytest.mark.parametrize("end", ["?frame=3", "#z-12", "#x-1,t-2"])
def test_what_follows_a_path_stays(tmp_path, end):
    (tmp_path / "a.nii").write_bytes(nifti())
    assert image_id_of(f"{tmp_path}/a.nii{end}") == f"nifti:{tmp_path}/a.nii{end}"


def test_folder_of_zarr(tmp_path):
    (tmp_path / ".zarray").write_text("{}")
    assert image_id_of(str(tmp_path)) == f"zarr:{tmp_path}"


@pytest.mark.parametrize("text", ["wadouri:a.dcm", "WADORS:https://host/a", "mine:x", "https://a"])
def test_imageid_stays_what_it_is(text):
    assert image_id_of(text) == text


def test_what_is_neither_imageid_nor_file():
    with pytest.raises(ImageIdError, match=r"'no\.dcm' is not an imageId, because .* no such file"):
        image_id_of("no.dcm")


@pytest.mark.parametrize(
    "text",
    ["x" * 5000, "a\0b", "file://[/", "file:", "file:?frame=1", "", "?frame=1", "#z-12", "?"],
)
async def test_what_names_no_file_is_no_imageid(text):
    for call in (load_image, load_metadata, list_image_ids):
        with pytest.raises(ImageIdError, match="no such file"):
            await call(text)


def test_folder_of_dicom(tmp_path, capsys):
    write_fileset(tmp_path, study_files())
    archive = tmp_path / "study.ZIP"
    archive.write_bytes(zip_of(study_files()))
    (tmp_path / "PT000000/ST000000/SE000000/IM000001").unlink()
    assert main(["list", str(archive)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"wadouri:{archive}#member={name}" for name in IN_ORDER]
    archive.unlink()
    for source in (tmp_path, tmp_path / "DICOMDIR", f"file://{tmp_path}"):
        assert main(["list", str(source)]) == 0
        found = capsys.readouterr()
        assert len(found.out.splitlines()) == 5
        assert found.out.startswith(f"wadouri:{tmp_path}/PT000000/ST000000/SE000000/IM000000\n")
        assert found.err.startswith("pyloader: warning: 1 of the files that the DICOMDIR names")


def test_member_of_an_archive(tmp_path, capsys):
    archive = tmp_path / "study.zip"
    archive.write_bytes(zip_of(study_files()))
    assert main(["info", f"{archive}#member=A/7"]) == 0
    assert "position      (0, 0, 2) mm" in capsys.readouterr().out
    assert main(["info", str(archive)]) == 1
    assert "is a zip archive of 6 files" in capsys.readouterr().err


def test_folder_of_nothing(tmp_path, capsys):
    assert main(["list", str(tmp_path)]) == 1
    assert "there is no DICOM image among 0 files" in capsys.readouterr().err


def test_file_of_no_known_kind(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ImageIdError, match=r"a\.txt' has an unknown format, .* --loader"):
        image_id_of(str(tmp_path / "a.txt"))


# ------------------------------------------------------------------ an author's loader

IMAGE = "return Image.from_array(np.full((2, 3), 7, 'u1'))"


def test_loader_file_is_run(loader, capsys):
    path = loader(IMAGE)
    assert main(["info", "mine:a", "--json", "--loader", path]) == 0
    found = capsys.readouterr()
    assert json.loads(found.out)["minimum"] == 7, "what the loader prints is no part of it"
    assert found.err == "loading mine:a\n"
    assert main(["list", "mine:a", "--loader", path]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_failing_loader_shows_its_line(loader, capsys):
    path = loader("return Image.from_array(1 // 0)")
    assert main(["info", "mine:a", "--loader", path]) == 1
    error = capsys.readouterr().err
    lines = error.splitlines()[1:]
    assert lines[0].startswith("pyloader: the loader of scheme 'mine' failed on 'mine:a': ZeroDiv")
    assert lines[1].startswith("Traceback")
    assert f'File "{path}", line 11, in load\n    return Image.from_array(1 // 0)' in error
    assert "pyloader/load.py" not in error


def test_traceback_of_all(loader, capsys):
    path = loader("return Image.from_array(1 // 0)")
    assert main(["info", "mine:a", "--traceback", "--loader", path]) == 1
    assert "pyloader/load.py" in capsys.readouterr().err


def test_loader_with_a_syntax_error(tmp_path, capsys):
    path = tmp_path / "typo.py"
    path.write_text("x = 1\ndef (:\n")
    assert main(["info", "mine:a", "--loader", str(path)]) == 1
    error = capsys.readouterr().err
    assert f'File "{path}", line 2' in error
    assert "def (:" in error


def test_loader_that_is_not_there(capsys):
    assert main(["info", "mine:a", "--loader", "nowhere.py"]) == 1
    assert "'nowhere.py' cannot be read" in capsys.readouterr().err


# ------------------------------------------------------------------ endings


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["info", "nowhere:a"], "no image loader for scheme 'nowhere'"),
        (["info", "no.dcm"], "no such file"),
        (["list", "wadouri:no.dcm"], "could not fetch no.dcm"),
        (["render", "wadouri:no.dcm", "a.png"], "could not fetch no.dcm"),
    ],
)
def test_failure_is_one_line(arguments, text, capsys):
    assert main(arguments) == 1
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("pyloader: ")
    assert text in found.err
    assert found.err.count("\n") == 1


def test_failure_names_its_image(tmp_path, capsys):
    (tmp_path / "a.dcm").write_bytes(FILE[:-100])
    assert main(["info", str(tmp_path / "a.dcm")]) == 1
    assert str(tmp_path / "a.dcm") in capsys.readouterr().err


def test_fault_of_ours_asks_for_a_report(monkeypatch, capsys):
    def fail(options: Any) -> str:
        raise KeyError("rows")

    monkeypatch.setitem(main.__globals__["COMMANDS"], "list", fail)
    assert main(["list", "wadouri:a"]) == 1
    assert "KeyError: 'rows' (a fault of pyloader: please report it)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["info"], ["nonsense"], ["render", "a", "b", "-w", "1"]])
def test_command_that_cannot_be_understood(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pyloader" in capsys.readouterr().err


def test_nothing_at_all_is_help(capsys):
    assert main([]) == 0
    found = capsys.readouterr().out
    assert "usage: pyloader" in found
    assert "pyloader render ct.dcm ct.png" in found


def test_help_tells_what_is_not_resampled(capsys):
    with pytest.raises(SystemExit):
        main(["render", "--help"])
    assert "not square are not resampled" in capsys.readouterr().out


def test_interrupt_is_quiet(loader):
    path = loader("import asyncio, sys\n    sys.stdout.flush()\n    await asyncio.sleep(60)")
    with start(
        "info", "mine:a", "--loader", path, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "loading mine:a\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "")


def test_reader_that_has_seen_enough(tmp_path):
    path = tmp_path / "many.py"
    many = LOADER.format(body=IMAGE).replace("range(3)", "range(200_000)")
    path.write_text(many)
    with start("list", "mine:a", "--loader", path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "mine:a?frame=1\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(20) == 1


@pytest.mark.parametrize("name", ["out.tiff", "out.jpg", "ct.dcm", "out.png.bak", "a.PNG8"])
def test_render_writes_no_other_format_under_its_name(tmp_path, capsys, name):
    source, output = tmp_path / "ct.dcm", tmp_path / name
    source.write_bytes(FILE)
    assert main(["render", str(source), str(output)]) == 1
    assert "PNG is all that is written; name it '" in capsys.readouterr().err
    assert source.read_bytes() == FILE
    assert output.exists() == (name == "ct.dcm")


@pytest.mark.parametrize("name", ["out.png", "out.PNG", "out"])
def test_render_writes_png_under_its_name(tmp_path, name):
    (tmp_path / "ct.dcm").write_bytes(FILE)
    assert main(["render", str(tmp_path / "ct.dcm"), str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_file_that_registers_nothing_is_told(tmp_path, capsys):
    (tmp_path / "ct.dcm").write_bytes(FILE)
    (tmp_path / "mine.py").write_text("def load(): pass")
    path = str(tmp_path / "mine.py")
    assert main(["info", str(tmp_path / "ct.dcm"), "--loader", path]) == 0
    assert capsys.readouterr().err == f"pyloader: {path} ran and registered no scheme\n"
