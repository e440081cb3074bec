"""Files with hostile values in every attribute that a reader of modules asks for.

Which attributes these are is seen by watching the readers: no list of them can fall behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from itertools import chain
from random import Random
from struct import pack
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings, strategies
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from pyloader.dicom.fast.memo import Watched
from pyloader.dicom.instance import Instance
from pyloader.dicom.modules import header
from pyloader.dicom.parse import parse_part10
from pyloader.errors import LoaderError
from pyloader.image import Image
from pyloader.loaders.instance_source import make_image
from tests.support import builders

Elements = dict[int, Any]
"""By tag VR and value, or the data sets of a sequence."""
Path = tuple[int, ...]
"""Tags from the top level down; of each sequence the first item."""

# What decides of which size an image is: other tests have it hostile.
PIXELS = frozenset(map(Tag, ("Rows", "Columns", "NumberOfFrames", "PixelData")))
# What decides whether there is an image: these are hostile alone.
DECISIVE = frozenset(
    map(
        Tag,
        (
            *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
            *("PhotometricInterpretation", "PlanarConfiguration", "SpecificCharacterSet"),
        ),
    )
)


def item(**attributes: Any) -> Dataset:
    """Return a data set of these attributes."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def pet(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of a PET image whose SUV can be computed."""
    tracer = item(
        RadionuclideTotalDose="354752544",
        RadionuclideHalfLife="6588",
        RadiopharmaceuticalStartTime="092800",
        RadiopharmaceuticalStartDateTime="20080418092800",
    )
    return {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": "80",
        "PatientSize": "1.8",
        "PatientSex": "M",
        "SeriesDate": "20080418",
        "SeriesTime": "102800",
        "AcquisitionDate": "20080418",
        "AcquisitionTime": "103000",
        "RadiopharmaceuticalInformationSequence": [tracer],
    } | attributes


def philips() -> dict[str, Any]:
    """Return the attributes of a PET image in counts."""
    return pet(Units="CNTS", private=("Philips PET Private Group", 0x7053, {0x00: "0.0002"}))


def general_electric() -> dict[str, Any]:
    """Return the attributes of a PET image whose series was written anew."""
    private = ("GEMS_PETD_01", 0x0009, {0x0D: "20080418102800"})
    return pet(SeriesTime="150000", private=private)


def late() -> dict[str, Any]:
    """Return the attributes of a PET image whose scan began before its frame did."""
    return pet(SeriesTime="150000", FrameReferenceTime="180000", ActualFrameDuration="120000")


def converted() -> dict[str, Any]:
    """Return the attributes of a PET image that a converter made multi-frame."""
    top = ("Modality", "PatientWeight", "SeriesDate", "SeriesTime")
    moved = {keyword: value for keyword, value in pet().items() if keyword not in top}
    shared = item(UnassignedSharedConvertedAttributesSequence=[item(**moved)])
    kept = {keyword: pet()[keyword] for keyword in top}
    return kept | {"SharedFunctionalGroupsSequence": [shared]}


def enhanced() -> dict[str, Any]:
    """Return the attributes of an enhanced PET image."""
    code = item(CodeValue="Bq/ml", CodingSchemeDesignator="UCUM")
    line = item(RealWorldValueSlope=2.0, RealWorldValueIntercept=0.0)
    line.MeasurementUnitsCodeSequence = [code]
    shared = item(
        PixelValueTransformationSequence=[item(RescaleSlope="2", RescaleIntercept="0")],
        RealWorldValueMappingSequence=[line],
    )
    absent = dict.fromkeys(("Units", "CorrectedImage", "DecayCorrection"))
    own = {keyword: value for keyword, value in pet().items() if keyword not in absent}
    corrected = dict.fromkeys(("AttenuationCorrected", "DecayCorrected"), "YES")
    start = {"DecayCorrectionDateTime": "20080418102800"}
    return own | corrected | start | {"SharedFunctionalGroupsSequence": [shared]}


def nuclear() -> dict[str, Any]:
    """Return the attributes of a reconstruction in nuclear medicine."""
    detector = item(ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    return {
        "Modality": "NM",
        "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO"],
        "DetectorInformationSequence": [detector],
        "SpacingBetweenSlices": "-3",
        "frames": 2,
    }


