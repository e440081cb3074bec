"""DCMTK's rendering of an image: the modality and VOI LUT, polarity and colour of another house.

It truncates where pyloader rounds, so that both are within one grey level when they agree.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from pydicom import dcmread
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRLittleEndian

from tests.support import builders
from tests.support.reference.colour import to_rgb

# Reads all syntaxes but JPEG-LS, the JPEG 2000 family and JPEG XL.
PROGRAM = "dcmj2pnm"


def is_installed() -> bool:
    """Tell whether DCMTK is there."""
    return shutil.which(PROGRAM) is not None


def render(body: bytes, *options: str, frame: int = 1) -> np.ndarray:
    """Return a frame, counted from 1, as DCMTK shows it.

    Parameters
    ----------
    *options : str
        Of the program, such as ``"+Wi", "1"`` for the file's first window.

    Returns
    -------
    (rows, columns) or (rows, columns, 3) uint8 array
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "image.dcm", Path(folder) / "image.pnm"
        source.write_bytes(body)
        # Overlays are the viewer's to draw.
        command = [PROGRAM, "+op", "-O", *options, "+F", str(frame), str(source), str(target)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert target.exists(), f"DCMTK did not render it: {done.stderr.decode()}"
        with Pillow.open(target) as image:
            return np.asarray(image)


def decoded(body: bytes, plugin: str) -> bytes:
    """Return a file with native pixels, decoded by one of pydicom's plugins."""
    dataset = dcmread(BytesIO(body))
    dataset.decompress(decoding_plugin=plugin, generate_instance_uid=False)
    return builders.part10(dataset, ExplicitVRLittleEndian)


def encoded(body: bytes, option: str) -> bytes:
    """Return a native file as DCMTK compresses it, by an option of dcmcjpeg."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "image.dcm", Path(folder) / "jpeg.dcm"
        source.write_bytes(body)
        subprocess.run(["dcmcjpeg", option, str(source), str(target)], check=True, timeout=60)
        return target.read_bytes()


def coloured(body: bytes) -> bytes:
    """Return a native file of PALETTE COLOR as RGB, by pydicom."""
    dataset = dcmread(BytesIO(body))
    return builders.native(apply_color_lut(dataset.pixel_array, dataset))


def converted(body: bytes) -> bytes:
    """Return a native file of YBR_FULL as RGB, by the equations of PS3.3 C.7.6.3.1.2."""
    dataset = dcmread(BytesIO(body))
    shape = (dataset.Rows, dataset.Columns, 3)
    return builders.native(to_rgb(np.frombuffer(dataset.PixelData, "u1").reshape(shape)))
