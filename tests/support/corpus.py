"""Every image file of the packages pydicom and pydicom-data, and what an independent decoder makes
of its frames.

Compressed frames are decoded by pylibjpeg, GDCM or Pillow through pydicom; native ones by GDCM, or
where GDCM cannot read the file, by a few lines of numpy here. pyloader uses none of these.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import gdcm
import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.pixels import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID, JPEGBaseline8Bit

DATA = Path(pydicom.__file__).parent / "data" / "test_files"
# The package pydicom-data: files that pydicom's own tests use and that are too large to bundle.
FURTHER_DATA = Path(find_spec("data_store").origin).parent / "data"

NO_PIXELS = ("format", "has no pixel data")
# Files that cannot be shown, the code of the error that says so, and words of its reason. Neither
# DCMTK nor GDCM makes an image of any of them.
REJECTED = {
    "ExplVR_BigEndNoMeta.dcm": NO_PIXELS,
    "ExplVR_LitEndNoMeta.dcm": NO_PIXELS,
    "JPEG2000-embedded-sequence-delimiter.dcm": ("decode", "cannot be decoded"),  # a stub of one
    "MR_truncated.dcm": ("format", "62 bytes are missing"),
    "UN_sequence.dcm": NO_PIXELS,
    "dicomdirtests/DICOMDIR*": ("format", "is a DICOMDIR"),
    "dicomdirtests/TINY_ALPHA/DICOMDIR": ("format", "is a DICOMDIR"),
    "dicomdirtests/TINY_ALPHA/PT*": NO_PIXELS,  # a whole study
    "empty_charset_LEI.dcm": NO_PIXELS,
    "meta_missing_tsyntax.dcm": ("format", "is absent"),  # one word of pixels, and no rows
    "nested_priv_SQ.dcm": ("format", "is absent"),
    "no_meta.dcm": ("format", "cannot be read as a DICOM file"),  # its first byte is lost
    "no_meta_group_length.dcm": NO_PIXELS,
    "priv_SQ.dcm": NO_PIXELS,
    "reportsi.dcm": NO_PIXELS,
    "reportsi_with_empty_number_tags.dcm": NO_PIXELS,
    "rtplan.dcm": NO_PIXELS,
    "rtplan_truncated.dcm": ("format", "is cut off within its header"),
    "rtstruct.dcm": NO_PIXELS,
    "test-SR.dcm": NO_PIXELS,
    "waveform_ecg.dcm": NO_PIXELS,
}
# Two decoders of one lossy codestream may differ in the rounding of the inverse transform (JPEG),
# and in how they widen subsampled chroma: largest difference allowed, by transfer syntax.
LOSSY_BOUND = {
    "1.2.840.10008.1.2.4.51": 1,
    "1.2.840.10008.1.2.4.91": 1,
}
PLUGINS = ("pylibjpeg", "gdcm", "pillow")
# pylibjpeg widens subsampled chroma in another way.
BASELINE_PLUGINS = ("gdcm", "pillow")
PLUGINS_FAIL = {"JPEG-lossy.dcm"}  # pylibjpeg refuses its scan header
# An uncaught C++ exception in the first two; 32-bit words that are not swapped in the third.
GDCM_FAILS = {"rtdose_1frame.dcm", "rtdose_expb_1frame.dcm", "rtdose_expb.dcm"}

# pydicom finds no pixel data in what does not end as it should.
WITHOUT_DELIMITER = {"emri_small_jpeg_2k_lossless_too_short.dcm"}
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True)
class Reference:
    """The content of a frame of a file."""

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
    codes = (code for pattern, (code, _) in REJECTED.items() if fnmatch(name, pattern))
    return next(codes, None)


def expected_words(name: str) -> str:
    """Return words of the error that a file is refused with."""
    return next(words for pattern, (_, words) in REJECTED.items() if fnmatch(name, pattern))


def images() -> list[str]:
    """Return the names of pydicom's files that hold an image that can be shown."""
    return [name for name in files() if expected_code(name) is None]


def refused() -> list[str]:
    """Return the names of the other files."""
    return [name for name in files() if expected_code(name)]


def further_images() -> list[str]:
    """Return the names of the files of pydicom-data, all of which are images."""
    return sorted(path.name for path in FURTHER_DATA.glob("*.dcm"))


def path_of(name: str) -> Path:
    """Return where a file of either package stands; no name is in both."""
    return DATA / name if (DATA / name).exists() else FURTHER_DATA / name


def url_of(name: str) -> str:
    """Return where the browser tests' server has a file."""
    return f"/corpus/{name}" if (DATA / name).exists() else f"/pydicom-data/{name}"


