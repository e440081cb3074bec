"""The images whose rendering is held to DCMTK's: what each covers, and how DCMTK is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

import data_store
import numpy as np
from pydicom import dcmread

from tests.support import corpus, dcmtk
from tests.support import made_encodings as encodings
from tests.support import made_images as made

PYDICOM_DATA = Path(data_store.__file__).parent / "data"
WINDOW = ("+Wi", "1")
TABLE = ("+Wl", "1")
AUTOMATIC = ("+Wm",)  # from the smallest to the largest value
NOTHING = ()  # of colour


@dataclass(frozen=True)
class Rendering:
    """An image and how it is to look.

    Attributes
    ----------
    covers : str
        What it is in the table for.
    source : callable
        Makes or reads the file.
    options : tuple of str
        What DCMTK is told.
    frame : int
        From 1.
    twin : callable, optional
        Makes what DCMTK is given where it cannot read `source`.
    legacy : int
        Levels that cornerstone-core may be off. It draws each window as if it were LINEAR_EXACT,
        which differs from LINEAR by up to 255 / width levels.
    displayed : bool
        Whether Cornerstone3D is to be given display values: its GPU knows no tables.
    """

    name: str
    covers: str
    source: Callable[[], bytes]
    options: tuple[str, ...] = WINDOW
    frame: int = 1
    twin: Callable[[], bytes] | None = None
    legacy: int = 1
    displayed: bool = False

    def expected(self) -> np.ndarray:
        """Return DCMTK's rendering, (rows, columns) or (rows, columns, 3) uint8."""
        body = (self.twin or self.source)()
        return dcmtk.render(body, *self.options, frame=1 if self.twin else self.frame)


def read(name: str) -> bytes:
    """Return a file of the packages pydicom and pydicom-data."""
    roots = (corpus.DATA, PYDICOM_DATA)
    return next(root / name for root in roots if (root / name).exists()).read_bytes()


def with_square_pixels(name: str) -> bytes:
    """Return a file of the packages without its Pixel Aspect Ratio."""
    dataset = dcmread(BytesIO(read(name)))
    del dataset.PixelAspectRatio
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def bundled(
    name: str, covers: str, options: tuple[str, ...], *, frame: int = 1, plugin: str = ""
) -> Rendering:
    """Return an image of the packages; `plugin` of pydicom decodes what DCMTK does not."""
    twin = (lambda: dcmtk.decoded(read(name), plugin)) if plugin else None
    return Rendering(name, covers, partial(read, name), options, frame, twin)


