"""Offload encoded frames: lend them to another interpreter, which decodes them.

This is Python's side of offloading; `web/scheduler/offload.js` is JavaScript's. With two workers,
24 frames of JPEG 2000 of one file take 0.69 of the time that they take without it. Frames that
decode as fast as those of a colour JPEG gain little (0.94).

The lender, the worker that has a source, sends a frame's encoded bytes, and once the parsed header
that decodes them. The borrower fetches and parses nothing. Only frames that are certain to become
the same image there are lent; tests/browser/test_offload.py compares them.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field
from typing import Any

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.load import load_scope
from pyloader.loaders.user_functions import check_image
from pyloader.source import FrameHeader


@dataclass(frozen=True, slots=True)
class LentHeader:
    """A frame header, and its pickle for another interpreter.

    Attributes
    ----------
    header : FrameHeader
    token : str
        A name that no other header has, in any interpreter.
    packed : bytes
        The pickle.
    """

    header: FrameHeader
    token: str = field(default_factory=lambda: os.urandom(12).hex())
    packed: bytes = b""

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory; the cache counts them."""
        return len(self.packed)


@dataclass(frozen=True, slots=True)
class Loan:
    """One frame for another interpreter.

    Attributes
    ----------
    token : str
        Token of the header.
    header : bytes or None
        Pickle of the header; None when the borrower has it.
    frame : bytes
        The encoded frame, its fragments joined.
    """

    token: str
    header: bytes | None
    frame: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The loan as plain values, which cross to the other worker."""
        return {"token": self.token, "header": self.header, "frame": self.frame}


async def lend_frame(image_id: str, context: Context, known: str | None) -> Loan | None:
    """Return a frame for another worker to decode; None when it must be decoded here.

    Parameters
    ----------
    known : str or None
        Token of the last header of this source that the borrower was given.

    Raises
    ------
    LoaderError
        As `load_image`; there is no such frame, or it is cut off.
    """
    with load_scope(image_id, context) as (open_source, parsed, context):
        source = await open_source(parsed, context)
        frame = (await source.fetch(parsed, context)).encoded() if source.is_encoded else None
        if frame is None:
            return None
        header = await header_of(frame.header, parsed, context)
        packed = None if header.token == known else header.packed
        return Loan(header.token, packed, frame.body)


async def header_of(header: FrameHeader, image_id: ImageId, context: Context) -> LentHeader:
    """Return a header, pickled once for all frames of its source."""

    async def pack(context: Context) -> LentHeader:
        return LentHeader(header, packed=pickle.dumps(header, pickle.HIGHEST_PROTOCOL))

    key = (image_id.source, "lent", image_id.member)
    found = await context.cached(key, pack)
    if not found.header.is_same(header):
        found = await pack(context)
        context.cache.keep(key, found)
    return found


async def borrow_frame(loan: Loan, image_id: str, context: Context) -> Image:
    """Decode a frame that another interpreter of this page has lent.

    Raises
    ------
    FormatError
        Its header is no longer here: ask the lender again.
    LoaderError
        As `load_image`.
    """
    with load_scope(image_id, context) as (_, parsed, context):
        header = await lent_header(loan, parsed, context)
        return check_image(header.ready(parsed, loan.frame).make(context), parsed)


async def lent_header(loan: Loan, image_id: ImageId, context: Context) -> FrameHeader:
    """Return the header of a loan: its own, or the one that an earlier loan brought."""
    key = (image_id.source, "borrowed", image_id.member)
    if loan.header is not None:
        context.cache.keep(key, LentHeader(pickle.loads(loan.header), loan.token, loan.header))

    async def lost(context: Context) -> LentHeader:
        raise FormatError(f"the header of {image_id.source!r} is not in this worker any more")

    found = await context.cached(key, lost)
    if found.token != loan.token:
        found = await lost(context)
    return found.header
