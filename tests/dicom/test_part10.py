"""The header of a file: its meta information, and deflated data sets."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pyloader.dicom.parse import parse_part10
from pyloader.errors import FormatError
from tests.support import builders
from tests.support.instances import PIXELS, assert_native


def test_deflated():
    body = builders.native(PIXELS, DeflatedExplicitVRLittleEndian)
    instance = parse_part10(body)
    assert_native(instance)
    assert instance.dataset.Rows == 16
    assert instance.pixels is not None
    assert instance.nbytes == len(instance.pixels.body) != len(body)


def test_deflated_that_is_broken():
    body = builders.native(PIXELS, DeflatedExplicitVRLittleEndian)
    length = dcmread(BytesIO(body)).file_meta.FileMetaInformationGroupLength
    with pytest.raises(FormatError, match=r"^https://host/a: its deflated data set is broken: "):
        parse_part10(body[: 128 + 4 + 12 + length] + b"\xff" * 200, "https://host/a")


def test_deflated_that_is_cut_off():
    body = builders.native(PIXELS, DeflatedExplicitVRLittleEndian)
    instance = parse_part10(body[:-20])
    assert instance.pixels is not None
    assert 0 < instance.pixels.missing < PIXELS.nbytes
    whole = PIXELS.tobytes()
    assert bytes(instance.pixels.value) == whole[: len(whole) - instance.pixels.missing]
    assert any("deflated data set is cut off" in warning for warning in instance.warnings)


def test_data_set_that_is_wrongly_declared_deflated():
    body = builders.native(PIXELS)
    other = builders.native(PIXELS, DeflatedExplicitVRLittleEndian)
    length = dcmread(BytesIO(other)).file_meta.FileMetaInformationGroupLength
    meta = other[: 128 + 4 + 12 + length]
    instance = parse_part10(meta + builders.bare(body))
    assert_native(instance)
    assert instance.transfer_syntax_uid == ExplicitVRLittleEndian
    assert any("Deflated" in warning for warning in instance.warnings)


@pytest.mark.parametrize(
    ("said", "done"),
    [
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    ],
)
def test_meta_header_that_names_another_encoding(said, done):
    bare = builders.bare(builders.native(PIXELS, done))
    other = builders.native(PIXELS, said)
    instance = parse_part10(other[: len(other) - len(builders.bare(other))] + bare)
    assert instance.transfer_syntax_uid == said
    assert instance.pixels is not None
    assert bytes(instance.pixels.value) == PIXELS.tobytes()
    assert instance.warnings, "the contradiction is noted"
