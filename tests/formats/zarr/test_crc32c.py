"""CRC-32C against google-crc32c and the standard's own value."""

from __future__ import annotations

import google_crc32c
import numpy as np
import pytest

from pyloader.formats.zarr.crc32c import crc32c


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 100, 1023, 1024, 65_537])
def test_checksum(size):
    body = np.random.default_rng(size).bytes(size)
    assert crc32c(body) == google_crc32c.value(body)


def test_checksum_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
