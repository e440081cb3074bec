"""Encapsulation and damaged files (4.5): rows that other loaders get wrong, each by its name.

Frames are encoded without loss and compared with what was encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from struct import pack

import gdcm
import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate_extended
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import load_image
from pyloader.dicom.fragments import CutOffError
from pyloader.errors import FormatError
from tests.support import builders, corpus
from tests.support.encoded import meta, relabelled
from tests.support.raw_images import DELIMITER, ITEM, described, encapsulated, item, items, pieces

URL = "https://host/image.dcm"
JPEG_XL = UID("1.2.840.10008.1.2.4.110")
CODECS = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless, JPEG_XL)
# Those whose frames may have several fragments (PS3.5 A.4).
SEVERAL = tuple(syntax for syntax in CODECS if syntax != RLELossless)
NAMES = {"ids": lambda syntax: syntax.keyword or "JPEGXLLossless"}
FRAMES = 3


@cache
def pixels() -> np.ndarray:
    """Return frames of 12 bits that differ, and do not become small."""
    shape = (FRAMES, 24, 36)
    return np.random.default_rng(17).integers(0, 1 << 12, shape, "u2")


@cache
def encoded(syntax: str) -> tuple[bytes, ...]:
    """Return the frames in a transfer syntax."""
    if syntax == JPEG_XL:
        return tuple(imagecodecs.jpegxl_encode(frame, lossless=True) for frame in pixels())
    encode = builders.rle_encode_frame if syntax == RLELossless else builders.ENCODERS[syntax]
    return tuple(map(encode, pixels()))


def header(frames: int = FRAMES) -> Dataset:
    """Describe the frames."""
    return described(24, 36, BitsStored=12, HighBit=11, NumberOfFrames=frames)


def offsets(groups: Sequence[Sequence[bytes]]) -> list[int]:
    """Return what a Basic Offset Table of the frames' fragments says."""
    sizes = [sum(len(item(fragment)) for fragment in group) for group in groups]
    return [0, *accumulate(sizes)][:-1]


def groups(syntax: str, count: int) -> list[list[bytes]]:
    """Return the frames, each in as many fragments."""
    return [pieces(frame, count) for frame in encoded(syntax)]


