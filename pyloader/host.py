"""The environment a loader runs in: `Host`, the seam to a page, and `PlainHost` for CPython."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy import uint8
from numpy.typing import NDArray

from pyloader.errors import PackageError, UnsupportedError

# Extras of the distribution (PEP 508) by the package that each installs.
EXTRAS = {"pynrrd": "nrrd", "tifffile": "tiff"}
Describe = Callable[[str, bool], Awaitable["Mapping[str, Any] | None"]]
"""``(source, asks_anew)``: return the known metadata of an image, as ``{"json": DICOM JSON}`` or
``{"attributes": values by DICOM keyword}``, or None. With `asks_anew` it fetches the metadata of
the one instance."""


class Host(Protocol):
    """The environment that a loader uses besides requests; `Context` calls it."""

    @property
    def describe(self) -> Describe | None:
        """The function that looks up metadata once for all workers; None: there is no page."""
        ...

    async def install(self, requirement: str) -> None:
        """Make a Python package importable (PEP 508: ``"pynrrd"``, ``"pynrrd>=1.1"``).

        Raises
        ------
        PackageError
        """
        ...

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[uint8]:
        """Decode the frame `frame_index`, from 0, of a web image outside Python.

        Returns
        -------
        (rows, columns, 4) uint8 array
            RGBA, alpha not premultiplied, rotated by the image's own orientation.

        Raises
        ------
        UnsupportedError, DecodeError
        """
        ...


class PlainHost:
    """Plain CPython: no metadata is known beforehand, and the user installs packages."""

    describe: Describe | None = None

    async def install(self, requirement: str) -> None:
        """Raise `PackageError`, whose text says how to install the package."""
        wanted = f"pyloader-dicom[{EXTRAS[requirement]}]" if requirement in EXTRAS else requirement
        raise PackageError(
            f"the Python package {requirement!r} is needed for this and is not installed; "
            f"install it, for example with: pip install '{wanted}'"
        )

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[uint8]:
        """Raise `UnsupportedError`: plain CPython has no browser."""
        raise UnsupportedError(f"{media_type} is decoded by browsers, and plain Python has none")


if TYPE_CHECKING:
    _proof: Host = PlainHost()
