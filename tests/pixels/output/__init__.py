"""Tests of `pyloader/pixels/output/`."""
