"""Compare an encoded frame's own description with the file's header, and decide which counts.

One rule decides each contradiction, with a warning. A frame without a certain rule is refused.

==================  ==============================================================================
kind of codestream  the codestream's own, if the transfer syntax says another (`choose_syntax`)
size, samples       must agree
bits                the codestream's. If they are all bits of a word, the word is read like a
                    native one, by the header; else values have to fit into Bits Stored
sign                Pixel Representation, applied to the decoded bits; bits that could mean either
                    number are refused
colours of JPEG     Adobe marker, component identifiers, half chroma, JFIF marker; then the header
of lossless JPEG,   the header: these encode samples without a colour transformation
JPEG-LS and RLE
of JPEG 2000        the component transformation, which decodes to RGB; without it the header. Its
                    YBR_RCT and YBR_ICT are then outdated, and mean RGB
of JPEG XL          RGB, which decoders output in every case
==================  ==============================================================================

References
----------
PS3.5 8.2 (consistency of attributes and codestream), PS3.3 C.7.6.3.1.2; ISO 10918-1 B.2,
ISO 10918-6 (Adobe), ITU-T T.871 (JFIF), ISO 15444-1 A.5.1, A.6.1 and G.2.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import (
    HTJ2K_PRIVATE,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
    name_of,
)
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.codestream.identify import identify
from pyloader.pixels.codestream.jpeg import JpegHeader, check_process, is_lossless, read_jpeg
from pyloader.pixels.codestream.jpeg_2000 import Jpeg2000Header, check_tiles, read_jpeg_2000
from pyloader.pixels.codestream.jpeg_xl import read_size
from pyloader.pixels.color import TRANSFORMED

# Transfer syntax -> other transfer syntaxes that its frames may have (PS3.5 10, A.4).
ALLOWED: Mapping[str, frozenset[str]] = {
    uid.JPEGExtended12Bit: frozenset({uid.JPEGBaseline8Bit}),
    JPEG_SPECTRAL: frozenset({JPEG_PROGRESSIVE}),
    uid.JPEGLossless: frozenset({uid.JPEGLosslessSV1}),
    uid.JPEGLSNearLossless: frozenset({uid.JPEGLSLossless}),
    uid.JPEG2000: frozenset({uid.JPEG2000Lossless}),
    uid.HTJ2KLosslessRPCL: frozenset({uid.HTJ2KLossless}),
    uid.HTJ2K: frozenset({uid.HTJ2KLossless}),
    HTJ2K_PRIVATE: frozenset({uid.HTJ2KLossless, uid.HTJ2K}),
    JPEG_XL_RECOMPRESSION: frozenset({JPEG_XL_LOSSLESS}),
    JPEG_XL: frozenset({JPEG_XL_LOSSLESS}),
}
RGB_IDENTIFIERS = (b"RGB", b"rgb")
HALF_CHROMA = "YBR_FULL_422"


def choose_syntax(frame: bytes, declared: UID) -> UID:
    """Return the declared transfer syntax if the frame's bytes allow it, else the actual one."""
    found = identify(frame) or declared
    if found == declared or found in ALLOWED.get(declared, ()):
        return declared
    note(
        f"the transfer syntax is {name_of(declared)}, but the frame is {name_of(found)}; it was "
        "decoded as that"
    )
    return found


def note(text: str) -> None:
    """Add a contradiction and its decision to the image's warnings."""
    warnings.warn(text, stacklevel=3)


def check_agreement(stream: Codestream, stored: PixelModule) -> None:
    """Raise ValueError when a frame has another size or more bits than the header says."""
    found = (stream.rows, stream.columns, stream.samples_per_pixel)
    expected = (stored.rows, stored.columns, stored.samples_per_pixel)
    if found != expected:
        raise ValueError(
            f"the codestream holds {found} (rows, columns, samples), the header says {expected}"
        )
    if stream.bits is not None and stream.bits > stored.bits_allocated:
        raise ValueError(
            f"the codestream has {stream.bits} bits per sample, (0028,0100) BitsAllocated is "
            f"{stored.bits_allocated}"
        )


# ---------------------------------------------------------------- JPEG and JPEG-LS


def read_jpeg_stream(frame: bytes, syntax: UID, stored: PixelModule) -> Codestream:
    """Read the headers of JPEG or JPEG-LS, and decide the colours."""
    header = read_jpeg(frame)
    check_process(header)
    photometric = stored.photometric_interpretation
    if len(header.components) == 3:
        photometric = choose_color(header, photometric)
    return Codestream(
        str(syntax),
        header.rows,
        header.columns,
        len(header.components),
        header.precision,
        None,
        photometric,
    )


def choose_color(header: JpegHeader, declared: str) -> str:
    """Return the photometric interpretation of three coded components."""
    if is_lossless(header):
        return declared_lossless_color(header, declared)
    is_ybr, reason = find_color(header)
    if is_ybr is None:
        return declared_lossy_color(declared)
    keeps = declared.startswith("YBR") and declared not in TRANSFORMED
    if is_ybr and keeps:
        # JFIF luminance has the full range, whatever the header says.
        return declared if not (header.is_jfif and "PARTIAL" in declared) else "YBR_FULL"
    found = "YBR_FULL_422" if is_ybr else "RGB"
    if declared != found:
        note(
            f"(0028,0004) PhotometricInterpretation is {declared!r}, but the codestream is {found} "
            f"by {reason}; it was decoded as that"
        )
    return found


