"""Whether an image is what its description says, and can be handed to a viewer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, PixelModule, PlaneModule
from pyloader.pixels.delivery import Delivery, deliver
from pyloader.pixels.padding import value_range
from pyloader.wire import modules_of, wire_image, wire_modules

# Who shows the image -> how it wants its pixels; see deliveryFor in web/cornerstone.js.
VIEWERS = {
    "a page without a viewer": Delivery(),
    "cornerstone-core": Delivery(rgba=True, integers=True, darken=True),
    "Cornerstone3D": Delivery(rescale=True, factor=None, darken=True),
}
PHOTOMETRIC = {1: ("MONOCHROME1", "MONOCHROME2"), 3: ("RGB",), 4: ("RGB",)}


def check_description(image: Image) -> None:
    """Raise `AssertionError` with all that an image's description has wrong."""
    faults = [
        *pixel_faults(image.pixels, image.pixel),
        *plane_faults(image.plane),
        *lut_faults(image),
    ]
    assert not faults, "the image is described wrongly:\n- " + "\n- ".join(faults)


def pixel_faults(pixels: NDArray[Any], pixel: PixelModule) -> Iterator[str]:
    """Yield what `pixel` says otherwise than the array (PS3.3 C.7.6.3)."""
    allowed = PHOTOMETRIC.get(pixel.samples_per_pixel, ())
    if pixel.photometric_interpretation not in allowed:
        yield (
            f"photometric_interpretation is {pixel.photometric_interpretation!r}, but pixels of "
            f"{pixel.samples_per_pixel} samples are {' or '.join(allowed) or 'no image'}"
        )
    if pixels.dtype.kind != "f":
        yield from integer_faults(pixels, pixel)


def integer_faults(pixels: NDArray[Any], pixel: PixelModule) -> Iterator[str]:
    """Yield where bits do not fit the values."""
    if not 0 < pixel.bits_stored <= pixels.dtype.itemsize * 8:
        yield f"bits_stored is {pixel.bits_stored}, the array is {pixels.dtype}"
        return
    (low, high), ends = value_range(pixels), pixel.stored_range
    if low < ends[0] or high > ends[1]:
        yield (
            f"values go from {low:g} to {high:g}, but bits_stored={pixel.bits_stored} and "
            f"pixel_representation={pixel.pixel_representation} have only {ends[0]} to {ends[1]}"
        )


def plane_faults(plane: PlaneModule) -> Iterator[str]:
    """Yield what cannot be a place in the patient (PS3.3 C.7.6.2)."""
    lengths = {
        "pixel_spacing": 2,
        "image_position_patient": 3,
        "image_orientation_patient": 6,
    }
    for name, length in lengths.items():
        value = getattr(plane, name)
        if value is not None and not is_numbers(value, length):
            yield f"{name} is {value!r}, expected {length} finite numbers"
            return
    if plane.pixel_spacing is not None and min(plane.pixel_spacing) <= 0:
        yield f"pixel_spacing is {plane.pixel_spacing}, expected millimetres above 0"
    if plane.image_orientation_patient is not None:
        across, down = np.reshape(plane.image_orientation_patient, (2, 3))
        lengths_are_one = np.allclose([across @ across, down @ down], 1, atol=1e-3)
        if not lengths_are_one or abs(across @ down) > 1e-3:
            yield (
                f"image_orientation_patient is {plane.image_orientation_patient}, expected two "
                "directions of length 1 at a right angle: along a row, then along a column"
            )


def is_numbers(value: Any, length: int) -> bool:
    """Tell whether a value is a tuple of finite numbers."""
    try:
        return len(value) == length and bool(np.isfinite(np.asarray(value, "f8")).all())
    except (TypeError, ValueError):
        return False


def lut_faults(image: Image) -> Iterator[str]:
    """Yield what cannot be a rescale or a window (PS3.3 C.11.1, C.11.2)."""
    modality, voi = image.modality_lut, image.voi_lut
    if not (np.isfinite([modality.slope, modality.intercept]).all() and modality.slope != 0):
        yield (
            f"rescale_slope is {modality.slope!r} and rescale_intercept {modality.intercept!r}, "
            "expected finite numbers, the slope other than 0"
        )
    if len(voi.window_center) != len(voi.window_width):
        yield (
            f"window_center has {len(voi.window_center)} values, window_width "
            f"{len(voi.window_width)}"
        )
    if any(not width > 0 for width in voi.window_width):
        yield f"window_width is {voi.window_width}, expected more than 0"


def check_crossing(image: Image) -> None:
    """Raise `AssertionError` when a viewer cannot be given the image."""
    check_modules(modules_of(image))
    for viewer, delivery in VIEWERS.items():
        try:
            wired = wire_image(deliver(image, delivery))
        except Exception as error:
            raise AssertionError(f"the image cannot be made ready for {viewer}: {error}") from error
        pixel = wired["pixel"]
        size = pixel["rows"] * pixel["columns"] * pixel["samplesPerPixel"]
        assert wired["pixels"].size == size, (
            f"{viewer} gets {wired['pixels'].size} of {size} values"
        )


def check_modules(modules: Mapping[str, Any]) -> None:
    """Raise `AssertionError` when a module holds what JavaScript has no value for."""
    try:
        wired = wire_modules(modules)
    except Exception as error:
        raise AssertionError(
            f"the modules cannot cross to JavaScript: {type(error).__name__}: {error}; expected a "
            'mapping of names to mappings, such as {"general_series": {"modality": "MR"}}'
        ) from error
    for name, module in wired.items():
        assert isinstance(module, dict), f"module {name} is {type(module).__name__}, not a mapping"
        for attribute, value in module.items():
            check_plain(value, f"{name}.{attribute}")


def check_plain(value: Any, name: str) -> None:
    """Raise `AssertionError` when a value is not made of str, numbers, arrays, lists and dicts."""
    parts: Any = value.items() if isinstance(value, dict) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for key, part in parts:
        check_plain(part, f"{name}.{key}")
    plain = (dict, list, str, int, float, np.ndarray, type(None))
    assert isinstance(value, plain), (
        f"{name} is a {type(value).__name__}, which JavaScript does not have; "
        "give text, numbers, lists or mappings"
    )


def differences(first: Any, second: Any, name: str) -> Iterator[str]:
    """Yield the names at which two values of `plain` differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}):
            yield from differences(first.get(key), second.get(key), f"{name}.{key}")
    elif isinstance(first, list) and isinstance(second, list):
        yield from differences(dict(enumerate(first)), dict(enumerate(second)), name)
    elif not is_equal(first, second):
        yield f"{name}: {first!r}, and {second!r}"


def is_equal(first: Any, second: Any) -> bool:
    """Tell whether two plain values, or flat arrays, are equal; NaN is like NaN."""
    both_nan = (
        isinstance(first, float)
        and isinstance(second, float)
        and first != first
        and second != second
    )
    return both_nan or np.array_equal(first, second)


def is_same(first: Image, second: Image) -> bool:
    """Tell whether two images are equal, in pixels and all that describes them."""
    if not same_pixels(first.pixels, second.pixels):
        return False
    pairs = (wire_modules(modules_of(first)), wire_modules(modules_of(second)))
    return not list(differences(*pairs, ""))


def same_pixels(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Tell whether two arrays have the same shape, dtype and values; NaN is like NaN."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))