def dose() -> dict[str, Any]:
    """Return the attributes of the planes of a dose."""
    return {
        "Modality": "RTDOSE",
        "DoseGridScaling": "1E-3",
        "GridFrameOffsetVector": [0, 3],
        "ImagePositionPatient": [0, 0, 0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "frames": 2,
    }


def segmentation() -> dict[str, Any]:
    """Return the attributes of a frame that shows a segment."""
    number = item(ReferencedSegmentNumber=1)
    shared = item(SegmentIdentificationSequence=[number], DerivationImageSequence=[Dataset()])
    segment = item(SegmentNumber=1, SegmentedPropertyTypeCodeSequence=[Dataset()])
    return {"SharedFunctionalGroupsSequence": [shared], "SegmentSequence": [segment]}


KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "CT": lambda: {"Modality": "CT"},
    "X-ray": lambda: {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "Modality": "DX"},
    "palette": lambda: {"PhotometricInterpretation": "PALETTE COLOR"},
    "PET": pet,
    "PET of Philips": philips,
    "PET of GE": general_electric,
    "PET written anew": late,
    "PET that was converted": converted,
    "enhanced PET": enhanced,
    "dose": dose,
    "nuclear": nuclear,
    "segmentation": segmentation,
    "slide": lambda: {"Modality": "SM", "TotalPixelMatrixColumns": 8},
    "full slide": lambda: {
        "TotalPixelMatrixColumns": 8,
        "TotalPixelMatrixRows": 8,
        "DimensionOrganizationType": "TILED_FULL",
    },
    "overlay": lambda: {"overlay": True},
}


def seed(kind: str) -> Dataset:
    """Return the data set of an image of a kind, as it is without anything hostile."""
    attributes = KINDS[kind]()
    private, has_overlay = attributes.pop("private", None), attributes.pop("overlay", False)
    frames = attributes.pop("frames", 1)
    pixels = np.arange(frames * 16, dtype="u2").reshape(frames, 4, 4)
    dataset = builders.header(pixels[0], NumberOfFrames=frames, **attributes)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    if private:
        creator, group, elements = private
        block = dataset.private_block(group, creator, create=True)
        for element, value in elements.items():
            block.add_new(element, "LO", value)
    if has_overlay:
        for element, vr, value in (0x10, "US", 4), (0x11, "US", 4), (0x3000, "OW", bytes(4)):
            dataset.add_new(0x60000000 | element, vr, value)
    return dataset


# ------------------------------------------------------------------ what readers ask for


@cache
def asked(kind: str) -> tuple[Path, ...]:
    """Return where the readers look for attributes in a data set of a kind.

    Sequences that they ask for are given an empty item, until they ask for nothing new.
    """
    dataset, found = seed(kind), set[Path]()
    instance = parse_part10(builders.part10(seed(kind), ExplicitVRLittleEndian))
    while True:
        paths = set(watch(replace(instance, dataset=dataset)))
        for path in paths - found:
            if vr_of(path[-1]) == "SQ" and path[-1] not in owner_of(dataset, path):
                owner_of(dataset, path).add_new(path[-1], "SQ", [Dataset()])
        if paths <= found:
            return tuple(sorted(path for path in found if path[-1] not in PIXELS))
        found |= paths


def watch(instance: Instance) -> Iterator[Path]:
    """Yield the paths of all attributes that are asked for while images are made and described."""
    watched = {}
    for path, owner in [((), instance.dataset), *nested(instance.dataset)]:
        watched[path] = Watched(owner._dict)
        owner._dict = watched[path]
    outcomes(instance)
    for path, elements in watched.items():
        yield from ((*path, int(tag)) for tag in elements.asked if tag)


def nested(dataset: Dataset, path: Path = ()) -> Iterator[tuple[Path, Dataset]]:
    """Yield the first items of all sequences."""
    for tag in list(dict.keys(dataset._dict)):
        element = dataset[tag]
        if element.VR == "SQ" and element.value:
            yield (*path, int(tag)), element.value[0]
            yield from nested(element.value[0], (*path, int(tag)))


def owner_of(dataset: Dataset, path: Path) -> Dataset:
    """Return the data set in which the last tag of a path is, made where it is not there."""
    for tag in path[:-1]:
        if tag not in dataset or not dataset[tag].value:
            dataset.add_new(tag, "SQ", [Dataset()])
        dataset = dataset[tag].value[0]
    return dataset


def vr_of(tag: int) -> str:
    """Return the VR of the dictionary, the first where it has several."""
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "LO"


# ------------------------------------------------------------------ values

