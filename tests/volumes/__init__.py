"""Tests of `pyloader/volumes/`."""
