"""The contract of `pyloader.transport.Transport`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pyloader.errors import FormatError, NetworkError, RequestError
from pyloader.transport import Progress, Request, Response, Transport, ignore_progress

BODY = bytes(range(256)) * 16
# Of more than one chunk, whatever the transport.
LARGE = bytes(range(251)) * 20_000


class Bucket:
    """A sink that notes what it is given.

    Parameters
    ----------
    wants : bool
        Whether it takes the body.
    enough : int or None
        After how many bytes it has enough.
    """

    def __init__(self, wants: bool = True, enough: int | None = None) -> None:
        self.wants = wants
        self.enough = enough
        self.heads: list[Response] = []
        self.chunks: list[bytes] = []

    @property
    def body(self) -> bytes:
        """All that was fed."""
        return b"".join(self.chunks)

    def begin(self, response: Response) -> bool:
        """Note the header."""
        self.heads.append(response)
        return self.wants

    def feed(self, chunk: bytes) -> bool:
        """Note the next bytes."""
        self.chunks.append(chunk)
        return self.enough is None or len(self.body) < self.enough


class Trouble(Bucket):
    """A sink that cannot take what it is given."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def begin(self, response: Response) -> bool:
        """Fail, or take the header."""
        if self.method == "begin":
            raise RequestError("this header is of no use", response.url)
        return super().begin(response)

    def feed(self, chunk: bytes) -> bool:
        """Fail with the first bytes."""
        super().feed(chunk)
        raise FormatError("these bytes are of no use")


