"""Damaged files: cut off, with bytes flipped, and with lies told where they hurt most.

What a file of the corpora is damaged by follows from its name and a number alone, so that a
failure can be made again. A `Damage` is small: the page and a child process apply it themselves.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from random import Random
from struct import pack, unpack_from
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.support import corpus

# How many of each kind a file gets; `FUZZ_EACH=20` is the full set.
EACH = int(os.environ.get("FUZZ_EACH", "2"))
# What a damaged file may be refused with; `internal`, `worker` and `timeout` are not among it.
CODES = ("decode", "format", "image-id", "unsupported")
IMAGE_ATTRIBUTES = {
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "SamplesPerPixel": 0x00280002,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "PlanarConfiguration": 0x00280006,
    "NumberOfFrames": 0x00280008,
    "PhotometricInterpretation": 0x00280004,
}
TEXTS = (b"-1", b"0", b"1A", b"99999999", b"RGB", b"YBR_FULL_422", b"PALETTE COLOR", b"HSV")
VRS = (b"OB", b"OW", b"UN", b"SQ", b"US", b"SS", b"DS", b"IS", b"LO", b"OV", b"FD", b"ZZ")
LENGTHS = (0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
VALUES = (0, 1, 2, 3, 7, 9, 15, 17, 255, 4096, 32768, 65535)
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
Edits = tuple[tuple[int, bytes], ...]
ITEM = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True)
class Damage:
    """A change of a file.

    Attributes
    ----------
    length : int or None
        Bytes that are left of it; None for all.
    edits : tuple of (int, bytes)
        What is written where, from 0.
    frame_index : int
        The frame that is loaded then, from 0.
    """

    kind: str
    length: int | None = None
    edits: Edits = ()
    frame_index: int = 0

    def of(self, body: bytes) -> bytes:
        """Return the damaged file."""
        damaged = bytearray(body)
        for place, written in self.edits:
            damaged[place : place + len(written)] = written
        return bytes(damaged[: self.length])


@dataclass(frozen=True)
class Subject:
    """A file, and where its parts stand.

    Attributes
    ----------
    elements : dict of int to RawDataElement
        The top level of the data set by tag, without the file meta information.
    pixels : int
        Where the pixel data begin; the end of the file when it has none, or is deflated.
    """

    name: str
    body: bytes
    order: str
    elements: dict[int, RawDataElement] = field(default_factory=dict)
    pixels: int = 0

    def place(self, keyword: str) -> int | None:
        """Return where the value of an attribute of the image begins."""
        element = self.elements.get(IMAGE_ATTRIBUTES[keyword])
        return element.value_tell if element is not None else None

    def shape_in(self, damaged: bytes) -> tuple[int, int] | None:
        """Return the rows and columns that a damaged file tells; None when it is deflated."""
        places = self.place("Rows"), self.place("Columns")
        if None in places:
            return None
        return tuple(unpack_from(f"{self.order}H", damaged, place)[0] for place in places)

    def complain(self, damage: Damage, outcome: dict[str, Any], intact: dict[int, str]) -> str:
        """Return what is wrong with the outcome of a load, nothing when it is as it should be.

        Parameters
        ----------
        outcome : dict
            ``code`` and ``message`` of an error, or ``shape`` and ``digest`` of an image.
        intact : dict of int to str
            Digests of the frames of the file as it was.
        """
        if "code" in outcome:
            return "" if outcome["code"] in CODES else f"{outcome['code']}: {outcome['message']}"
        if damage.kind == "cut" and outcome["digest"] != intact[damage.frame_index]:
            return "what is left of it gives another image"
        told = self.shape_in(damage.of(self.body))
        found = tuple(outcome["shape"])
        return "" if told in (None, found) else f"its header tells {told}, the image is {found}"

    def complaints(self, outcomes: list[dict[str, Any]], each: int = EACH) -> list[str]:
        """Return what is wrong with the outcomes of `loads`, in their order."""
        frames = corpus.frames(self.name)
        count = len(frames)
        before, found, after = outcomes[:count], outcomes[count:-count], outcomes[-count:]
        intact = {index: one.get("digest", "") for index, one in zip(frames, before, strict=True)}
        pairs = zip(damages(self, each), found, strict=True)
        judged = ((damage, self.complain(damage, outcome, intact)) for damage, outcome in pairs)
        complaints = [f"{complaint}; {damage}" for damage, complaint in judged if complaint]
        if list(map(gist, before)) != list(map(gist, after)):
            complaints.append(f"what follows is not as before: {before}, {after}")
        return complaints


def gist(outcome: dict[str, Any]) -> str:
    """Return the code of an error, or the digest of an image."""
    return str(outcome.get("code") or outcome["digest"])


def read_subject(name: str) -> Subject:
    """Read where the parts of a file stand."""
    body = corpus.path_of(name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(BytesIO(body), force=True)
    order = "<" if dataset.original_encoding[1] is not False else ">"
    if dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return Subject(name, body, order, pixels=len(body))
    elements = {element.tag: element for element in raw_elements(dataset)}
    found = [
        elements[tag].value_tell for tag in (0x7FE00008, 0x7FE00009, 0x7FE00010) if tag in elements
    ]
    return Subject(name, body, order, elements, min(found, default=len(body)))


def raw_elements(dataset: Dataset) -> Iterator[RawDataElement]:
    """Yield the elements that pydicom has not looked into; their places in the file are known."""
    for tag in dataset.keys():  # noqa: SIM118 -- iterating a data set converts its elements
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            yield element


def damages(subject: Subject, each: int = EACH) -> list[Damage]:
    """Return what a file is damaged by: `each` cuts, `each` flips and `each` lies."""
    frames, found = corpus.frames(subject.name), []
    for kind in (cut, flip, lie):
        for number in range(each):
            # Each has a seed of its own, so that a smaller set is a part of the full one.
            random = Random(f"{subject.name} {kind.__name__} {number}")
            damage = kind(random, subject)
            found.append(replace(damage, frame_index=random.choice(frames)))
    return found


def cut(random: Random, subject: Subject) -> Damage:
    """Leave some bytes of a file, or none."""
    return Damage("cut", random.randrange(len(subject.body)))


def flip(random: Random, subject: Subject) -> Damage:
    """Change a byte, wherever."""
    return Damage("flip", edits=(changed(random, subject.body),))


def lie(random: Random, subject: Subject) -> Damage:
    """Tell a lie; about the header, when there is nothing to lie about in another way."""
    kind = random.choice(LIES)
    edits = kind(random, subject)
    if not edits:
        kind = lie_of_header
        edits = kind(random, subject)
    return Damage(kind.__name__.removeprefix("lie_of_"), edits=edits)


def loads(subject: Subject, each: int = EACH) -> list[Damage]:
    """Return what is loaded: each frame as it is, those that are damaged, and each again."""
    intact = [Damage("none", frame_index=index) for index in corpus.frames(subject.name)]
    return [*intact, *damages(subject, each), *intact]


def changed(random: Random, body: bytes, stop: int | None = None) -> tuple[int, bytes]:
    """Return a place before `stop`, and another byte than stands there."""
    place = random.randrange(stop or len(body))
    return place, bytes([body[place] ^ random.randrange(1, 256)])


def lie_of_attribute(random: Random, subject: Subject) -> Edits:
    """Give an attribute of the image another value, of the same length."""
    known = [tag for tag in IMAGE_ATTRIBUTES.values() if tag in subject.elements]
    if not known:
        return ()
    element = subject.elements[random.choice(known)]
    if element.length == 2 and element.VR not in ("IS", "CS"):
        written = pack(f"{subject.order}H", random.choice(VALUES))
    else:
        written = random.choice(TEXTS)[: element.length].ljust(element.length)
    return ((element.value_tell, written),)


def lie_of_codestream(random: Random, subject: Subject) -> Edits:
    """Change up to three of the first 96 bytes of the pixel data, where headers stand."""
    stop = min(len(subject.body), subject.pixels + 96)
    if subject.pixels == stop:
        return ()
    places = [random.randrange(subject.pixels, stop) for _ in range(random.randint(1, 3))]
    return tuple(
        (place, bytes([random.choice((0, 1, 255, random.randrange(256)))])) for place in places
    )


def lie_of_length(random: Random, subject: Subject) -> Edits:
    """Give an element, or the file meta information, another length."""
    places = [132 + 8] if subject.body[128:132] == b"DICM" else []
    places += [element.value_tell - 4 for element in subject.elements.values()]
    place = random.choice(places)
    length = random.choice((*LENGTHS, random.randrange(len(subject.body))))
    # The length of a short explicit element has two bytes, after its VR.
    is_short = subject.body[place : place + 2].isalpha()
    return (
        (place + 2, pack(f"{subject.order}H", length & 0xFFFF))
        if is_short
        else (place, pack(f"{subject.order}L", length)),
    )


def lie_of_item(random: Random, subject: Subject) -> Edits:
    """Change the tag or the length of an item of the pixel data, or what it begins with."""
    places = list(items(subject))
    if not places:
        return ()
    place = random.choice(places) + random.choice((0, 4, 8))
    return ((place, pack("<L", random.choice((*LENGTHS, random.randrange(len(subject.body)))))),)


def items(subject: Subject) -> Iterator[int]:
    """Yield where the items of encapsulated pixel data begin."""
    place = subject.pixels
    while subject.body[place : place + 4] == ITEM and place + 12 <= len(subject.body):
        yield place
        place += 8 + unpack_from("<L", subject.body, place + 4)[0]


def lie_of_vr(random: Random, subject: Subject) -> Edits:
    """Give an explicit element another VR."""
    elements = [element for element in subject.elements.values() if element.VR]
    if not elements:
        return ()
    place = random.choice(elements).value_tell
    place -= 8 if subject.body[place - 8 : place - 6].isupper() else 4
    return ((place, random.choice(VRS)),)


def lie_of_header(random: Random, subject: Subject) -> Edits:
    """Change up to four bytes before the pixel data."""
    return tuple(changed(random, subject.body, subject.pixels) for _ in range(random.randint(1, 4)))


LIES = (
    lie_of_attribute,
    lie_of_codestream,
    lie_of_length,
    lie_of_item,
    lie_of_vr,
    lie_of_header,
)
