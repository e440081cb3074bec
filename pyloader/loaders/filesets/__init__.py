"""File sets (archives, folders, media with a DICOMDIR), and their images by series."""
