"""The header of a NIfTI file: `parse` reads a `NiftiHeader` from its first bytes.

Supported are NIfTI-1 and NIfTI-2 in either byte order, single files and pairs, as defined by
nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
``tests/loaders/nifti/test_nifti.py`` compares with nibabel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.nifti.fields import VERSIONS, NiftiVersion, not_nifti, read_fields
from pyloader.loaders.nifti.geometry import read_affine
from pyloader.volumes.volume import Volume

# Code of `datatype` -> dtype of a sample, samples of a voxel.
DATATYPES = {
    2: ("u1", 1),
    4: ("i2", 1),
    8: ("i4", 1),
    16: ("f4", 1),
    32: ("c8", 1),
    64: ("f8", 1),
    128: ("u1", 3),
    256: ("i1", 1),
    512: ("u2", 1),
    768: ("u4", 1),
    1024: ("i8", 1),
    1280: ("u8", 1),
    1792: ("c16", 1),
    2304: ("u1", 4),
}
# Units of xyzt_units that are not times: Hz, ppm, radians per second.
SPECTRUM = (32, 40, 48)
# Intents of matrices, displacements, vectors, quaternions and colours, and of FSL's warps.
VECTORS = {1004, 1005, 1006, 1007, 1010, 2003, 2004, *range(2006, 2019)}
REFUSED = {
    0: "no type at all",
    1: "single bits (DT_BINARY)",
    255: "all types (DT_ALL)",
    1536: "128-bit floats (DT_FLOAT128)",
    2048: "256-bit complex numbers (DT_COMPLEX256)",
}


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """The header of a NIfTI file.

    Attributes
    ----------
    shape : (4,) int
        Columns, rows, slices, timepoints. All dimensions from the fourth on (time, vector,
        statistic) count as timepoints, the fourth fastest, in stored order.
    dtype : numpy dtype
        Of one sample, in the byte order of the file.
    samples : int
        Samples of one voxel: 1, 3 (RGB) or 4 (RGBA).
    voxels_at : int
        Offset of the voxels in their file, in bytes.
    is_pair : bool
        True if the voxels are in another file.
    affine : (4, 4) float array or None
        To mm in LPS; see `Grid`.
    attributes : mapping
        Scaling and window, for `Image.from_array`.
    shift : float
        Added to complex voxels before taking their magnitude.
    warnings : tuple of str
    beyond : tuple of (str, int)
        The dimensions that form the timepoints; see `Volume`.
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    samples: int
    voxels_at: int
    is_pair: bool
    affine: NDArray[np.float64] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    shift: float = 0.0
    warnings: tuple[str, ...] = ()
    beyond: tuple[tuple[str, int], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the voxels."""
        return prod(self.shape) * self.samples * self.dtype.itemsize

    def volume(self, voxels: NDArray[np.uint8], *warnings: str) -> Volume:
        """Make a volume of `voxels`, (size,) bytes as stored; it may modify them in place."""
        array = voxels.view(self.dtype).reshape(self._array_shape)
        if self.shift:
            with np.errstate(all="ignore"):
                array += self.shift
        return self._volume(array, *warnings)

    def without_voxels(self) -> Volume:
        """Make a volume without voxels, for its `Volume.modules` and `Volume.image_ids`."""
        # The real type for complex voxels; in native byte order, so that nothing is copied.
        dtype = np.zeros(1, self.dtype).real.dtype.newbyteorder("=")
        return self._volume(np.broadcast_to(np.zeros((), dtype), self._array_shape))

    @property
    def _array_shape(self) -> tuple[int, ...]:
        return (*self.shape[::-1], *([self.samples] if self.samples > 1 else []))

    def _volume(self, array: NDArray[Any], *warnings: str) -> Volume:
        warnings = (*self.warnings, *warnings)
        return Volume(array, self.affine, self.attributes, warnings, self.beyond)


def parse(beginning: bytes, name: str) -> NiftiHeader | None:
    """Read the header of the file `name` from its first bytes.

    Returns
    -------
    NiftiHeader or None
        None if more bytes are needed; `LARGEST_HEADER` are always enough.

    Raises
    ------
    FormatError
        The file is not NIfTI, or its header contradicts itself.
    UnsupportedError
        The file is Analyze 7.5 or CIFTI-2, or its voxel type is unknown.
    """
    for version in VERSIONS:
        if version.matches(beginning):
            return (
                complete_header(version, beginning, name)
                if len(beginning) >= version.size
                else None
            )
    if len(beginning) < VERSIONS[-1].size:
        return None
    raise not_nifti(beginning, name)


def complete_header(version: NiftiVersion, beginning: bytes, name: str) -> NiftiHeader:
    """Parse the bytes of a complete header."""
    fields = read_fields(version, beginning, name)
    is_pair = version.is_pair(beginning)
    sizes, notes = read_sizes(version, fields, name)
    columns, rows, slices = (*sizes, 1, 1)[:3]
    shape = (columns, rows, slices, prod(sizes[3:]))
    dtype, samples = read_datatype(fields, name)
    affine, warnings = read_affine(fields, shape)
    warnings = (*notes, *warnings)
    attributes, shift = read_scaling(fields, dtype, samples, name)
    if int(fields["bitpix"]) != dtype.itemsize * samples * 8:
        warnings = (
            *warnings,
            f"the header says {int(fields['bitpix'])} bits a voxel (bitpix), but its type "
            f"(datatype {int(fields['datatype'])}) has {dtype.itemsize * samples * 8}, which are "
            "used",
        )
    if shift:
        warnings = (*warnings, COMPLEX_INTERCEPT)
    voxels_at = read_offset(version, fields, is_pair, name)
    return NiftiHeader(
        *(shape, dtype, samples, voxels_at, is_pair),
        *(affine, attributes | read_window(fields, samples), shift, warnings),
        read_beyond(fields, sizes),
    )


COMPLEX_INTERCEPT = (
    "the voxels are complex and have an intercept (scl_inter); it was added to their real part, as "
    "nibabel does, though nifti1.h wants it in both parts"
)


def read_sizes(version: NiftiVersion, fields: Any, name: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the lengths of all dimensions, and warnings about assumed ones.

    A length of 0 counts as 1 (nifti1_io.c, nifti_convert_nhdr2nim), unless that would mix up the
    voxels of different rows. For a vector too long for 16 bits, FreeSurfer writes -1 and puts the
    length into glmin; nibabel reads it the same way.
    """
    dim = fields["dim"].tolist()
    sizes = dim[1 : dim[0] + 1]
    notes: tuple[str, ...] = ()
    if version.number == 1 and (*sizes, 1, 1)[:3] == (-1, 1, 1) and int(fields["glmin"]) > 0:
        sizes[0] = int(fields["glmin"])
        notes = (f"its first dimension is -1; FreeSurfer's glmin gives {sizes[0]} columns",)
    for axis in (axis for axis, size in enumerate(sizes) if size < 1 and is_idle(sizes, axis)):
        notes = (*notes, f"the length of dimension {axis + 1} is {sizes[axis]}; 1 is assumed")
        sizes[axis] = 1
    if min(sizes) < 1:
        raise FormatError(
            f"the header of {name} gives its {dim[0]} dimensions as {sizes}, expected at least 1 "
            "each: it is damaged, or does not follow the standard"
        )
    return sizes, notes


def is_idle(sizes: list[int], axis: int) -> bool:
    """Return whether a missing length can be 1 without moving any voxel."""
    is_last = max(sizes[axis + 1 :], default=0) < 2
    return axis > 2 or (sizes[axis] == 0 and (axis == 2 or (axis == 1 and is_last)))


def read_beyond(fields: Any, sizes: list[int]) -> tuple[tuple[str, int], ...]:
    """Return name and length of each dimension from the fourth on.

    The fourth is time (nifti1.h, "dim"), unless it has a spectral unit, or a writer stored the
    components of vectors there. The others are parts of a voxel.
    """
    is_time = int(fields["xyzt_units"]) & 56 not in SPECTRUM
    is_vector = len(sizes) == 4 and int(fields["intent_code"]) in VECTORS
    fourth = "time" if is_time and not is_vector else "component"
    return tuple(zip((fourth, *["component"] * 3), sizes[3:], strict=False))


def read_datatype(fields: Any, name: str) -> tuple[np.dtype[Any], int]:
    """Return the dtype of a sample, and the number of samples of a voxel."""
    code = int(fields["datatype"])
    if code not in DATATYPES:
        raise UnsupportedError(
            f"the voxels of {name} are {REFUSED.get(code, 'of an unknown type')} (datatype "
            f"{code}); read are integers of 8 to 64 bits, float32, float64, complex64, complex128, "
            "RGB24 and RGBA32: convert it"
        )
    kind, samples = DATATYPES[code]
    byte_order = fields.dtype["datatype"].byteorder
    return np.dtype(kind).newbyteorder(byte_order), samples


def read_offset(version: NiftiVersion, fields: Any, is_pair: bool, name: str) -> int:
    """Return the offset of the voxels, in bytes."""
    offset = fields["vox_offset"].item()
    # In a single file, 4 bytes after the header say whether extensions follow.
    least = 0 if is_pair else version.size + 4
    if not isfinite(offset) or offset != int(offset) or offset < least:
        raise FormatError(
            f"the header of {name} says that its voxels begin at byte {offset} (vox_offset), "
            f"expected a whole number from {least} on: it is damaged"
        )
    return int(offset)


def read_scaling(
    fields: Any, dtype: np.dtype[Any], samples: int, name: str
) -> tuple[dict[str, Any], float]:
    """Return slope and intercept (of the magnitudes of complex voxels), and `NiftiHeader.shift`.

    A slope of 0 means no scaling (nifti1.h, "DATA SCALING"); so does a slope that is not finite, as
    in nibabel.
    """
    slope, intercept = (float(fields[name]) for name in ("scl_slope", "scl_inter"))
    if samples > 1 or slope == 0 or not isfinite(slope):
        return {}, 0.0
    if not isfinite(intercept):
        raise FormatError(
            f"the header of {name} has a slope (scl_slope {slope}), but its intercept is not a "
            f"finite number (scl_inter {intercept}): its values cannot be known"
        )
    if dtype.kind == "c":
        # |slope * voxel + intercept| = |slope| * |voxel + intercept / slope|
        return {"rescale_slope": abs(slope), "rescale_intercept": 0.0}, intercept / slope
    return {"rescale_slope": slope, "rescale_intercept": intercept}, 0.0


def read_window(fields: Any, samples: int) -> dict[str, Any]:
    """Return the window from cal_min, black, to cal_max, white; empty without a valid one."""
    low, high = (float(fields[name]) for name in ("cal_min", "cal_max"))
    if samples > 1 or not (isfinite(low) and isfinite(high) and low < high):
        return {}
    return {
        "window_center": (low + high) / 2,
        "window_width": high - low,
        # The ramp ends exactly at both values, even at 0 and 1 (PS3.3 C.11.2.1.3).
        "voi_lut_function": "LINEAR_EXACT",
    }
