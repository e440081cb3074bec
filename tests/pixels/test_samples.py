"""Words that equal their values are found without checking each; against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader.image import PixelModule
from pyloader.pixels.samples import any_bits, is_plain, stored_values


def described(words: np.ndarray, bits: int, high: int | None = None) -> PixelModule:
    """Return the description of words with `bits` stored bits."""
    return PixelModule.of(words, bits_stored=bits, high_bit=bits - 1 if high is None else high)


def value_of(word: int, bits: int, is_signed: bool) -> int:
    """Return the value of the lowest bits of a word."""
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if is_signed and value >> (bits - 1) else value


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_one_word_that_differs_from_its_value_is_found_anywhere(dtype):
    size = np.dtype(dtype).itemsize * 8
    for bits in range(1, size):
        for place in (0, 1, 2, 3, 17, 30, 31, 32, 34):
            for extra in {bits, size - 1}:
                words = np.zeros((5, 7), dtype)  # not a multiple of 8 bytes
                assert is_plain(words, described(words, bits))
                words.view(f"u{size // 8}").flat[place] = 1 << extra
                assert not is_plain(words, described(words, bits)), (bits, place, extra)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("shape", [(8, 8), (3, 5), (4, 4, 3)])
def test_values_have_the_stored_bits(dtype, shape):
    chance = np.random.default_rng(1)
    size = np.dtype(dtype).itemsize * 8
    for bits in range(1, size):
        full = chance.integers(0, 1 << size, shape, "u8").astype(f"u{size // 8}").view(dtype)
        values = [value_of(int(word), bits, dtype[0] == "i") for word in full.flat]
        expected = np.array(values).reshape(shape)
        found = stored_values(full, described(full, bits))
        assert np.array_equal(found, expected)
        plain = expected.astype(dtype)
        assert np.array_equal(stored_values(plain, described(plain, bits)), expected)
        assert is_plain(plain, described(plain, bits))


def test_words_that_are_values_are_not_copied():
    words = np.arange(64, dtype="u2").reshape(8, 8)
    assert stored_values(words, described(words, 12)) is words
    assert stored_values(words - 7, described(words, 12)) is not words


@pytest.mark.parametrize("order", ["every other column", "by columns"])
def test_words_that_are_not_contiguous_are_converted(order):
    words = np.full((8, 16), 0xF001, "u2")
    words = words[:, ::2] if order == "every other column" else np.asfortranarray(words)
    assert not is_plain(words, described(words, 12))
    assert (stored_values(words, described(words, 12)) == 1).all()


def test_values_in_the_upper_bits_of_a_word_are_not_plain():
    words = np.full((4, 4), 0x0010, "u2")
    assert not is_plain(words, described(words, 12, high=15))
    assert (stored_values(words, described(words, 12, high=15)) == 1).all()


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
def test_bits_of_any_sample(dtype):
    for place in range(16):
        samples = np.zeros(16, dtype)
        samples[place] = 5
        samples[(place + 3) % 16] |= 8
        assert any_bits(samples) == 13
        assert any_bits(samples[place : place + 1]) == 5


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("place", [0, 131_071, 131_072, 300_000, -1])
def test_bits_are_found_anywhere_in_many_samples(dtype, place):
    samples = np.zeros(600_003, dtype)
    assert any_bits(samples) == 0
    samples[place] = 64
    # For signed samples, neighbouring bits that differ count: 64 is 1000000.
    assert any_bits(samples) & 64
    assert not any_bits(samples) & 7
