"""Chains of directories of TIFFs: those that go round in a circle are cut."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
import tifffile

from pyloader.loaders.web_images.tiff_chain import without_cycle
from tests.support.pictures import noise, tiff
from tests.support.tiffs import chain, with_next

LAYOUTS = [(order, big) for order in "<>" for big in (False, True)]


def pages(count: int, order: str, big: bool) -> bytes:
    """Return a TIFF of several pages."""
    frames = [noise(8, 8, seed=number) for number in range(count)]
    return tiff(*frames, byteorder=order, bigtiff=big)


def offsets(body: bytes) -> list[int]:
    """Return where tifffile finds the directories."""
    with tifffile.TiffFile(BytesIO(body)) as file:
        return [page.offset for page in file.pages]


@pytest.mark.parametrize(("order", "big"), LAYOUTS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_chain_that_ends_is_unchanged(order, big, count):
    body = pages(count, order, big)
    found, notes = without_cycle(body)
    assert found is body
    assert notes == ()


@pytest.mark.parametrize(("order", "big"), LAYOUTS)
@pytest.mark.parametrize(("last", "target"), [(2, 0), (2, 1), (2, 2), (1, 0), (0, 0)])
def test_a_circle_ends_with_its_last_page(order, big, last, target):
    whole = pages(3, order, big)
    round_ = with_next(whole, last, target)
    found, notes = without_cycle(round_)
    assert offsets(found) == offsets(whole)[: last + 1]
    assert len(found) == len(whole)
    assert notes[0].startswith(f"page {last + 1} names page {target + 1} as the next one")


@pytest.mark.parametrize("place", [0, 0xFFFFFFFF, 0xFFFF])
def test_a_chain_that_leaves_the_file_is_unchanged(place):
    body = bytearray(pages(1, "<", big=False))
    struct.pack_into("<I", body, 4, place)
    assert without_cycle(bytes(body)) == (bytes(body), ())


@pytest.mark.parametrize("body", [b"", b"II*\0", b"II*\0\x08\0\0", b"MM\0+" + bytes(4)])
def test_files_that_are_cut_off_are_unchanged(body):
    assert without_cycle(body) == (body, ())


def test_a_million_directories_are_followed_in_a_moment():
    body = chain(18_000_000, first=8)
    found, notes = without_cycle(body)
    assert found[-4:] == bytes(4)
    assert notes[0].startswith("page 1000000 names page 1 as the next one")