def frames(name: str) -> list[int]:
    """Return the first, the middle and the last frame of a file, from 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path_of(name), stop_before_pixels=True, force=True)
        count = str(dataset.get("NumberOfFrames"))
    last = int(count) - 1 if count.isdigit() else 0  # badVR.dcm says "1A"
    return sorted({0, last // 2, last})


def reference(name: str, frame_index: int = 0) -> Reference:
    """Decode a frame of a file, from 0, without pyloader.

    Returns
    -------
    Reference
        Stored values, (rows, columns), or RGB, (rows, columns, 3).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = read(name)
        syntax = dataset.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2")
        if name in GDCM_FAILS:
            pixels, decoder = decode_by_hand(dataset, frame_index), "numpy"
        elif UID(syntax).is_encapsulated and name not in PLUGINS_FAIL:
            pixels, decoder = decode_with_plugins(dataset, frame_index)
        else:
            pixels, decoder = decode_with_gdcm(name, dataset, frame_index), "gdcm"
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        pixels = look_up_with_gdcm(name, pixels.shape)
    elif dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = look_up_palette(pixels, dataset)
    return Reference(pixels, decoder, LOSSY_BOUND.get(syntax, 0))


@lru_cache(maxsize=1)
def read(name: str) -> Dataset:
    """Read a file; the frames of one are asked for one after the other."""
    body = path_of(name).read_bytes()
    return pydicom.dcmread(BytesIO(body + DELIMITER * (name in WITHOUT_DELIMITER)), force=True)


def decode_with_plugins(dataset: Dataset, frame_index: int) -> tuple[np.ndarray, str]:
    """Decode with the first of pydicom's own plugins that can."""
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    is_baseline = JPEGBaseline8Bit == decoder.UID
    failures = []
    for plugin in BASELINE_PLUGINS if is_baseline else PLUGINS:
        if plugin in decoder.available_plugins:
            try:
                pixels, _ = decoder.as_array(dataset, index=frame_index, decoding_plugin=plugin)
                return pixels, plugin
            except Exception as error:
                failures.append(f"{plugin}: {error}")
    raise AssertionError(f"no independent decoder reads this file: {failures}")


@lru_cache(maxsize=1)
def read_with_gdcm(name: str) -> tuple[np.ndarray, int, str]:
    """Return all bytes that GDCM decodes, their planar configuration and their photometric one."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path_of(name)))
    assert reader.Read(), f"GDCM cannot read {name}"
    image = reader.GetImage()
    buffer = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "u1")
    photometric = str(image.GetPhotometricInterpretation()).strip()
    return buffer, image.GetPlanarConfiguration(), photometric


def decode_with_gdcm(name: str, dataset: Dataset, frame_index: int) -> np.ndarray:
    """Decode with GDCM's own reader."""
    buffer, planar, photometric = read_with_gdcm(name)
    shape = (dataset.Rows, dataset.Columns)
    size = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    place = slice(frame_index * size, (frame_index + 1) * size)
    if dataset.BitsAllocated == 1:
        return np.unpackbits(buffer, bitorder="little")[place].reshape(shape)
    dtype = f"{'ui'[dataset.PixelRepresentation]}{dataset.BitsAllocated // 8}"
    frame = buffer.view(dtype)[place]
    if dataset.SamplesPerPixel == 1:
        return frame.reshape(shape)
    pixels = frame.reshape(3, *shape).transpose(1, 2, 0) if planar else frame.reshape(*shape, 3)
    return convert_color_space(pixels, photometric, "RGB") if "YBR" in photometric else pixels


def decode_by_hand(dataset: Dataset, frame_index: int) -> np.ndarray:
    """Read a frame of native 32-bit grey, which GDCM cannot."""
    order = "<" if dataset.original_encoding[1] else ">"
    dtype = np.dtype(f"{order}{'ui'[dataset.PixelRepresentation]}{dataset.BitsAllocated // 8}")
    shape = (-1, dataset.Rows, dataset.Columns)
    return np.frombuffer(dataset.PixelData, dtype).reshape(shape)[frame_index]


def look_up_with_gdcm(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Apply a segmented palette of 16-bit entries to the only frame of a file (PS3.3 C.7.9.2)."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path_of(name)))
    assert reader.Read(), f"GDCM cannot read {name}"
    table = gdcm.ImageApplyLookupTable()
    table.SetInput(reader.GetImage())
    assert table.Apply(), f"GDCM cannot apply the palette of {name}"
    buffer = table.GetOutput().GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(buffer, "u2").reshape(*shape, 3)


def look_up_palette(indices: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Apply a palette of 8-bit or 16-bit entries that is not segmented (PS3.3 C.7.6.3.1.6)."""
    order = ">" if dataset.original_encoding[1] is False else "<"
    channels = []
    for color in ("Red", "Green", "Blue"):
        count, first, bits = dataset[f"{color}PaletteColorLookupTableDescriptor"].value
        data = dataset[f"{color}PaletteColorLookupTableData"].value
        entries = np.frombuffer(data, f"{order}u2" if bits == 16 else "u1")
        channels.append(entries[np.clip(indices.astype(int) - first, 0, (count or 65536) - 1)])
    return np.stack(channels, axis=-1)
