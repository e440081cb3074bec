"""Headers of MetaImage files: lines of ``Key = Value``; ``ElementDataFile`` is the last.

They are read like in MetaIO, the library of ITK. Directions and positions are LPS, in mm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.elements import is_color_by_default
from pyloader.formats.lengths import factors_of, usable_affine
from pyloader.formats.sidecar import list_names, text_of

LAST = re.compile(rb"^[ \t]*ElementDataFile[ \t]*[=:]([^\r\n]*)\r?\n?", re.MULTILINE)
# MET_LONG takes 4 bytes in a file on every platform.
TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2"},
    **{"MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
SPACING = ("ElementSpacing", "ElementSize")
DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")
PLACE = ("Offset", "Position", "Origin")
# Geometry fields may hold a non-finite number: the geometry is left out then; see
# `MetaImageHeader.place`.
WHERE = (*SPACING, *DIRECTIONS, *PLACE)
ORDER = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
Place = tuple[NDArray[np.float64] | None, tuple[str, ...]]
"""The affine to LPS, None if unknown, and warnings."""


@dataclass(frozen=True, slots=True, eq=False)
class MetaImageHeader:
    """The header of a MetaImage.

    Attributes
    ----------
    url : str
        URL of the file, for error messages.
    fields : mapping of str to str
    names : list of str
        The files with the elements; empty if the elements follow the header.
    start : int
        Offset of the elements in each file, in bytes; -1: they are its last bytes.
    """

    url: str
    fields: Mapping[str, str]
    names: list[str]
    start: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Columns, rows, slices and timepoints, as many as the file has dimensions."""
        [dimensions] = self.integers(1, "NDims")
        if dimensions not in (2, 3, 4):
            raise UnsupportedError(f"{self.url!r} has NDims = {dimensions}; known are 2, 3 and 4")
        return tuple(self.integers(dimensions, "DimSize"))

    @property
    def channels(self) -> int:
        """Numbers per element: the samples of a colour, or the components of a vector."""
        [count] = self.integers(1, "ElementNumberOfChannels", default=[1])
        if count < 1:
            raise FormatError(
                f"{self.url!r} has ElementNumberOfChannels = {count}; expected at least 1"
            )
        return count

    @property
    def is_color(self) -> bool:
        """True when elements are RGB or RGBA."""
        return is_color_by_default(self.channels, self.dtype)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements, with their byte order."""
        name = self.fields.get("ElementType", "").removesuffix("_ARRAY")
        if name not in TYPES:
            raise UnsupportedError(
                f"{self.url!r} has ElementType = {name!r}; known are {', '.join(TYPES)}"
            )
        return np.dtype(TYPES[name]).newbyteorder(">" if self.is_true(*ORDER) else "<")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the elements in numpy's order, the fastest axis last."""
        return (*self.sizes[::-1], *([self.channels] if self.channels > 1 else []))

    @property
    def place(self) -> Place:
        """Geometry of the elements."""
        count = len(self.sizes)
        spacing = self.numbers(count, *SPACING)
        if not spacing:
            return None, ()
        factors = factors_of([unit := self.fields.get("DistanceUnits", "mm")])
        if factors is None:
            return None, (
                f"no place is known: DistanceUnits = {unit!r} is not a known unit of length",
            )
        # Each row is the direction of one axis.
        identity = np.eye(count).ravel().tolist()
        directions = np.reshape(
            self.numbers(count * count, *DIRECTIONS, default=identity), (count, count)
        )
        affine = np.eye(4)
        inside = min(count, 3)
        affine[:inside, :inside] = directions.T[:inside, :inside] * spacing[:inside] * factors
        place = self.numbers(count, *PLACE, default=[0.0] * count)
        affine[:inside, 3] = np.multiply(place[:inside], factors)
        return usable_affine(affine)

    @property
    def attributes(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Attributes for `Image.from_array`, and warnings about those left out."""
        names = {
            "rescale_slope": "ElementToIntensityFunctionSlope",
            "rescale_intercept": "ElementToIntensityFunctionOffset",
        }
        found = {name: self.numbers(1, key)[0] for name, key in names.items() if key in self.fields}
        if found.get("rescale_slope") != 0:
            return found, ()
        return {}, (
            "ElementToIntensityFunctionSlope is 0, which would make all pixels the same: slope and "
            "offset are ignored; values are as stored",
        )

    @property
    def is_text(self) -> bool:
        """True when the elements are text."""
        found = "BinaryData" in self.fields and not self.is_true("BinaryData")
        return found and self.require_offset("written out")

    @property
    def is_compressed(self) -> bool:
        """True when each file is compressed by zlib."""
        return self.is_true("CompressedData") and self.require_offset("compressed")

    def require_offset(self, how: str) -> bool:
        """Return True if the header gives the offset of the elements, else raise.

        ``HeaderSize = -1`` counts from the end of the file by the size of the elements. That size
        is unknown for elements that are `how`: compressed or written out.

        Raises
        ------
        FormatError
        """
        if self.start >= 0:
            return True
        raise FormatError(
            f"{self.url!r} is {how} and has HeaderSize = -1; its pixels cannot be found"
        )

    @property
    def compressed_size(self) -> int:
        """Size of the compressed elements, in bytes; 0: up to the end of the file."""
        return self.integers(1, "CompressedDataSize", default=[0])[0]

    def is_true(self, *keys: str) -> bool:
        """Return whether one of several fields is true."""
        return any(self.fields.get(key, "")[:1] in ("T", "t", "1") for key in keys)

    def numbers(self, count: int, *keys: str, default: list[float] | None = None) -> list[float]:
        """Return the `count` numbers of the first existing field, else `default` or an empty list.

        Raises
        ------
        FormatError
        """
        key = next((key for key in keys if key in self.fields), None)
        if key is None:
            return default or []
        try:
            found = [float(word) for word in self.fields[key].split()]
        except ValueError:
            found = []
        is_known = key in WHERE or all(map(math.isfinite, found))
        if len(found) != count or not is_known:
            raise FormatError(
                f"{self.url!r} has {key} = {self.fields[key]!r}; expected {count} numbers"
            )
        return found

    def integers(self, count: int, key: str, default: list[int] | None = None) -> list[int]:
        """Return the `count` integers, -1 or more, of a field; see `numbers`."""
        found = self.numbers(count, key, default=[*map(float, default or ())])
        if not all(number.is_integer() and number >= -1 for number in found):
            raise FormatError(
                f"{self.url!r} has {key} = {self.fields[key]!r}; expected integers of at least -1"
            )
        return [int(number) for number in found]


def parse(body: bytes, url: str) -> MetaImageHeader:
    """Read the header of a file.

    Raises
    ------
    FormatError
    """
    last = LAST.search(body)
    lines = text_of(body[: last.start()]).splitlines() if last else []
    pairs = [re.split("[=:]", line, maxsplit=1) for line in lines]
    fields = {pair[0].strip(): pair[-1].strip() for pair in pairs if len(pair) == 2}
    missing = [key for key in ("NDims", "DimSize", "ElementType") if key not in fields]
    if last is None or missing:
        raise FormatError(
            f"{url!r} is not a MetaImage file: its header has no "
            f"{', '.join(missing if last else ['ElementDataFile'])}"
        )
    entry = text_of(last[1]).strip()
    is_local = entry.upper() == "LOCAL"
    header = MetaImageHeader(url, fields, [], 0)
    # HeaderSize counts from the beginning of the file, even if the header is in the same file.
    [skipped] = header.integers(1, "HeaderSize", default=[0])
    start = last.end() if is_local and skipped == 0 else skipped
    following = "" if is_local else text_of(body[last.end() :])
    names = [] if is_local else list_names(entry, following, url)
    return MetaImageHeader(url, fields, names, start)
