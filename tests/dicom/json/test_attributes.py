"""The table of attributes that are read from DICOM JSON."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

import pyloader
from pyloader.dicom.json import attributes
from pyloader.dicom.json.attributes import BY_TAG, CONVERTERS, KNOWN

CODED_PIXELS = {"PixelData", "FloatPixelData", "DoubleFloatPixelData"}
# Words that happen to be keywords, and attributes of file headers only.
NOT_OF_JSON = {"Date", "Time", "MediaStorageSOPClassUID", "SpecificCharacterSet"}
ROOT = Path(pyloader.__file__).parent


def names_in(path: Path) -> set[str]:
    """Return the DICOM keywords in a source text."""
    nodes = ast.walk(ast.parse(path.read_text()))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and text and tag_for_keyword(text)}


# Readers of files only: JSON has none of their attributes.
OF_FILES = ("attributes.py", "dicomdir.py", "frame_offsets.py", "offset_tables.py")
READERS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("dicom", "dicomweb", "pixels")
    for path in (ROOT / folder).rglob("*.py")
    if path.name not in OF_FILES
)


@pytest.mark.parametrize("name", READERS)
def test_all_attributes_of_readers_are_known(name):
    known = {attribute.keyword for attribute in KNOWN}
    assert names_in(ROOT / name) - CODED_PIXELS - NOT_OF_JSON <= known


def test_all_known_attributes_can_be_converted():
    for known in KNOWN:
        assert known.vrs[0] in {*CONVERTERS, "SQ", "OB", "OW"}, known
        assert known.tag.is_private or " or ".join(known.vrs) == dictionary_VR(known.tag)


def test_overlays_of_all_groups_are_known():
    for known in KNOWN:
        assert known.tag.is_private or known == attributes.Attribute.of(known.tag)
    assert BY_TAG["60000010"].keyword == BY_TAG["601E0010"].keyword == "OverlayRows"
    assert BY_TAG["601e3000"].vrs == ("OB", "OW")
    assert "60200010" not in BY_TAG
