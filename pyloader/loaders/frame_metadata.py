"""What a frame's metadata are without its pixels, for every DICOM scheme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyloader.context import Context
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting
from pyloader.imageid import ImageId


def heading_of(
    instance: Instance, image_id: ImageId, context: Context
) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of one frame of an instance.

    With the option ``instance`` the first frame has the whole instance too, as DICOM JSON
    (PS3.18 F) without its pixels: module ``instance``, attribute ``json``. It takes longer than
    all the rest.
    """
    with noting():
        modules = header(instance, instance.check_frame(image_id.frame_index))
        if context.options.get("instance") and image_id.frame_index == 0:
            modules["instance"] = {"json": instance_json(instance.dataset)}
    return modules
