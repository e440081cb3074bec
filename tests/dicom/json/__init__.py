"""Tests of `pyloader/dicom/json/`."""
