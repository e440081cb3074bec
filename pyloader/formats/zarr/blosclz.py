"""BloscLZ, Blosc's own codec: literals and matches, as in FastLZ.

imagecodecs for browsers lacks it. After a control byte n below 32, n + 1 literals follow. Any other
control byte begins a match: 3 bits of its length and 5 of its distance; both may continue.
"""

from __future__ import annotations

LITERALS = 32
LONG, FAR = 6, 31
# A distance too long for 13 bits has 16 more.
NEAREST_FAR = 8191
LEAST = 3


def blosclz_decode(packed: bytes, size: int) -> bytes:
    """Decompress a stream to at most `size` bytes.

    Raises
    ------
    ValueError
        The stream is damaged, or yields more.
    """
    found = bytearray()
    place, end = 0, len(packed)
    while place < end:
        # The first byte begins literals, regardless of its upper bits.
        control = packed[place] if place else packed[0] % LITERALS
        place += 1
        if control < LITERALS:
            found += packed[place : place + control + 1]
            place += control + 1
        else:
            place, length, distance = read_match(packed, place, control)
            # Limit the length before copying: each byte of a length adds up to 255.
            copy(found, min(length, size + 1 - len(found)), distance)
        if len(found) > size or place > end:
            raise ValueError(f"the stream exceeds {min(len(found), size)} of {size} bytes")
    return bytes(found)


def read_match(packed: bytes, place: int, control: int) -> tuple[int, int, int]:
    """Return the position after a match, its length, and its distance backwards."""
    try:
        length, distance = (control >> 5) - 1, (control & FAR) << 8
        is_far = distance == FAR << 8
        if length == LONG:
            while packed[place] == 255:
                length, place = length + 255, place + 1
            length, place = length + packed[place], place + 1
        distance += packed[place]
        place += 1
        if is_far and packed[place - 1] == 255:
            distance = NEAREST_FAR + (packed[place] << 8) + packed[place + 1]
            place += 2
    except IndexError as error:
        raise ValueError("the stream is cut off within a match") from error
    return place, length + LEAST, distance + 1


def copy(found: bytearray, length: int, distance: int) -> None:
    """Append `length` bytes from `distance` back; they may overlap the appended ones."""
    if distance > len(found):
        raise ValueError(f"a match begins {distance} bytes back, of {len(found)}")
    start = len(found) - distance
    piece = found[start : start + length]
    if len(piece) < length:
        piece = (piece * (length // distance + 1))[:length]
    found += piece
