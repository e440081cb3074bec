"""Files that are recognised by their first bytes, and those that are something else."""

from __future__ import annotations

import gzip
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest

from pyloader.loaders import schemes
from pyloader.loaders.signatures import (
    SIGNATURES,
    is_dicom,
    is_gzip,
    is_packed,
    is_zip,
    signature_of,
)
from tests.support import builders
from tests.support.filesets import zip_of
from tests.support.nifti_builders import make, numbers

DICOM = builders.native(builders.ramp(4, 6))


def numpy_file() -> bytes:
    """Return an array as numpy saves it."""
    stream = BytesIO()
    np.save(stream, np.zeros((2, 2)))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "scheme"),
    [
        (DICOM, "wadouri"),
        (make(numbers(), version=1).single, "nifti"),
        (make(numbers(), version=2).single, "nifti"),
        (make(numbers(), version=1, pair=True).header, "nifti"),
        (make(numbers(), version=2, pair=True).header, "nifti"),
        (numpy_file(), "numpy"),
        (b"NRRD0004\n# Complete NRRD file format\n", "nrrd"),
        (b"ObjectType = Image\nNDims = 2\n", "metaimage"),
        (b"NDims = 2\nDimSize = 4 4\n", "metaimage"),
    ],
)
def test_formats_are_recognised(body, scheme):
    found = signature_of(body)
    assert found is not None
    assert found.scheme == scheme


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda each: each.magic)
def test_bytes_that_end_before_the_signature_are_not(signature):
    whole = bytes(signature.offset) + signature.magic
    assert signature_of(whole) == signature
    assert signature_of(whole[:-1]) is None
    assert signature_of(b"\0" + whole) is None
    assert signature.scheme in schemes


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", builders.bare(DICOM)])
def test_other_bytes_have_no_signature(body):
    assert signature_of(body) is None
    assert not is_packed(body)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (zip_of({"a": DICOM}), (True, False)),
        (zip_of({}), (True, False)),
        (gzip.compress(DICOM), (False, True)),
        (DICOM, (False, False)),
        (b"PK\x07\x08", (False, False)),
        (b"\x1f", (False, False)),
    ],
    ids=["zip", "empty zip", "gzip", "DICOM", "another signature of PKWARE", "one byte"],
)
def test_archives_and_compressed_files(body, found):
    assert (is_zip(body), is_gzip(body)) == found
    assert is_packed(body) is any(found)


@pytest.mark.parametrize("preamble", [b"PK\x03\x04", b"\x1f\x8b\x08"])
def test_a_dicom_file_may_have_any_preamble(preamble):
    body = preamble.ljust(128, b"\0") + DICOM[128:]
    assert is_dicom(body)
    assert not is_packed(body)


def test_a_dicom_file_that_is_an_archive_too_is_dicom():
    """PS3.10 7.1 leaves the preamble to other formats; zip archives end with their directory."""
    stream = BytesIO(b"PK\x03\x04".ljust(128, b"\0") + DICOM[128:])
    stream.seek(0, 2)
    with ZipFile(stream, "a") as archive:
        archive.writestr("a", "text")
    assert is_dicom(stream.getvalue())
    assert not is_zip(stream.getvalue())
