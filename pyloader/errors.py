"""The error tree. Everything pyloader raises on purpose is a ``LoaderError``.

::

    LoaderError                      what a page or a script sees; image_id, code, stage
     |- ImageIdError      ValueError           an imageId that cannot be parsed
     |- UnknownSchemeError LookupError         no loader registered for its scheme
     |- TransportError    OSError              the bytes did not arrive; url
     |   |- RequestError                       the request cannot be sent
     |   |- NetworkError                       no response at all
     |   '- HttpStatusError                    a response that is not a success; status
     |- FormatError       ValueError           the bytes are not what they should be
     |- UnsupportedError  NotImplementedError  valid, but no decoder here
     |- DecodeError       RuntimeError         the codec failed, or gave another size
     |- PackageError      ImportError          a Python package cannot be installed
     '- CustomLoaderError RuntimeError         a loader registered by a user failed

Each text says what failed on which thing, actual against expected, the likely cause and what
to do. ``code`` and ``stage`` are stable words for programs; they cross to JavaScript unchanged.
Secrets are removed from URLs in errors: see `redaction`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from pyloader.redaction import redacted


class LoaderError(Exception):
    """Base of all errors raised by pyloader.

    Attributes
    ----------
    image_id : str or None
        The imageId being loaded; filled once, by `about`.
    code : str
        The kind of failure, for programs.
    stage : str
        The stage that failed: ``"dispatch"``, ``"fetch"``, ``"parse"``, ``"decode"`` or
        ``"loader"``.
    """

    code: ClassVar[str] = "loader"
    stage: ClassVar[str] = "loader"

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))
        self._image_id: str | None = None

    @property
    def image_id(self) -> str | None:
        """The imageId being loaded."""
        return self._image_id

    @image_id.setter
    def image_id(self, image_id: str | None) -> None:
        self._image_id = image_id and redacted(image_id)

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling with all attributes, whatever arguments a subclass is made with."""
        return restore, (type(self), self.args, vars(self).copy())


def restore(kind: type[LoaderError], args: tuple[Any, ...], attributes: Any) -> LoaderError:
    """Return an error as it was before it was pickled."""
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(attributes)
    return error


class ImageIdError(LoaderError, ValueError):
    """An imageId has no scheme, or a frame number that is not a positive integer."""

    code = "image-id"
    stage = "dispatch"


class UnknownSchemeError(LoaderError, LookupError):
    """No loader is registered for the scheme of an imageId."""

    code = "unknown-scheme"
    stage = "dispatch"


class TransportError(LoaderError, OSError):
    """A request did not bring its bytes.

    Attributes
    ----------
    url : str
        The URL of the request.
    """

    code = "transport"
    stage = "fetch"

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = redacted(url)


class RequestError(TransportError):
    """A request that cannot be sent: a header with a line break, mixed content, a failed hook."""

    code = "request"


class NetworkError(TransportError):
    """No response: refused by CORS, unreachable, or cut off before the end of the body."""

    code = "network"


class HttpStatusError(TransportError):
    """A response whose status is not a success.

    Attributes
    ----------
    status : int
        The HTTP status code.
    """

    code = "http-status"

    def __init__(self, message: str, url: str, status: int) -> None:
        super().__init__(message, url)
        self.status = status


class FormatError(LoaderError, ValueError):
    """Bytes or metadata that break their format: truncated, not DICOM, an attribute missing."""

    code = "format"
    stage = "parse"


class UnsupportedError(LoaderError, NotImplementedError):
    """Valid data that cannot be decoded here; the text lists what can be decoded."""

    code = "unsupported"
    stage = "decode"


class DecodeError(LoaderError, RuntimeError):
    """A codec failed, or its result disagrees with the header."""

    code = "decode"
    stage = "decode"


class PackageError(LoaderError, ImportError):
    """A Python package that a loader needs is missing and cannot be installed."""

    code = "package"


class CustomLoaderError(LoaderError, RuntimeError):
    """A loader registered by a user raised, or returned something that is not an image."""

    code = "loader"


@contextmanager
def about(image_id: str) -> Iterator[None]:
    """Name `image_id` on any `LoaderError` that passes through and has none yet."""
    try:
        yield
    except LoaderError as error:
        if error.image_id is None:
            error.image_id = image_id
        raise
