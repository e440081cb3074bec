"""Plain CPython as the environment of a loader."""

from __future__ import annotations

import pytest

from pyloader.errors import PackageError, UnsupportedError
from pyloader.host import PlainHost


@pytest.mark.parametrize(
    ("requirement", "command"),
    [
        ("pynrrd", r"pip install 'pyloader-dicom\[nrrd\]'"),
        ("tifffile", r"pip install 'pyloader-dicom\[tiff\]'"),
        ("somewhere>=1.2", "pip install 'somewhere>=1.2'"),
    ],
)
async def test_packages_are_the_users_to_install(requirement, command):
    with pytest.raises(PackageError, match=f"'{requirement}' is needed.*{command}"):
        await PlainHost().install(requirement)


async def test_there_is_no_browser():
    with pytest.raises(UnsupportedError, match="image/avif is decoded by browsers"):
        await PlainHost().decode(b"", "image/avif", 0)


def test_no_metadata_are_known():
    assert PlainHost().describe is None
