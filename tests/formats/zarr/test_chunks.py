"""Chunks and shards: which are fetched, how often, and what takes the place of missing ones."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from zarr import codecs

from pyloader import Context
from pyloader.cache import Cache
from pyloader.errors import (
    FormatError,
    HttpStatusError,
)
from pyloader.network import Network
from pyloader.transport import Request, Response
from tests.support.zarr_builders import CHUNKS, VOXELS, write
from tests.support.zarr_server import URL, Folder, altered, change, check_all, load


async def test_index_of_shards_at_their_beginning(local, tmp_path):
    shards = codecs.ShardingCodec(
        chunk_shape=CHUNKS, codecs=[codecs.BytesCodec(), codecs.GzipCodec()], index_location="start"
    )
    voxels = write(tmp_path / "a.zarr", chunks=(4, 16, 32), serializer=shards, compressors=None)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize("options", [{"zarr_format": 2}, {}, {"shards": (4, 16, 32)}])
@pytest.mark.parametrize("fill", [7, -3])
async def test_chunks_that_are_not_there_are_filled(remote, folder, options, fill):
    voxels = VOXELS.copy()
    voxels[:, 8:, 16:] = fill
    options |= {"fill_value": fill, "config": {"write_empty_chunks": False}}
    voxels = write(folder.root, voxels, **options)
    await check_all(remote, f"zarr:{URL}", voxels)


async def test_only_what_a_slice_touches_is_fetched_and_once(remote, folder):
    write(folder.root)
    await load(remote, "#x-20")
    asked = [key for key in folder.keys if key.startswith("c/")]
    assert sorted(asked) == [f"c/{z}/{y}/1" for z in range(3) for y in range(4)]
    await load(remote, "#x-31")
    assert [key for key in folder.keys if key.startswith("c/")] == asked
    await load(remote, "#z-0")
    assert len(folder.keys) == len(set(folder.keys))


async def test_shards_are_fetched_once(remote, folder):
    write(folder.root, shards=(4, 16, 32))
    for number in range(4):
        await load(remote, f"?frame={number + 1}")
    assert len([key for key in folder.keys if key.startswith("c/")]) == 4


async def test_neighbours_that_are_asked_for_together_share_chunks(remote, folder):
    write(folder.root)
    await asyncio.gather(*(load(remote, f"?frame={number}") for number in (1, 2)))
    assert len(folder.keys) == len(set(folder.keys))


@pytest.mark.parametrize("status", [403, 500])
async def test_chunk_that_is_refused_is_no_fill_value(remote, folder, status):
    write(folder.root)
    url = f"{URL}/c/0/0/0"
    folder.answers = {url: Response(url, status, {}, b"")}
    folder.root.joinpath("c/0/0/0").unlink()

    class Refusing(Folder):
        async def send(self, request: Request, *rest: Any) -> Response:
            if request.url == url:
                return Response(url, status, {}, b"")
            return await super().send(request, *rest)

    context = Context(Network(Refusing(folder.root), retries=0), Cache(1 << 20))
    with pytest.raises(HttpStatusError, match=f"answered with status {status}"):
        await load(context)


async def test_sizes_are_checked_before_memory_is_taken(remote, folder):
    small = replace(remote, decoded_bytes=2000)
    write(folder.root)
    with pytest.raises(FormatError, match="a slice of '/' needs 2460 bytes in memory"):
        await load(small)
    assert not [key for key in folder.keys if key.startswith("c/")]
    write(folder.root, chunks=(2, 30, 41))
    with pytest.raises(FormatError, match=r"chunk \(0, 0, 0\) of array '/' needs 4920 bytes"):
        await load(replace(remote, decoded_bytes=3000, cache=Cache(1 << 20)))
    write(folder.root, shards=(4, 16, 32))
    with pytest.raises(FormatError, match=r"shard \(0, 0, 0\) of array '/' needs 4096 bytes"):
        await load(replace(remote, decoded_bytes=3000, cache=Cache(1 << 20)))


async def test_array_as_large_as_the_world(remote, folder):
    altered(folder, shape=[2**60, 2**60, 2**60])
    with pytest.raises(FormatError, match=r"touches .* chunks of .*; expected 10000 at most"):
        await load(remote)
    context = replace(remote, cache=Cache(1 << 20))
    chunks = {"name": "regular", "configuration": {"chunk_shape": [2**60] * 3}}
    change(folder.root / "zarr.json", chunk_grid=chunks)
    with pytest.raises(FormatError, match="bytes in memory, more than"):
        await load(context)
