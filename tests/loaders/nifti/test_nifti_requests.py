"""``nifti:``: what is fetched for what, addresses, and lists of slices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.errors import HttpStatusError, ImageIdError
from pyloader.image import modules_of
from pyloader.loaders.nifti import pair_of
from pyloader.transport import Response
from tests.support.nifti_builders import (
    RGB,
    SHAPE,
    load_array,
    make,
    numbers,
    packed,
    serve,
)

URL = "https://host/a.nii"
CORPUS = Path(nibabel.__file__).parent / "tests" / "data"


# ------------------------------------------------------------------ one request


@pytest.mark.parametrize("pack", [bytes, packed])
async def test_all_slices_at_once_are_one_request(context, transport, pack):
    source = serve(transport, pack(make(numbers("i2", (20, 18, 16))).single))
    parts = [f"{source}#{axis}-{index}" for axis in "xyz" for index in range(16)]
    await asyncio.gather(*(load_image(part, context) for part in parts))
    assert len(transport.requests) == 1


async def test_file_larger_than_the_cache(context, transport):
    small = replace(context, cache=Cache(1000))
    source = serve(transport, make(numbers("i2", (40, 30, 20))))
    for index in range(20):
        await load_image(f"{source}?frame={index}", small)
    assert len(transport.requests) == 1


async def test_nbytes_are_those_of_the_voxels(context, transport):
    await load_image(serve(transport, make(numbers("i2"))), context)
    assert context.cache.size == 2 * int(np.prod(SHAPE))


@pytest.mark.parametrize("dtype", ["u1", "i8", "f8", "c8", "c16", RGB], ids=str)
async def test_metadata_are_those_of_the_image(context, transport, dtype):
    source = serve(transport, make(numbers(dtype), order=">", scl_slope=3, cal_max=7))
    for part in ("", "?frame=2", "#x-3", "#y", "#1"):
        before = await load_metadata(source + part, replace(context, cache=Cache(1 << 20)))
        image = await load_image(source + part, context)
        assert before == modules_of(image)
        assert await load_metadata(source + part, context) == before


async def test_metadata_of_all_slices_are_one_short_request(context, transport):
    large = make(numbers("i4", (100, 90, 40)), scl_slope=1)
    for url, body in ((URL, large.single), (URL + ".gz", packed(large.single))):
        # Behind the header nothing is right, so that it is seen whether anybody looks.
        source = serve(transport, body[:3000], url)
        image_ids = [f"{source}?frame={index}" for index in range(40)]
        await asyncio.gather(*(load_metadata(image_id, context) for image_id in image_ids))
        assert len(await list_image_ids(f"{source}#x", context)) == 100
    assert [request.url for request in transport.requests] == [URL, URL + ".gz"]


async def test_metadata_after_the_image_need_no_request(context, transport):
    source = serve(transport, make(numbers("i2")))
    await load_image(source, context)
    await load_metadata(f"{source}#x-3", context)
    await list_image_ids(source, context)
    assert len(transport.requests) == 1


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a.nii", ("/a.nii", "/a.nii")),
        ("/a.hdr", ("/a.hdr", "/a.img")),
        ("/a.img", ("/a.hdr", "/a.img")),
        ("/a.IMG.GZ", ("/a.HDR.GZ", "/a.IMG.GZ")),
        ("/a.hdr.gz?x=b.img&y", ("/a.hdr.gz?x=b.img&y", "/a.img.gz?x=b.img&y")),
        ("/img.hdr/a.nii.gz", ("/img.hdr/a.nii.gz", "/img.hdr/a.nii.gz")),
        ("/a.img.nii", ("/a.img.nii", "/a.img.nii")),
        ("/get?file=a.img", ("/get?file=a.img", "/get?file=a.img")),
    ],
)
def test_addresses_of_a_pair(url, expected):
    assert pair_of(url) == expected


async def test_query_of_the_address_is_kept(context, transport):
    file = make(numbers("i2"), pair=True)
    for name, body in (("hdr", file.header), ("img", file.voxels)):
        serve(transport, body, f"a.{name}?token=x&y=1")
    image = await load_image("nifti:a.img?frame=2&token=x&y=1", context)
    assert_array_equal(image.pixels.T, numbers("i2")[:, :, 2])
    urls = ["a.hdr?token=x&y=1", "a.img?token=x&y=1"]
    assert [request.url for request in transport.requests] == urls


async def test_local_files(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(packed(make(numbers("i2")).single))
    image = await load_image(f"nifti:{tmp_path}/a.nii.gz?frame=1")
    assert_array_equal(image.pixels.T, numbers("i2")[:, :, 1])


async def test_single_file_may_be_named_as_a_pair_is(context, transport):
    serve(transport, make(numbers("i2")), "https://host/a.hdr")
    found = await load_array("nifti:https://host/a.hdr", context)
    assert_array_equal(found, numbers("i2"))


async def test_list_of_all_slices(context, transport):
    source = serve(transport, make(numbers(shape=(5, 4, 3, 2))))
    frames = await list_image_ids(source, context)
    assert frames == [f"{source}?frame={index}" for index in range(6)]
    assert await list_image_ids(f"{source}#y,t-1", context) == [
        f"{source}#y-{index},t-1" for index in range(4)
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("?frame=3", "asks for frame 3; there are 3, 0 to 2"),
        ("#x-5", "asks for x slice 5; there are 5, 0 to 4"),
        ("#z-0,t-1", "asks for timepoint 1; there are 1, 0 to 0"),
        ("#q-1", "names no slice by '#q-1'"),
        ("?frame=1#q", "names no slice by '#q'"),
    ],
)
@pytest.mark.parametrize("call", [load_image, load_metadata])
async def test_slice_that_is_not_there(context, transport, part, expected, call):
    source = serve(transport, make(numbers()))
    transport.answers[URL + "#q-1"] = transport.answers[URL + "#q"] = transport.answers[URL]
    with pytest.raises(ImageIdError, match=expected):
        await call(source + part, context)


async def test_missing_image_file_of_a_pair(context, transport):
    source = serve(transport, make(numbers(), pair=True).header, "https://host/a.hdr")
    transport.answers["https://host/a.img"] = Response("https://host/a.img", 404, {}, b"")
    with pytest.raises(HttpStatusError, match=r"a\.img answered with status 404"):
        await load_image(source, context)
