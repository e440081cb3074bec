"""Attribute names in Python."""

from __future__ import annotations

import pytest

from pyloader.dicom.keywords import snake


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("Rows", "rows"),
        ("SOPInstanceUID", "sop_instance_uid"),
        ("PatientID", "patient_id"),
        ("SUVType", "suv_type"),
        ("VOILUTFunction", "voilut_function"),
        ("RegionLocationMinX0", "region_location_min_x0"),
        ("PhysicalUnitsXDirection", "physical_units_x_direction"),
        ("RadiopharmaceuticalStartDateTime", "radiopharmaceutical_start_date_time"),
    ],
)
def test_snake(keyword, expected):
    assert snake(keyword) == expected
