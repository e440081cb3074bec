"""Spoil responses as networks do, and check the error with which a load ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pyloader.errors import LoaderError
from pyloader.loaders import user_functions
from pyloader.transport import Response

Answers = Mapping[str, "bytes | Response"]
HTML = b"<!doctype html><html><head><title>Log in</title></head><body>Please log in.</body></html>"

Fault = Callable[[Response], "Response | None"]
"""Returns a response with a fault; None for no response."""


def status_404(answer: Response) -> Response:
    """Return a response with status 404."""
    return Response(answer.url, 404, {"content-type": "text/plain"}, b"not here")


def nothing(answer: Response) -> None:
    """Return None: no response."""


def an_empty_body(answer: Response) -> Response:
    """Return a success without a body."""
    return replace(answer, body=b"")


def half_its_bytes(answer: Response) -> Response:
    """Return the first half of the body."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def a_page_of_html(answer: Response) -> Response:
    """Return a login page, as a success."""
    return Response(answer.url, 200, {"content-type": "text/html"}, HTML)


def spoil(answers: Answers, url: str, fault: Fault) -> dict[str, bytes | Response]:
    """Return the responses, that of `url` with a fault."""
    answer = answers[url]
    whole = Response(url, 200, {}, answer) if isinstance(answer, bytes) else answer
    spoilt = fault(whole)
    rest = {other: answers[other] for other in answers if other != url}
    return rest if spoilt is None else {**rest, url: spoilt}


def check_error(error: BaseException, allowed: tuple[type[Exception], ...]) -> None:
    """Raise `AssertionError` unless an error tells the user what failed.

    Parameters
    ----------
    allowed : tuple of exception types
        Exceptions that a user's loader may raise besides `LoaderError`.
    """
    kind = type(error).__name__
    assert isinstance(error, LoaderError), (
        f"the load ended with {kind}: {error}; only a LoaderError tells a page what to do"
    )
    assert error.image_id, f"{kind} names no imageId: {error}"
    cause = error.__cause__
    assert not is_wrapped(error) or isinstance(cause, allowed), (
        f"the loader let through an error that it did not expect: {error}. Check the response "
        "before using it, and raise pyloader.errors.FormatError with a text that says what is "
        "wrong with it (or name the exception in `allowed` of the contract, if its text is good "
        "enough)"
    )


def is_wrapped(error: LoaderError) -> bool:
    """Return whether `load_image` made an error from something that a loader did."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return entry is not None and entry.tb_frame.f_globals.get("__name__") == user_functions.__name__
