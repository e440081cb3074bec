"""Frames that one interpreter lends to another: the same images, and nothing fetched there."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pyloader import Context, Image, ImageId, load_image, register_loader
from pyloader.browser.offload import Loan, borrow_frame, lend_frame
from pyloader.cache import Cache
from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.parse import parse_part10
from pyloader.errors import FormatError, ImageIdError, LoaderError
from pyloader.image import modules_of
from pyloader.loaders import schemes
from pyloader.loaders.instance_source import InstanceSource
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support import builders, corpus, nifti_builders
from tests.support.dicomweb.client import RLE, Served
from tests.support.dicomweb.viewer import Viewer, of_file

URL = "https://host/cine.dcm"
FRAMES = np.random.default_rng(5).integers(0, 4096, (5, 300, 400)).astype("u2")


class Worker:
    """One of two interpreters: the one with a file, or the one that helps."""

    def __init__(self, answers: dict[str, bytes] | None = None) -> None:
        self.transport = MemoryTransport(answers or {})
        self.context = Context(Network(self.transport, retries=0), Cache(1 << 28))

    async def lend(self, image_id: str, known: str | None = None) -> Loan:
        loan = await lend_frame(image_id, self.context, known)
        assert loan is not None
        return loan

    async def borrow(self, loan: Loan, image_id: str) -> Image:
        return await borrow_frame(loan, image_id, self.context)


def frame_id(number: int) -> str:
    """Return the imageId of a frame, from 1."""
    return f"wadouri:{URL}?frame={number}"


def cine(syntax: str = JPEGLSLossless, offsets: bool = True) -> bytes:
    """Make a file of `FRAMES`."""
    encode = builders.rle_encode_frame if syntax == RLELossless else builders.ENCODERS[syntax]
    return builders.encapsulated([encode(each) for each in FRAMES], FRAMES[0], syntax, offsets)


@pytest.fixture
def home() -> Worker:
    return Worker({URL: cine()})


@pytest.fixture
def helper() -> Worker:
    return Worker()


def everything(image: Image) -> dict[str, Any]:
    """Return all that an image is, in what can be compared."""
    fields = {each.name: getattr(image, each.name) for each in dataclasses.fields(image)}
    return {**{name: repr(value) for name, value in fields.items()}, "modules": modules_of(image)}


# ------------------------------------------------------------------ the same images


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("offsets", [True, False])
async def test_all_frames_of_a_file(helper, syntax, offsets):
    home = Worker({URL: cine(syntax, offsets)})
    for number, expected in enumerate(FRAMES, 1):
        image = await helper.borrow(await home.lend(frame_id(number)), frame_id(number))
        assert np.array_equal(image.pixels, expected)
    assert helper.transport.requests == []


def is_compressed(name: str) -> bool:
    """Tell whether a file of the corpus is, by its own word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meta = pydicom.dcmread(corpus.path_of(name), stop_before_pixels=True, force=True).file_meta
    syntax = meta.get("TransferSyntaxUID")
    return syntax is not None and syntax.is_compressed


COMPRESSED = [
    (name, frame)
    for name in filter(is_compressed, (*corpus.images(), *corpus.further_images()))
    for frame in corpus.frames(name)
]


@pytest.mark.parametrize(("name", "frame"), COMPRESSED)
async def test_lent_images_are_those_of_a_load(helper, name, frame):
    """Not the pixels alone: warnings, modules and what describes them too."""
    home = Worker({URL: corpus.path_of(name).read_bytes()})
    image_id = frame_id(frame + 1)
    loaded = await load_image(image_id, home.context)
    borrowed = await helper.borrow(await home.lend(image_id), image_id)
    assert borrowed.pixels.dtype == loaded.pixels.dtype
    assert np.array_equal(borrowed.pixels, loaded.pixels)
    np.testing.assert_equal(everything(borrowed), everything(loaded))


async def test_frames_that_are_fetched_by_byte_ranges(helper):
    """Nothing of the file stays with its home but the beginning and the frame."""
    frames = np.random.default_rng(5).integers(0, 4096, (3, 900, 1000)).astype("u2")
    body = builders.encapsulated(
        list(map(imagecodecs.jpegls_encode, frames)), frames[0], JPEGLSLossless
    )
    home = Worker({URL: body})
    loan = await home.lend(frame_id(3))
    assert [request.byte_range is None for request in home.transport.requests] == [False, False]
    image = await helper.borrow(loan, frame_id(3))
    assert np.array_equal(image.pixels, frames[2])


async def test_frames_of_a_service(served: Served, served_files):
    viewer, helper = Viewer(), Worker()
    image_id = f"wadors:{served.at(RLE)}/frames/2"
    loan = await lend_frame(image_id, viewer.context(), None)
    image = await helper.borrow(loan, image_id)
    assert np.array_equal(image.pixels, of_file(served_files[RLE], 2))


async def test_frames_of_a_member_of_an_archive(helper):
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("a.dcm", cine())
        archive.writestr("b.dcm", builders.encode(FRAMES[4], JPEGLSLossless))
    home = Worker({URL: packed.getvalue()})
    for name, frame in (("a", 1), ("b", 4), ("a", 2)):
        image_id = f"wadouri:{URL}#member={name}.dcm" + (
            f"?frame={frame + 1}" if name == "a" else ""
        )
        image = await helper.borrow(await home.lend(image_id), image_id)
        assert np.array_equal(image.pixels, FRAMES[frame])


