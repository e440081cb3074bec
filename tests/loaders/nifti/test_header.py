"""Headers that say what cannot be, or contradict themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import FormatError, UnsupportedError
from tests.support.nifti_builders import (
    Nifti,
    load_all,
    load_array,
    make,
    numbers,
    serve,
    v2,
    with_fields,
)

HEADER = make(numbers("i2"))


def patched(body: bytes, place: int, content: bytes) -> bytes:
    """Return a file with other bytes at a place."""
    return body[:place] + content + body[place + len(content) :]


BAD_HEADERS: dict[str, tuple[bytes | Nifti, type[Exception], str]] = {
    "no dimensions": (
        with_fields(HEADER, dim=[0] * 8),
        FormatError,
        r"says 0 dimensions \(dim\[0\]\), expected 1 to 7",
    ),
    "too many": (with_fields(HEADER, dim=[8] * 8), FormatError, r"expected 1 to 7 in either byte"),
    "negative": (with_fields(HEADER, dim=[-1] * 8), FormatError, r"expected 1 to 7"),
    "empty": (
        with_fields(HEADER, dim=[3, 5, 0, 3, 1, 1, 1, 1]),
        FormatError,
        r"gives its 3 dimensions as \[5, 0, 3\], expected at least 1 each",
    ),
    "negative size": (with_fields(HEADER, dim=[3, 5, -4, 3, 1, 1, 1, 1]), FormatError, r"\[5, -4,"),
    "offset 0": (
        with_fields(HEADER, vox_offset=0),
        FormatError,
        r"byte 0.0 \(vox_offset\), expect",
    ),
    "offset in the header": (with_fields(HEADER, vox_offset=348), FormatError, "from 352 on"),
    "negative offset": (with_fields(HEADER, vox_offset=-352), FormatError, "byte -352.0"),
    "half an offset": (with_fields(HEADER, vox_offset=352.5), FormatError, "whole number from 352"),
    "offset NaN": (with_fields(HEADER, vox_offset=np.nan), FormatError, "begin at byte nan"),
    "offset of NIfTI-2": (v2(vox_offset=352), FormatError, "whole number from 544 on"),
    "offset of a pair": (
        make(numbers("i2"), pair=True, vox_offset=-1).header,
        FormatError,
        "whole number from 0 on",
    ),
    "offset behind the end": (
        with_fields(HEADER, vox_offset=1e6),
        FormatError,
        "it has 0 of the 120 bytes .*, from byte 1000000 on",
    ),
    "intercept NaN": (
        with_fields(HEADER, scl_slope=2, scl_inter=np.nan),
        FormatError,
        r"has a slope \(scl_slope 2.0\), but its intercept is not a finite number \(scl_inter",
    ),
    "text transfer": (
        patched(v2().single, 8, b"\n\x1a\n\0"),
        FormatError,
        "a transfer as text has damaged it",
    ),
    "bits": (
        with_fields(HEADER, datatype=1, bitpix=1),
        UnsupportedError,
        r"are single bits \(DT_BINARY\) \(datatype 1\); read are integers of 8 to 64 bits",
    ),
    "float128": (with_fields(HEADER, datatype=1536), UnsupportedError, "128-bit floats"),
    "complex256": (with_fields(HEADER, datatype=2048), UnsupportedError, "256-bit complex numbers"),
    "no type": (with_fields(HEADER, datatype=0), UnsupportedError, r"no type at all \(datatype 0"),
    "unknown type": (with_fields(HEADER, datatype=99), UnsupportedError, "of an unknown type"),
    "CIFTI-2": (v2(intent_code=3001), UnsupportedError, "is a CIFTI-2 file .intent code 3001"),
    "Analyze": (
        patched(HEADER.single, 344, bytes(4)),
        UnsupportedError,
        "is an Analyze 7.5 header",
    ),
    "Analyze, big endian": (
        patched(make(numbers(), order=">").single, 344, bytes(4)),
        UnsupportedError,
        "convert it, such as with nibabel",
    ),
    "another version": (patched(HEADER.single, 344, b"n+3\0"), UnsupportedError, "Analyze 7.5"),
    "no magic": (patched(HEADER.single, 0, bytes(348)), FormatError, "none of the magics 'n.1'"),
}


@pytest.mark.parametrize("call", [load_image, load_metadata, list_image_ids])
@pytest.mark.parametrize("name", BAD_HEADERS)
async def test_bad_header(context, transport, name, call):
    file, kind, expected = BAD_HEADERS[name]
    source = serve(transport, file)
    if name == "offset behind the end" and call is not load_image:
        return
    with pytest.raises(kind, match=expected):
        await call(source, context)


async def test_bits_that_contradict_the_type_are_told(context, transport):
    image = await load_image(serve(transport, with_fields(HEADER, bitpix=8)), context)
    [warning] = image.warnings
    assert "says 8 bits a voxel (bitpix), but its type (datatype 4) has 16" in warning
    assert_array_equal(image.pixels.sum(), numbers("i2")[:, :, 0].sum())


async def test_size_of_the_header_may_be_wrong(context, transport):
    """The byte order follows from dim[0]."""
    for order in "<>":
        context.cache.clear()
        file = make(numbers("i2"), order=order)
        source = serve(transport, patched(file.single, 0, bytes(4)))
        assert_array_equal(await load_array(source, context), numbers("i2"))


async def test_end_of_line_check_may_be_missing(context, transport):
    source = serve(transport, patched(v2().single, 8, bytes(4)))
    assert len(await load_all(source, context)) == 3
