"""Make the sample data in dist/samples/: generated images, and files from pydicom's wheel."""