class TransportContract:
    """Inherit, and give the fixtures that raise here."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Return the transport."""
        raise NotImplementedError

    @pytest.fixture
    def put(self) -> Callable[[str, bytes], str]:
        """Return a function that makes bytes available under a name, and tells their URL."""
        raise NotImplementedError

    @pytest.fixture
    def refused(self) -> str:
        """Return a URL that answers with status 404 and a text."""
        raise NotImplementedError

    @pytest.fixture
    def silent(self) -> str:
        """Return a URL that nobody answers."""
        raise NotImplementedError

    async def test_body_arrives_whole_as_bytes(self, transport, put):
        url = put("body", BODY)
        response = await send(transport, url)
        assert isinstance(response, Response)
        assert type(response.body) is bytes
        assert (response.status, response.body, response.url) == (200, BODY, url)

    async def test_empty_body(self, transport, put):
        response = await send(transport, put("empty", b""))
        assert (response.status, response.body) == (200, b"")

    async def test_header_names_are_lower_case(self, transport, put):
        for name in (await send(transport, put("body", BODY))).headers:
            assert name == name.lower()

    async def test_progress_grows_to_the_size_of_the_body(self, transport, put):
        reports: list[tuple[int, int | None]] = []
        url = put("body", BODY)
        await send(transport, url, lambda loaded, total: reports.append((loaded, total)))
        assert reports == sorted(reports)
        assert reports[-1] == (len(BODY), len(BODY))

    @pytest.mark.parametrize("sink", [None, Bucket], ids=["whole", "fed"])
    async def test_body_beyond_its_limit_is_refused(self, transport, put, sink):
        request = Request(put("large", LARGE), most_bytes=len(LARGE) - 1)
        bucket = sink and sink()
        with pytest.raises(FormatError, match=r"may have 5019999.*limits\.decodedBytes"):
            await transport.send(request, ignore_progress, bucket)
        assert bucket is None or len(bucket.body) < len(LARGE)

    async def test_body_may_be_as_large_as_its_limit(self, transport, put):
        request = Request(put("large", LARGE), most_bytes=len(LARGE))
        assert (await transport.send(request, ignore_progress)).body == LARGE

    async def test_who_has_enough_is_not_refused(self, transport, put):
        request = Request(put("large", LARGE), most_bytes=len(LARGE) // 2)
        bucket = Bucket(enough=1)
        await transport.send(request, ignore_progress, bucket)
        assert 0 < len(bucket.body) <= len(LARGE) // 2

    async def test_a_refusal_stays_one(self, transport, refused):
        response = await transport.send(Request(refused, most_bytes=1), ignore_progress)
        assert response.status == 404

    async def test_range_is_cut_out_or_ignored(self, transport, put):
        """As in HTTP: 206 tells the part from the whole (RFC 9110 14.2)."""
        request = Request(put("body", BODY), byte_range=(300, 310))
        response = await transport.send(request, ignore_progress)
        expected = {200: BODY, 206: BODY[300:310]}
        assert response.body == expected[response.status]

    @pytest.mark.parametrize("stop", [4096, 1 << 20, None])
    async def test_range_up_to_the_end(self, transport, put, stop):
        """A last byte beyond the end is taken for the end (RFC 9110 14.1.2)."""
        request = Request(put("body", BODY), byte_range=(4000, stop))
        response = await transport.send(request, ignore_progress)
        expected = {200: BODY, 206: BODY[4000:]}
        assert response.body == expected[response.status]

    async def test_part_says_which_it_is(self, transport, put):
        request = Request(put("body", BODY), byte_range=(300, 310))
        response = await transport.send(request, ignore_progress)
        told = response.headers.get("content-range")
        assert told == {200: None, 206: f"bytes 300-309/{len(BODY)}"}[response.status]

    async def test_range_beyond_the_end_is_refused(self, transport, put):
        request = Request(put("body", BODY), byte_range=(len(BODY), None))
        assert (await transport.send(request, ignore_progress)).status in (200, 416)

    async def test_sink_is_given_header_and_body_in_order(self, transport, put):
        url, bucket = put("large", LARGE), Bucket()
        response = await transport.send(Request(url), ignore_progress, bucket)
        assert [(head.url, head.status, head.body) for head in bucket.heads] == [(url, 200, b"")]
        assert len(bucket.chunks) > 1
        assert {type(chunk) for chunk in bucket.chunks} == {bytes}
        assert bucket.body == LARGE
        assert response == bucket.heads[0]

    async def test_sink_may_decline_the_body(self, transport, put):
        bucket = Bucket(wants=False)
        response = await transport.send(Request(put("body", BODY)), ignore_progress, bucket)
        assert response.body == BODY
        assert bucket.chunks == []

    async def test_sink_may_have_enough(self, transport, put):
        url, bucket = put("large", LARGE), Bucket(enough=1)
        response = await transport.send(Request(url), ignore_progress, bucket)
        assert (response.status, response.body) == (200, b"")
        assert len(bucket.chunks) == 1
        assert LARGE.startswith(bucket.body)
        assert len(bucket.body) < len(LARGE)

    async def test_sink_takes_what_is_empty(self, transport, put):
        bucket = Bucket()
        response = await transport.send(Request(put("empty", b"")), ignore_progress, bucket)
        assert (response.status, response.body, bucket.body) == (200, b"", b"")
        assert len(bucket.heads) == 1

    async def test_sink_is_given_a_range(self, transport, put):
        bucket = Bucket()
        request = Request(put("large", LARGE), byte_range=(300, None))
        response = await transport.send(request, ignore_progress, bucket)
        assert bucket.heads[0].status == response.status
        assert bucket.body == {200: LARGE, 206: LARGE[300:]}[response.status]

    async def test_sink_is_not_given_a_refusal(self, transport, refused):
        bucket = Bucket()
        response = await transport.send(Request(refused), ignore_progress, bucket)
        assert response.body
        assert (bucket.heads, bucket.chunks) == ([], [])

    async def test_error_of_the_sink_at_the_header_passes_through(self, transport, put):
        trouble = Trouble("begin")
        with pytest.raises(RequestError, match="this header is of no use"):
            await transport.send(Request(put("large", LARGE)), ignore_progress, trouble)
        assert trouble.chunks == []

    async def test_error_of_the_sink_at_the_body_passes_through(self, transport, put):
        trouble = Trouble("feed")
        with pytest.raises(FormatError, match="these bytes are of no use"):
            await transport.send(Request(put("large", LARGE)), ignore_progress, trouble)
        assert len(trouble.chunks) == 1

    async def test_progress_counts_what_the_sink_takes(self, transport, put):
        reports: list[tuple[int, int | None]] = []
        request = Request(put("large", LARGE))
        await transport.send(request, lambda *report: reports.append(report), Bucket())
        assert reports[-1] == (len(LARGE), len(LARGE))

    async def test_refusal_is_an_answer(self, transport, refused):
        response = await send(transport, refused)
        assert response.status == 404
        assert response.headers["content-type"].startswith("text/plain")
        assert response.body

    async def test_no_answer_is_a_network_error(self, transport, silent):
        with pytest.raises(NetworkError, match=f"could not fetch {silent}: .") as caught:
            await send(transport, silent)
        assert caught.value.url == silent

    async def test_requests_do_not_mix(self, transport, put):
        bodies = [bytes([number]) * 1000 for number in range(8)]
        urls = [put(f"body-{body[0]}", body) for body in bodies]
        responses = await asyncio.gather(*[send(transport, url) for url in urls])
        assert [response.body for response in responses] == bodies


async def send(transport: Transport, url: str, progress: Progress = ignore_progress) -> Response:
    """Ask for the whole of `url`."""
    return await transport.send(Request(url), progress)
