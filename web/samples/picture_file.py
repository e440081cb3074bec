"""Write minimal web images: PNG (RFC 2083), TIFF 6.0 and animated GIF (GIF89a)."""

import struct
import zlib
from collections.abc import Iterator, Sequence

PNG_COLORS = {1: 0, 3: 2, 4: 6}  # samples of a pixel -> colour type
MAGIC = b"\x89PNG\r\n\x1a\n"


def png(rows: Sequence[bytes], columns: int, samples: int = 1, bits: int = 8) -> bytes:
    """
    Return a PNG of rows of samples.

    Parameters
    ----------
    rows : sequence of bytes
        Interleaved samples; those of 16 bits are big-endian.
    samples : int
        1 grey, 3 RGB, 4 RGBA.
    """
    header = struct.pack(">2I5B", columns, len(rows), bits, PNG_COLORS[samples], 0, 0, 0)
    lines = b"".join(b"\0" + row for row in rows)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return MAGIC + b"".join(chunk(name, body) for name, body in chunks)


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checked = name + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


# ---------------------------------------------------------------- TIFF

SHORT, LONG = 3, 4


def tiff(pages: Sequence[bytes], columns: int, rows: int) -> bytes:
    """Return a TIFF of 16-bit grey pages, little-endian, deflated."""
    file = bytearray(b"II*\0" + bytes(4))
    link = 4  # place of the offset of the next page's directory
    for page in pages:
        strip = zlib.compress(page, 9)
        begin = len(file)
        file += strip + bytes(len(strip) % 2)
        struct.pack_into("<I", file, link, len(file))
        entries = directory(columns, rows, begin, len(strip))
        file += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
        link = len(file) - 4
    return bytes(file)


def directory(columns: int, rows: int, begin: int, length: int) -> list[bytes]:
    """Return the entries of a page whose single strip is at `begin`."""
    fields = [
        (256, LONG, columns),
        (257, LONG, rows),
        (258, SHORT, 16),  # BitsPerSample
        (259, SHORT, 8),  # Compression: Adobe Deflate
        (262, SHORT, 1),  # PhotometricInterpretation: black is zero
        (273, LONG, begin),
        (277, SHORT, 1),  # SamplesPerPixel
        (278, LONG, rows),
        (279, LONG, length),
    ]
    return [struct.pack("<2HII", tag, kind, 1, value) for tag, kind, value in fields]


# ---------------------------------------------------------------- GIF

CODE_BITS = 8
CLEAR, END = 1 << CODE_BITS, (1 << CODE_BITS) + 1
MOST_CODES = 1 << 12


def gif(frames: Sequence[bytes], columns: int, palette: bytes, delay: int) -> bytes:
    """
    Return a GIF that repeats for ever.

    Parameters
    ----------
    frames : sequence of bytes
        Indices into `palette`, row after row.
    palette : 768 bytes
        256 colours.
    delay : int
        Hundredths of a second between frames.
    """
    rows = len(frames[0]) // columns
    screen = b"GIF89a" + struct.pack("<2H3B", columns, rows, 0xF7, 0, 0) + palette
    loop = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    control = struct.pack("<4BHBB", 0x21, 0xF9, 4, 0, delay, 0, 0)
    image = struct.pack("<B4HBB", 0x2C, 0, 0, columns, rows, 0, CODE_BITS)
    pictures = (control + image + blocks(lzw(frame)) for frame in frames)
    return screen + loop + b"".join(pictures) + b";"


def blocks(body: bytes) -> bytes:
    """Return a body in blocks of at most 255 bytes."""
    parts = (body[start : start + 255] for start in range(0, len(body), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def lzw(indices: bytes) -> bytes:
    """Return indices as GIF's codes of variable length."""
    value = filled = 0
    packed = bytearray()
    for code, width in codes(indices):
        value |= code << filled
        filled += width
        while filled >= 8:
            packed.append(value & 0xFF)
            value >>= 8
            filled -= 8
    packed.append(value)
    return bytes(packed)


def codes(indices: bytes) -> Iterator[tuple[int, int]]:
    """Yield each code with its number of bits."""
    table: dict[bytes, int] = {}
    known, width = b"", CODE_BITS + 1
    yield CLEAR, width
    for index in indices:
        longer = known + bytes([index])
        if len(longer) == 1 or longer in table:
            known = longer
            continue
        yield (table[known] if len(known) > 1 else known[0]), width
        known = longer[-1:]
        if END + 1 + len(table) == MOST_CODES:
            yield CLEAR, width
            table, width = {}, CODE_BITS + 1
            continue
        table[longer] = END + 1 + len(table)
        # The reader's table is one entry behind.
        if table[longer] == 1 << width:
            width += 1
    yield (table[known] if len(known) > 1 else known[0]), width
    yield END, width
