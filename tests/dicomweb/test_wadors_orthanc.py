"""``wadors:`` against Orthanc: every image of the corpus equals its file, pixel for pixel."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from pydicom import dcmread

from pyloader import Context, Image, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.dicomweb.search import open_series, search
from pyloader.errors import HttpStatusError, LoaderError
from pyloader.network import Network
from pyloader.transport import Request
from pyloader.transport.native import NativeTransport
from pyloader.wire import wire_modules
from tests.support import corpus
from tests.support.dicomweb.client import BIG, COLOR, CT, RLE
from tests.support.orthanc import Orthanc

pytestmark = pytest.mark.usefixtures("all_ended")
MULTIFRAME = (COLOR, RLE, BIG, "SC_rgb_rle_32bit_2frame.dcm", "rtdose.dcm", "rtdose_rle.dcm")


def new_context(*upcoming: int) -> Context:
    """Return the context of a load, with a cache of its own."""
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 28), upcoming=upcoming)


def address(orthanc: Orthanc, name: str) -> str:
    """Return the URL of an instance."""
    study, series, instance = orthanc.instances[name]
    return f"{orthanc.dicomweb}/studies/{study}/series/{series}/instances/{instance}"


async def outcome(image_id: str, context: Context) -> Image | str:
    """Load an image, or return the error code."""
    try:
        return await load_image(image_id, context)
    except LoaderError as error:
        return error.code


def same(image: Image | str, expected: Image | str) -> bool:
    """Tell whether two outcomes are equal."""
    if isinstance(image, str) or isinstance(expected, str):
        return isinstance(image, str) and image == expected
    return image.pixels.dtype == expected.pixels.dtype and np.array_equal(
        image.pixels, expected.pixels
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
async def test_corpus(orthanc):
    context = new_context()
    images, wrong = 0, {}
    for name in orthanc.instances:
        found = await outcome(f"wadors:{address(orthanc, name)}/frames/1", context)
        expected = await outcome(f"wadouri:{corpus.DATA / name}", new_context())
        images += isinstance(found, Image)
        if not same(found, expected):
            wrong[name] = (found, expected)
        if isinstance(expected, str):
            assert expected == corpus.expected_code(name)
    assert wrong == {}
    assert images == len(set(corpus.images()) & orthanc.instances.keys())


@pytest.mark.parametrize("name", MULTIFRAME)
@pytest.mark.filterwarnings("ignore::UserWarning")
async def test_all_frames(orthanc, name):
    count = int(dcmread(corpus.DATA / name, stop_before_pixels=True).NumberOfFrames)
    context, local = new_context(*range(count)), new_context()
    images = await asyncio.gather(
        *[
            load_image(f"wadors:{address(orthanc, name)}/frames/{number}", context)
            for number in range(1, count + 1)
        ]
    )
    for number, image in enumerate(images, 1):
        expected = await load_image(f"wadouri:{corpus.DATA / name}?frame={number}", local)
        assert same(image, expected), number


@pytest.mark.parametrize("name", [CT, COLOR, RLE])
async def test_frames_are_one_request(orthanc, name):
    heard = []
    context = new_context(0, 1)
    listening = Context(
        context.network,
        context.cache,
        listener=lambda phase, url, *_: heard.append(url) if phase == "start" else None,
        upcoming=(0, 1),
    )
    await load_image(f"wadors:{address(orthanc, name)}/frames/1", listening)
    metadata, frames = heard
    assert metadata.endswith("/metadata")
    assert frames.endswith("/frames/1" if name == CT else "/frames/1,2")


@pytest.mark.parametrize("name", [CT, COLOR])
async def test_metadata_are_those_of_the_file(orthanc, name):
    found = wire_modules(
        await load_metadata(f"wadors:{address(orthanc, name)}/frames/1", new_context())
    )
    expected = wire_modules(await load_metadata(f"wadouri:{corpus.DATA / name}", new_context()))
    # Orthanc's metadata lack the transfer syntax.
    for modules in (found, expected):
        modules.pop("transferSyntax", None)
    assert found == expected


async def test_search_and_series(orthanc):
    uid = orthanc.instances[CT][0]
    found = await search(f"{orthanc.dicomweb}/studies", {"studyInstanceUID": uid}, new_context())
    assert [each["study_instance_uid"] for each in found] == [uid]
    by_name = await search(f"{orthanc.dicomweb}/studies", {"patientName": "Comp*"}, new_context())
    assert uid in [each["study_instance_uid"] for each in by_name]
    nothing = {"patientID": "nobody at all"}
    assert await search(f"{orthanc.dicomweb}/studies", nothing, new_context()) == []
    series = address(orthanc, CT).partition("/instances/")[0]
    (row,) = await open_series(series, new_context())
    assert (row["instance"], row["frames"]) == (address(orthanc, CT), 1)


async def test_instance_that_is_not_there(orthanc):
    with pytest.raises(HttpStatusError, match=r"status 404, expected 200 \(nothing there"):
        await load_image(f"wadors:{address(orthanc, CT)}.9/frames/1", new_context())


async def test_login(orthanc_with_login):
    image_id = f"wadors:{address(orthanc_with_login, CT)}/frames/1"
    with pytest.raises(HttpStatusError, match=r"status 401, expected 200 \(not signed in"):
        await load_image(image_id, new_context())

    class SignedIn(NativeTransport):
        """A transport that adds headers, as a page does."""

        async def send(self, request, progress, sink=None):
            headers = {**request.headers, **orthanc_with_login.authorization}
            signed = Request(request.url, headers, request.byte_range)
            return await super().send(signed, progress, sink)

    signed_in = Context(Network(SignedIn(), retries=0), Cache(1 << 28))
    image = await load_image(image_id, signed_in)
    expected = await load_image(f"wadouri:{corpus.DATA / CT}", new_context())
    assert same(image, expected)
