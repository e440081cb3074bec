"""``numpy:``: NumPy arrays from .npy and .npz files.

A slice is ``numpy:https://host/a.npy?frame=3``, from 1 as stored, or ``#z-2,t-3``. By default, the
last axes of an array are timepoints, slices, rows and columns, as many as it has. ``?axes=``
declares others by one letter each: ``t``, ``z``, ``y`` (down), ``x`` (across), and ``c`` for the
samples of RGB or RGBA. One image in colour is ``?axes=yxc``; an array that begins with x, as in
nibabel, is ``?axes=xyz``. ``?array=`` names an array of an .npz. Neither option is sent to a
server. Complex numbers are shown by their magnitude. Nothing is ever unpickled.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pyloader import Context, ImageId
from pyloader.errors import FormatError, ImageIdError, LoaderError, UnsupportedError
from pyloader.formats.elements import NUMBERS, are_numbers
from pyloader.formats.encodings import check_shape, from_bytes
from pyloader.inflate import DamagedError, read_member
from pyloader.volume import Volume, register_volume

ZIP = b"PK"
AXES = {2: "yx", 3: "zyx", 4: "tzyx"}
# Versions 1 and 2 differ in the longest header; version 3 is for structured arrays only.
READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@register_volume("numpy")
async def read(image_id: ImageId, context: Context) -> Volume:
    """Read an array and reorder its axes."""
    url, options = image_id.take_options("array", "axes")
    body = (await context.fetch(url)).body
    if body[:2] == ZIP:
        body = member(body, options.get("array"), image_id, context)
    array = parse(body, repr(url), context)
    axes = options.get("axes", AXES.get(array.ndim, ""))
    if len(axes) != array.ndim or not is_picture(axes):
        raise ImageIdError(
            f"imageId {image_id.text!r} has the axes {axes!r} for an array of shape {array.shape}; "
            "expected a letter of 'tzyxc' for each, y and x among them, such as '?axes=yxc'"
        )
    if "c" in axes and array.dtype.kind not in "uf":
        raise UnsupportedError(
            f"{url!r} has colors of {array.dtype}; supported are unsigned integers, and floats "
            "from 0 to 1"
        )
    array = array.transpose([axes.index(name) for name in "tzyxc" if name in axes])
    missing = tuple(place for place, name in enumerate("tz") if name not in axes)
    return Volume.from_array(np.expand_dims(array, missing), is_color="c" in axes)


def is_picture(axes: str) -> bool:
    """Return whether axes are known letters, each once, with x and y among them."""
    return {"x", "y"} <= set(axes) <= set("tzyxc") and len(set(axes)) == len(axes)


def member(body: bytes, name: str | None, image_id: ImageId, context: Context) -> bytes:
    """Return the .npy file of one array in an .npz; `name` may be None if it is the only one."""
    try:
        archive = ZipFile(BytesIO(body))
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = next(iter(members)) if name is None and len(members) == 1 else name
        if wanted not in members:
            raise ImageIdError(
                f"imageId {image_id.text!r} names {'no array' if name is None else repr(name)}; "
                f"there are {', '.join(sorted(members)) or 'none'}: add '?array=' and one of them"
            )
        info = members[wanted]
        size = context.check_size(info.file_size, f"array {wanted!r} of {image_id.source!r}")
        return read_member(archive, info, size)
    except LoaderError:  # some of its subclasses are ValueErrors too
        raise
    except (ImportError, NotImplementedError) as error:
        raise UnsupportedError(f"{image_id.source!r} cannot be unpacked: {error}") from error
    except (BadZipFile, EOFError, OSError, RuntimeError, ValueError, DamagedError) as error:
        raise FormatError(f"{image_id.source!r} is a damaged .npz: {error!r}") from error


def parse(body: bytes, what: str, context: Context) -> NDArray[Any]:
    """Parse an .npy file to an array; only one of bool is copied.

    Raises
    ------
    FormatError, UnsupportedError
    """
    stream = BytesIO(body)
    try:
        version = npy.read_magic(stream)
        read_header = READ_HEADER.get(version)
        shape, is_fortran, dtype = read_header(stream) if read_header else ((), False, None)
    except Exception as error:  # the header is a Python literal, which can be broken in any way
        raise FormatError(f"{what} is not a readable .npy file: {error!r}") from error
    if dtype is None or not are_numbers(dtype):
        raise UnsupportedError(
            f"{what} holds {dtype or 'structures'}, which are not pixels; supported are {NUMBERS}. "
            "Python objects are never unpickled"
        )
    count = check_shape(context, shape, dtype, what)
    array = from_bytes(body, dtype, count, what, stream.tell())
    if dtype.kind == "b":
        array = (array.view(np.uint8) != 0).view(np.uint8)
    return array.reshape(shape, order="F" if is_fortran else "C")
