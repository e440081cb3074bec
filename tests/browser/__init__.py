"""Tests of `pyloader/browser/`."""
