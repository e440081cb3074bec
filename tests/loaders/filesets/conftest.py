"""A disc for the tests of file sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.filesets import (
    study_files,
    write_fileset,
)


@pytest.fixture
def disc(tmp_path: Path) -> dict[str, bytes]:
    """Return the files of a disc by name, in the order of its DICOMDIR, which comes last."""
    order = write_fileset(tmp_path, study_files())
    return {name: (tmp_path / name).read_bytes() for name in [*order, "DICOMDIR"]}
