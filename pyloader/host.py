"""The environment a loader runs in: `Host`, the seam to a page, and `PlainHost` for CPython."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy import uint8
from numpy.typing import NDArray

from pyloader.errors import PackageError, UnsupportedError

# Extras of the distribution (PEP 508) by the package that each of them brings.
EXTRAS = {"pynrrd": "nrrd", "tifffile": "tiff"}
Describe = Callable[[str, bool], Awaitable["Mapping[str, Any] | None"]]
"""``(source, asks_anew)``: what is known of an image: ``{"json": DICOM JSON}``, ``{"attributes":
values by DICOM keyword}``, or None. Asked anew, it fetches the metadata of the instance alone."""


class Host(Protocol):
    """The environment that a loader may ask, beside requests; `Context` asks for it."""

    @property
    def describe(self) -> Describe | None:
        """Asks what is known of an image, or is found out once for all workers; None: nobody."""
        ...

    async def install(self, requirement: str) -> None:
        """Make a Python package importable (PEP 508: ``"pynrrd"``, ``"pynrrd>=1.1"``).

        Raises
        ------
        PackageError
        """
        ...

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[uint8]:
        """Decode a frame, from 0, of a web image by other means than Python's.

        Returns
        -------
        (rows, columns, 4) uint8 array
            RGBA, alpha not multiplied in, turned as the image's own orientation says.

        Raises
        ------
        UnsupportedError, DecodeError
        """
        ...


class PlainHost:
    """Plain CPython: nothing is known beforehand, and packages are installed by its user."""

    describe: Describe | None = None

    async def install(self, requirement: str) -> None:
        """Say how to install the package."""
        wanted = f"pyloader-dicom[{EXTRAS[requirement]}]" if requirement in EXTRAS else requirement
        raise PackageError(
            f"the Python package {requirement!r} is needed for this and is not installed; "
            f"install it, such as with: pip install '{wanted}'"
        )

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[uint8]:
        """Say that there is no browser here."""
        raise UnsupportedError(f"{media_type} is decoded by browsers, and plain Python has none")


if TYPE_CHECKING:
    _proof: Host = PlainHost()