NUMBERS = (
    *("0", "-1", "1", "2.5", "7", "16", "100", "180", "32767", "-32768", "65535", "1E20", "1E-20"),
    *("1E300", "-1E300", "1E-300", "9E999", "nan", "inf", "-inf", "", "abc", "2,5", "2.5 mm", "\\"),
    *("0\\0", "-1\\1", "1E300\\1E300\\1E300", "1\\0\\0\\0\\1\\0", "nan\\0\\0\\0\\inf\\0", "1\\2"),
    *("99999999999999999999", "1E8", "3E5", "12345678.9", "16\\0\\32767"),
)
DATES = (
    *("20080418", "2008.04.18", "2008-04-18", "20080417", "00010101", "99991231", "20081332"),
    *("2008", "", "today", "20080418\\20080419", "17991231", "22010101"),
)
TIMES = (
    *("102800", "10:28:00", "1028", "10", "235960", "240000", "102800.5", "999999", "", "noon"),
    "092800\\102800",
)
MOMENTS = (
    *("20080418092800", "20080418092800+0000", "20080418072800-0200", "20080418", "2008"),
    *("20080418092800.123456+9900", "00010101000000", "99991231235959+1400", "", "now"),
    *("20080101092800", "20080418240000", "20080418102800\\20080418092800"),
)
TEXTS = (
    *("", "YES", "NO", "ADMIN", "START", "BQML", "GML", "CNTS", "M", "MONOCHROME1", "LINEAR_EXACT"),
    *("SIGMOID", "TILED_FULL", "+0200", "-9999", "A\\B", "1.2.3", "Philips PET Private Group"),
    *("\xe4\xff\x1b$)A", "x" * 300, "LBM", "BSA", "PT", "RTDOSE", "NM", "1", "SS", "ATTN\\DECY"),
)
INTEGERS = {
    "US": ("H", (0, 1, 2, 7, 16, 255, 32767, 32768, 65535)),
    "SS": ("h", (0, 1, -1, 16, 32767, -32768)),
    "UL": ("L", (0, 1, 16, 1 << 31, (1 << 32) - 1)),
    "SL": ("l", (0, 1, -1, -(1 << 31))),
    "FD": ("d", (0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, float("nan"), float("inf"), 2.5, 1e8)),
    "FL": ("f", (0.0, 1.0, -1.0, 1e30, 1e-40, float("nan"), float("-inf"), 2.5)),
    "AT": ("HH", ((0x28, 0x10), (0x54, 0x80), (0xFFFF, 0xFFFF), (0, 0))),
}
BYTES = (b"", b"\0", b"\0\0", b"\xff" * 3, bytes(32), bytes(range(64)), b"\xff" * 512)


def texts(values: Sequence[str]) -> tuple[bytes, ...]:
    """Return values as they are written."""
    return tuple(value.encode("latin-1") + b" " * (len(value) % 2) for value in values)


def binary(code: str, numbers: Sequence[Any]) -> tuple[bytes, ...]:
    """Return one number, three, six, and none that is whole."""

    def packed(value: Any) -> bytes:
        return pack(f"<{code}", *(value if isinstance(value, tuple) else (value,)))

    ones = [packed(number) for number in numbers]
    return (*ones, *(one * 3 for one in ones), ones[1] * 6, b"\1\2\3", b"")


VALUES: dict[str, tuple[bytes, ...]] = {
    **{vr: binary(*each) for vr, each in INTEGERS.items()},
    **dict.fromkeys(("DS", "IS"), texts(NUMBERS)),
    **dict.fromkeys(("OB", "OW", "UN"), BYTES),
    **{"DA": texts(DATES), "TM": texts(TIMES), "DT": texts(MOMENTS)},
}


def values_of(tag: int) -> tuple[bytes, ...]:
    """Return the hostile values of an attribute in its own VR."""
    if Tag(tag).is_private_creator:
        return texts(TEXTS[:3])
    if Tag(tag).is_private:
        return tuple(chain(texts(NUMBERS), texts(MOMENTS)))
    return VALUES.get(vr_of(tag), texts(TEXTS))


@dataclass(frozen=True)
class Hostile:
    """A value that is put into a data set.

    Attributes
    ----------
    path : tuple of int
    vr : str
        Also one that the attribute does not have.
    value : bytes
    """

    path: Path
    vr: str
    value: bytes

    def put(self, elements: Elements) -> None:
        """Put it there; sequences on the way to it that are not there are made."""
        for tag in self.path[:-1]:
            if not isinstance(elements.get(tag), list) or not elements[tag]:
                elements[tag] = [{}]
            elements = elements[tag][0]
        empty: list[Elements] = [{} for _ in self.value]
        elements[self.path[-1]] = empty if self.vr == "SQ" else (self.vr, self.value)


def file_of(kind: str, values: Sequence[Hostile]) -> bytes:
    """Return a file of a kind with hostile values in it."""
    meta, elements = meta_and_elements(kind)
    elements = copied(elements)
    for each in sorted(values, key=lambda each: len(each.path)):
        each.put(elements)
    return meta + encoded(elements)


@cache
def meta_and_elements(kind: str) -> tuple[bytes, Elements]:
    """Return what a file of a kind begins with, and its data set; not to be changed."""
    body = builders.part10(seed(kind), ExplicitVRLittleEndian)
    return body[: len(body) - len(builders.bare(body))], elements_of(dcmread(BytesIO(body)))


