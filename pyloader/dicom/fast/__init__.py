"""Quick readers of elements and their values, for what most files are; pydicom reads the rest."""
