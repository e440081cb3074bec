"""Decode frames to stored values, and convert these to the form that a page asks for."""