def elements_of(dataset: Dataset) -> Elements:
    """Return the elements of a data set that was read."""
    found: Elements = {}
    for tag, element in list(dataset._dict.items()):
        is_sequence = element.VR == "SQ"
        items = [elements_of(each) for each in dataset[tag].value] if is_sequence else []
        found[int(tag)] = items if is_sequence else (element.VR, element.value or b"")
    return found


def copied(elements: Elements) -> Elements:
    """Return elements of which nested ones can be changed."""
    return {
        tag: [copied(each) for each in value] if isinstance(value, list) else value
        for tag, value in elements.items()
    }


def encoded(elements: Elements) -> bytes:
    """Return a data set in explicit VR little endian."""
    parts = []
    for tag, value in sorted(elements.items()):
        vr, content = ("SQ", items(value)) if isinstance(value, list) else value
        content += b"\0" * (len(content) % 2)
        head = pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
        is_long = vr in EXPLICIT_VR_LENGTH_32
        parts += [head, pack("<2xL" if is_long else "<H", len(content)), content]
    return b"".join(parts)


def items(datasets: Sequence[Elements]) -> bytes:
    """Return data sets as the value of a sequence (PS3.5 7.5)."""
    bodies = [encoded(each) for each in datasets]
    return b"".join(pack("<HHL", 0xFFFE, 0xE000, len(body)) + body for body in bodies)


def hostile_batches(together: int = 10) -> Iterator[bytes]:
    """Yield files that have each hostile value of each attribute, `together` in one file.

    An attribute is in the kinds that have it of their own, or else in the first that is asked for
    it; of the places in sequences where it is looked up the first is taken.
    """
    done, common = set[tuple[int, bool]](), tags_in(meta_and_elements("CT")[1])
    for kind in KINDS:
        own = tags_in(meta_and_elements(kind)[1]) - common
        here, found, decisive = set[tuple[int, bool]](), list[Hostile](), list[Hostile]()
        for path in sorted(asked(kind), key=len):
            place = path[-1], len(path) > 1
            if place not in here and (place not in done or path[-1] in own):
                here.add(place)
                values = [Hostile(path, *each) for each in alternatives(path[-1])]
                (decisive if path[-1] in DECISIVE else found).extend(values)
        done |= here
        Random(kind).shuffle(found)
        yield from (file_of(kind, [each]) for each in decisive)
        for start in range(0, len(found), together):
            yield file_of(kind, without_clash(found[start : start + together]))


def tags_in(elements: Elements) -> set[int]:
    """Return the tags of a data set and of those in it."""
    nested = (each for value in elements.values() if isinstance(value, list) for each in value)
    return set(elements).union(*map(tags_in, nested))


def alternatives(tag: int) -> Iterator[tuple[str, bytes]]:
    """Yield VRs and values for an attribute."""
    vr = vr_of(tag)
    if vr == "SQ":
        yield from (("SQ", bytes(count)) for count in (0, 2))
    else:
        yield from ((vr, value) for value in values_of(tag))
    yield from (("UN", b"\1\0"), ("FD", pack("<d", float("nan"))), ("LO", b"9E99"))


@strategies.composite
def hostile_files(draw: Any) -> bytes:
    """Draw a file with one to eight hostile values."""
    kind = draw(strategies.sampled_from(sorted(KINDS)))
    paths = strategies.lists(strategies.sampled_from(asked(kind)), min_size=1, max_size=8)
    found = []
    for path in draw(paths):
        own = vr_of(path[-1])
        vr = draw(strategies.sampled_from((own, own, own, own, *sorted(VALUES))))
        if vr == "SQ":
            found.append(Hostile(path, "SQ", bytes(draw(strategies.integers(0, 3)))))
            continue
        known = values_of(path[-1]) if vr == own else VALUES[vr]
        any_bytes = strategies.binary(max_size=24)
        found.append(Hostile(path, vr, draw(strategies.sampled_from(known) | any_bytes)))
    return file_of(kind, without_clash(found))


def drawn_files(count: int) -> list[bytes]:
    """Return so many files, which are the same each time."""
    found: list[bytes] = []

    @settings(
        derandomize=True,
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile_files())
    def draw(body: bytes) -> None:
        found.append(body)

    draw()
    return found


def without_clash(values: Sequence[Hostile]) -> list[Hostile]:
    """Return values of which none is put where another has replaced the sequence."""
    ends = {each.path for each in values}
    return [
        each
        for each in values
        if not any(each.path[:depth] in ends for depth in range(1, len(each.path)))
    ]


def outcomes(instance: Instance) -> list[Image | LoaderError]:
    """Make the first and the last image; in place of one that cannot be, its error."""
    found: list[Image | LoaderError] = []
    for index in {0, instance.number_of_frames - 1}:
        try:
            header(instance, index)
            found.append(make_image(instance, index))
        except LoaderError as error:
            found.append(error)
    return found
