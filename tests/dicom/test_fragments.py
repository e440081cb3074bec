"""Items of encapsulated pixel data."""

from __future__ import annotations

import pytest

from pyloader.dicom.fragments import DELIMITER, ITEM, item_length, join_fragments
from pyloader.errors import FormatError
from tests.support.fragments import item


def test_length_of_an_item():
    assert item_length(b"??" + item(b"abcd"), 2) == 4
    assert item_length(DELIMITER) is None


@pytest.mark.parametrize("body", [b"", b"\xfe\xff\x00", ITEM + b"\0\0\0", b"\xff\xd8\xff\xf7abcd"])
def test_bytes_that_are_no_item(body):
    with pytest.raises(FormatError, match="no item of the pixel data begins with b'"):
        item_length(body)


def test_frame_of_one_fragment_and_of_several():
    assert join_fragments(item(b"abcd")) == b"abcd"
    assert join_fragments(item(b"abcd") + item(b"") + item(b"ef")) == b"abcdef"
    assert join_fragments(item(b"abcd") + DELIMITER + b"whatever follows") == b"abcd"


def test_fragment_that_is_cut_off():
    with pytest.raises(FormatError, match="an item of the pixel data is cut off: 3 of 4 bytes"):
        join_fragments(item(b"abcd") + item(b"efgh")[:-1])
