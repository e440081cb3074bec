"""Makers of the sample data in dist/samples/: images in code, and files of pydicom's wheel."""
