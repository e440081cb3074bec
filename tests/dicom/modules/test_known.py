"""The table of attributes that modules have."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

from pyloader.dicom.modules.known import KEYWORDS


def test_names_of_the_table_are_keywords():
    for name in KEYWORDS:
        assert tag_for_keyword(name), name
