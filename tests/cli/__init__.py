"""Tests of `pyloader/cli/`."""