GREY = (
    bundled("CT_small.dcm", "CT, signed 16, padding, no window", AUTOMATIC),
    replace(bundled("693_UNCR.dcm", "CT, signed 14 of 16, window 40/100", WINDOW), legacy=3),
    replace(
        bundled("J2K_pixelrep_mismatch.dcm", "CT, JPEG 2000, sign", WINDOW, plugin="pylibjpeg"),
        legacy=3,
    ),
    bundled("bad_sequence.dcm", "CT, JPEG lossless, two windows", WINDOW),
    bundled("MR_small_bigendian.dcm", "MR, signed 16, big endian", WINDOW),
    bundled("MR_small_implicit.dcm", "MR, implicit VR", WINDOW),
    bundled("MR_small_RLE.dcm", "MR, RLE", WINDOW),
    bundled("MR_small_jpeg_ls_lossless.dcm", "MR, JPEG-LS", WINDOW, plugin="gdcm"),
    bundled("MR2_UNCR.dcm", "MR, 12 bits, slope 3.77", WINDOW),
    bundled("MR2_J2KI.dcm", "MR, JPEG 2000", WINDOW, plugin="gdcm"),
    bundled("examples_overlay.dcm", "MR, two windows, overlay", WINDOW),
    bundled("emri_small_RLE.dcm", "enhanced MR, frame 7, no window", AUTOMATIC, frame=7),
    bundled("RG1_UNCI.dcm", "CR, MONOCHROME1, 15 bits", WINDOW),
    bundled("RG3_J2KR.dcm", "CR, MONOCHROME1, 10 bits, JPEG 2000", WINDOW, plugin="gdcm"),
    bundled("dicomdirtests/77654033/CR1/6154", "CR, MONOCHROME1, slope 0.684", WINDOW),
    bundled("JPGExtended.dcm", "NM, JPEG extended, 12 bits, no window", AUTOMATIC),
    bundled("JPEG-LL.dcm", "NM, signed, JPEG lossless, no window", AUTOMATIC),
    bundled("JPGLosslessP14SV1_1s_1f_8b.dcm", "US, 8 bits, window", WINDOW),
    bundled("image_dfl.dcm", "8 bits, deflated, no window", AUTOMATIC),
    bundled("rtdose_rle.dcm", "RTDOSE, 32 bits, RLE, frame 9", AUTOMATIC, frame=9),
    Rendering(
        "rtdose_expb.dcm",
        "RTDOSE, 32 bits, big endian",
        partial(read, "rtdose_expb.dcm"),
        AUTOMATIC,
        # DCMTK does not put the halves of these words in order; the values are the same here.
        twin=partial(read, "rtdose.dcm"),
    ),
    bundled("liver.dcm", "SEG, 1 bit, frame 2", AUTOMATIC, frame=2),
    bundled("mlut_18.dcm", "Modality LUT Sequence, signed 12", AUTOMATIC),
    bundled("vlut_04.dcm", "VOI LUT Sequence, 8 bits", TABLE),
)
COLOR = (
    bundled("US1_J2KR.dcm", "US, YBR_RCT, JPEG 2000", NOTHING, plugin="gdcm"),
    bundled("US1_J2KI.dcm", "US, YBR_ICT, JPEG 2000", NOTHING, plugin="gdcm"),
    bundled("examples_ybr_color.dcm", "US, YBR_FULL_422, JPEG, frame 30", NOTHING, frame=30),
    bundled("SC_jpeg_no_color_transform.dcm", "RGB, JPEG baseline, not transformed", NOTHING),
    bundled("SC_rgb_dcmtk_+eb+cy+s4.dcm", "YBR_FULL, JPEG, 4:1:1", NOTHING),
    bundled("SC_rgb_jls_lossy_line.dcm", "RGB, JPEG-LS near-lossless", NOTHING, plugin="gdcm"),
    Rendering(
        "gdcm-US-ALOKA-16.dcm",
        "US, segmented palette, 16 bits",
        partial(read, "gdcm-US-ALOKA-16.dcm"),
        NOTHING,
        twin=lambda: dcmtk.coloured(read("gdcm-US-ALOKA-16.dcm")),
    ),
    Rendering(
        "SC_ybr_full_uncompressed.dcm",
        "YBR_FULL, native",
        partial(read, "SC_ybr_full_uncompressed.dcm"),
        NOTHING,
        # DCMTK itself is up to 2 levels off the equations here.
        twin=lambda: dcmtk.converted(read("SC_ybr_full_uncompressed.dcm")),
    ),
    bundled("SC_ybr_full_422_uncompressed.dcm", "YBR_FULL_422, native", NOTHING),
    bundled("SC_rgb_jpeg_gdcm.dcm", "RGB, JPEG lossless", NOTHING),
    bundled("SC_rgb_rle_16bit_2frame.dcm", "RGB, 16 bits, RLE, frame 2", NOTHING, frame=2),
    # Viewers stretch it by its Pixel Aspect Ratio; DCMTK is not asked to.
    Rendering(
        "color-pl.dcm", "US, RGB by plane", partial(with_square_pixels, "color-pl.dcm"), NOTHING
    ),
    bundled("OBXXXX1A_rle_2frame.dcm", "US, palette, RLE, frame 2", NOTHING, frame=2),
    bundled("OBXXXX1A_expb.dcm", "US, palette, big endian", NOTHING),
    bundled("ExplVR_BigEnd.dcm", "US, RGB by plane, big endian", NOTHING),
    Rendering("rgb 16 bits by plane", "RGB, 16 bits by plane", made.planar_16, NOTHING),
    Rendering("palette from 40", "palette that begins at 40", lambda: made.palette(40), NOTHING),
)
MADE = (
    Rendering(
        "exact window",
        "CT, LINEAR_EXACT of width 40",
        lambda: made.ct(VOILUTFunction="LINEAR_EXACT", WindowCenter=40, WindowWidth=40),
        # The same as LINEAR, which DCMTK knows (PS3.3 C.11.2.1.2.1, C.11.2.1.3.2).
        ("+Ww", "40.5", "41"),
    ),
    Rendering("sigmoid", "MG, MONOCHROME1, SIGMOID", lambda: made.mammogram("SIGMOID")),
    Rendering("inverse", "MG, MONOCHROME1, LINEAR", lambda: made.mammogram("LINEAR")),
    Rendering(
        "voi table",
        "DX, MONOCHROME1, VOI LUT Sequence from 500",
        lambda: made.radiograph(12, 3000, "MONOCHROME1"),
        TABLE,
        displayed=True,
    ),
    Rendering(
        "long voi table",
        "DX, VOI LUT Sequence of 65536 entries",
        lambda: made.radiograph(16, 65536, "MONOCHROME2"),
        TABLE,
        displayed=True,
    ),
    Rendering("negative table", "CR, Modality LUT Sequence from -1500", made.computed_radiograph),
    Rendering("angiogram", "XA, Modality LUT that is not for display", made.angiogram),
    Rendering("emission", "PT, BQML, slope with a fraction, no window", made.emission, AUTOMATIC),
    # Cornerstone3D shows PET whose SUV it knows from 0 to 5 SUV, unless it is given display values.
    Rendering("uptake", "PT, SUV, window in BQML", made.uptake, displayed=True),
    Rendering("padded", "CT, signed padding, no window", made.padded, made.padded_window()),
    Rendering(
        "falling",
        "CT, negative slope",
        lambda: made.ct(
            RescaleSlope=-2.5, RescaleIntercept=100, WindowCenter=-3000, WindowWidth=4000
        ),
    ),
    Rendering(
        "enhanced",
        "MR, window and slope of frame 2",
        made.enhanced,
        frame=2,
        twin=made.second_of_enhanced,
    ),
    Rendering(
        "signed 8 bits",
        "signed 8 bits",
        lambda: made.eight_bit(PixelRepresentation=1, WindowCenter=0, WindowWidth=300),
    ),
    Rendering("shifted", "CT, 12 bits at the top of 16", encodings.shifted),
    Rendering("floats", "MR, Float Pixel Data, no window", made.floats, AUTOMATIC, twin=made.ramp),
    Rendering("baseline", "MONOCHROME1, JPEG baseline, no window", made.baseline, AUTOMATIC),
    Rendering(
        "threshold", "CT, window of width 1", lambda: made.ct(WindowCenter=40, WindowWidth=1)
    ),
)


