"""The tools that build steps share."""

from __future__ import annotations

from pathlib import Path

from web.build.common import synchronise


def test_a_folder_gets_exactly_the_files(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    for path, text in {
        source / "new": "1",
        source / "changed": "22",
        source / "same": "3",
        folder / "a/same": "3",
        folder / "changed": "2",
        folder / "b/old": "4",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    before = (folder / "a/same").stat()
    names = {"a/same": "same", "changed": "changed", "c/new": "new"}
    synchronise({name: source / file for name, file in names.items()}, folder)
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert {name: path.read_text() for name, path in found.items()} == {
        "a/same": "3",
        "changed": "22",
        "c/new": "1",
    }
    assert not (folder / "b").exists()
    assert found["a/same"].stat() == before, "it is not written again"
