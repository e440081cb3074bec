"""Measurements of speed, size and growth: `./build.sh bench` takes them of dist/, in Chromium."""
