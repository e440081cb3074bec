"""How fast, how large, how it grows: `./build.sh bench` measures what is in dist/, in Chromium."""
