"""`Source` and `Ready`: fetching, which waits, apart from making, which never does.

A scheme is one function, `Open`. It opens the source that an imageId names: a file, an instance, a
volume, an archive. The source lists its images, and fetches what one of them needs. Plain calls
then make the image, or its metadata alone::

    source = await open_source(image_id, context)
    ready = await source.fetch(image_id, context)
    image = ready.make(context)

So one loop can make many images without a task for each, and tests of decoding need no transport.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.image import Image, modules_of
from pyloader.imageid import ImageId

Modules = Mapping[str, Mapping[str, Any]]
"""Modules by snake_case name (``"image_plane"``), attributes by snake_case keyword."""


@dataclass(frozen=True, slots=True)
class Series:
    """The images of one series.

    Attributes
    ----------
    attributes : dict
        Patient, study and series attributes of the first file that can be read, by snake_case
        keyword; empty when none are known.
    image_ids : list of str
        Every frame.
    missing : list of str
        Files that a DICOMDIR names and that do not exist.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    image_ids: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class FrameHeader(Protocol):
    """All that decoding a frame needs besides its bytes; it can be pickled."""

    def is_same(self, other: Any) -> bool:
        """Return whether both are of the same parsed source, not merely of an equal one."""
        ...

    def ready(self, image_id: ImageId, body: bytes) -> Ready:
        """Return the frame of an imageId, whose encoded bytes are `body`."""
        ...


class EncodedFrame:
    """An encoded frame, and the header to decode it with.

    Attributes
    ----------
    header : FrameHeader
        The same for all frames of a source.
    body : bytes
        The codestream, its fragments joined.
    """

    def __init__(self, header: FrameHeader, body: bytes) -> None:
        self.header = header
        self.body = body


class Ready(Protocol):
    """All that one image needs: bytes, codec libraries, what a browser decoded."""

    def make(self, context: Context) -> Image:
        """Decode and describe the image; never waits.

        Raises
        ------
        LoaderError
            It cannot be decoded, or takes more memory than `Context.decoded_bytes`.
        """
        ...

    def describe(self, context: Context) -> Modules:
        """Return the image's metadata, without decoding it where possible; never waits.

        Raises
        ------
        LoaderError
            There is no such image.
        """
        ...

    def encoded(self) -> EncodedFrame | None:
        """Return the encoded frame; None when no other worker can decode it.

        Raises
        ------
        LoaderError
            There is no such frame, or it is cut off.
        """
        ...


class Source(Protocol):
    """An opened source: a file, an instance, a volume, an archive, a store."""

    @property
    def nbytes(self) -> int:
        """Bytes that the source keeps in memory; the cache counts them."""
        ...

    @property
    def is_encoded(self) -> bool:
        """True when `Ready.encoded` may return a frame, which another worker can decode."""
        ...

    async def list_series(self, image_id: ImageId, context: Context) -> Sequence[Series]:
        """Return its images by series.

        Raises
        ------
        LoaderError
            There are no images, or more than a list may have.
        """
        ...

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Fetch what one image needs; without `pixels` only what `Ready.describe` needs.

        Raises
        ------
        LoaderError
            There is no such image, or it cannot be fetched.
        """
        ...

    def ready(self, image_id: ImageId) -> Ready | None:
        """Return the same as `fetch` if it is here already, else None; never waits."""
        ...


class Open(Protocol):
    """The function that serves a scheme: it opens the source of an imageId."""

    def __call__(
        self, image_id: ImageId, context: Context, *, pixels: bool = True
    ) -> Awaitable[Source]:
        """Return the source, opened once for all its images by means of `Context.cached`.

        Parameters
        ----------
        pixels : bool, optional
            False when the caller needs only metadata or a list: the header is enough.

        Raises
        ------
        LoaderError
        """
        ...


class ImageReady:
    """A `Ready` of an image that is made already."""

    def __init__(self, image: Image) -> None:
        self.image = image

    def make(self, context: Context) -> Image:
        """Return the image."""
        return self.image

    def describe(self, context: Context) -> Modules:
        """Return the image's modules."""
        return modules_of(self.image)

    def encoded(self) -> None:
        """Return None: the image is decoded already."""


class MetadataReady:
    """A `Ready` of metadata that were fetched without the pixels."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules

    def make(self, context: Context) -> Image:
        """Raise: there are no pixels.

        Raises
        ------
        FormatError
        """
        raise FormatError("only the metadata of this image were fetched: fetch it with its pixels")

    def describe(self, context: Context) -> Modules:
        """Return the metadata."""
        return self.modules

    def encoded(self) -> None:
        """Return None: there are no pixels."""
