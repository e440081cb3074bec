"""Check that an image agrees with its description, and can be passed to a viewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, modules_of
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.pixels.output.padding import value_range
from pyloader.rules import limit_faults
from pyloader.wire import wire_image, wire_modules

# The delivery that each viewer wants; see deliveryFor in web/viewers/cornerstone.js.
VIEWERS = {
    "a page without a viewer": Delivery(),
    "cornerstone-core": Delivery(rgba=True, integers=True, darken=True),
    "Cornerstone3D": Delivery(rescale=True, factor=None, darken=True),
}


def check_description(image: Image) -> None:
    """Raise `AssertionError` with all faults of an image's description."""
    parts = (image.plane, image.modality_lut, image.voi_lut)
    faults = [
        *value_faults(image),
        *(fault for part in parts for fault in limit_faults(part)),
    ]
    centers, widths = image.voi_lut.window_center, image.voi_lut.window_width
    if len(centers) != len(widths):
        faults.append(f"window_center has {len(centers)} values, window_width {len(widths)}")
    assert not faults, "the image is described wrongly:\n- " + "\n- ".join(faults)


def value_faults(image: Image) -> Iterator[str]:
    """Yield a fault when an image has values that its bits cannot hold (PS3.3 C.7.6.3)."""
    pixel = image.pixel
    if image.pixels.dtype.kind == "f":
        return
    (low, high), ends = value_range(image.pixels), pixel.stored_range
    if low < ends[0] or high > ends[1]:
        yield (
            f"values go from {low:g} to {high:g}, but bits_stored={pixel.bits_stored} and "
            f"pixel_representation={pixel.pixel_representation} have only {ends[0]} to {ends[1]}"
        )


def check_crossing(image: Image) -> None:
    """Raise `AssertionError` when the image cannot be made ready for a viewer."""
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
    """Return whether two plain values, or flat arrays, are equal; NaN equals NaN."""
    both_nan = (
        isinstance(first, float)
        and isinstance(second, float)
        and first != first
        and second != second
    )
    return both_nan or np.array_equal(first, second)


def is_same(first: Image, second: Image) -> bool:
    """Return whether two images are equal, in pixels and description."""
    if not same_pixels(first.pixels, second.pixels):
        return False
    pairs = (wire_modules(modules_of(first)), wire_modules(modules_of(second)))
    return not list(differences(*pairs, ""))


def same_pixels(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape, dtype and values; NaN equals NaN."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))
