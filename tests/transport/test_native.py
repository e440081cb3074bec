"""Scripts and notebooks: loading without a context, through plain CPython's own transport."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyloader import (
    Context,
    Image,
    ImageId,
    list_image_ids,
    load_image,
    load_images,
    load_metadata,
    register_loader,
)
from pyloader.errors import ImageIdError, NetworkError
from pyloader.load import default_context
from pyloader.loaders import schemes
from pyloader.network import Network
from pyloader.pixels.codecs import encode_png
from pyloader.transport import Request, ignore_progress
from pyloader.transport.native import NativeTransport
from tests.support import builders

PIXELS = builders.ramp(16, 24)


@pytest.fixture
def path(tmp_path):
    """Return the path of a file of two frames."""
    path = tmp_path / "two frames.dcm"
    frames = np.stack([PIXELS, PIXELS[::-1]])
    path.write_bytes(builders.native(frames, NumberOfFrames=2, Modality="MR"))
    return path


async def test_path(path):
    assert np.array_equal((await load_image(f"wadouri:{path}")).pixels, PIXELS)


async def test_plain_path(path):
    for each in (str(path), path, path.as_uri()):
        assert np.array_equal((await load_image(each)).pixels, PIXELS)
        assert (await load_metadata(each))["general_series"]["modality"] == "MR"
    found = await load_image(f"{path}?frame=2")
    assert np.array_equal(found.pixels, PIXELS[::-1])


async def test_list_of_a_plain_path(path):
    listed = [f"wadouri:{path}?frame=1", f"wadouri:{path}?frame=2"]
    for each in (str(path), path, path.parent, str(path.parent)):
        assert await list_image_ids(each) == listed
    (path.parent / "a.png").write_bytes(encode_png(np.zeros((2, 3), "u1")))
    assert await list_image_ids(path.parent / "a.png") == [f"web:{path.parent}/a.png?frame=1"]


def test_many_plain_paths(path):
    first, second = load_images([path, f"{path}?frame=2"])
    assert np.array_equal(first.pixels, PIXELS)
    assert np.array_equal(second.pixels, PIXELS[::-1])
    (failed,) = load_images([path.parent / "no.dcm"], errors="return")
    assert isinstance(failed, ImageIdError)


async def test_relative_path(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert np.array_equal((await load_image(path.name)).pixels, PIXELS)
    assert len(await list_image_ids(".")) == 2


@pytest.mark.parametrize("wrong", ["no.dcm", "", Path("no/no.dcm")], ids=str)
async def test_path_where_nothing_is(wrong):
    for function in (load_image, load_metadata, list_image_ids):
        with pytest.raises(ImageIdError, match="has no scheme, and there is no such file"):
            await function(wrong)


@pytest.mark.parametrize("wrong", [5, None, b"a.dcm", ["a.dcm"]], ids=str)
async def test_imageid_that_is_no_text(wrong):
    with pytest.raises(ImageIdError, match=r"an imageId is a text, .* not"):
        await load_image(wrong)


async def test_path_is_nothing_for_a_loader_to_ask_for(path):
    @register_loader("other")
    async def load(image_id: ImageId, context: Context) -> Image:
        return await context.load(str(path))  # on a page there are no files

    with pytest.raises(ImageIdError, match="has no scheme"):
        await load_image("other:x")
    schemes.drop(__name__)


async def test_frame_of_a_path(path):
    assert np.array_equal((await load_image(f"wadouri:{path}?frame=2")).pixels, PIXELS[::-1])


async def test_file_url(path):
    image = await load_image(f"wadouri:{path.as_uri()}?frame=2")
    assert np.array_equal(image.pixels, PIXELS[::-1])


async def test_metadata_of_a_path(path):
    modules = await load_metadata(f"wadouri:{path}")
    assert modules["general_series"]["modality"] == "MR"


async def test_file_is_read_once_by_a_process(path):
    await load_image(f"wadouri:{path}")
    path.unlink()
    assert np.array_equal((await load_image(f"wadouri:{path}?frame=2")).pixels, PIXELS[::-1])


async def test_file_that_is_not_there(path, monkeypatch):
    monkeypatch.setattr("pyloader.network.FIRST_DELAY_SECONDS", 0)
    with pytest.raises(NetworkError, match="No such file") as caught:
        await load_image(f"wadouri:{path}.other")
    assert caught.value.image_id == f"wadouri:{path}.other"


@pytest.mark.parametrize("url", ["http://host/a b", "http://[::1", "http://host:port/", "\0"])
async def test_address_that_cannot_be_is_a_network_error(url):
    context = replace(default_context(), network=Network(NativeTransport(), retries=0))
    with pytest.raises(NetworkError, match="could not fetch"):
        await load_image(f"wadouri:{url}", context)


async def test_range_of_a_path_is_partial_content(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    request = Request(str(tmp_path / "a"), byte_range=(2, 5))
    answer = await NativeTransport().send(request, ignore_progress)
    assert (answer.status, answer.body) == (206, b"234")
