"""``nifti:``: files that are cut off, damaged, contradict themselves, or are of another kind."""

from __future__ import annotations

import pytest

from pyloader import load_image, load_metadata
from pyloader.errors import FormatError, UnsupportedError
from tests.support.nifti_builders import (
    URL,
    make,
    numbers,
    packed,
    serve,
    with_size,
)

FILE = make(numbers("i2", (20, 18, 16)))
GZIP = packed(FILE.single)


# ------------------------------------------------------------------ cut off and damaged


def flipped(body: bytes, place: int) -> bytes:
    """Return a file with one byte changed."""
    changed = bytearray(body)
    changed[place] ^= 0x55
    return bytes(changed)


PLAIN = FILE.single
SIZES = "20 x 18 x 16 x 1 voxels of int16"
DAMAGED = {
    "nothing": (b"", "ends too early, after 0 bytes; the header of a NIfTI file alone has 348 or"),
    "one byte": (b"\x5c", "ends too early, after 1 bytes"),
    "header cut off": (PLAIN[:347], r"after 347 bytes; the header .* begins with b'\\\\\\x01"),
    "header of NIfTI-2 cut off": (make(numbers(), version=2).single[:539], "after 539 bytes; the"),
    "before the voxels": (PLAIN[:350], "it has 0 of the 11520 bytes of its voxels"),
    "voxels cut off": (
        PLAIN[:-1],
        rf"after 11871 bytes: it has 11519 of the 11520 bytes of its voxels \({SIZES}, from byte",
    ),
    "gzip cut off": (GZIP[:3000], r"after 3000 bytes of gzip that hold \d+: it has \d+ of"),
    "gzip cut off in its header": (GZIP[:9], "after 9 bytes of gzip that hold 0; the header of"),
    "gzip of too few": (packed(PLAIN[:-1]), "that hold 11871: it has 11519 of"),
    "gzip of too few, zeros": (packed(PLAIN[:-1]) + bytes(99), "it has 11519 of the 11520"),
    "gzip of too few, anything": (packed(PLAIN[:-1]) + b"abc", "it has 11519 of the 11520"),
    "checksum cut off": (GZIP[:-1], "its voxels are complete, but the checksum"),
    "no checksum": (GZIP[:-8], "its voxels are complete, but the checksum"),
    "wrong checksum": (flipped(GZIP, -5), r"cannot be inflated .*incorrect data check"),
    "wrong length": (flipped(GZIP, -1), r"cannot be inflated .*incorrect length check"),
    "damaged gzip": (GZIP[:1000] + b"\xff" * 100 + GZIP[1100:], "gzip stream cannot be inflated"),
    "second member damaged": (packed(PLAIN[:999]) + b"\x1f\x8c" + bytes(99), "after 999 bytes its"),
    "HTML": (b"<!DOCTYPE html><title>Log in</title>" + bytes(999), "error page of the server or"),
    "short HTML": (b"<html>no</html>", "after 15 bytes; .* begins with b'<html>no</html>'"),
    "gzip of another thing": (packed(b"no NIfTI" * 99), "is not a NIfTI file: it begins with b'no"),
    "length too small": (
        with_size(PLAIN[:5000]),
        f"has 5000 bytes, too few for what its header says: {SIZES}, 11520 bytes from byte 352",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_damaged_file(context, transport, name):
    body, expected = DAMAGED[name]
    transport.answers[URL] = body
    with pytest.raises(FormatError, match=expected) as caught:
        await load_image(f"nifti:{URL}", context)
    assert caught.value.image_id == f"nifti:{URL}"
    assert URL in str(caught.value)


@pytest.mark.parametrize("place", [0, 1, *range(10, len(GZIP), 97)])
async def test_any_changed_byte_of_gzip_is_noticed(context, transport, place):
    source = serve(transport, flipped(GZIP, place))
    with pytest.raises((FormatError, UnsupportedError)):
        await load_image(source, context)


async def test_voxels_of_a_pair_cut_off(context, transport):
    pair = make(numbers("i2"), pair=True)
    serve(transport, pair.header, "https://host/a.hdr")
    serve(transport, pair.voxels[:-3], "https://host/a.img")
    expected = r"host/a\.img ends too early, after 117 bytes: it has 117 of the 120"
    with pytest.raises(FormatError, match=expected):
        await load_image("nifti:https://host/a.hdr", context)


async def test_pair_whose_other_file_is_unknown(context, transport):
    source = serve(transport, make(numbers("i2"), pair=True))
    with pytest.raises(FormatError, match=r"header of a pair .* has to end in \.hdr or \.img"):
        await load_image(source, context)
    assert (await load_metadata(source, context))["image_pixel"].columns == 5
