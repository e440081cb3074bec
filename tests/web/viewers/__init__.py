"""Viewers that pyloader is connected to: whole apps, as their makers deliver them."""
