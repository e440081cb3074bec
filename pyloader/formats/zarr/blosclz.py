"""BloscLZ, the codec of Blosc itself: literals and matches, as FastLZ has them.

imagecodecs has none for browsers. A byte below 32 is followed by as many literals, and one more.
Another one begins a match: 3 bits of its length, 5 of its distance, both of which may go on.
"""

from __future__ import annotations

LITERALS = 32
LONG, FAR = 6, 31
# A distance that 13 bits cannot tell has 16 more.
NEAREST_FAR = 8191
LEAST = 3


def blosclz_decode(packed: bytes, size: int) -> bytes:
    """Return the bytes of a stream, `size` at most.

    Raises
    ------
    ValueError
        It is damaged, or makes more.
    """
    found = bytearray()
    place, end = 0, len(packed)
    while place < end:
        # The first byte begins literals, whatever its upper bits are.
        control = packed[place] if place else packed[0] % LITERALS
        place += 1
        if control < LITERALS:
            found += packed[place : place + control + 1]
            place += control + 1
        else:
            place, length, distance = read_match(packed, place, control)
            # Before it is made: each byte of a length stands for 255.
            copy(found, min(length, size + 1 - len(found)), distance)
        if len(found) > size or place > end:
            raise ValueError(f"the stream goes on beyond {min(len(found), size)} of {size} bytes")
    return bytes(found)


def read_match(packed: bytes, place: int, control: int) -> tuple[int, int, int]:
    """Return the place behind a match, its length, and how far back it begins."""
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
    """Add bytes that begin so far back, also those that are added by this."""
    if distance > len(found):
        raise ValueError(f"a match begins {distance} bytes back, of {len(found)}")
    start = len(found) - distance
    piece = found[start : start + length]
    if len(piece) < length:
        piece = (piece * (length // distance + 1))[:length]
    found += piece
