"""Headers that say which file, and which bytes of it, a response has."""

from __future__ import annotations

import pytest

from pyloader.errors import FormatError
from pyloader.loaders.wadouri.http_validators import Validators
from pyloader.transport import Response

URL = "https://host/file"


def response(status: int, **headers: str) -> Response:
    """Return a response; underscores of the headers are hyphens."""
    return Response(URL, status, {n.replace("_", "-"): v for n, v in headers.items()}, b"")


def part(content_range: str, **headers: str) -> Response:
    """Return a response with a part of a file."""
    return response(206, content_range=content_range, **headers)


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (part("bytes 0-99/1000", content_length="100"), 1000),
        (part("bytes 0-99/*", content_length="100"), None),
        (part("bytes */1000"), None),
        (part("bytes 0-99/9999999999999999999"), None),
        (part("bytes 0-99/1000 or so"), None),
        (part("items 0-99/1000"), None),
        (response(206, content_length="100"), None),
        (response(200, content_length="1000"), 1000),
        (response(200, content_length="100", content_encoding="gzip"), None),
        (response(200, content_length="many"), None),
        (response(200), None),
    ],
)
def test_size_of_the_whole_file(answer, size):
    assert Validators.of(answer).size == size


@pytest.mark.parametrize(
    ("headers", "tag"),
    [
        ({"etag": '"a"', "last_modified": "Mon"}, '"a"'),
        ({"last_modified": "Mon"}, "Mon"),
        ({"etag": "", "last_modified": "Mon"}, "Mon"),
        ({}, None),
    ],
)
def test_an_entity_tag_says_more_than_a_date(headers, tag):
    assert Validators.of(response(200, **headers)).tag == tag


def test_the_rest_of_a_file_is_counted_if_its_size_is_known():
    assert Validators(1000, None).rest(400) == 600
    assert Validators(None, '"a"').rest(400) is None


@pytest.mark.parametrize(
    "answer",
    [
        part("bytes 100-199/1000", etag='"a"'),
        part("bytes 100-199/*", etag='"a"'),
        part("bytes 100-199/1000"),
        part("bytes 100-120/1000", etag='"a"'),
        response(206, etag='"a"'),
        response(206),
    ],
)
def test_parts_of_the_same_file_are_taken(answer):
    Validators(1000, '"a"').check(answer, 100)


def test_nothing_known_is_nothing_to_compare():
    Validators(None, None).check(part("bytes 100-199/7", etag='"b"'), 100)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (part("bytes 0-99/1000", etag='"a"'), "'bytes 0-99/1000' to a request for bytes from 100"),
        (part("bytes 100-199/999", etag='"a"'), "from 1000 to 999"),
        (part("bytes 100-199/1000", etag='"b"'), 'from "a" to "b"'),
        (part("bytes 100-199/1000", last_modified="Mon"), 'from "a" to Mon'),
        (response(200, content_length="999", etag='"a"'), "from 1000 to 999"),
    ],
)
def test_other_parts_and_other_versions_are_refused(answer, reason):
    with pytest.raises(FormatError, match=reason):
        Validators(1000, '"a"').check(answer, 100)
