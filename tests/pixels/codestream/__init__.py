"""Tests of `pyloader/pixels/codestream/`."""
