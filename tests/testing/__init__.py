"""Tests of `pyloader/testing/`."""
