"""The DICOM JSON Model (PS3.18 F), read and written."""
