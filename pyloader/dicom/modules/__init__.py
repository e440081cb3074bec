"""Read the modules of `pyloader.image` from a data set, of a Part 10 file or of DICOM JSON.

`describe` and `header` are the entry points; each file of this folder reads one kind of module. An
absent attribute stays ``None``. If a reader fails, its module is left out and the image is still
made: `read_each` catches unexpected errors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame, Module
from pyloader.dicom.instance import Instance
from pyloader.dicom.modules.calibration import (
    read_calibrated_spacing,
    read_us_regions,
    read_xray_geometry,
)
from pyloader.dicom.modules.groups import read_multiframe
from pyloader.dicom.modules.luts import read_modality_lut, read_real_world_values, read_voi_lut
from pyloader.dicom.modules.multiframe import (
    read_cine,
    read_frame_content,
    read_segment,
    read_volume_plane,
)
from pyloader.dicom.modules.nuclear import read_isotope, read_nm_frame, read_nm_geometry
from pyloader.dicom.modules.overlays import read_overlays
from pyloader.dicom.modules.pixel import read_palette, read_pixel_module
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.modules.scaling import read_certain_scaling
from pyloader.dicom.modules.slide import read_icc_profile, read_slide_plane
from pyloader.dicom.modules.tables import PLAIN_MODULES, read_patient
from pyloader.dicom.modules.waveform import read_ecg
from pyloader.dicom.values import value_of
from pyloader.errors import LoaderError
from pyloader.image import DecodedFrame, Encoding, Image, ModalityLut, PlaneModule, VoiLut

__all__ = ["Frame", "describe", "header", "read_pixel_module"]

Reader = Callable[[Frame], Any]
SPECIAL_MODULES: Mapping[str, Reader] = {
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


PLAIN_READERS: Mapping[str, Reader] = {
    name: partial(Frame.pick, keywords=keywords) for name, keywords in PLAIN_MODULES.items()
}
# Readers of the modules that are fields of `Image`.
IMAGE_READERS: Mapping[str, Reader] = {
    "image_plane": read_plane_module,
    "modality_lut": read_modality_lut,
    "voi_lut": read_voi_lut,
}
PIXEL_READERS: Mapping[str, Reader] = {"image_pixel": read_pixel_module}
SCALING_READERS: Mapping[str, Reader] = {"scaling": read_certain_scaling}


def read_each(readers: Mapping[str, Reader], frame: Frame) -> dict[str, Any]:
    """Return the results of readers by module name; leave out a module whose reader fails.

    A warning names the module and the cause. A `LoaderError` is raised on purpose, so it passes
    through; so does a warning that a filter turned into an error.
    """
    found: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            found[name] = read(frame)
        except (LoaderError, Warning):
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            warnings.warn(f"module {name} cannot be read and is left out: {cause}", stacklevel=2)
    return found


@Memo
def read_special(frame: Frame) -> dict[str, Module]:
    """Return the modules of `SPECIAL_MODULES`."""
    return read_each(SPECIAL_MODULES, frame)


def read_descriptions(instance: Instance, frame: Frame) -> dict[str, Module]:
    """Return the modules that are not needed to make pixels, without empty ones."""
    modules: dict[str, Module] = read_each(PLAIN_READERS, frame)
    modules |= {name: dict(module) for name, module in read_special(frame).items()}
    modules |= {name: dict(module) for name, module in read_each(SCALING_READERS, frame).items()}
    if instance.transfer_syntax_uid:
        modules["transfer_syntax"] = {"transfer_syntax_uid": str(instance.transfer_syntax_uid)}
    return {name: module for name, module in modules.items() if module}


def describe(instance: Instance, frame_index: int, decoded: DecodedFrame) -> Image:
    """Return the image of a decoded frame."""
    frame = Frame(instance.dataset, frame_index)
    lossy = value_of(instance.dataset, "LossyImageCompression") == "01"
    stored, modules = decoded.stored, read_descriptions(instance, frame)
    if "embedded" in modules.get("overlay_plane", {}) and decoded.words is not None:
        modules |= read_each({"overlay_plane": partial(read_overlays, words=decoded.words)}, frame)
    parts = read_each(IMAGE_READERS, frame)
    return Image(
        decoded.pixels,
        decoded.pixel,
        plane=parts.get("image_plane", PlaneModule()),
        modality_lut=parts.get("modality_lut", ModalityLut()),
        voi_lut=parts.get("voi_lut", VoiLut()),
        encoding=Encoding(
            str(instance.transfer_syntax_uid),
            stored.photometric_interpretation,
            lossy,
            decoded.codestream,
        ),
        modules=modules,
    )


def header(instance: Instance, frame_index: int) -> dict[str, Any]:
    """Return all modules of a frame as in the file; those of an image only if it is one."""
    frame = Frame(instance.dataset, frame_index)
    modules: dict[str, Any] = dict(read_descriptions(instance, frame))
    if instance.pixels is not None or "Rows" in instance.dataset:
        modules |= read_each(PIXEL_READERS, frame)
        modules |= read_each(IMAGE_READERS, frame)
    return modules
