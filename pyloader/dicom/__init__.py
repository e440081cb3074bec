"""DICOM: files to `Instance`, data sets to the modules of `pyloader.image`."""

from pydicom import config

# Values are checked where they are used, with an error that names them; pydicom's own validation
# of every value of every element costs time and refuses files that can be shown.
config.settings.reading_validation_mode = config.IGNORE
