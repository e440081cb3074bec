"""Files that cannot be shown, and the words that say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from tests.support.reference import images
from tests.support.reference.row import attributes_of, with_frames, with_native

PREFIX = "1.2.840.10008.1.2."
# Transfer syntaxes that nothing here decodes.
SYNTAXES = {
    "jpeg_2000_part_2": ("4.92", "4.93"),
    "jpip": ("4.94", "4.95", "4.204", "4.205"),
    "video": ("4.100", "4.101", "4.102", "4.103", "4.104", "4.105", "4.106", "4.107", "4.108"),
    "smpte": ("7.1", "7.2", "7.3"),
    "hierarchical": ("4.59", "4.61", "4.63", "4.65"),
}
PRIVATE = "1.2.840.113619.5.22.4567"


@dataclass(frozen=True)
class Refusal:
    """A file that has to be refused.

    Attributes
    ----------
    words : tuple of str
        What the message has to say.
    """

    name: str
    make: Callable[[], bytes]
    words: tuple[str, ...]
    code: str = "unsupported"

    @cached_property
    def body(self) -> bytes:
        """The file."""
        return self.make()


def refusals() -> Iterator[Refusal]:
    """Yield the files."""
    for kind, endings in SYNTAXES.items():
        for ending in endings:
            uid = UID(PREFIX + ending)
            make = partial(make_unknown, uid)
            yield Refusal(f"{kind}-{ending}", make, (str(uid), uid.name, "supported are"))
    yield Refusal("private", partial(make_unknown, PRIVATE), (PRIVATE, "supported are"))
    yield Refusal("big-u24of24", make_24_bits, ("BitsAllocated", "24", "big endian"))
    yield Refusal("native-ybr_partial_420", make_420, ("YBR_PARTIAL_420", "compressed"))
    for photometric in ("HSV", "CMYK", "ARGB"):
        make = partial(make_photometric, photometric)
        yield Refusal(f"photometric-{photometric.lower()}", make, (photometric, "MONOCHROME2"))


def make_unknown(syntax: str) -> bytes:
    """Make a file of a transfer syntax whose frame holds nothing that could be decoded."""
    dataset = attributes_of(images.grey(8, 8))
    return with_frames(dataset, [bytes(range(1, 65))], syntax)


def make_24_bits() -> bytes:
    """Make a big endian file of 24 bits: whether words or samples are swapped is not certain."""
    values = images.grey(24, 24)
    dataset = attributes_of(values, BitsAllocated=24, BitsStored=24)
    return with_native(dataset, bytes(values.size * 3), ExplicitVRBigEndian, "OW")


def make_420() -> bytes:
    """Make a native file of 4:2:0, which is defined for compressed frames alone."""
    values = images.color(size=(12, 16))
    dataset = attributes_of(values, PhotometricInterpretation="YBR_PARTIAL_420")
    return with_native(dataset, bytes(12 * 16 * 3 // 2), ExplicitVRLittleEndian, "OB")


def make_photometric(photometric: str) -> bytes:
    """Make a native file of a photometric interpretation, of 3 samples or 4."""
    values = images.color()
    dataset = attributes_of(values, PhotometricInterpretation=photometric)
    if photometric != "HSV":
        values = np.concatenate([values, values[..., :1]], axis=-1)
        dataset.SamplesPerPixel = 4
    return with_native(dataset, values.tobytes(), ExplicitVRLittleEndian, "OB")
