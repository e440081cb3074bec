"""Describe an image, as text for a person and as JSON for a program."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pyloader.image import Image, modules_of
from pyloader.pixels.output.padding import value_range

Facts = Iterator[tuple[str, str]]


def as_text(image_id: str, image: Image, count: int) -> str:
    """Return the main facts of an image, then all attributes of its modules, one a line."""
    facts = [("image", image_id), ("images", f"{count} in this source"), *facts_of(image)]
    lines = [f"{name:<13} {text}" for name, text in facts]
    for name, module in jsonable(modules_of(image)).items():
        lines += ["", f"[{name}]", *(f"{each} = {shown(value)}" for each, value in module.items())]
    return "\n".join(lines)


def facts_of(image: Image) -> Facts:
    """Yield name and text of each main fact."""
    pixel = image.pixel
    samples = f", {pixel.samples_per_pixel} samples" if pixel.samples_per_pixel > 1 else ""
    yield "size", f"{pixel.rows} rows, {pixel.columns} columns{samples}"
    yield "dtype", f"{image.pixels.dtype}, {pixel.bits_stored} bits stored"
    yield "photometric", pixel.photometric_interpretation
    low, high = value_range(image.pixels)
    yield "values", f"{low:g} to {high:g}, as stored"
    yield from place_of(image)
    yield from luts_of(image)
    modality = image.told("general_series", "modality")
    if modality:
        yield "modality", str(modality)
    if image.encoding.transfer_syntax_uid:
        yield "encoding", image.encoding.transfer_syntax_uid
    for warning in image.warnings:
        yield "warning", " ".join(warning.split())


def place_of(image: Image) -> Facts:
    """Yield spacing, position and orientation of the pixels."""
    plane = image.plane
    if plane.pixel_spacing:
        down, across = plane.pixel_spacing
        yield "spacing", f"{down:g} mm between rows, {across:g} mm between columns"
    if plane.image_position_patient:
        yield "position", f"{numbers(plane.image_position_patient)} mm"
    if plane.row_cosines and plane.column_cosines:
        rows, columns = numbers(plane.row_cosines), numbers(plane.column_cosines)
        yield "orientation", f"{rows} along a row, {columns} along a column"


def luts_of(image: Image) -> Facts:
    """Yield the rescale, windows and VOI tables."""
    modality, voi = image.modality_lut, image.voi_lut
    if modality.lut is not None:
        yield "rescale", f"table of {len(modality.lut.entries)} entries"
    elif not modality.is_identity:
        unit = f", to {modality.rescale_type}" if modality.rescale_type else ""
        yield "rescale", f"slope {modality.slope:g}, intercept {modality.intercept:g}{unit}"
    function = f", {voi.voi_lut_function}" if voi.voi_lut_function else ""
    for center, width in zip(voi.window_center, voi.window_width, strict=False):
        yield "window", f"centre {center:g}, width {width:g}{function}"
    for lut in voi.luts:
        yield "VOI table", f"{len(lut.entries)} entries of {lut.bits_per_entry} bits"


def numbers(values: tuple[float, ...]) -> str:
    """Return numbers in brackets."""
    return f"({', '.join(f'{value:g}' for value in values)})"


def shown(value: Any) -> str:
    """Return a value of `jsonable` on one line, long lists by their length."""
    if isinstance(value, list) and len(value) > 16:
        return f"{len(value)} values, {', '.join(map(str, value[:4]))}, ..."
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return "; ".join(f"{name} {shown(part)}" for name, part in value.items())
    return " ".join(str(value).split())


def as_json(image_id: str, image: Image, count: int) -> dict[str, Any]:
    """Return all of an image except its pixels, as JSON values with names as in Python."""
    low, high = value_range(image.pixels)
    return {
        "image_id": image_id,
        "images": count,
        "shape": list(image.pixels.shape),
        "dtype": str(image.pixels.dtype),
        "minimum": low,
        "maximum": high,
        "is_rescaled": image.is_rescaled,
        "encoding": jsonable(image.encoding),
        "modules": jsonable(modules_of(image)),
        "warnings": list(image.warnings),
    }


def jsonable(value: Any) -> Any:
    """Return a value as dict, list, str, finite number or bool; None is left out of dicts."""
    if is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): jsonable(part) for name, part in value.items() if part is not None}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [jsonable(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
