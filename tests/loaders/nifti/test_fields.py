"""The raw fields of headers, compared with nibabel's."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.nifti.fields import FIELDS, VERSIONS, not_nifti, read_fields
from tests.support.nifti_builders import Nifti, make, numbers

BY_NUMBER = {version.number: version for version in VERSIONS}
ALL = [(number, order, pair) for number in (1, 2) for order in "<>" for pair in (False, True)]
VALUES = {
    "intent_code": 1002,
    "scl_slope": 2.5,
    "scl_inter": -7,
    "cal_max": 99,
    "cal_min": -3,
    "xyzt_units": 2 | 8,
    "qform_code": 1,
    "quatern_b": 0.25,
    "quatern_d": -0.5,
    "qoffset_y": 12.5,
}


def filled(number: int, order: str, pair: bool = False) -> Nifti:
    """Return a file with a value in most fields."""
    return make(numbers("i2"), version=number, order=order, pair=pair, **VALUES)


@pytest.mark.parametrize(("number", "order", "pair"), ALL)
def test_fields_are_those_of_nibabel(number, order, pair):
    file = filled(number, order, pair)
    read = file.read_pair() if pair else file.read()
    found = read_fields(BY_NUMBER[number], file.header, "a.nii")
    expected = read.header
    for name in ("dim", "pixdim", "datatype", "bitpix", "sform_code"):
        np.testing.assert_array_equal(found[name], expected[name], name)
    for name in {*VALUES} - {"quatern_b", "quatern_d", "qoffset_y", "scl_slope", "scl_inter"}:
        assert found[name] == expected[name] == VALUES[name]
    assert found["quatern"].tolist() == [0.25, expected["quatern_c"], -0.5]
    assert found["qoffset"][1] == 12.5
    rows = [expected[f"srow_{axis}"] for axis in "xyz"]
    np.testing.assert_array_equal(found["srow"], rows)


@pytest.mark.parametrize(("number", "order", "pair"), ALL)
def test_offset_and_scaling_are_where_the_standard_has_them(number, order, pair):
    """nibabel takes these out of its headers: nifti1.h and nifti2.h."""
    header = filled(number, order, pair).header
    place, layout = {1: (108, "3f"), 2: (168, "q2d")}[number]
    found = read_fields(BY_NUMBER[number], header, "a.nii")
    names = ("vox_offset", "scl_slope", "scl_inter")
    expected = struct.unpack_from(f"{order}{layout}", header, place)
    assert tuple(found[name] for name in names) == expected
    assert expected == (0 if pair else {1: 352, 2: 544}[number], 2.5, -7)


@pytest.mark.parametrize(("number", "order", "pair"), ALL)
def test_files_are_of_one_version(number, order, pair):
    header = filled(number, order, pair).header
    for version in VERSIONS:
        assert version.matches(header) is (version.number == number)
        assert version.is_pair(header) is (version.number == number and pair)
        assert not version.matches(header[: version.magic_at + 3])


@pytest.mark.parametrize("number", [1, 2])
def test_fields_do_not_overlap_and_fit_the_header(number):
    version = BY_NUMBER[number]
    dtype = version.dtype("<")
    assert dtype.itemsize == version.size
    fields = dtype.fields or {}
    places = sorted((offset, offset + kind.itemsize) for kind, offset, *_ in fields.values())
    assert len(places) == len(FIELDS)
    ends = [stop for _, stop in places]
    assert all(stop <= start for stop, (start, _) in zip(ends, places[1:], strict=False))
    assert ends[-1] <= version.size


@pytest.mark.parametrize("count", [0, 8, -1, 16384])
def test_dimensions_that_no_byte_order_explains(count):
    header = bytearray(filled(1, "<").header)
    struct.pack_into("<h", header, 40, count)
    with pytest.raises(FormatError, match=r"\(dim\[0\]\), expected 1 to 7 in either byte order"):
        read_fields(BY_NUMBER[1], bytes(header), "a.nii")


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("order", "<>")
def test_the_count_of_dimensions_tells_the_byte_order(count, order):
    header = bytearray(filled(1, order).header)
    struct.pack_into(f"{order}h", header, 40, count)
    found = read_fields(BY_NUMBER[1], bytes(header), "a.nii")
    assert (found["dim"][0], found["cal_max"]) == (count, 99)


@pytest.mark.parametrize("after", [b"\n\x1a\n\0", b"\r\n\x1a\r", b"\r\r\n\x1a"])
def test_a_transfer_as_text_is_named(after):
    header = filled(2, "<").header
    damaged = header[:8] + after + header[12:]
    with pytest.raises(FormatError, match="a transfer as text has damaged it"):
        read_fields(BY_NUMBER[2], damaged, "a.nii")


@pytest.mark.parametrize("code", [3000, 3001, 3099])
def test_matrices_of_cifti_are_refused(code):
    header = make(numbers("i2"), version=2, intent_code=code).header
    with pytest.raises(UnsupportedError, match=rf"CIFTI-2 file \(intent code {code}\)"):
        read_fields(BY_NUMBER[2], header, "a.nii")


@pytest.mark.parametrize("order", "<>")
def test_analyze_is_named(order):
    header = struct.pack(f"{order}I", 348) + bytes(344)
    error = not_nifti(header, "a.hdr")
    assert isinstance(error, UnsupportedError)
    assert "Analyze 7.5" in str(error)


def test_other_files_are_shown_by_their_beginning():
    error = not_nifti(b"<html>not found</html>", "a.nii")
    assert isinstance(error, FormatError)
    assert "b'<html>not found<'" in str(error)
