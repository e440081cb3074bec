"""`Context`, all that a loader may use for one load: fetch, cache, progress and options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, TypeVar

from pyloader.cache import Cache, owned
from pyloader.errors import CustomLoaderError, FormatError, NetworkError
from pyloader.host import Host, PlainHost
from pyloader.image import Image
from pyloader.inflate import DECODED_BYTES
from pyloader.network import Listener, Network, Urgency
from pyloader.transport import Request, Response, Sink
from pyloader.transport.local import LocalFile
from pyloader.transport.url import url_beside

Value = TypeVar("Value")
LoadFunction = Callable[[str, "Context"], Awaitable[Any]]
speaker: ContextVar[str] = ContextVar("speaker", default="pyloader")
"""The name of the module whose code runs, such as a user's file; each load has its own."""

DEEPEST = 16


def ignore(phase: str, url: str, loaded: int, total: int | None, attempt: int) -> None:
    """Do nothing: the default `Listener`."""


@dataclass(frozen=True, slots=True)
class Context:
    """The services and options that a loader may use for one load.

    Attributes
    ----------
    network : Network
        Sends the requests of `fetch`.
    cache : Cache
        Shared by all loads of this interpreter; use it through `cached`.
    options : mapping
        The options of the load, as the page gave them.
    urgency : (int, float)
        Request type and priority of the load; lower is sooner.
    upcoming : tuple of int
        Frames of the same source, from 0, that wait to be loaded next.
    host : Host
        The environment of the interpreter; use it through `package`.
    decoded_bytes : int
        Limit in bytes of memory for one decoded image or volume; see `check_size`.
    loading : tuple of str
        The imageIds being loaded: those of the loads that started this one, then its own.
    """

    network: Network
    cache: Cache
    options: Mapping[str, Any] = field(default_factory=dict)
    listener: Listener = ignore
    urgency: Urgency = (0, 0.0)
    upcoming: tuple[int, ...] = ()
    host: Host = field(default_factory=PlainHost)
    decoded_bytes: int = DECODED_BYTES
    loading: tuple[str, ...] = ()
    # The local files that were read so far for the value being made.
    files: set[Any] = field(default_factory=set)
    # The load functions of `pyloader.load`, which this module cannot import: it imports this one.
    load_functions: Mapping[str, LoadFunction] = field(default_factory=dict)

    async def fetch(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        byte_range: tuple[int, int | None] | None = None,
        linked_from: str | None = None,
    ) -> Response:
        """Fetch `url` and check that it was a success.

        Parameters
        ----------
        url : str
            Absolute, or relative to the page.
        headers : mapping of str to str, optional
            Sent in addition to those of the page's ``init({headers})``.
        byte_range : (int, int or None), optional
            First byte and the byte after the last, from 0; None for the end of the file. A server
            that ignores it answers with the whole body and status 200.
        linked_from : str, optional
            URL of the response that named `url`, if one did: a server must not decide who gets the
            page's headers. See `Request`. For names of files, use `url_beside`.

        Raises
        ------
        NetworkError
            No response, after the retries.
        RequestError
            It cannot be sent: a header with a line break, mixed content, a failed hook, a URL that
            a response may not name.
        HttpStatusError
            A status other than 2xx, after the retries for 408, 429, 502, 503 and 504.
        FormatError
            The body has more than `decoded_bytes`.
        """
        request = Request(
            url,
            headers or {},
            byte_range,
            most_bytes=self.decoded_bytes,
            linked_from=linked_from,
        )
        return await self._noted(self.network.fetch(request, self.urgency, self.listener))

    @staticmethod
    def url_beside(url: str, name: str) -> str:
        """Return the URL of a file that another file names, in its folder or below it.

        Use it for every name that a file contains: a file must not decide what a page fetches.

        Parameters
        ----------
        url : str
            URL of the file that contains the name; in plain Python also a path.
        name : str
            The name as the file has it, with slashes or backslashes; the result is percent-encoded.

        Raises
        ------
        FormatError
            The name leads out of the folder, or has control characters or outer blanks.
        """
        return url_beside(url, name)

    async def stream(self, make: Callable[[], Request], sink: Sink) -> Response:
        """Send the request that `make` returns, and give the body to `sink` as it arrives.

        Each retry calls `make` again, so that it can leave out bytes that have already arrived.

        Raises
        ------
        LoaderError
            As `fetch`; also whatever `sink` raises.
        """

        def bounded() -> Request:
            return replace(make(), most_bytes=self.decoded_bytes)

        return await self._noted(self.network.send(bounded, self.urgency, self.listener, sink))

    async def _noted(self, pending: Awaitable[Response]) -> Response:
        """Return a response, and record the local files it was read from, or the missing one."""
        try:
            response = await pending
        except NetworkError as error:
            if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                self.files.add(LocalFile(str(error.__cause__.filename), None))
            raise
        self.files.update(response.files)
        return response

    async def cached(self, key: Hashable, make: Callable[[Context], Awaitable[Value]]) -> Value:
        """Return ``await make(context)``, run once for all loads that use the same `key`.

        `make` gets a context whose progress reaches every load that waits for it. Its result is
        kept in a byte-bounded LRU. As key use the source of the imageId, or a tuple that begins
        with it: then the viewer can release the value early. When a local file that `make` fetched
        changes on disk, the value is made again. Authors' files may use the same key: each file has
        its own values.
        """
        owner = speaker.get()
        if not f"{owner}.".startswith("pyloader."):
            key = owned(key, owner)
        files: set[Any] = set()

        def work(notify: Listener) -> Awaitable[Value]:
            return make(replace(self, listener=notify, files=files))

        value: Value = await self.cache.get(key, work, self.listener, files)
        self.files.update(files)
        return value

    async def load(self, image_id: str) -> Image:
        """Load another image, of any scheme, as a part of this load.

        Raises
        ------
        LoaderError
            As `pyloader.load_image`; also when a load asks for itself, directly or through others.
        """
        image: Image = await self._nested("image", image_id)
        return image

    async def load_metadata(self, image_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Load the metadata of another image, as `pyloader.load_metadata` does."""
        modules: Mapping[str, Mapping[str, Any]] = await self._nested("metadata", image_id)
        return modules

    async def list_image_ids(self, source: str) -> list[str]:
        """List the imageIds of another source, as `pyloader.list_image_ids` does."""
        image_ids: list[str] = await self._nested("image_ids", source)
        return image_ids

    async def _nested(self, what: str, image_id: str) -> Any:
        if image_id in self.loading or len(self.loading) >= DEEPEST:
            raise CustomLoaderError(
                f"loading goes round in a circle: {' asks for '.join((*self.loading, image_id))}"
            )
        return await self.load_functions[what](image_id, replace(self, upcoming=()))

    async def package(self, name: str, requirement: str | None = None) -> Any:
        """Import a package that may not be installed yet, and return its module.

        In a page it is installed on first use: from ``dist/`` or, where the page allows that, from
        the network.

        Parameters
        ----------
        name : str
            The module's name: ``"nrrd"``, ``"scipy.ndimage"``.
        requirement : str, optional
            The requirement to install (PEP 508), when the package has another name (``"pynrrd"``)
            or its version matters (``"pynrrd>=1.1"``).

        Raises
        ------
        PackageError
        """
        top = name.partition(".")[0]
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name != top:
                raise
        await self.host.install(requirement or top)
        return import_module(name)

    def check_size(self, count: int, what: str) -> int:
        """Return `count`, the bytes of memory that something needs, if the limit allows it.

        Raises
        ------
        FormatError
            `count` is more than `decoded_bytes`.
        """
        if count > self.decoded_bytes:
            raise FormatError(
                f"{what} needs {count} bytes in memory, more than the {self.decoded_bytes} that "
                "one image or volume may take: it is damaged or malicious, or the limit "
                "(limits.decodedBytes of init, Context.decoded_bytes) has to be raised"
            )
        return count

    def progress(self, loaded: int, total: int | None = None) -> None:
        """Report progress in any unit: `loaded` of `total`, which is None when unknown."""
        self.listener("progress", "", loaded, total, 1)
