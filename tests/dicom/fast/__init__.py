"""Tests of `pyloader/dicom/fast/`."""
