"""Tests of `pyloader/loaders/filesets/`."""
