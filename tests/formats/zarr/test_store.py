"""Files of a hierarchy: how they are asked for, and which are missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyloader import Context, list_image_ids, load_image
from pyloader.cache import Cache
from pyloader.errors import FormatError, NetworkError
from pyloader.network import Network
from pyloader.transport import Request, Response
from pyloader.transport.native import NativeTransport
from tests.support.zarr_builders import SHAPE, image, write
from tests.support.zarr_server import URL, Folder, load


async def test_query_goes_with_each_request_but_for_the_options(remote, folder):
    image(folder.root, 3, ("c", "z", "y", "x"), shape=(2, *SHAPE))
    await load(remote, "?token=a&level=1&channel=1&frame=2")
    assert all(key.endswith("?token=a") for key in folder.keys)
    assert len(folder.keys) > 4
    ids = await list_image_ids(f"zarr:{URL}?level=1&token=a&channel=1", remote)
    assert ids[1] == f"zarr:{URL}?level=1&token=a&channel=1&frame=2"


async def test_local_file_that_is_not_there_is_not_asked_for_again(tmp_path):
    sent = []

    class Counting(NativeTransport):
        async def send(self, request: Request, *rest: Any) -> Response:
            sent.append(request.url)
            return await super().send(request, *rest)

    context = Context(Network(Counting(), retries=2), Cache(1 << 20))
    with pytest.raises(FormatError, match="is not a readable Zarr array or group"):
        await load_image(f"zarr:{tmp_path}/a.zarr", context)
    assert len(sent) == 4


@pytest.mark.parametrize("name", ["zarr.json", "c/0/0/0"])
async def test_page_of_html_for_what_is_not_there(remote, folder, name):
    write(folder.root, compressors=None)
    (folder.root / name).write_bytes(b"\n<!DOCTYPE HTML><title>App</title>" + bytes(600))
    with pytest.raises(FormatError, match=f"{name}' is an HTML page; its server has to answer"):
        await load(remote)


async def test_description_that_is_no_json(remote, folder):
    (folder.root / "zarr.json").write_bytes(b"{nonsense")
    with pytest.raises(FormatError, match=r"zarr\.json' is not JSON"):
        await load(remote)


async def test_description_that_is_hidden_is_not_there(folder):
    write(folder.root, zarr_format=2)

    class Hiding(Folder):
        async def send(self, request: Request, *rest: Any) -> Response:
            answer = await super().send(request, *rest)
            return replace(answer, status=403) if answer.status == 404 else answer

    context = Context(Network(Hiding(folder.root), retries=0), Cache(1 << 20))
    assert (await load(context)).pixels.shape == SHAPE[1:]


async def test_server_that_does_not_answer_is_no_fill_value(context):
    with pytest.raises(NetworkError, match="nothing is stored there"):
        await load(context)
