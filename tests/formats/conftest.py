"""The fixture of local files that tests of all formats share."""

from tests.support.slices import local

__all__ = ["local"]
