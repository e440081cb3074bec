"""The raw fields of a NIfTI-1 or NIfTI-2 header, in either byte order.

The names are those of nifti1.h and nifti2.h; fields in several parts become one, as ``srow``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyloader.errors import FormatError, UnsupportedError

# Name, then dtype and offset in NIfTI-1, then in NIfTI-2.
FIELDS = (
    ("dim", "8i2", 40, "8i8", 16),
    ("intent_code", "i2", 68, "i4", 504),
    ("datatype", "i2", 70, "i2", 12),
    ("bitpix", "i2", 72, "i2", 14),
    ("pixdim", "8f4", 76, "8f8", 104),
    ("vox_offset", "f4", 108, "i8", 168),
    ("scl_slope", "f4", 112, "f8", 176),
    ("scl_inter", "f4", 116, "f8", 184),
    ("xyzt_units", "u1", 123, "i4", 500),
    ("cal_max", "f4", 124, "f8", 192),
    ("cal_min", "f4", 128, "f8", 200),
    ("qform_code", "i2", 252, "i4", 344),
    ("sform_code", "i2", 254, "i4", 348),
    ("quatern", "3f4", 256, "3f8", 352),
    ("qoffset", "3f4", 268, "3f8", 376),
    ("srow", "(3,4)f4", 280, "(3,4)f8", 400),
    # NIfTI-2 has no glmin: its offset is within unused bytes.
    ("glmin", "i4", 144, "i4", 536),
)
# NIFTI_INTENT_CONNECTIVITY_* of CIFTI-2: matrices over surface points, not images.
CIFTI_INTENTS = range(3000, 3100)
# Follow the magic of a NIfTI-2 header; a transfer as text changes them.
LINE_ENDS = b"\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class NiftiVersion:
    """NIfTI-1 or NIfTI-2.

    Attributes
    ----------
    size : int
        Bytes of the header.
    magic_at : int
    magic : bytes
        Of a single file; in the header of a pair, ``i`` replaces ``+``.
    """

    number: int
    size: int
    magic_at: int
    magic: bytes

    def matches(self, beginning: bytes) -> bool:
        """Return whether a file that begins with `beginning` is of this version."""
        return self._magic_of(beginning) == self.magic or self.is_pair(beginning)

    def is_pair(self, beginning: bytes) -> bool:
        """Return whether `beginning` is the header of a pair of files."""
        return self._magic_of(beginning) == self.magic.replace(b"+", b"i")

    def _magic_of(self, beginning: bytes) -> bytes:
        return beginning[self.magic_at : self.magic_at + len(self.magic)]

    def dtype(self, byte_order: str) -> np.dtype[Any]:
        """Return the header's layout as a numpy dtype."""
        which = 2 * self.number - 1
        layout: Any = {
            "names": [row[0] for row in FIELDS],
            "formats": [row[which] for row in FIELDS],
            "offsets": [row[which + 1] for row in FIELDS],
            "itemsize": self.size,
        }
        dtype: np.dtype[Any] = np.dtype(layout).newbyteorder(byte_order)
        return dtype


VERSIONS = (NiftiVersion(2, 540, 4, b"n+2\0"), NiftiVersion(1, 348, 344, b"n+1\0"))
LARGEST_HEADER = max(version.size for version in VERSIONS)


def not_nifti(beginning: bytes, name: str) -> FormatError | UnsupportedError:
    """Build the error for a file without a NIfTI magic."""
    if beginning[:4] in (b"\x5c\1\0\0", b"\0\0\1\x5c"):
        return UnsupportedError(
            f"{name} is an Analyze 7.5 header, whose orientation and scaling are ambiguous; only "
            "NIfTI-1 and NIfTI-2 are read: convert it, such as with nibabel"
        )
    return FormatError(
        f"{name} is not a NIfTI file: it begins with {beginning[:16]!r} and has none of the magics "
        "'n+1', 'ni1', 'n+2', 'ni2'; it may be an error page of the server or another format"
    )


def read_fields(version: NiftiVersion, beginning: bytes, name: str) -> Any:
    """Return the fields of a header; in the right byte order, dim[0] is from 1 to 7."""
    for byte_order in "<>":
        fields = np.frombuffer(beginning, version.dtype(byte_order), 1)[0]
        if 1 <= int(fields["dim"][0]) <= 7:
            break
    else:
        raise FormatError(
            f"the header of {name} says {int(fields['dim'][0])} dimensions (dim[0]), expected 1 to "
            "7 in either byte order: it is damaged"
        )
    if version.number == 2 and beginning[8:12] not in (LINE_ENDS, bytes(4)):
        raise FormatError(
            f"the header of {name} has {beginning[8:12]!r} after its magic, expected "
            f"{LINE_ENDS!r}: a transfer as text has damaged it; transfer it as binary"
        )
    if int(fields["intent_code"]) in CIFTI_INTENTS:
        raise UnsupportedError(
            f"{name} is a CIFTI-2 file (intent code {int(fields['intent_code'])}): a matrix over "
            "points of the brain, not images"
        )
    return fields
