"""Tests of `pyloader/loaders/nifti/`."""
