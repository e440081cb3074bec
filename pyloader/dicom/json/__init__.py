"""Read and write the DICOM JSON Model (PS3.18 F)."""
