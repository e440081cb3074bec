"""Contracts of every implementation of a seam: classes that tests inherit."""
