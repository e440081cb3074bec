"""Responses with faults, and the errors that a load may end with."""

from __future__ import annotations

import pytest

from pyloader import load_image
from pyloader.errors import FormatError, HttpStatusError
from pyloader.loaders import schemes
from pyloader.loaders.user_functions import open_function
from pyloader.testing import faults
from pyloader.testing.faults import check_error, is_wrapped, spoil
from pyloader.testing.memory import memory_context
from pyloader.transport import Response

URL = "https://host/a"
OTHER = "https://host/b"
ANSWER = Response(URL, 206, {"etag": '"a"'}, b"0123456789")
ANSWERS = {OTHER: b"other", URL: ANSWER}


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (faults.status_404, 404, b"not here"),
        (faults.an_empty_body, 206, b""),
        (faults.half_its_bytes, 206, b"01234"),
        (faults.a_page_of_html, 200, faults.HTML),
    ],
)
def test_faults_change_the_response_that_is_named(fault, status, body):
    found = spoil(ANSWERS, URL, fault)
    spoilt = found[URL]
    assert isinstance(spoilt, Response)
    assert (spoilt.url, spoilt.status, spoilt.body) == (URL, status, body)
    assert found[OTHER] == b"other"
    assert ANSWERS[URL] is ANSWER


def test_bytes_are_a_success():
    spoilt = spoil(ANSWERS, OTHER, faults.half_its_bytes)[OTHER]
    assert spoilt == Response(OTHER, 200, {}, b"other"[:2])


def test_a_response_may_be_missing():
    assert spoil(ANSWERS, URL, faults.nothing) == {OTHER: b"other"}


# ------------------------------------------------------------------ errors


def of_image(error: FormatError | HttpStatusError) -> FormatError | HttpStatusError:
    """Return an error as loads end with it: with the imageId."""
    error.image_id = "mine:a"
    return error


def test_errors_with_a_type_and_an_image_id_are_right():
    check_error(of_image(FormatError("odd")), ())
    check_error(of_image(HttpStatusError("no", URL, status=404)), ())


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt(), KeyError("x")])
def test_other_exceptions_tell_a_page_nothing(error):
    with pytest.raises(AssertionError, match="only a LoaderError tells a page what to do"):
        check_error(error, (ValueError, KeyError))


def test_an_error_without_an_image_id_is_wrong():
    with pytest.raises(AssertionError, match="FormatError names no imageId: odd"):
        check_error(FormatError("odd"), ())


async def failure(error: Exception) -> BaseException:
    """Return the error of a load whose loader raises."""

    async def load(image_id, context):
        raise error

    schemes.register("mine", open_function(load))
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 -- what it is, is the question
            await load_image("mine:a", memory_context({}))
    finally:
        schemes.drop(__name__)
    return caught.value


async def test_exceptions_that_a_loader_let_through_are_wrong_unless_they_are_allowed():
    error = await failure(IndexError("beyond the end"))
    assert is_wrapped(error)
    check_error(error, (IndexError,))
    with pytest.raises(AssertionError, match=r"let through an error .* beyond the end"):
        check_error(error, (KeyError,))


async def test_errors_that_a_loader_raised_itself_are_right():
    error = await failure(FormatError("cut off"))
    assert not is_wrapped(error)
    check_error(error, ())