def find_color(header: JpegHeader) -> tuple[bool | None, str]:
    """Return whether a lossy JPEG is YCbCr, None if unknown, and the evidence for it."""
    if header.adobe_transform is not None:
        if header.is_subsampled and header.adobe_transform == 0:
            raise ValueError(
                "the Adobe marker says that the colours are RGB, but two of them have fewer "
                "samples, as chroma has: it is unknown what they are"
            )
        return header.adobe_transform == 1, "its Adobe marker"
    if header.components in RGB_IDENTIFIERS and not header.is_subsampled:
        return False, "the identifiers of its components"
    if header.is_subsampled:
        return True, "components with fewer samples than others"
    return (True, "its JFIF marker") if header.is_jfif else (None, "")


def declared_lossy_color(declared: str) -> str:
    """Return the header's colours for a lossy JPEG that does not declare its own."""
    if declared == "RGB" or (declared.startswith("YBR") and declared not in TRANSFORMED):
        return declared
    raise ValueError(
        f"(0028,0004) PhotometricInterpretation is {declared!r}, which JPEG cannot encode, and "
        "the codestream does not say what its three components are"
    )


def declared_lossless_color(header: JpegHeader, declared: str) -> str:
    """Return the header's colours for a lossless frame."""
    if header.adobe_transform == 1 and not declared.startswith("YBR"):
        raise ValueError(
            f"(0028,0004) PhotometricInterpretation is {declared!r}, but the Adobe marker says "
            "YCbCr: it is unknown which is right"
        )
    return declared


# ---------------------------------------------------------------- JPEG 2000


def read_jpeg_2000_stream(frame: bytes, syntax: UID, stored: PixelModule) -> Codestream:
    """Read the main header of JPEG 2000 or HTJ2K, and decide the colours."""
    header = read_jpeg_2000(frame)
    check_tiles(frame, header)
    if len(set(zip(header.precisions, header.signs, strict=True))) != 1:
        raise ValueError(
            f"the components have different bits, {header.precisions}, or signs; in DICOM all "
            "have the same (PS3.3 C.7.6.3)"
        )
    photometric = stored.photometric_interpretation
    if len(header.precisions) == 3:
        photometric = choose_jpeg_2000_color(header, photometric)
    return Codestream(
        str(syntax),
        header.rows,
        header.columns,
        len(header.precisions),
        header.precisions[0],
        header.signs[0],
        photometric,
    )


def choose_jpeg_2000_color(header: Jpeg2000Header, declared: str) -> str:
    """Return the photometric interpretation of three coded components."""
    if header.has_transform:
        found = "YBR_RCT" if header.is_reversible else "YBR_ICT"
        reason = "its component transformation is on"
    elif header.is_subsampled:
        found, reason = half_chroma(declared), "two of its components have fewer samples"
    elif declared in TRANSFORMED:
        found, reason = "RGB", "its component transformation is off"
    else:
        # Whatever the header says, each pixel has its own chroma.
        return declared.replace("_422", "").replace("_420", "") if "FULL" in declared else declared
    if found != declared:
        note(
            f"(0028,0004) PhotometricInterpretation is {declared!r}, but the codestream is "
            f"{found}: {reason}; it was decoded as that"
        )
    return found


def half_chroma(declared: str) -> str:
    """Return the colours of subsampled components: chroma of the full range."""
    if "PARTIAL" in declared:
        raise ValueError(
            f"(0028,0004) PhotometricInterpretation is {declared!r} with half chroma; it is "
            "unknown which range it has in JPEG 2000"
        )
    return HALF_CHROMA


# ---------------------------------------------------------------- others


def read_plain(frame: bytes, syntax: UID, stored: PixelModule) -> Codestream:
    """Describe RLE by the header, as it has none itself: whole words, like native ones."""
    return Codestream(
        str(syntax),
        stored.rows,
        stored.columns,
        stored.samples_per_pixel,
        stored.bits_allocated,
        None,
        stored.photometric_interpretation,
    )


def read_jpeg_xl_stream(frame: bytes, syntax: UID, stored: PixelModule) -> Codestream:
    """Read the size of JPEG XL; decoding shows its samples and bits."""
    rows, columns = read_size(frame)
    declared = stored.photometric_interpretation
    if stored.samples_per_pixel == 3 and declared != "RGB":
        if declared.startswith("YBR") and syntax != JPEG_XL_RECOMPRESSION:
            raise ValueError(
                f"(0028,0004) PhotometricInterpretation is {declared!r}; it is unknown whether the "
                "samples had that before compression, or are RGB"
            )
        declared = "RGB"
    return Codestream(
        str(syntax),
        rows,
        columns,
        stored.samples_per_pixel,
        None,
        None,
        declared,
    )
