"""Errors cross to other processes: nothing of them is lost."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from pyloader import errors
from pyloader.errors import HttpStatusError, LoaderError, NetworkError, RequestError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and kind.__module__ == errors.__name__
]


def made(kind: type[LoaderError]) -> LoaderError:
    """Make an error of a kind, with all its attributes."""
    given: tuple[Any, ...] = ("what failed",)
    if issubclass(kind, errors.TransportError):
        given += ("https://host/a",)
    if issubclass(kind, HttpStatusError):
        given += (404,)
    error = kind(*given)
    error.image_id = "mine:a"
    error.add_note("a note")
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_error_is_the_same_elsewhere(kind, again):
    error = made(kind)
    found = again(error)
    assert type(found) is kind
    assert str(found) == "what failed"
    assert found.args == error.args
    assert vars(found) == vars(error)


@pytest.mark.parametrize("kind", [NetworkError, RequestError])
def test_address_survives(kind):
    assert pickle.loads(pickle.dumps(made(kind))).url == "https://host/a"


def test_status_survives():
    found = pickle.loads(pickle.dumps(made(HttpStatusError)))
    assert (found.url, found.status, found.image_id) == ("https://host/a", 404, "mine:a")


class OwnError(errors.FormatError):
    """An author's, made of something else than a text."""

    def __init__(self, *, offset: int) -> None:
        super().__init__(f"broken at byte {offset}")
        self.offset = offset


def test_kind_of_an_author_survives():
    found = pickle.loads(pickle.dumps(OwnError(offset=12)))
    assert (str(found), found.offset) == ("broken at byte 12", 12)
