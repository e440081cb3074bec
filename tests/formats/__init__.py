"""Tests of `pyloader.formats`, module by module."""
