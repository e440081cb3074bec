"""What every implementation of a seam does: classes that tests inherit."""
