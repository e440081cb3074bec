"""A file of each format that lists of files know, beside DICOM."""

from __future__ import annotations

import numpy as np

from tests.support import nifti_builders, numpy_files, pictures
from tests.support.metaimage_builders import mha
from tests.support.nrrd_builders import nrrd

VOXELS = np.arange(7 * 5 * 4, dtype="<i2")


def volumes() -> dict[str, bytes]:
    """Return volumes by name; no name says what its file is."""
    nifti = nifti_builders.make(nifti_builders.numbers("i2")).single
    return {
        "a1": nifti,
        "a2": nifti_builders.packed(nifti),
        "a3": nrrd(VOXELS.tobytes()),
        "a4": mha(VOXELS.tobytes()),
        "a5": numpy_files.saved(VOXELS.reshape(4, 5, 7)),
        "a6": numpy_files.saved_together(mask=VOXELS.reshape(4, 5, 7)),
    }


def web_images() -> dict[str, bytes]:
    """Return web images by name."""
    grey = pictures.noise(6, 8)
    return {
        "b1": pictures.saved(grey, "PNG"),
        "b2": pictures.saved(grey, "JPEG"),
        "b3": pictures.tiff(grey, grey[::-1]),
    }