def lossless(syntax: str, name: str) -> Rendering:
    """Return an image in a transfer syntax; DCMTK is given what was encoded."""
    return Rendering(
        name, f"CT, {syntax}", partial(encodings.compressed, syntax), twin=encodings.wide
    )


def lossy(syntax: str, name: str) -> Rendering:
    """Return an image in a transfer syntax; DCMTK is given what another decoder makes of it."""
    source = partial(encodings.compressed, syntax)
    return Rendering(
        name, f"CT, {syntax}", source, twin=lambda: dcmtk.decoded(source(), "pylibjpeg")
    )


def by_dcmtk(option: str, process: str) -> Rendering:
    """Return an image that DCMTK encodes in one of JPEG's retired processes."""
    return Rendering(process, "CT, 12 bits", lambda: dcmtk.encoded(encodings.wide(), option))


COMPRESSED = (
    *(lossless(syntax, name) for syntax, name in encodings.LOSSLESS.items()),
    *(lossy(syntax, name) for syntax, name in encodings.LOSSY.items()),
    by_dcmtk("+ee", "JPEG, extended sequential"),
    by_dcmtk("+es", "JPEG, spectral selection"),
    by_dcmtk("+ep", "JPEG, full progression"),
)
ALL = (*GREY, *COLOR, *MADE, *COMPRESSED)
