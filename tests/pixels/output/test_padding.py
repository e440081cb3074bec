"""Value ranges, with and without NaN."""

from __future__ import annotations

import numpy as np

from pyloader.pixels.output.padding import value_range


def test_range_of_integers():
    assert value_range(np.array([[3, -7], [5, 0]], "i2")) == (-7, 5)


def test_range_excludes_nan():
    assert value_range(np.array([np.nan, 1, -np.inf, 2, np.inf])) == (1, 2)


def test_range_of_nothing_but_nan():
    assert value_range(np.array([np.nan])) == (0, 0)


def test_range_has_python_numbers():
    assert {type(end) for end in value_range(np.array([1, 2], "u1"))} == {int}
    assert {type(end) for end in value_range(np.array([1, 2], "f4"))} == {float}
