"""Whether pixels are stored as their transfer syntax says."""

from __future__ import annotations

import warnings
from dataclasses import replace

from pydicom.uid import UID, ExplicitVRLittleEndian

from pyloader.dicom.fragments import ITEM_HEADER_BYTES
from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.part10 import NATIVE
from pyloader.errors import FormatError
from pyloader.pixels.codestream import identify


def as_stored(instance: Instance, element: PixelElement) -> Instance:
    """Return `instance` with a transfer syntax that agrees with how its pixels are stored.

    Encapsulated pixels have an undefined length, native ones have not (PS3.5 A.4): files whose
    meta header names the wrong kind, or which have none, show so what they are.

    Raises
    ------
    FormatError
        The pixels are encapsulated, and of no codestream that is known.
    """
    declared = instance.transfer_syntax_uid
    if element.is_encapsulated is not (declared in NATIVE):
        return instance
    found = codestream_of(instance, element) if element.is_encapsulated else ExplicitVRLittleEndian
    kind = "encapsulated" if element.is_encapsulated else "not encapsulated"
    if found is None:
        raise FormatError(
            f"the transfer syntax is {declared.name} ({declared}), but the pixel data are {kind}, "
            "and begin with no codestream that is known; the meta header is wrong"
        )
    warnings.warn(
        f"the transfer syntax is {declared.name} ({declared}), but the pixel data are {kind}; they "
        f"were decoded as {found.name} ({found})",
        stacklevel=2,
    )
    return replace(instance, transfer_syntax_uid=found)


def codestream_of(instance: Instance, element: PixelElement) -> UID | None:
    """Return the transfer syntax that the first frame's bytes are of, None if they are of none."""
    if element.frame_index is None and element.frames:
        start, stop = element.frames[0]
        return identify(element.body[start + ITEM_HEADER_BYTES : stop])
    return identify(element.body[element.start : element.stop])
