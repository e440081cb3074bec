"""Scripts and notebooks: loading without a context, through plain CPython's own transport."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyloader import load_image, load_metadata
from pyloader.errors import NetworkError
from pyloader.load import default_context
from pyloader.network import Network
from pyloader.transport import Request, ignore_progress
from pyloader.transport.native import NativeTransport
from tests import builders

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
