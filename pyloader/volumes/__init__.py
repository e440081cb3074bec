"""Volumes: their geometry, and the slices that pyloader cuts; `pyloader.volume` is public."""
