"""Volumes, their geometry, and the slices cut from them; `pyloader.volume` is public."""
