"""Chunks of a body are searched and sliced as their joined bytes are."""

from __future__ import annotations

import random

from pyloader.dicomweb.chunk_buffer import ChunkBuffer


def test_chunk_buffer_finds_and_takes_like_joined_bytes():
    chance = random.Random(4)
    for _ in range(300):
        chunks = [bytes(chance.choices(b"ab", k=chance.randint(0, 6))) for _ in range(8)]
        buffer, whole = ChunkBuffer(), b"".join(chunks)
        for chunk in chunks:
            buffer.append(chunk)
        needle = bytes(chance.choices(b"ab", k=chance.randint(1, 7)))
        start, stop = chance.randint(0, len(whole)), chance.randint(0, len(whole) + 3)
        assert buffer.find(needle, start) == whole.find(needle, start)
        assert buffer.take(start, stop) == whole[start:stop]


def test_chunk_buffer_keeps_offsets_after_a_drop():
    buffer = ChunkBuffer()
    for chunk in (b"abc", b"def", b"ghi"):
        buffer.append(chunk)
    buffer.drop(4)
    assert buffer.chunks == [b"def", b"ghi"]
    assert buffer.find(b"fg", 3) == 5
    assert buffer.take(4, 8) == b"efgh"
