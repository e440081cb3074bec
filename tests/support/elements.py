"""The small files of the corpus, and the elements that are read of them."""

from __future__ import annotations

from typing import Any

from pydicom import Dataset

from pyloader.dicom.elements import read_elements
from pyloader.dicom.parse import noting
from pyloader.dicom.part10 import FileMeta, read_beginning
from tests.support import corpus

FILES = sorted(path for path in corpus.DATA.rglob("*") if path.suffix in (".dcm", ""))
SMALL = [path for path in FILES if path.is_file() and path.stat().st_size < 200_000]


def beginning_of(body: bytes) -> FileMeta | None:
    """Return the header of a file, None of one that has none or is deflated."""
    with noting():
        try:
            beginning = read_beginning(body)
        except Exception:
            return None
    return None if beginning.is_deflated else beginning


def read_quietly(*given: Any) -> tuple[Dataset, int]:
    """Return what is read, without what is warned of."""
    with noting():
        return read_elements(*given)
