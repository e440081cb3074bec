"""DICOMweb services: addresses, media types, metadata, frames and searches (PS3.18)."""
