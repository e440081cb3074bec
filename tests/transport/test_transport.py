"""Requests and responses: lengths and ranges; `web/worker/fetch.js` has its own tests."""

from __future__ import annotations

import pytest

from pyloader.transport import Request, Response


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "10"}, 10),
        ({"content-length": "0"}, 0),
        ({"content-length": "10", "content-encoding": "gzip"}, None),
        ({"content-length": ""}, None),
        ({"content-length": "ten"}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "\xb2"}, None),  # a digit to str.isdigit(), no number to int()
        ({}, None),
    ],
)
def test_length_that_is_told(headers, length):
    assert Response("https://host/a", 200, headers, b"").length == length


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [
        (None, {}),
        ((0, 10), {"Range": "bytes=0-9"}),
        ((5, 6), {"Range": "bytes=5-5"}),
        ((5, None), {"Range": "bytes=5-"}),
    ],
)
def test_header_that_asks_for_a_range(byte_range, expected):
    assert Request("https://host/a", byte_range=byte_range).range_header == expected
