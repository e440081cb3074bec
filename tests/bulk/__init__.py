"""Tests of `pyloader/bulk/`."""
