"""Files that GDCM has encoded, with its own headers and offset tables."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.reference.images import Pixels
from tests.support.reference.row import Made, attributes_of, with_native


def transcoded(pixels: Callable[[], Pixels], syntax: str, **attributes: Any) -> Made:
    """Make a native file and have GDCM encode it.

    Parameters
    ----------
    syntax : str
        GDCM's name of the transfer syntax.
    """
    values = pixels()
    dataset = attributes_of(values, **attributes)
    vr = "OW" if dataset.BitsAllocated > 8 else "OB"
    native = with_native(dataset, values.tobytes(), ExplicitVRLittleEndian, vr)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "native.dcm", Path(folder) / "encoded.dcm"
        source.write_bytes(native)
        encode(source, target, getattr(gdcm.TransferSyntax, syntax))
        return Made(target.read_bytes(), values)


def encode(source: Path, target: Path, syntax: int) -> None:
    """Write a file in another transfer syntax."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read(), f"GDCM cannot read {source.name}"
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change(), f"GDCM cannot encode as {gdcm.TransferSyntax(syntax)}"
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write(), f"GDCM cannot write {target.name}"
