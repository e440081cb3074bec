"""Compressed frames that one interpreter lends to another, which decodes them.

The worker that has a file hands on the frame's encoded bytes, and once what its header says, as it
was parsed: nothing is fetched or parsed again. Only frames that are certain to become the same
image there are lent; tests/test_lending.py compares them.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field, replace
from typing import Any

from pyloader.context import Context
from pyloader.dicom.frame_offsets import encapsulated_frame
from pyloader.dicom.instance import Instance
from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.loaders.wadouri import make_image
from pyloader.pixels.codecs import CODECS


@dataclass(frozen=True, slots=True)
class Header:
    """An instance without the bytes of its pixels, and the same for another interpreter.

    Attributes
    ----------
    instance : Instance
    token : str
        Names it; no other header, of any interpreter, has the same.
    packed : bytes
    """

    instance: Instance
    token: str = field(default_factory=lambda: os.urandom(12).hex())
    packed: bytes = b""

    @property
    def nbytes(self) -> int:
        """Bytes that stay in memory."""
        return len(self.packed)

    def is_of(self, bare: Instance) -> bool:
        """Tell whether it is that of an instance: the same data set, not an equal one."""
        own = self.instance
        others = (bare.transfer_syntax_uid, bare.pixels, bare.warnings)
        is_alike = (own.transfer_syntax_uid, own.pixels, own.warnings) == others
        return is_alike and own.dataset is bare.dataset


@dataclass(frozen=True, slots=True)
class Loan:
    """One frame, encoded, its fragments put together.

    Attributes
    ----------
    token : str
        Names the header.
    header : bytes or None
        None when the borrower has it.
    frame : bytes
    """

    token: str
    header: bytes | None
    frame: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """What crosses to the other worker."""
        return {"token": self.token, "header": self.header, "frame": self.frame}


async def lend(
    instance: Instance, image_id: ImageId, context: Context, known: str | None
) -> Loan | None:
    """Return a frame to be decoded elsewhere.

    Parameters
    ----------
    instance : Instance
        Which holds the frame.
    known : str or None
        Token of the header of this source that the borrower was given last.

    Returns
    -------
    Loan or None
        None when the frame is not compressed, or not stored as its transfer syntax says.

    Raises
    ------
    LoaderError
        There is no such frame, or it is cut off.
    """
    pixels = instance.pixels
    if pixels is None or not pixels.is_encapsulated or instance.transfer_syntax_uid not in CODECS:
        return None
    frame = encapsulated_frame(instance, pixels, instance.check_frame(image_id.frame_index))
    header = await header_of(instance, image_id, context)
    return Loan(header.token, None if header.token == known else header.packed, frame)


async def header_of(instance: Instance, image_id: ImageId, context: Context) -> Header:
    """Return the header of an instance, packed once for all its frames."""
    assert instance.pixels is not None, "lend has looked"
    empty = replace(instance.pixels, body=b"", start=0, stop=0, frames=(), frame_index=None)
    bare = replace(instance, pixels=empty)

    async def pack(context: Context) -> Header:
        return Header(bare, packed=pickle.dumps(bare, pickle.HIGHEST_PROTOCOL))

    key = (image_id.source, "lent", image_id.member)
    header = await context.cached(key, pack)
    if not header.is_of(bare):
        header = await pack(context)
        context.cache.keep(key, header)
    return header


async def borrow(loan: Loan, image_id: ImageId, context: Context) -> Image:
    """Decode a frame that another interpreter of this page has lent.

    Raises
    ------
    FormatError
        Its header is not here any more.
    LoaderError
        As `make_image`.
    """
    key = (image_id.source, "borrowed", image_id.member)
    if loan.header is not None:
        context.cache.keep(key, Header(pickle.loads(loan.header), loan.token, loan.header))

    async def lost(context: Context) -> Header:
        raise FormatError(f"the header of {image_id.source!r} is not in this worker any more")

    header = await context.cached(key, lost)
    if header.token != loan.token:
        header = await lost(context)
    frame, pixels = loan.frame, header.instance.pixels
    assert pixels is not None, "lend has looked"
    pixels = replace(pixels, body=frame, stop=len(frame), frame_index=image_id.frame_index)
    instance = replace(header.instance, pixels=pixels)
    return make_image(instance, image_id.frame_index, context.check_size)
