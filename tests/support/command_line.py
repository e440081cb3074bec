"""A CT and a loader for the tests of the command line."""

from __future__ import annotations

from tests.support import builders

CT = builders.ramp(40, 48, 12)
FILE = builders.native(
    CT,
    BitsStored=12,
    ImagePositionPatient=[-10.5, 20, 30],
    ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    PixelSpacing=[0.5, 0.75],
    RescaleSlope=1,
    RescaleIntercept=-1024,
    RescaleType="HU",
    WindowCenter=[40, 300],
    WindowWidth=[400, 1500],
    PatientID="p1",
)
LOADER = """
import numpy as np
from pyloader import Image, register_loader

async def image_ids(image_id, context):
    return [image_id.of_frame(index) for index in range(3)]

@register_loader("mine", image_ids=image_ids)
async def load(image_id, context):
    print("loading", image_id.text)
    {body}
"""


ODD = """from dataclasses import replace
    image = Image.from_array(np.full((2, 3), 7, "u1"))
    return replace(image, warnings=("it is odd,\\n  and even",))"""
