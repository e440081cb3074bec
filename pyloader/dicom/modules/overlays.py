"""Read overlay planes (PS3.3 C.9.2): those in Overlay Data, and those in unused pixel bits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.tag import BaseTag

from pyloader.dicom.functional_groups import Frame, Module
from pyloader.dicom.values import as_numbers, element_of, value_at

GROUPS = range(0x6000, 0x6020, 2)
ROWS, COLUMNS, FRAMES, ORIGIN, FRAME_ORIGIN = 0x0010, 0x0011, 0x0015, 0x0050, 0x0051
BITS_ALLOCATED, BIT_POSITION, DATA = 0x0100, 0x0102, 0x3000
# Name -> element number of the descriptive attributes.
NAMES = {
    "type": 0x0040,
    "subtype": 0x0045,
    "label": 0x1500,
    "description": 0x0022,
    "roi_area": 0x1301,
    "roi_mean": 0x1302,
    "roi_standard_deviation": 0x1303,
}
Plane = NDArray[np.uint8]


class Overlay:
    """The overlay of one group, 6000 to 601E."""

    def __init__(self, frame: Frame, group: int) -> None:
        self.frame = frame
        self.group = group

    def value(self, element: int) -> Any:
        """Return a plain value of the group; None when it is absent."""
        return value_at(self.frame.dataset, BaseTag(self.group << 16 | element))

    def integer(self, element: int, otherwise: int) -> int:
        """Return an integer of the group, or `otherwise` when it is absent."""
        found = as_numbers(self.value(element))
        return int(found[0]) if found else otherwise

    @property
    def is_embedded(self) -> bool:
        """True when the overlay is in a bit of the pixels (retired; PS3.5 8.1.2)."""
        has_bits = self.integer(BITS_ALLOCATED, 1) > 1
        return has_bits and self.value(BIT_POSITION) is not None and not self.value(DATA)

    def module(self, plane: Plane, rows: int, columns: int) -> Module:
        """Return the overlay for viewers; the origin is as in the file, 1\\1 at the first pixel."""
        origin = as_numbers(self.value(ORIGIN), 2) or (1, 1)
        here: Module = {"rows": rows, "columns": columns, "x": int(origin[1]), "y": int(origin[0])}
        named = ((name, self.value(element)) for name, element in NAMES.items())
        return here | {"pixel_data": plane} | {name: each for name, each in named if each}

    def plane(self, count: int) -> Plane | None:
        """Return the `count` bits of this frame, one byte each; None without any (C.9.2.1.2)."""
        place = 0
        if self.value(FRAMES) is not None:
            place = self.frame.index + 1 - self.integer(FRAME_ORIGIN, 1)
            if not 0 <= place < self.integer(FRAMES, 1):
                return None
        packed = self.packed()
        first, stop = place * count, (place + 1) * count
        if stop > 8 * packed.size or not self.may_be_bits(packed.size, count):
            warnings.warn(
                f"the overlay of group {self.group:04X} has {packed.size} bytes, frame "
                f"{place + 1} needs {-(-stop // 8)}; it is left out",
                stacklevel=2,
            )
            return None
        bits = np.unpackbits(packed[first // 8 : -(-stop // 8)], bitorder="little")
        return bits[first % 8 : first % 8 + count]

    def may_be_bits(self, size: int, count: int) -> bool:
        """Return whether Overlay Data can be bits; data written in items may be compressed."""
        item = element_of(self.frame.dataset, BaseTag(self.group << 16 | DATA))
        needed = -(-count * max(1, self.integer(FRAMES, 1)) // 8)
        is_in_items = item is not None and item.is_undefined_length
        return not is_in_items or size in (needed, needed + needed % 2)

    def packed(self) -> Plane:
        """Return the bytes of Overlay Data, lowest bit first; big endian words are swapped."""
        item = element_of(self.frame.dataset, BaseTag(self.group << 16 | DATA))
        value = item.value if item is not None and isinstance(item.value, bytes) else b""
        packed: Plane = np.frombuffer(value, "u1")
        if item is None or item.VR == "OB" or self.frame.byte_order == "<":
            return packed
        return packed[: packed.size // 2 * 2].view("u2").byteswap().view("u1")


def read_overlays(frame: Frame, words: NDArray[Any] | None = None) -> Module:
    """Return the overlay planes of a frame, one byte a pixel.

    Parameters
    ----------
    words : (rows, columns) integer array, optional
        The frame's samples with all allocated bits. Without them, overlays in unused bits have no
        data: they are listed under ``embedded``, by group and bit.

    References
    ----------
    PS3.3 C.9.2 (Overlay Plane), C.9.3 (multi-frame), PS3.5 8.1.2 (in unused bits, retired).
    """
    overlays, embedded = [], []
    for overlay in overlays_of(frame):
        if not overlay.is_embedded:
            overlays += own_plane(overlay)
        elif words is not None:
            overlays += embedded_plane(overlay, words)
        else:
            position = overlay.integer(BIT_POSITION, 0)
            embedded.append({"group": overlay.group, "overlay_bit_position": position})
    found = {"overlays": overlays, "embedded": embedded}
    return {name: each for name, each in found.items() if each}


def overlays_of(frame: Frame) -> Iterator[Overlay]:
    """Yield the overlays that a data set describes."""
    present = frame.dataset.keys()
    for group in GROUPS:
        if any(group << 16 | element in present for element in (DATA, BIT_POSITION)):
            yield Overlay(frame, group)


def own_plane(overlay: Overlay) -> list[Module]:
    """Return the overlay in Overlay Data, as a list; empty when this frame has none."""
    rows, columns = overlay.integer(ROWS, 0), overlay.integer(COLUMNS, 0)
    if rows < 1 or columns < 1 or not overlay.value(DATA):
        return []
    plane = overlay.plane(rows * columns)
    return [] if plane is None else [overlay.module(plane, rows, columns)]


def embedded_plane(overlay: Overlay, words: NDArray[Any]) -> list[Module]:
    """Return the overlay in a pixel bit, as a list; empty if the bit belongs to the value."""
    position = overlay.integer(BIT_POSITION, 0)
    high = overlay.frame.integer("HighBit") or 0
    stored = overlay.frame.integer("BitsStored") or 0
    is_free = position > high or position <= high - stored
    if words.ndim != 2 or words.dtype.kind == "f" or not is_free:
        warnings.warn(
            f"the overlay of group {overlay.group:04X} is in bit {position} of pixels whose values "
            f"use bits {high - stored + 1} to {high}, expected an unused bit; it is left out",
            stacklevel=2,
        )
        return []
    if not 0 <= position < words.dtype.itemsize * 8:
        return []
    plane = (words >> position & 1).astype("u1").reshape(-1)
    return [overlay.module(plane, *words.shape)]
