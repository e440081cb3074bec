"""Every image file that pydicom bundles, and what an independent decoder makes of it.

Compressed frames are decoded by pylibjpeg, GDCM or Pillow through pydicom; native ones by GDCM, or
where GDCM cannot read the file, by a few lines of numpy here. pyloader uses none of these.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import gdcm
import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.pixels import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

DATA = Path(pydicom.__file__).parent / "data" / "test_files"

# Files that cannot be shown, and the code of the error that says so.
REJECTED = {
    "ExplVR_BigEndNoMeta.dcm": "format",
    "ExplVR_LitEndNoMeta.dcm": "format",
    "JPEG2000-embedded-sequence-delimiter.dcm": "decode",
    "MR_truncated.dcm": "format",
    "UN_sequence.dcm": "format",
    "dicomdirtests/DICOMDIR*": "format",
    "dicomdirtests/TINY_ALPHA/*": "format",  # a whole study without pixel data
    "empty_charset_LEI.dcm": "format",
    "meta_missing_tsyntax.dcm": "format",
    "nested_priv_SQ.dcm": "format",
    "no_meta.dcm": "format",
    "no_meta_group_length.dcm": "format",
    "priv_SQ.dcm": "format",
    "reportsi.dcm": "format",
    "reportsi_with_empty_number_tags.dcm": "format",
    "rtplan.dcm": "format",
    "rtplan_truncated.dcm": "format",
    "rtstruct.dcm": "format",
    "test-SR.dcm": "format",
    "waveform_ecg.dcm": "format",
}
# Two decoders of one lossy codestream may differ in the rounding of the inverse transform (JPEG),
# and in how they widen subsampled chroma: largest difference allowed, by transfer syntax.
LOSSY_BOUND = {
    "1.2.840.10008.1.2.4.50": 3,
    "1.2.840.10008.1.2.4.51": 1,
    "1.2.840.10008.1.2.4.91": 1,
}
PLUGINS = ("pylibjpeg", "gdcm", "pillow")
PLUGINS_FAIL = {"JPEG-lossy.dcm"}  # pylibjpeg refuses its scan header
# An uncaught C++ exception in the first two; 32-bit words that are not swapped in the third.
GDCM_FAILS = {"rtdose_1frame.dcm", "rtdose_expb_1frame.dcm", "rtdose_expb.dcm"}


@dataclass(frozen=True)
class Reference:
    """What a file's first frame holds."""

    pixels: np.ndarray
    decoder: str
    bound: int


def files() -> list[str]:
    """Return the names of pydicom's DICOM files, relative to its data folder."""
    paths = (path for path in DATA.rglob("*") if path.is_file())
    found = (path for path in paths if path.suffix == ".dcm" or has_prefix(path))
    return sorted(str(path.relative_to(DATA)) for path in found)


def has_prefix(path: Path) -> bool:
    """Tell whether a file begins as PS3.10 says."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def expected_code(name: str) -> str | None:
    """Return the code of the error that a file is refused with, None when it is an image."""
    codes = (code for pattern, code in REJECTED.items() if fnmatch(name, pattern))
    return next(codes, None)


def images() -> list[str]:
    """Return the names of the files that hold an image that can be shown."""
    return [name for name in files() if expected_code(name) is None]


def refused() -> list[str]:
    """Return the names of the other files."""
    return [name for name in files() if expected_code(name)]


def reference(name: str) -> Reference:
    """Decode the first frame of a file without pyloader.

    Returns
    -------
    Reference
        Stored values, (rows, columns), or RGB, (rows, columns, 3).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(DATA / name, force=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2")
        if name in GDCM_FAILS:
            pixels, decoder = decode_by_hand(dataset), "numpy"
        elif UID(syntax).is_encapsulated and name not in PLUGINS_FAIL:
            pixels, decoder = decode_with_plugins(dataset)
        else:
            pixels, decoder = decode_with_gdcm(DATA / name, dataset), "gdcm"
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = look_up_palette(pixels, dataset)
    return Reference(pixels, decoder, LOSSY_BOUND.get(syntax, 0))


def decode_with_plugins(dataset: Dataset) -> tuple[np.ndarray, str]:
    """Decode with the first of pydicom's own plugins that can."""
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    failures = []
    for plugin in PLUGINS:
        if plugin in decoder.available_plugins:
            try:
                return decoder.as_array(dataset, index=0, decoding_plugin=plugin)[0], plugin
            except Exception as error:
                failures.append(f"{plugin}: {error}")
    raise AssertionError(f"no independent decoder reads this file: {failures}")


def decode_with_gdcm(path: Path, dataset: Dataset) -> np.ndarray:
    """Decode with GDCM's own reader."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read(), f"GDCM cannot read {path.name}"
    image = reader.GetImage()
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    shape = (dataset.Rows, dataset.Columns)
    samples = dataset.SamplesPerPixel
    size = dataset.Rows * dataset.Columns * samples
    if dataset.BitsAllocated == 1:
        bits = np.unpackbits(np.frombuffer(buffer, "u1"), bitorder="little")
        return bits[:size].reshape(shape)
    dtype = f"{'ui'[dataset.PixelRepresentation]}{dataset.BitsAllocated // 8}"
    frame = np.frombuffer(buffer, dtype)[:size]
    if samples == 1:
        return frame.reshape(shape)
    planar = image.GetPlanarConfiguration()
    pixels = frame.reshape(3, *shape).transpose(1, 2, 0) if planar else frame.reshape(*shape, 3)
    photometric = str(image.GetPhotometricInterpretation()).strip()
    return convert_color_space(pixels, photometric, "RGB") if "YBR" in photometric else pixels


def decode_by_hand(dataset: Dataset) -> np.ndarray:
    """Read the first frame of native 32-bit grey, which GDCM cannot."""
    order = "<" if dataset.original_encoding[1] else ">"
    dtype = np.dtype(f"{order}{'ui'[dataset.PixelRepresentation]}{dataset.BitsAllocated // 8}")
    size = dataset.Rows * dataset.Columns
    return np.frombuffer(dataset.PixelData, dtype)[:size].reshape(dataset.Rows, dataset.Columns)


def look_up_palette(indices: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Apply a palette of 8-bit or 16-bit entries that is not segmented (PS3.3 C.7.6.3.1.6)."""
    channels = []
    for color in ("Red", "Green", "Blue"):
        count, first, bits = dataset[f"{color}PaletteColorLookupTableDescriptor"].value
        data = dataset[f"{color}PaletteColorLookupTableData"].value
        entries = np.frombuffer(data, "<u2" if bits == 16 else "u1")
        channels.append(entries[np.clip(indices.astype(int) - first, 0, (count or 65536) - 1)])
    return np.stack(channels, axis=-1)
