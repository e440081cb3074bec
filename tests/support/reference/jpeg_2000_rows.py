"""Rows of JPEG 2000 (ISO 15444-1) and High-Throughput JPEG 2000 (ISO 15444-15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

import imagecodecs
import PIL.Image
from openjpeg.utils import encode_array
from pydicom.uid import HTJ2K, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless

from tests.support.reference import images
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_rows import Encode, make_color, make_jpeg
from tests.support.reference.row import Row
from tests.support.reference.transcoded import transcoded

PRIVATE_HTJ2K = "3.2.840.10008.1.2.4.96"
# OpenJPEG wants 32 pixels for as many resolutions as its encoder asks for.
SIZE = (37, 43)
# (bits stored, bits allocated, signed, frames)
GREY = [
    (1, 8, False, 1),
    (8, 8, False, 2),
    (8, 8, True, 1),
    (10, 16, False, 1),
    (12, 16, False, 3),
    (12, 16, True, 1),
    (16, 16, False, 1),
    (16, 16, True, 2),
]
HIGH_THROUGHPUT = {
    "htj2k_lossless": HTJ2KLossless,
    "htj2k_rpcl": HTJ2KLosslessRPCL,
    "htj2k": HTJ2K,
    "htj2k_private": PRIVATE_HTJ2K,
}
OPENJPEG, OPENJPH = "OpenJPEG (pylibjpeg)", "OpenJPH (imagecodecs)"


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for syntax, name in ((JPEG2000Lossless, "j2k_lossless"), (JPEG2000, "j2k")):
        for form in GREY:
            yield lossless(syntax, name, form)
        yield from colour_rows(syntax, name)
    yield from lossy_rows()
    yield from variants()
    yield from gdcm_rows()
    for name, syntax in HIGH_THROUGHPUT.items():
        yield from high_throughput_rows(name, syntax)
    yield from high_throughput_lossy_rows()


def titled(name: str, form: tuple[int, int, bool, int]) -> str:
    """Return the name of a row of grey values."""
    stored, allocated, signed, frames = form
    return f"{name}-{'s' if signed else 'u'}{stored}of{allocated}-{frames}f"


def grey(form: tuple[int, int, bool, int]) -> Callable[[], Pixels]:
    """Return what makes the pixels of a form."""
    stored, allocated, signed, frames = form
    return partial(images.grey, stored, allocated, signed=signed, frames=frames, size=SIZE)


# ------------------------------------------------------------------ JPEG 2000


def lossless(syntax: str, name: str, form: tuple[int, int, bool, int]) -> Row:
    """Return the row of grey values; the codestream is signed when the values are."""
    stored = form[0]
    encode = partial(encode_array, bits_stored=stored)
    make = partial(make_jpeg, syntax, grey(form), encode, BitsStored=stored)
    decoders = ("ffmpeg", "gdcm") if stored > 1 else ("pylibjpeg-openjpeg",)
    return Row(titled(name, form), syntax, OPENJPEG, make, decoders)


def colour_rows(syntax: str, name: str) -> Iterator[Row]:
    """Yield rows of three samples, with and without the component transform."""
    for photometric, transformed in (("YBR_RCT", True), ("RGB", False)):
        for planar in (0, 1):
            encode = partial(
                encode_array, bits_stored=8, photometric_interpretation=1, use_mct=transformed
            )
            make = partial(
                make_jpeg,
                syntax,
                partial(images.color, 8, frames=2, size=SIZE),
                encode,
                PhotometricInterpretation=photometric,
                PlanarConfiguration=planar,
            )
            title = f"{name}-{photometric.lower()}-planar_{planar}-2f"
            yield Row(title, syntax, OPENJPEG, make, ("ffmpeg", "pillow"))
    encode = partial(encode_array, bits_stored=16, photometric_interpretation=1, use_mct=True)
    make = partial(
        make_jpeg,
        syntax,
        partial(images.color, 16, size=SIZE),
        encode,
        PhotometricInterpretation="YBR_RCT",
    )
    yield Row(f"{name}-ybr_rct-u16of16", syntax, OPENJPEG, make, ("pylibjpeg-openjpeg",))
    encode = partial(encode_array, bits_stored=8, use_mct=False)
    make = partial(make_color, syntax, encode, "YBR_FULL")
    yield Row(f"{name}-ybr_full", syntax, OPENJPEG, make, ("pylibjpeg-openjpeg",), 1, 1)


def lossy_rows() -> Iterator[Row]:
    """Yield rows of the irreversible transform; decoders of the same stream are to agree by 1."""
    for stored, signed in ((8, False), (12, False), (12, True), (16, False)):
        values = partial(images.smooth, stored, signed=signed, frames=2)
        encode = partial(encode_array, bits_stored=stored, compression_ratios=[4])
        make = partial(make_jpeg, JPEG2000, values, encode, BitsStored=stored)
        title = f"j2k_lossy-{'s' if signed else 'u'}{stored}of{8 if stored == 8 else 16}-2f"
        loss = 4 << (stored - 8)
        yield Row(title, JPEG2000, OPENJPEG, make, ("ffmpeg", "gdcm"), 1, loss)
    encode = partial(
        encode_array, bits_stored=8, photometric_interpretation=1, compression_ratios=[4]
    )
    make = partial(
        make_jpeg, JPEG2000, images.smooth_color, encode, PhotometricInterpretation="YBR_ICT"
    )
    yield Row("j2k_lossy-ybr_ict", JPEG2000, OPENJPEG, make, ("pylibjpeg-openjpeg", "pillow"), 1, 6)


def variants() -> Iterator[Row]:
    """Yield rows of tiles, of one resolution, and of JP2 boxes around the codestream."""
    pillow, boxes = "OpenJPEG (Pillow)", "OpenJPEG (imagecodecs)"
    forms: dict[str, tuple[str, int, Encode]] = {
        # Pillow does not write tiles of 16 bits as they are.
        "tiles": (pillow, 8, partial(saved, tile_size=(16, 16), no_jp2=True)),
        "one_resolution": (pillow, 16, partial(saved, num_resolutions=1, no_jp2=True)),
        "boxes": (
            boxes,
            16,
            partial(imagecodecs.jpeg2k_encode, reversible=True, codecformat="JP2"),
        ),
    }
    for name, (encoder, bits, encode) in forms.items():
        make = partial(make_jpeg, JPEG2000Lossless, grey((bits, bits, False, 1)), encode)
        title = f"j2k_lossless-u{bits}of{bits}-{name}"
        yield Row(title, JPEG2000Lossless, encoder, make, ("ffmpeg", "gdcm"))


def saved(frame: Pixels, **options: Any) -> bytes:
    """Encode with Pillow."""
    stream = BytesIO()
    PIL.Image.fromarray(frame).save(stream, "JPEG2000", irreversible=False, **options)
    return stream.getvalue()


def gdcm_rows() -> Iterator[Row]:
    """Yield rows that GDCM has encoded; it calls all values of two bytes 16 bits."""
    for stored, allocated, signed in ((8, 8, False), (12, 16, True), (16, 16, False)):
        form = (stored, allocated, signed, 2)
        make = partial(transcoded, grey(form), "JPEG2000Lossless", BitsStored=stored)
        yield Row(
            titled("j2k_lossless-gdcm", form),
            JPEG2000Lossless,
            "GDCM",
            make,
            ("gdcm", "pylibjpeg-openjpeg"),
        )


# ------------------------------------------------------------------ HTJ2K


def high_throughput_rows(name: str, syntax: str) -> Iterator[Row]:
    """Yield rows of the reversible transform."""
    for form in ((8, 8, False, 2), (8, 8, True, 1), (16, 16, False, 1), (16, 16, True, 2)):
        make = partial(make_jpeg, syntax, grey(form), high_throughput())
        yield Row(titled(name, form), syntax, OPENJPH, make, ("pylibjpeg-openjpeg",))
    # OpenJPH says of itself how many bits it coded: all of the class.
    make = partial(make_jpeg, syntax, grey((12, 16, False, 1)), high_throughput(), BitsStored=12)
    yield Row(f"{name}-u12of16", syntax, OPENJPH, make, ("pylibjpeg-openjpeg",))
    for photometric, rgb in (("YBR_RCT", True), ("RGB", False)):
        make = partial(
            make_jpeg,
            syntax,
            partial(images.color, 8, frames=2, size=SIZE),
            high_throughput(rgb=rgb),
            PhotometricInterpretation=photometric,
        )
        title = f"{name}-{photometric.lower()}-2f"
        yield Row(title, syntax, OPENJPH, make, ("pylibjpeg-openjpeg",))


def high_throughput(**options: Any) -> Encode:
    """Return the encoder of OpenJPH."""
    return partial(imagecodecs.htj2k_encode, reversible=True, **options)


def high_throughput_lossy_rows() -> Iterator[Row]:
    """Yield rows of the irreversible transform."""
    for stored, signed in ((8, False), (16, False), (16, True)):
        values = partial(images.smooth, stored, signed=signed, frames=2)
        encode = partial(imagecodecs.htj2k_encode, level=0.004, reversible=False)
        make = partial(make_jpeg, HTJ2K, values, encode)
        title = f"htj2k_lossy-{'s' if signed else 'u'}{stored}of{stored}-2f"
        yield Row(title, HTJ2K, OPENJPH, make, ("pylibjpeg-openjpeg",), 1, 1 << (stored - 7))
    encode = partial(imagecodecs.htj2k_encode, level=0.002, reversible=False, rgb=True)
    make = partial(
        make_jpeg, HTJ2K, images.smooth_color, encode, PhotometricInterpretation="YBR_ICT"
    )
    yield Row("htj2k_lossy-ybr_ict", HTJ2K, OPENJPH, make, ("pylibjpeg-openjpeg",), 1, 4)
