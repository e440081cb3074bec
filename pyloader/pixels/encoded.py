"""Whether pixels are stored as their transfer syntax says."""

from __future__ import annotations

import warnings
from dataclasses import replace

from pydicom.uid import UID

from pyloader.dicom.fragments import ITEM_HEADER_BYTES
from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.structure import Layout
from pyloader.dicom.transfer_syntaxes import GE_BIG_ENDIAN_PIXELS, NATIVE, is_compressed, name_of
from pyloader.errors import FormatError
from pyloader.pixels.codestream.identify import identify


def as_stored(instance: Instance, element: PixelElement) -> Instance:
    """Return `instance` with a transfer syntax that agrees with how its pixels are stored.

    Encapsulated pixels have an undefined length, native ones have not (PS3.5 A.4): files whose
    meta header names the wrong kind, or which have none, show so what they are. Native ones are in
    the byte order of their data set (PS3.5 7.3).

    Raises
    ------
    FormatError
        The pixels are encapsulated, and of no codestream that is known; or nothing tells their
        byte order.
    """
    declared = instance.transfer_syntax_uid
    if element.is_encapsulated and declared in NATIVE:
        return corrected(instance, codestream_of(instance, element), "encapsulated")
    is_implicit, is_little_endian = instance.dataset.original_encoding
    if declared == GE_BIG_ENDIAN_PIXELS and is_implicit is False:
        raise FormatError(
            f"the transfer syntax is {name_of(declared)}, which has implicit VR, and the data set "
            "has explicit VR; the meta header is wrong, and whether the pixels are big endian is "
            "not known"
        )
    if element.is_encapsulated or not is_compressed(declared):
        return instance
    layout = Layout(bool(is_implicit), is_little_endian is False)
    return corrected(instance, layout.syntax, "not encapsulated")


def corrected(instance: Instance, found: UID | None, kind: str) -> Instance:
    """Return `instance` with the transfer syntax that was found, and note it."""
    declared = instance.transfer_syntax_uid
    if found is None:
        raise FormatError(
            f"the transfer syntax is {name_of(declared)}, but the pixel data are {kind}, "
            "and begin with no codestream that is known; the meta header is wrong"
        )
    warnings.warn(
        f"the transfer syntax is {name_of(declared)}, but the pixel data are {kind}; they "
        f"were decoded as {name_of(found)}",
        stacklevel=3,
    )
    return replace(instance, transfer_syntax_uid=found)


def codestream_of(instance: Instance, element: PixelElement) -> UID | None:
    """Return the transfer syntax that the first frame's bytes are of, None if they are of none."""
    if element.frame_index is None and element.frames:
        start, stop = element.frames[0]
        return identify(element.body[start + ITEM_HEADER_BYTES : stop])
    return identify(element.body[element.start : element.stop])
