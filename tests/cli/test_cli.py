"""The command line: what it prints, writes and ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pyloader.cli import main
from tests.support.command_line import FILE, LOADER
from tests.support.filesets import IN_ORDER, study_files, write_fileset, zip_of

ROOT = Path(__file__).parents[2]


def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "pyloader", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options
    )


# ------------------------------------------------------------------ which scheme


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


def test_file_that_registers_nothing_is_told(tmp_path, capsys):
    (tmp_path / "ct.dcm").write_bytes(FILE)
    (tmp_path / "mine.py").write_text("def load(): pass")
    path = str(tmp_path / "mine.py")
    assert main(["info", str(tmp_path / "ct.dcm"), "--loader", path]) == 0
    assert capsys.readouterr().err == f"pyloader: {path} ran and registered no scheme\n"
