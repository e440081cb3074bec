"""DICOMweb: its addresses and media types, its metadata and frames, its searches (PS3.18)."""
