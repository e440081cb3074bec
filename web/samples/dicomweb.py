"""
Make the sample DICOMweb service: a static tree, which any server of files can send.

Its files are laid out as Static-DICOMWeb does: a resource that is also a folder is the file
`index.json` in it, and frames are multipart bodies without an extension.
"""

import json
from typing import Any, NamedTuple

from web.build.archives import Files
from web.samples import phantom, pictures
from web.samples.dicom_file import EXPLICIT_LITTLE_ENDIAN, Element, uid
from web.samples.volume_file import content

WORD_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"  # Multi-frame Grayscale Word Secondary Capture
SLICES = range(0, phantom.SLICES, 4)
BOUNDARY = "frame"
NUMBERS = {"DS", "IS", "US", "UL"}
# Attributes of a search result (PS3.18 10.6.3.3), without the counts.
OF_PATIENT = (0x00100010, 0x00100020)
OF_STUDY = (0x00080020, 0x00080030, 0x00081030, 0x0020000D, 0x00200010)
OF_SERIES = (0x00080060, 0x0008103E, 0x0020000E, 0x00200011)

Dataset = dict[str, dict[str, Any]]


class Instance(NamedTuple):
    """An instance: its attributes without pixels, and its native frames."""

    elements: list[Element]
    frames: list[bytes]


def files() -> Files:
    """Return the files by their path below the service's address."""
    tree: Files = {}
    studies = []
    for instances in (chest(), heart()):
        dataset = json_of(instances[0].elements)
        study, series = value_of(dataset, 0x0020000D), value_of(dataset, 0x0020000E)
        folder = f"studies/{study}/series"
        metadata = [json_of(instance.elements) for instance in instances]
        tree |= {f"{folder}/{series}/metadata": text(metadata)}
        tree |= {f"{folder}/index.json": text([series_row(dataset, len(instances))])}
        tree |= frames_of(f"{folder}/{series}/instances", instances)
        studies.append(study_row(dataset, len(instances)))
    return tree | {"studies/index.json": text(studies)}


def frames_of(folder: str, instances: list[Instance]) -> Files:
    """Return the files of all frames, which count from 1."""
    return {
        f"{folder}/{uid_of(instance)}/frames/{number}": multipart(frame)
        for instance in instances
        for number, frame in enumerate(instance.frames, 1)
    }


def multipart(frame: bytes) -> bytes:
    """Return a frame as a multipart body (PS3.18 8.6.1.2), which names its transfer syntax."""
    kind = f"application/octet-stream; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}"
    head = f"--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Length: {len(frame)}\r\n\r\n"
    return head.encode() + frame + f"\r\n--{BOUNDARY}--\r\n".encode()


# ---------------------------------------------------------------- DICOM JSON


def json_of(elements: list[Element]) -> Dataset:
    """Return elements in the DICOM JSON Model (PS3.18 F.2)."""
    found: Dataset = {}
    for tag, representation, value in sorted(elements):
        parts = str(value).split("\\")
        values: list[Any] = [plain(representation, part) for part in parts]
        found[f"{tag:08X}"] = {"vr": representation, "Value": values}
    return found


def plain(representation: str, part: str) -> Any:
    """Return a value as JSON has it."""
    if representation == "PN":
        return {"Alphabetic": part}
    if representation in NUMBERS:
        return float(part) if "." in part else int(part)
    return part


def value_of(dataset: Dataset, tag: int) -> Any:
    """Return the first value of an element."""
    return dataset[f"{tag:08X}"]["Value"][0]


def uid_of(instance: Instance) -> str:
    """Return the SOP Instance UID."""
    return str(value_of(json_of(instance.elements), 0x00080018))


def rows(dataset: Dataset, *tags: int) -> Dataset:
    """Return some elements of a data set."""
    return {name: dataset[name] for tag in tags if (name := f"{tag:08X}") in dataset}


def study_row(dataset: Dataset, count: int) -> Dataset:
    """Return the search result of a study of one series."""
    modality = {"00080061": {"vr": "CS", "Value": [value_of(dataset, 0x00080060)]}}
    counts = {"00201206": one(1), "00201208": one(count)}
    return rows(dataset, *OF_PATIENT, *OF_STUDY) | modality | counts


def series_row(dataset: Dataset, count: int) -> Dataset:
    """Return the search result of a series."""
    return rows(dataset, *OF_SERIES) | {"00201209": one(count)}


def one(number: int) -> dict[str, Any]:
    """Return a count as an element."""
    return {"vr": "IS", "Value": [number]}


def text(datasets: list[Dataset]) -> bytes:
    """Return data sets as JSON."""
    return json.dumps(datasets, separators=(",", ":")).encode()


# ---------------------------------------------------------------- images


def chest() -> list[Instance]:
    """Return every fourth slice of the chest, each an instance."""
    noise = phantom.noise_rows()
    described: list[Element] = [
        (0x00081030, "LO", "Synthetic chest, a static tree"),
        (0x00083002, "UI", EXPLICIT_LITTLE_ENDIAN),
    ]
    return [
        Instance([*phantom.elements(index), *described], [phantom.pixels(index, noise)])
        for index in SLICES
    ]


def heart() -> list[Instance]:
    """Return the beating heart, an instance of many frames."""
    size = 128
    name = "pyloader static heart"
    elements: list[Element] = [
        (0x00080016, "UI", WORD_CAPTURE),
        (0x00080018, "UI", uid(f"{name}, instance")),
        (0x00080020, "DA", "20240608"),
        (0x00080030, "TM", "093000"),
        (0x00080060, "CS", "MR"),
        (0x00081030, "LO", "Synthetic heart, a static tree"),
        (0x0008103E, "LO", "A beating heart, 16 frames"),
        (0x00083002, "UI", EXPLICIT_LITTLE_ENDIAN),
        (0x00100010, "PN", "Phantom^Heart"),
        (0x00100020, "LO", "HEART"),
        (0x00181063, "DS", str(pictures.MILLISECONDS)),
        (0x0020000D, "UI", uid(f"{name}, study")),
        (0x0020000E, "UI", uid(f"{name}, series")),
        (0x00200010, "SH", "2"),
        (0x00200011, "IS", "1"),
        (0x00200013, "IS", "1"),
        (0x00280002, "US", 1),
        (0x00280004, "CS", "MONOCHROME2"),
        (0x00280008, "IS", str(pictures.BEATS)),
        (0x00280010, "US", size),
        (0x00280011, "US", size),
        (0x00280030, "DS", "2.4\\2.4"),
        (0x00280100, "US", 16),
        (0x00280101, "US", 16),
        (0x00280102, "US", 15),
        (0x00280103, "US", 0),
        (0x00281050, "DS", "500"),
        (0x00281051, "DS", "1000"),
    ]
    frames = [
        b"".join(content(row, "little") for row in pictures.heart(size, beat))
        for beat in range(pictures.BEATS)
    ]
    return [Instance(elements, frames)]