def flat(found: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return the fragments of all frames."""
    return [fragment for group in found for fragment in group]


async def check(load, body: bytes) -> list[tuple[str, ...]]:
    """Compare all frames, and return what was noted of each."""
    notes = []
    for index, frame in enumerate(pixels()):
        image = await load(body, index + 1)
        assert np.array_equal(image.pixels, frame), f"frame {index + 1}"
        notes.append(image.warnings)
    return notes


# ------------------------------------------------------------------ tables


@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_basic_offset_table_with_one_fragment_a_frame(load, syntax):
    content = items(encoded(syntax), offsets([[frame] for frame in encoded(syntax)])) + DELIMITER
    assert await check(load, encapsulated(header(), content, syntax)) == [()] * FRAMES


@pytest.mark.parametrize("syntax", SEVERAL, **NAMES)
@pytest.mark.parametrize("count", [2, 5])
async def test_basic_offset_table_with_several_fragments_a_frame(load, syntax, count):
    found = groups(syntax, count)
    content = items(flat(found), offsets(found)) + DELIMITER
    assert await check(load, encapsulated(header(), content, syntax)) == [()] * FRAMES


@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_empty_offset_table_with_one_fragment_a_frame(load, syntax):
    content = items(encoded(syntax)) + DELIMITER
    assert await check(load, encapsulated(header(), content, syntax)) == [()] * FRAMES


@pytest.mark.parametrize("syntax", SEVERAL, **NAMES)
@pytest.mark.parametrize("count", [2, 5])
async def test_empty_offset_table_with_several_fragments_a_frame(load, syntax, count):
    """Others make a frame of each fragment, or split them in equal parts."""
    uneven = [pieces(frame, count + index) for index, frame in enumerate(encoded(syntax))]
    content = items(flat(uneven)) + DELIMITER
    assert await check(load, encapsulated(header(), content, syntax)) == [()] * FRAMES


@pytest.mark.parametrize("syntax", SEVERAL, **NAMES)
async def test_one_frame_of_several_fragments(load, syntax):
    content = items(pieces(encoded(syntax)[0], 4)) + DELIMITER
    image = await load(encapsulated(header(1), content, syntax))
    assert np.array_equal(image.pixels, pixels()[0])


def extended(syntax: str, **changes: bytes) -> bytes:
    """Make a file with an Extended Offset Table and an empty basic one."""
    content, table, lengths = encapsulate_extended(list(encoded(syntax)))
    dataset = header()
    dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = table, lengths
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return encapsulated(dataset, content + DELIMITER, syntax)


@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_extended_offset_table(load, syntax):
    """VR OV: files of it are misread, or their parsing fails."""
    assert await check(load, extended(syntax)) == [()] * FRAMES


@pytest.mark.parametrize(
    "changes",
    [
        {"ExtendedOffsetTable": pack("<3Q", 0, 1 << 40, 3)},
        {"ExtendedOffsetTable": pack("<2Q", 0, 8)},
        {"ExtendedOffsetTable": bytes(24)},
        {"ExtendedOffsetTableLengths": pack("<3Q", 8, 8, 8)},
        {"ExtendedOffsetTableLengths": b""},
    ],
)
async def test_extended_offset_table_that_is_wrong(load, changes):
    await check(load, extended(JPEGLSLossless, **changes))


@pytest.mark.parametrize(
    "table",
    [
        (0, 10, 20),
        (0, 0, 0),
        (8, 100, 200),
        (0, 1 << 31, (1 << 31) + 8),
        (300, 200, 0),
        (0,),
        (0, 8),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
async def test_basic_offset_table_that_is_wrong(load, table, count):
    content = items(flat(groups(JPEGLSLossless, count)), table) + DELIMITER
    notes = await check(load, encapsulated(header(), content, JPEGLSLossless))
    assert all("offset table" in " ".join(each) for each in notes), "the decision is published"


async def test_basic_offset_table_of_more_frames_than_there_are_said_to_be(load):
    found = groups(JPEGLSLossless, 2)
    content = items(flat(found), offsets(found)) + DELIMITER
    body = encapsulated(header(2), content, JPEGLSLossless)
    for index in range(2):
        assert np.array_equal((await load(body, index + 1)).pixels, pixels()[index])


async def test_offset_table_whose_offsets_count_from_its_own_item(load):
    found = groups(JPEG2000Lossless, 2)
    wrong = [offset + 8 + 4 * FRAMES for offset in offsets(found)]
    content = items(flat(found), wrong) + DELIMITER
    await check(load, encapsulated(header(), content, JPEG2000Lossless))


# ------------------------------------------------------------------ fragments


async def test_delimiter_bytes_inside_a_fragment(load):
    """Items have lengths; nothing is searched for."""
    image = np.frombuffer((DELIMITER + ITEM + bytes(4)) * 4 * 36 * 24, "<u2")[: 36 * 24]
    frame = builders.rle_encode_frame(image.reshape(24, 36))
    planes = [image.view("u1")[1::2], image.view("u1")[0::2]]
    runs = [
        b"".join(
            bytes([len(part) - 1]) + part.tobytes()
            for part in np.array_split(plane, range(128, plane.size, 128))
        )
        for plane in planes
    ]
    literal = pack("<16L", 2, 64, 64 + len(runs[0]), *[0] * 13) + b"".join(runs)
    content = items([literal, frame, literal]) + DELIMITER
    body = encapsulated(described(24, 36, NumberOfFrames=3), content, RLELossless)
    for number in (1, 2, 3):
        assert np.array_equal((await load(body, number)).pixels, image.reshape(24, 36))
    raw = np.frombuffer(DELIMITER * 16, "u1").reshape(8, 16)
    uncompressed = UID("1.2.840.10008.1.2.1.98")
    body = encapsulated(described(8, 16, 8), items([raw.tobytes()]) + DELIMITER, uncompressed)
    assert np.array_equal((await load(body)).pixels, raw)


@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_missing_sequence_delimiter(load, syntax):
    content = items(encoded(syntax))
    await check(load, encapsulated(header(), content, syntax))


@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_fragments_without_bytes(load, syntax):
    first, second, third = encoded(syntax)
    content = items([b"", first, b"", b"", second, third, b""]) + DELIMITER
    await check(load, encapsulated(header(), content, syntax))


async def test_fragments_without_bytes_within_a_frame(load):
    found = [pieces(frame, 2) for frame in encoded(JPEGLSLossless)]
    content = items([part for group in found for part in (group[0], b"", group[1])]) + DELIMITER
    await check(load, encapsulated(header(), content, JPEGLSLossless))


async def test_fragments_of_odd_length(load):
    """Against PS3.5 A.4, as it is found."""
    frames = [frame + b"\0" * (1 - len(frame) % 2) for frame in encoded(JPEGLSLossless)]
    content = items([]) + b"".join(ITEM + pack("<L", len(frame)) + frame for frame in frames)
    assert {len(frame) % 2 for frame in frames} == {1}
    await check(load, encapsulated(header(), content + DELIMITER, JPEGLSLossless))


async def test_bytes_behind_the_delimiter(load):
    content = items(encoded(JPEGLSLossless)) + DELIMITER + b"\xfc\xff\xfc\xffOB\0\0" + bytes(64)
    await check(load, encapsulated(header(), content, JPEGLSLossless))


async def test_encapsulated_pixel_data_of_defined_length(load):
    """Against PS3.5 A.4, which wants FFFFFFFFH."""
    content = items(encoded(JPEGLSLossless)) + DELIMITER
    body = encapsulated(header(), content, JPEGLSLossless)
    place = len(body) - len(content) - 4
    body = body[:place] + pack("<L", len(content)) + body[place + 4 :]
    await check(load, body)


# ------------------------------------------------------------------ number of frames


@pytest.mark.parametrize("count", [1, 3])
async def test_fewer_frames_than_said_leave_those_that_are_there(load, count):
    content = items(flat(groups(JPEGLSLossless, count))) + DELIMITER
    body = encapsulated(header(FRAMES + 2), content, JPEGLSLossless)
    await check(load, body)
    with pytest.raises(FormatError, match=r"frame 4 cannot be found: .* NumberOfFrames is 5"):
        await load(body, 4)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless, JPEG_XL], **NAMES)
@pytest.mark.parametrize("said", [1, 2])
async def test_more_frames_than_said_are_left_out_and_noted(load, syntax, said):
    content = items(encoded(syntax)) + DELIMITER
    body = encapsulated(header(said), content, syntax)
    for number in range(1, said + 1):
        image = await load(body, number)
        assert np.array_equal(image.pixels, pixels()[number - 1])
    if syntax != JPEG_XL or said > 1:
        assert any("hold 3 frames" in warning for warning in image.warnings)


async def test_fragments_whose_frames_nothing_tells_are_refused(load):
    """A frame whose beginning is damaged would give its number to the next."""
    found = groups(JPEGLSLossless, 2)
    found[1][0] = b"\x12\x34" + found[1][0][2:]
    body = encapsulated(header(), items(flat(found)) + DELIMITER, JPEGLSLossless)
    assert np.array_equal((await load(body, 1)).pixels, pixels()[0])
    assert np.array_equal((await load(body, 3)).pixels, pixels()[2]), "the ends tell"
    first = [pieces(encoded(JPEGLSLossless)[0], 2), [b"\x12\x34" * 40], found[2]]
    body = encapsulated(header(6), items(flat(first)) + DELIMITER, JPEGLSLossless)
    for number in range(1, 7):
        with pytest.raises(FormatError, match=f"frame {number} cannot be found"):
            await load(body, number)


# ------------------------------------------------------------------ wrong transfer syntax


@pytest.mark.parametrize("syntax", SEVERAL[:4], **NAMES)
@pytest.mark.parametrize("said", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
async def test_encapsulated_pixels_under_a_native_transfer_syntax(load, syntax, said):
    content = items(encoded(syntax)) + DELIMITER
    body = relabelled(encapsulated(header(), content, syntax), said)
    notes = await check(load, body)
    assert all("are encapsulated" in " ".join(each) for each in notes)


async def test_native_pixels_under_an_encapsulated_transfer_syntax(load):
    dataset_frames = pixels()
    body = relabelled(builders.native(dataset_frames, NumberOfFrames=FRAMES), JPEG2000Lossless)
    notes = await check(load, body)
    assert all("are not encapsulated" in " ".join(each) for each in notes)


# ------------------------------------------------------------------ cut off


@pytest.mark.parametrize("with_table", [False, True])
@pytest.mark.parametrize("syntax", CODECS, **NAMES)
async def test_truncated_encapsulated_file(load, syntax, with_table):
    """Complete frames load; the cut one says how many bytes are missing."""
    frames = encoded(syntax)
    table = offsets([[frame] for frame in frames]) if with_table else ()
    content = items(frames, table)
    missing = len(item(frames[2])) + len(item(frames[1])) // 2
    body = encapsulated(header(), content[:-missing], syntax)
    assert np.array_equal((await load(body, 1)).pixels, pixels()[0])
    expected = len(item(frames[1])) // 2
    with pytest.raises(CutOffError, match=f"frame 2 of 3 is cut off: {expected} of its .* missing"):
        await load(body, 2)
    with pytest.raises(CutOffError, match=r"frame 3 of 3 is (cut off|missing)"):
        await load(body, 3)


async def test_truncated_file_with_an_extended_offset_table(load):
    body = extended(JPEGLSLossless)[: -8 - 100]
    for number in (1, 2):
        assert np.array_equal((await load(body, number)).pixels, pixels()[number - 1])
    with pytest.raises(CutOffError, match="frame 3 of 3 is cut off: 100 of its"):
        await load(body, 3)


async def test_truncated_file_of_several_fragments_a_frame(load):
    found = groups(JPEGLSLossless, 3)
    content = items(flat(found))
    missing = len(items(found[2])) - 8 + 50
    body = encapsulated(header(), content[:-missing], JPEGLSLossless)
    assert np.array_equal((await load(body, 1)).pixels, pixels()[0])
    with pytest.raises(CutOffError, match="frame 2 of 3 is cut off: 50 of its"):
        await load(body, 2)
    with pytest.raises(CutOffError, match="frame 3 of 3 is missing"):
        await load(body, 3)


async def test_file_that_ends_within_its_offset_table(load):
    content = items(encoded(JPEGLSLossless), (0, 500, 1000))[:14]
    with pytest.raises(CutOffError, match="frame 1 of 3 is missing: the file ends at byte"):
        await load(encapsulated(header(), content, JPEGLSLossless))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
async def test_truncated_native_file_of_several_frames(load, syntax):
    body = builders.native(pixels(), syntax, NumberOfFrames=FRAMES)[:-1000]
    for number in (1, 2):
        assert np.array_equal((await load(body, number)).pixels, pixels()[number - 1])
    with pytest.raises(CutOffError, match=r"frame 3 needs .* 1000 bytes are missing"):
        await load(body, 3)


async def test_truncated_deflated_file(load):
    """Noise is deflated to about its size; what is inflated of it is right."""
    body = builders.native(pixels(), DeflatedExplicitVRLittleEndian, NumberOfFrames=FRAMES)
    cut = body[: -len(body) // 4]
    image = await load(cut, 1)
    assert np.array_equal(image.pixels, pixels()[0])
    assert any("deflated data set is cut off" in warning for warning in image.warnings)
    with pytest.raises(CutOffError, match=r"frame 3 needs .* bytes are missing"):
        await load(cut, 3)


async def test_file_that_was_cut_off_is_fetched_again(context, transport):
    """A server that was still writing has the rest later."""
    body = builders.native(pixels(), NumberOfFrames=FRAMES)
    transport.answers[URL] = body[:-1000]
    image_id = f"wadouri:{URL}?frame=3"
    with pytest.raises(CutOffError):
        await load_image(image_id, context)
    transport.answers[URL] = body
    assert np.array_equal((await load_image(image_id, context)).pixels, pixels()[2])


# ------------------------------------------------------------------ damaged headers

PIXELS = builders.ramp(12, 10)


def parts(syntax: str = ExplicitVRLittleEndian) -> tuple[bytes, bytes]:
    """Return meta header, without preamble and prefix, and data set of a file."""
    body = builders.native(PIXELS, syntax)
    data_set = builders.bare(body)
    return body[132 : len(body) - len(data_set)], data_set


def swapped_meta(syntax: str) -> bytes:
    """Return a meta header in big endian, which PS3.10 7.1 forbids."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return pack(">HH2sH", 2, 0x10, b"UI", len(uid)) + uid


WITHOUT = {
    "no preamble": lambda meta, data: b"DICM" + meta + data,
    "no preamble and no prefix": lambda meta, data: meta + data,
    "no meta header": lambda meta, data: data,
    "no meta header behind the prefix": lambda meta, data: bytes(128) + b"DICM" + data,
    "no group length": lambda meta, data: bytes(128) + b"DICM" + meta[12:] + data,
    "wrong group length": lambda meta, data: (
        bytes(128) + b"DICM" + meta[:8] + pack("<L", 9999) + meta[12:] + data
    ),
    "a command set": lambda meta, data: (
        pack("<HHLL", 0, 0, 4, 10) + pack("<HHLH", 0, 0x0100, 2, 1) + data
    ),
    "trailing rubbish": lambda meta, data: bytes(128) + b"DICM" + meta + data + b"\xff" * 33,
    "a preamble that is no zeros": lambda meta, data: b"II*\0" * 32 + b"DICM" + meta + data,
}


@pytest.mark.parametrize("damage", WITHOUT)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
async def test_header_without(load, damage, syntax):
    image = await load(WITHOUT[damage](*parts(syntax)))
    assert np.array_equal(image.pixels, PIXELS)


async def test_big_endian_without_meta_header(load):
    _, data_set = parts(ExplicitVRBigEndian)
    image = await load(data_set)
    assert np.array_equal(image.pixels, PIXELS)
    assert image.encoding.transfer_syntax_uid == ExplicitVRBigEndian


@pytest.mark.parametrize("done", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
async def test_group_2_in_wrong_endianness(load, done):
    _, data_set = parts(done)
    image = await load(bytes(128) + b"DICM" + swapped_meta(done) + data_set)
    assert np.array_equal(image.pixels, PIXELS)


@pytest.mark.parametrize(
    ("said", "done"),
    [
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ExplicitVRBigEndian),
        (ImplicitVRLittleEndian, ExplicitVRBigEndian),
        (ExplicitVRBigEndian, ExplicitVRLittleEndian),
        (ExplicitVRBigEndian, ImplicitVRLittleEndian),
        (DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian),
    ],
)
async def test_transfer_syntax_that_is_wrong_in_the_meta_header(load, said, done):
    if said == DeflatedExplicitVRLittleEndian:
        done = ExplicitVRLittleEndian  # implicit bytes cannot be told from deflated ones
    image = await load(meta(said) + parts(done)[1])
    assert np.array_equal(image.pixels, PIXELS)
    assert any("it was read as found" in warning for warning in image.warnings)


@pytest.mark.parametrize("name", ["bad_sequence.dcm", "explicit_VR-UN.dcm"])
async def test_sequences_of_unknown_vr_and_bad_lengths(load, name):
    path = corpus.FURTHER_DATA / name
    image = await load(path.read_bytes())
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    words = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    assert image.pixels.tobytes() == words


@pytest.mark.parametrize("vr", ["OV", "SV", "UV", "UN", "UC", "UR", "UT"])
async def test_vrs_with_lengths_of_32_bits(load, vr):
    """Parsers that do not know OV, SV and UV lose their way there (PS3.5 7.1.2)."""
    dataset = builders.header(PIXELS)
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    place = body.index(b"\xe0\x7f\x10\x00OW")
    value = vr.encode() + b"\0\0" + pack("<L", 16) + b"0123456789abcdef"
    private = b"\xdf\x7f\x10\x00LO\x08\0PRIVATE " + b"\xdf\x7f\x01\x10" + value
    image = await load(body[:place] + private + body[place:])
    assert np.array_equal(image.pixels, PIXELS)


@pytest.mark.parametrize("is_explicit", [False, True])
async def test_un_of_undefined_length(load, is_explicit):
    """CP-246: what is within is implicit, whatever the file is."""
    body = builders.native(PIXELS)
    place = body.index(b"\xe0\x7f\x10\x00OW")
    inner = pack("<HHL", 0x0008, 0x0060, 2) + b"CT"
    if is_explicit:  # as some write it nevertheless
        inner = pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"CT"
    nested = b"\xfe\xff\x00\xe0" + pack("<L", 0xFFFFFFFF) + inner + b"\xfe\xff\x0d\xe0" + bytes(4)
    element = b"\xdf\x7f\x01\x10UN\0\0\xff\xff\xff\xff" + nested + DELIMITER
    image = await load(body[:place] + b"\xdf\x7f\x10\x00LO\x08\0PRIVATE " + element + body[place:])
    assert np.array_equal(image.pixels, PIXELS)


@pytest.mark.parametrize(
    ("tag", "vr"),
    [(0x0010, b"SS"), (0x0011, b"UN"), (0x0101, b"OB"), (0x0102, b"UN"), (0x0103, b"SS")],
)
async def test_wrong_vr_of_what_decoding_needs(load, tag, vr):
    body = builders.native(PIXELS)
    place = body.index(pack("<HH2sH", 0x0028, tag, b"US", 2)) + 4
    length = b"\0\0" + pack("<L", 2) if vr in (b"UN", b"OB") else pack("<H", 2)
    image = await load(body[:place] + vr + length + body[place + 4 :])
    assert np.array_equal(image.pixels, PIXELS)
