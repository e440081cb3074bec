"""Sets of files: archives, folders and media with a DICOMDIR, and their images by series."""
