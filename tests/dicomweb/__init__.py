"""Tests of `pyloader/dicomweb/`."""
