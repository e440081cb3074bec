"""Convert images, modules and errors to the plain values and flat arrays that cross to JavaScript.

Pure Python, tested under CPython; `bridge.py` hands the result over. Names become camelCase by
rule; `WIRE_DTYPES` names the arrays that may cross.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import errors
from pyloader.arrays import EXACT
from pyloader.authors import format_traceback, is_of_values
from pyloader.errors import CustomLoaderError, LoaderError
from pyloader.image import Image, PixelModule, PlaneModule
from pyloader.pixels.output.padding import padding_range

# The dtypes that have a JavaScript typed array; 64-bit integers would become BigInt.
WIRE_DTYPES = frozenset({"u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"})
ACRONYMS = {
    "cie": "CIE",
    "id": "ID",
    "lut": "LUT",
    "nm": "NM",
    "sop": "SOP",
    "uid": "UID",
    "uri": "URI",
    "url": "URL",
    "utc": "UTC",
}
MODULE_NAMES = {
    "calibrated_pixel_spacing": "calibratedPixelSpacing",
    "transfer_syntax": "transferSyntax",
}
PLAIN = frozenset({str, int, float, bool})


@cache
def camel(name: str) -> str:
    """Return a snake_case name in camelCase: ``study_id`` becomes ``studyID``."""
    first, *rest = name.split("_")
    return first + "".join(ACRONYMS.get(word, word.capitalize()) for word in rest)


@cache
def module_name(name: str) -> str:
    """Return a module's name in JavaScript: ``image_plane`` becomes ``imagePlaneModule``."""
    first, *rest = name.split("_")
    return MODULE_NAMES.get(name) or first + "".join(map(str.capitalize, rest)) + "Module"


def plain(value: Any) -> Any:
    """Return a value as dict, list, str, number, bool or flat array.

    Dicts leave out absent values: None, and empty tuples.
    """
    if type(value) in PLAIN:  # nearly all
        return value
    if isinstance(value, (list, tuple)):
        return [part if type(part) in PLAIN else plain(part) for part in value]
    if is_dataclass(value):
        value = {name: getattr(value, name) for name in names_of(value.__class__)}
    if isinstance(value, (dict, Mapping)):
        return {
            camel(name): part if type(part) in PLAIN else plain(part)
            for name, part in value.items()
            if part is not None and (type(part) is not tuple or part)
        }
    if isinstance(value, np.ndarray):
        return flat(value)
    return value.item() if isinstance(value, np.generic) else value


@cache
def names_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass."""
    return tuple(item.name for item in fields(kind))


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in the form that crosses: flat, contiguous, little-endian, a known dtype.

    Raises
    ------
    TypeError
        The dtype has no JavaScript typed array; the image was not passed through `deliver`.
    """
    name = f"{array.dtype.kind}{array.dtype.itemsize}"
    if name not in WIRE_DTYPES:
        raise TypeError(f"dtype {array.dtype} cannot cross to JavaScript; known: {WIRE_DTYPES}")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1)


def narrowed(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return 64-bit integers as float64, and float16 as float32, which JavaScript has."""
    if pixels.dtype.kind == "f":
        return pixels.astype("f4") if pixels.dtype.itemsize == 2 else pixels
    return pixels.astype("f8") if pixels.dtype.itemsize == 8 else pixels


def wire_image(image: Image) -> dict[str, Any]:
    """Return an image as a message: ``pixels`` is one flat array, the rest plain values.

    ``exact`` is added when the pixels were quantised. ``padding`` is the range of grey values that
    mean padding, even if the image has none of them; `web/worker/min_max.js` checks that.
    """
    pixels = narrowed(image.pixels)
    padding = None if image.pixels.ndim == 3 else padding_range(image.pixel)
    message = {
        "pixels": flat(pixels),
        "pixel": plain(image.pixel),
        "modalityLut": plain(image.modality_lut),
        "voiLut": plain(image.voi_lut),
        "encoding": plain(image.encoding),
        "isRescaled": image.is_rescaled,
        "warnings": [*image.warnings, *rounded(image.pixels, pixels)],
    }
    if padding is not None:
        message["padding"] = list(padding)
    if image.float_pixels is not None:
        message["exact"] = flat(narrowed(image.float_pixels))
    return message


def rounded(exact: NDArray[Any], crossed: NDArray[Any]) -> list[str]:
    """Return a warning when 64-bit integers are too large to be exact in JavaScript."""
    if exact.dtype.kind == "f" or exact.dtype.itemsize < 8:
        return []
    count = int(np.count_nonzero((exact > EXACT) | (exact < -EXACT)))
    if not count:
        return []
    return [
        f"{count} of {exact.size} values of {exact.dtype} are beyond 2**53, up to which "
        f"{crossed.dtype} holds integers exactly: they may be rounded"
    ]


def wire_modules(modules: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return modules as a message: names such as ``imagePlaneModule``, attributes in camelCase."""
    found = {module_name(name): plain(module) for name, module in modules.items()}
    plane, pixel = modules.get("image_plane"), modules.get("image_pixel")
    if isinstance(plane, PlaneModule):
        found["imagePlaneModule"] |= wire_plane(plane)
    if isinstance(plane, PlaneModule) and isinstance(pixel, PixelModule):
        found["imagePlaneModule"] |= {"rows": pixel.rows, "columns": pixel.columns}
    return found


def wire_plane(plane: PlaneModule) -> dict[str, Any]:
    """Return the cosines and spacings as separate values, which viewers read too."""
    derived: dict[str, Any] = {}
    if plane.image_orientation_patient:
        derived["rowCosines"] = plain(plane.row_cosines)
        derived["columnCosines"] = plain(plane.column_cosines)
    if plane.pixel_spacing:
        derived["rowPixelSpacing"], derived["columnPixelSpacing"] = plane.pixel_spacing
    return derived


def wire_error(error: BaseException, image_id: str | None) -> dict[str, Any]:
    """Return an error as a message; its traceback begins in the first file outside pyloader."""
    known = isinstance(error, LoaderError)
    message: dict[str, Any] = {
        "name": type(error).__name__,
        "code": error.code if isinstance(error, LoaderError) else "internal",
        "stage": error.stage if isinstance(error, LoaderError) else "loader",
        "message": str(error) if known else f"{type(error).__name__}: {error}",
        "imageId": image_id,
        "url": getattr(error, "url", None),
        "status": getattr(error, "status", None),
    }
    failure = user_failure(error)
    if failure is not None:
        message["traceback"] = format_traceback(failure)
    return {name: value for name, value in message.items() if value is not None}


def error_from(message: Mapping[str, Any]) -> LoaderError:
    """Return the error that a message from another part of the page describes."""
    text, url = str(message.get("message")), str(message.get("url"))
    kind = getattr(errors, str(message.get("name")), LoaderError)
    if kind is errors.HttpStatusError:
        return errors.HttpStatusError(text, url, int(message.get("status") or 0))
    if kind is errors.RequestError:
        return errors.RequestError(text, url)
    if kind is errors.NetworkError:
        return errors.NetworkError(text, url)
    is_known = isinstance(kind, type) and issubclass(kind, LoaderError)
    return kind(text) if is_known and kind is not errors.TransportError else LoaderError(text)


def user_failure(error: BaseException) -> BaseException | None:
    """Return the error whose traceback to show: a user's own, or an unexpected one; else None."""
    if isinstance(error, CustomLoaderError):
        return error.__cause__
    return error if not isinstance(error, LoaderError) or is_of_values(error) else None
