"""DICOM: parse files into `Instance`, and data sets into the modules of `pyloader.image`."""

from pydicom import config

# pyloader checks a value where it uses it, with an error that names it. pydicom's own validation of
# every value costs time, and rejects files that can be shown.
config.settings.reading_validation_mode = config.IGNORE
