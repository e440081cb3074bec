"""Ultrasound regions (PS3.3 C.8.5.5)."""

from __future__ import annotations

from pydicom import Sequence

from pyloader.dicom.modules.calibration import read_us_regions
from tests.support import builders
from tests.support.enhanced import PIXELS, item, reread, single


def test_ultrasound_regions():
    regions = [
        item(RegionLocationMinX0=10 * number, PhysicalDeltaX=0.5, PhysicalUnitsXDirection=3)
        for number in (1, 2)
    ]
    dataset = builders.header(PIXELS, SequenceOfUltrasoundRegions=Sequence(regions))
    assert read_us_regions(reread(dataset)) == {
        "sequence_of_ultrasound_regions": [
            {
                "region_location_min_x0": 10 * number,
                "physical_units_x_direction": 3,
                "physical_delta_x": 0.5,
            }
            for number in (1, 2)
        ]
    }
    assert read_us_regions(single()) == {}
