"""Tests of `pyloader.pixels`."""
