
__version__ = "3.0.2"
__version_info__ = ("3", "0", "2")
__dicom_version__ = __concepts_version__ = "2024c"
