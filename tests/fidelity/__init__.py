"""Tests of `pyloader/fidelity/`."""
