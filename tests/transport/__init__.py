"""Tests of `pyloader.transport`."""
