"""The one reader of attributes: a data set to the modules of `pyloader.image`.

It serves Part 10 files and DICOM JSON alike. `describe` and `header` are the way in; the files of
this folder read one kind of module each. Absent stays ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pyloader.dicom.frame import Frame, Module, pick
from pyloader.dicom.modules.calibration import (
    read_calibrated_spacing,
    read_us_regions,
    read_xray_geometry,
)
from pyloader.dicom.modules.groups import read_multiframe
from pyloader.dicom.modules.icc import read_icc_profile
from pyloader.dicom.modules.luts import read_modality_lut, read_real_world_values, read_voi_lut
from pyloader.dicom.modules.multiframe import (
    read_cine,
    read_frame_content,
    read_segment,
    read_volume_plane,
)
from pyloader.dicom.modules.nuclear import read_nm_frame, read_nm_geometry
from pyloader.dicom.modules.overlays import read_overlays
from pyloader.dicom.modules.pixel import read_palette, read_pixel_module
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.modules.scaling import read_scaling
from pyloader.dicom.modules.slide import read_slide_plane
from pyloader.dicom.modules.subject import read_isotope, read_patient
from pyloader.dicom.modules.tables import PLAIN_MODULES
from pyloader.dicom.modules.waveform import read_ecg
from pyloader.dicom.recall import Recalling
from pyloader.dicom.values import value_of
from pyloader.image import Encoding, Image

if TYPE_CHECKING:
    from pyloader.dicom.instance import Instance
    from pyloader.pixels.decode import DecodedFrame

__all__ = ["Frame", "describe", "header", "read_pixel_module"]

SPECIAL_MODULES: Mapping[str, Callable[[Frame], Module]] = {
    "calibrated_pixel_spacing": read_calibrated_spacing,
    "calibration": read_us_regions,
    "cine": read_cine,
    "ecg": read_ecg,
    "frame_content": read_frame_content,
    "icc_profile": read_icc_profile,
    "multiframe": read_multiframe,
    "nm_frame": read_nm_frame,
    "nm_multiframe_geometry": read_nm_geometry,
    "overlay_plane": read_overlays,
    "palette_color_lookup_table": read_palette,
    "patient": read_patient,
    "pet_isotope": read_isotope,
    "real_world_value_mapping": read_real_world_values,
    "segment": read_segment,
    "slide_plane": read_slide_plane,
    "ultrasound_enhanced_region": read_us_regions,
    "volume_plane": read_volume_plane,
    "xray_geometry": read_xray_geometry,
}


@Recalling
def read_special(frame: Frame) -> dict[str, Module]:
    """Return the modules of `SPECIAL_MODULES`."""
    return {name: read(frame) for name, read in SPECIAL_MODULES.items()}


def read_descriptions(instance: Instance, frame: Frame) -> dict[str, Module]:
    """Return the modules that describe and take no part in making pixels; absent ones left out."""
    modules = {name: pick(frame.dataset, keys) for name, keys in PLAIN_MODULES.items()}
    modules |= {name: dict(module) for name, module in read_special(frame).items()}
    modules["scaling"] = dict(read_scaling(frame))  # of PET it may differ by slice
    if instance.transfer_syntax_uid:
        modules["transfer_syntax"] = {"transfer_syntax_uid": str(instance.transfer_syntax_uid)}
    return {name: module for name, module in modules.items() if module}


def describe(instance: Instance, frame_index: int, decoded: DecodedFrame) -> Image:
    """Return the image of a decoded frame."""
    frame = Frame(instance.dataset, frame_index)
    lossy = value_of(instance.dataset, "LossyImageCompression") == "01"
    stored, modules = decoded.stored, read_descriptions(instance, frame)
    if "embedded" in modules.get("overlay_plane", {}) and decoded.words is not None:
        modules["overlay_plane"] = read_overlays(frame, decoded.words)
    return Image(
        decoded.pixels,
        decoded.pixel,
        plane=read_plane_module(frame),
        modality_lut=read_modality_lut(frame),
        voi_lut=read_voi_lut(frame),
        encoding=Encoding(
            str(instance.transfer_syntax_uid),
            stored.photometric_interpretation,
            lossy,
            decoded.codestream,
        ),
        modules=modules,
    )


def header(instance: Instance, frame_index: int) -> dict[str, Any]:
    """Return all modules of a frame as the file has them; those of an image only if it is one."""
    frame = Frame(instance.dataset, frame_index)
    modules: dict[str, Any] = dict(read_descriptions(instance, frame))
    if instance.pixels is not None or "Rows" in instance.dataset:
        modules["image_pixel"] = read_pixel_module(frame)
        modules["image_plane"] = read_plane_module(frame)
        modules["modality_lut"] = read_modality_lut(frame)
        modules["voi_lut"] = read_voi_lut(frame)
    return modules
