"""A DICOM instance as a source of images, its frames; for every scheme that yields instances."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyloader.context import Context
from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.frame_offsets import encapsulated_frame
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import describe, header
from pyloader.dicom.parse import noting
from pyloader.dicom.series import describe_series
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.pixels.codecs import CODECS
from pyloader.pixels.decode import CheckSize, decode_frame
from pyloader.source import EncodedFrame, Modules, Ready, Series


class InstanceFrame:
    """A frame of an instance; a `Ready`.

    Attributes
    ----------
    instance : Instance
        Holds all frames, this frame alone, or, for metadata only, none.
    """

    def __init__(self, instance: Instance, image_id: ImageId) -> None:
        self.instance = instance
        self.image_id = image_id

    def make(self, context: Context) -> Image:
        """Decode and describe the frame; drop a truncated file, so that a later load refetches."""
        try:
            return make_image(self.instance, self.image_id.frame_index, context.check_size)
        except CutOffError:
            context.cache.discard(self.image_id.source)
            raise

    def describe(self, context: Context) -> Modules:
        """Return the modules of the frame.

        With the option ``instance``, the first frame also gets the whole instance as DICOM JSON
        (PS3.18 F) without pixels: module ``instance``, attribute ``json``. This takes longer than
        all other modules.
        """
        instance, frame_index = self.instance, self.image_id.frame_index
        with noting():
            modules = header(instance, instance.check_frame(frame_index))
            if context.options.get("instance") and frame_index == 0:
                modules["instance"] = {"json": instance_json(instance.dataset)}
        return modules

    def encoded(self) -> EncodedFrame | None:
        """Return the encoded frame; None if uncompressed, or if no codec decodes its syntax."""
        instance, pixels = self.instance, self.instance.pixels
        if pixels is None or not pixels.is_encapsulated:
            return None
        if instance.transfer_syntax_uid not in CODECS:
            return None
        frame_index = instance.check_frame(self.image_id.frame_index)
        empty = replace(pixels, body=b"", start=0, stop=0, frames=(), frame_index=None)
        header = InstanceHeader(replace(instance, pixels=empty))
        return EncodedFrame(header, encapsulated_frame(instance, pixels, frame_index))


class InstanceHeader:
    """An instance without pixel bytes; a `FrameHeader`."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def is_same(self, other: Any) -> bool:
        """Return whether both have the same data set object, not merely an equal one."""
        one, two = self.instance, other.instance
        is_alike = (one.transfer_syntax_uid, one.pixels, one.warnings) == (
            *(two.transfer_syntax_uid, two.pixels, two.warnings),
        )
        return is_alike and one.dataset is two.dataset

    def ready(self, image_id: ImageId, body: bytes) -> InstanceFrame:
        """Return a frame of the instance from its encoded bytes."""
        pixels = self.instance.pixels
        assert pixels is not None, "encoded has checked it"
        pixels = replace(pixels, body=body, stop=len(body), frame_index=image_id.frame_index)
        return InstanceFrame(replace(self.instance, pixels=pixels), image_id)


class InstanceSource:
    """A complete instance; a `Source`."""

    is_encoded = True

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return self.instance.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all frames."""
        return [series_of(image_id, self.instance)]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the frame: all of its bytes are loaded."""
        return InstanceFrame(self.instance, image_id)

    def ready(self, image_id: ImageId) -> Ready:
        """Return the frame."""
        return InstanceFrame(self.instance, image_id)


def make_image(instance: Instance, frame_index: int, allow: CheckSize | None = None) -> Image:
    """Decode one frame, from 0, of an instance and describe it; see `decode_frame`."""
    with noting() as notes:
        frame = decode_frame(instance, frame_index, allow)
        image = describe(instance, frame_index, frame)
    told = (*instance.warnings, *notes)
    return replace(image, warnings=told) if told else image


def series_of(image_id: ImageId, instance: Instance) -> Series:
    """Return the frames of an instance as a series."""
    return Series(describe_series(instance), image_id.of_frames(instance.number_of_frames))
