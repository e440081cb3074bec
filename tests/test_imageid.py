"""imageIds, held to the same vectors as the page's twin in `web/shared/imageid.js`."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from pyloader import ImageId
from pyloader.errors import ImageIdError

VECTORS = json.loads((Path(__file__).parent / "imageid_vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector[0])
def test_parts(vector):
    text, scheme, source, frame_index, member = [*vector, ""][:5]
    image_id = ImageId.parse(text)
    assert (image_id.scheme, image_id.source, image_id.member) == (scheme, source, member)
    assert image_id.frame_index == frame_index
    assert image_id.text == text


@pytest.mark.parametrize("text", VECTORS["invalid"])
def test_invalid(text):
    with pytest.raises(ImageIdError):
        ImageId.parse(text)


def test_rest_is_what_a_loader_fetches():
    assert ImageId.parse("wadouri:https://host/a?frame=3&x=1").rest == "https://host/a?x=1"


def test_rest_may_be_another_imageid():
    inner = ImageId.parse("denoise:wadouri:/a.dcm").rest
    assert ImageId.parse(inner).source == "wadouri:/a.dcm"


def test_frames_of_a_file_share_its_source():
    sources = {ImageId.parse(f"wadouri:/a.dcm?frame={number}").source for number in (1, 2, 30)}
    assert sources == {"wadouri:/a.dcm"}


@pytest.mark.parametrize("name", ["a/b.dcm", "a #?&%|=;1.dcm", "x-12", "Bücher/画像", "a?frame=2"])
@pytest.mark.parametrize("source", ["wadouri:/s.zip", "dicomfile:3", "wadouri:/s.zip?t=1&u=2"])
def test_a_member_and_its_frames_are_read_as_they_are_written(source, name):
    member = ImageId.parse(source).of_member(name)
    for index in (0, 11):
        found = ImageId.parse(ImageId.parse(member).of_frame(index))
        assert (found.source, found.member, found.frame_index) == (source, name, index)
        assert found.names_frame


def test_no_scheme_says_what_is_expected():
    with pytest.raises(ImageIdError, match=r"'image\.dcm' has no scheme; expected 'scheme:rest'"):
        ImageId.parse("image.dcm")


def test_frame_0_says_where_counting_begins():
    with pytest.raises(ImageIdError, match="asks for frame '0'; frames count from 1"):
        ImageId.parse("wadouri:/a?frame=0")


def test_digits_of_other_scripts_are_no_frame_number():
    with pytest.raises(ImageIdError, match="asks for frame '٣'"):
        ImageId.parse("wadouri:/a?frame=٣")


def test_is_a_value():
    first, second = ImageId.parse("x:a?frame=2"), ImageId.parse("x:a?frame=2")
    assert first == second
    assert len({first, second}) == 1
    with pytest.raises(FrozenInstanceError):
        first.scheme = "y"


@pytest.mark.parametrize(
    ("text", "url", "options"),
    [
        ("numpy:/a.npz", "/a.npz", {}),
        ("numpy:/a.npz?array=mask", "/a.npz", {"array": "mask"}),
        ("numpy:/a.npz?token=x&array=a%20b&v=2", "/a.npz?token=x&v=2", {"array": "a b"}),
        ("numpy:/a.npz?arrays=1&frame=3&array", "/a.npz?arrays=1", {"array": ""}),
    ],
)
def test_options_of_a_loader_are_not_for_its_server(text, url, options):
    assert ImageId.parse(text).take_options("array", "axes") == (url, options)
