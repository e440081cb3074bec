"""Names in the character sets of the standard's examples, and files that hold them."""

from __future__ import annotations

from struct import pack

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.support import builders

PIXELS = np.zeros((2, 2), "u2")
# The examples of PS3.5 H to J and their like: Specific Character Set, name as encoded, name.
NAMES = [
    (b"", b"Adams^John", "Adams^John"),
    (b"ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    (b"ISO_IR 101", b"W\xb3odek", "Włodek"),
    (b"ISO_IR 109", b"\xa6a\xbbda", "Ĥağda"),
    (b"ISO_IR 110", b"Rainis^J\xe3nis", "Rainis^Jãnis"),
    (b"ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    (b"ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
    (b"ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
    (b"ISO_IR 144", b"\xbb\xee\xdace\xdc\xd1yp\xd3", "Люкceмбypг"),  # noqa: RUF001 -- Latin letters among them, as in the file
    (b"ISO_IR 148", b"\xc7avu\xfeo\xf0lu", "Çavuşoğlu"),
    (b"ISO_IR 166", b"\xca\xc1\xaa\xd2\xc2", "สมชาย"),
    (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    (b"ISO_IR 192", "Wang^XiaoDong=王^小東".encode(), "Wang^XiaoDong=王^小東"),
    (b"GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
    (b"GBK", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
    # A character whose second byte is that of a backslash.
    (b"GB18030", b"\x8f\x5c^A", "廫^A"),
    (
        b"\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (
        b"ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
    ),
    (b"\\ISO 2022 IR 159", b"A=\x1b$(D\x30\x21\x1b(B^B", "A=丂^B"),
    (
        b"\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    (
        b"\\ISO 2022 IR 58",
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab",
        "Zhang^XiaoDong=张^小东",
    ),
    (b"ISO 2022 IR 6\\ISO 2022 IR 100", b"Buc^J\x1b-A\xe9r\xf4me", "Buc^Jérôme"),
]


def encoded(charset: bytes, name: bytes, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return a file whose character set and name are these very bytes."""
    declared = [(0x00080005, "CS", charset)] if charset else []
    return with_elements(syntax, *declared, (0x00100010, "PN", name))


def element(tag: int, vr: str, value: bytes, is_implicit: bool) -> bytes:
    """Return an element, its value padded to an even length (PS3.5 7.1)."""
    value = value.ljust(len(value) + len(value) % 2)
    start = pack("<HH", tag >> 16, tag & 0xFFFF)
    return (
        start
        + (pack("<L", len(value)) if is_implicit else vr.encode() + pack("<H", len(value)))
        + value
    )


def with_elements(syntax: str, *elements: tuple[int, str, bytes]) -> bytes:
    """Return a file whose data set begins with elements of these very bytes."""
    body = builders.native(PIXELS, syntax)
    start = len(body) - len(builders.bare(body))
    is_implicit = syntax == ImplicitVRLittleEndian
    first = b"".join(element(*each, is_implicit) for each in elements)
    return body[:start] + first + body[start:]