# ------------------------------------------------------------------ the header


async def test_the_header_goes_once(home, helper):
    first = await home.lend(frame_id(1))
    second = await home.lend(frame_id(2), first.token)
    assert (second.token, second.header) == (first.token, None)
    await helper.borrow(first, frame_id(1))
    assert np.array_equal((await helper.borrow(second, frame_id(2))).pixels, FRAMES[1])
    other = await home.lend(frame_id(2), "of another worker")
    assert other.header == first.header


async def test_the_file_is_not_handed_over_with_it(home):
    loan = await home.lend(frame_id(1))
    assert loan.header is not None
    assert len(loan.header) < 20_000 < FRAMES[0].nbytes / 2 < len(loan.frame) < FRAMES[0].nbytes


async def test_a_header_that_is_gone_is_asked_for_again(home, helper):
    first = await home.lend(frame_id(1))
    await helper.borrow(first, frame_id(1))
    helper.context.cache.discard(f"wadouri:{URL}")
    loan = await home.lend(frame_id(2), first.token)
    with pytest.raises(FormatError, match=r"header of 'wadouri:.*' is not in this worker any more"):
        await helper.borrow(loan, frame_id(2))


async def test_a_file_that_has_changed_has_another_header(home, helper):
    first = await home.lend(frame_id(1))
    await helper.borrow(first, frame_id(1))
    home.context.cache.clear()
    home.transport.answers[URL] = builders.encode(FRAMES[3][:100], JPEGLSLossless)  # type: ignore[index]
    second = await home.lend(frame_id(1), first.token)
    assert second.token != first.token
    assert np.array_equal((await helper.borrow(second, frame_id(1))).pixels, FRAMES[3][:100])
    with pytest.raises(FormatError, match="not in this worker any more"):
        await helper.borrow(dataclasses.replace(first, header=None), frame_id(1))


async def test_a_header_that_was_replaced_while_a_frame_was_on_its_way(home, helper):
    """A file was loaded anew, without its home having forgotten what it had packed."""
    first = await home.lend(frame_id(1))
    other = parse_part10(builders.encode(FRAMES[3], JPEGLSLossless))
    home.context.cache.keep(f"wadouri:{URL}", InstanceSource(other))
    second = await home.lend(frame_id(1), first.token)
    assert second.header is not None
    assert np.array_equal((await helper.borrow(second, frame_id(1))).pixels, FRAMES[3])


async def test_decache_lets_go_of_what_a_helper_has(home, helper):
    await helper.borrow(await home.lend(frame_id(1)), frame_id(1))
    assert helper.context.cache.size > 0
    helper.context.cache.discard(f"wadouri:{URL}")
    assert helper.context.cache.size == 0


# ------------------------------------------------------------------ what is not lent


def not_encapsulated() -> bytes:
    """Make a file whose transfer syntax says that its pixels are compressed, and they are not."""
    return builders.native(FRAMES[0]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")


@pytest.mark.parametrize("make", [lambda: builders.native(FRAMES[0]), not_encapsulated])
async def test_frames_that_are_not_compressed_stay(make: Callable[[], bytes]):
    home = Worker({URL: make()})
    assert await lend_frame(f"wadouri:{URL}", home.context, None) is None
    assert np.array_equal((await load_image(f"wadouri:{URL}", home.context)).pixels, FRAMES[0])


async def test_volumes_stay(home):
    image_id = "nifti:https://host/brain.nii?frame=0"
    home.transport.answers["https://host/brain.nii"] = nifti_builders.make(FRAMES.T).single
    image = await load_image(image_id, home.context)
    assert await lend_frame(image_id, home.context, None) is None
    assert np.array_equal(image.pixels, FRAMES[0])
    assert len(home.transport.requests) == 1


async def test_functions_of_users_are_not_run_to_be_lent(home):
    runs = []

    @register_loader("counted")
    async def load(image_id: ImageId, context: Context) -> Image:
        runs.append(image_id)
        return Image.from_array(FRAMES[0])

    try:
        assert await lend_frame("counted:1", home.context, None) is None
    finally:
        schemes.drop(__name__)
    assert runs == []


@pytest.mark.parametrize(
    ("change", "number", "kind", "text"),
    [
        (lambda body: body, 6, ImageIdError, "frame 6 was asked for"),
        (lambda body: body[:-90_000], 5, CutOffError, "frame 5 of 5 is cut off"),
        (lambda body: b"<html>", 1, FormatError, "is an HTML page"),
    ],
)
async def test_what_cannot_be_loaded_cannot_be_lent(change, number, kind, text):
    home = Worker({URL: change(cine())})
    with pytest.raises(kind, match=text):
        await home.lend(frame_id(number))


async def test_a_damaged_frame_fails_at_the_helper_as_at_home(helper):
    damaged = builders.encapsulated([b"\xff\xd8\xff\xf7" + b"\0" * 400], FRAMES[0], JPEGLSLossless)
    home = Worker({URL: damaged})
    loan = await home.lend(f"wadouri:{URL}")
    errors = []
    for load in (helper.borrow(loan, f"wadouri:{URL}"), load_image(f"wadouri:{URL}", home.context)):
        with pytest.raises(LoaderError) as caught:
            await load
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]
