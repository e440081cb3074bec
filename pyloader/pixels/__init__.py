"""Pixels: encoded frames to stored values, and stored values to what a page asked for."""
