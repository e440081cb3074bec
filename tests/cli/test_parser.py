"""The syntax of the command line, and its help."""

from __future__ import annotations

import pytest

from pyloader.cli import main


def test_window_that_is_none(ct, tmp_path, capsys):
    assert main(["render", str(ct), str(tmp_path / "a.png"), "--window", "40", "0"]) == 1
    assert "centre 40 and width 0 cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


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
