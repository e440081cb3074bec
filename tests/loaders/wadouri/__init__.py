"""Tests of `pyloader/loaders/wadouri/`."""
