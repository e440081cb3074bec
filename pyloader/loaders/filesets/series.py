"""List the images of files by series, in the order of a DICOMDIR or of their positions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyloader.context import Context
from pyloader.dicom.dicomdir import Reference
from pyloader.dicom.series import sort_by_position
from pyloader.errors import FormatError
from pyloader.loaders.filesets.archive import Archive
from pyloader.loaders.filesets.folder import Disc
from pyloader.loaders.filesets.other_formats import FORMATS, list_other_formats
from pyloader.loaders.filesets.scan import Collection, Contents, FileScan, ScannedFile
from pyloader.loaders.signatures import HEADER_BYTES, is_packed
from pyloader.loaders.web_images.recognise import name_of, scheme_of_content
from pyloader.source import Open, Series

# ISO 9660 appends a version to a name, and people append an extension.
FILE_VERSION = re.compile(r";\d+$")
EXTENSION = re.compile(r"\.[^./]*$")
DIGITS = re.compile(r"(\d+)")
NAMES_SHOWN = 3
# Images whose patient differs are never one series; "Doe^Jane " equals "DOE^JANE".
PATIENT_ATTRIBUTES = ("patient_id", "patient_name")
SEPARATORS = re.compile(r"[\s^]+")


Key = tuple[str, str]
"""Study and Series Instance UID; "" if unknown."""


async def list_series(collection: Collection, context: Context, open_source: Open) -> list[Series]:
    """Return the images of files by series.

    Images follow the order of the DICOMDIR, if there is one; files that it does not reference come
    last. Other series are sorted by patient, study date and series number, their images by
    position. Unreadable DICOM files are listed too, at the end or in their DICOMDIR position;
    loading one raises the reason. Files of other formats come last, each as a series; see
    `list_other_formats`. Files that are not images are left out.

    Raises
    ------
    LoaderError
        No file is an image, or none can be read; then the error of the first.
    """
    contents = await FileScan(context, open_source).scan(collection)
    if isinstance(collection, Disc):
        contents.directories[""] = collection.references
    found = arrange(contents)
    has_dicom = any(image.failure is None for image in contents.images)
    files = sorted(contents.others, key=lambda file: natural_key(file.name))
    others = await list_other_formats(files, has_dicom, context)
    if not others:
        await refuse_empty(contents, collection, context, open_source)
    warn_of_missing([name for series in found for name in series.missing])
    return found + others


async def refuse_empty(
    contents: Contents, collection: Collection, context: Context, open_source: Open
) -> None:
    """Raise if no image can be read.

    Raises
    ------
    LoaderError
    """
    images = contents.images
    if any(found.failure is None for found in images):
        return
    if images and images[0].failure is not None:
        raise images[0].failure
    references = [each for some in contents.directories.values() for each in some]
    if references:
        raise FormatError(
            f"the DICOMDIR names {len(references)} files, such as {references[0].file_id!r}, but "
            f"none of the {len(contents.names)} files here is an image; give the whole folder of "
            "the disc"
        )
    if len(contents.names) == 1 and contents.names[0] in collection.names:
        await refuse_file(contents.names[0], collection, context, open_source)
    are_packed = isinstance(collection, Archive) or contents.names != list(collection.names)
    raise FormatError(no_image_among(contents.names, are_packed))


def no_image_among(names: list[str], are_packed: bool) -> str:
    """Return the message for files without an image."""
    shown = f" ({', '.join(map(repr, names[:NAMES_SHOWN]))})" if names else ""
    others = "unpack the archive if it has" if are_packed else "or"
    return (
        f"there is no DICOM image among {len(names)} file{'' if len(names) == 1 else 's'}{shown}: "
        f"expected DICOM files with pixel data; {others} files of another format: {FORMATS}"
    )


async def refuse_file(
    name: str, collection: Collection, context: Context, open_source: Open
) -> None:
    """Raise if the only file is not DICOM, or cannot be opened.

    Raises
    ------
    LoaderError
    """
    head = await collection.read(name, HEADER_BYTES, context) or b""
    is_known = not head or is_packed(head) or scheme_of_content(head) == "wadouri"
    if not is_known and not isinstance(collection, Archive):
        kind = name_of(head)
        what = f"is {kind}" if kind else f"begins with {head[:16]!r}"
        raise FormatError(
            f"{name!r} {what}, which no loader reads: expected DICOM, alone or in a folder or zip "
            f"archive, or another format: {FORMATS}"
        )
    await open_source(collection.image_id_of(name), context)


def warn_of_missing(names: list[str]) -> None:
    """Warn about files the DICOMDIR lists that do not exist."""
    if names:
        shown = ", ".join(map(repr, names[:NAMES_SHOWN]))
        warnings.warn(
            f"{len(names)} of the files that the DICOMDIR names do not exist, such as {shown}: "
            "their images are missing from the list",
            stacklevel=2,
        )


# ------------------------------------------------------------------ order


def arrange(contents: Contents) -> list[Series]:
    """Group the images by series, in order; see `list_series`."""
    table = SeriesTable()
    left = {found.name: found for found in contents.images}
    names = index_of([*left, *contents.names])
    for folder, references in contents.directories.items():
        for reference in references:
            name = find_name(names, folder + reference.file_id)
            if name is None:
                add_missing(table, reference, folder + reference.file_id)
            elif name in left:
                add_images(table, left.pop(name), reference)
    for found in sort_found(left.values()):
        add_images(table, found, Reference())
    return table.series


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """Series in the order of their first images."""

    series: list[Series] = field(default_factory=list)
    _by_key: dict[Key, list[Series]] = field(default_factory=dict)

    def of(self, key: Key, attributes: Mapping[str, Any]) -> Series:
        """Return the series that images with these attributes belong to; add it if it is new.

        Images of two patients are never one series, even with equal UIDs. Images without a Series
        Instance UID are one series only if no other series attribute differs.
        """
        alike = self._by_key.setdefault(key, [])
        names = PATIENT_ATTRIBUTES if key[1] else tuple(attributes)
        for series in alike:
            if not any(differs(series.attributes, attributes, name) for name in names):
                return series
        alike.append(Series({}))
        self.series.append(alike[-1])
        return alike[-1]


def differs(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    """Return whether both have an attribute and it differs by more than case and blanks."""
    texts = [
        SEPARATORS.sub(" ", str(each.get(name) or "")).strip().casefold() for each in (one, other)
    ]
    return all(texts) and texts[0] != texts[1]


def add_images(table: SeriesTable, found: ScannedFile, reference: Reference) -> None:
    """Add images to their series; for an unreadable file, the DICOMDIR names the series."""
    key = key_of(found)
    if found.failure is not None:
        key = (reference.study_instance_uid, reference.series_instance_uid)
    series = table.of(key, found.series)
    if not series.image_ids or "series_instance_uid" not in series.attributes:
        series.attributes.update(found.series)
    series.image_ids.extend(found.image_ids)


def add_missing(table: SeriesTable, reference: Reference, name: str) -> None:
    """Add a missing file to its series."""
    key = (reference.study_instance_uid, reference.series_instance_uid)
    table.of(key, {}).missing.append(name)


def key_of(found: ScannedFile) -> Key:
    """Return the UIDs of a file's study and series."""
    uid = found.series.get
    return str(uid("study_instance_uid", "")), str(uid("series_instance_uid", ""))


def sort_found(images: Iterable[ScannedFile]) -> Iterator[ScannedFile]:
    """Yield images by series and position, then unreadable files by name."""
    groups: dict[Key, list[ScannedFile]] = {}
    failed = []
    for found in sorted(images, key=lambda found: natural_key(found.name)):
        if found.failure is None:
            groups.setdefault(key_of(found), []).append(found)
        else:
            failed.append(found)
    for group in sorted(groups.values(), key=lambda group: series_sort_key(group[0].series)):
        by_place = {id(found.place): found for found in group}
        yield from (by_place[id(place)] for place in sort_by_position([f.place for f in group]))
    yield from failed


def series_sort_key(series: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of a series: patient, study date and time, series number, UIDs."""
    texts = ("patient_id", "patient_name", "study_date", "study_time", "study_instance_uid")
    number = series.get("series_number")
    is_number = isinstance(number, (int, float))
    return (
        *(natural_key(str(series.get(name) or "")) for name in texts),
        (not is_number, number if is_number else 0),
        natural_key(str(series.get("series_instance_uid") or "")),
    )


def natural_key(text: str) -> list[tuple[bool, int, str, str]]:
    """Return a natural sort key: "IM9" comes before "IM10".

    Digits stay text, because Python refuses to convert thousands of them to a number.
    """
    parts = enumerate(DIGITS.split(text))
    return [natural_key_of_part(p, is_number=index % 2 == 1) for index, p in parts if p]


def natural_key_of_part(part: str, is_number: bool) -> tuple[bool, int, str, str]:
    """Return the sort key of a part of a name: numbers by length, then by digits."""
    digits = part.lstrip("0") if is_number else ""
    return not is_number, len(digits), digits, part


# ------------------------------------------------------------------ names


def index_of(names: Iterable[str]) -> dict[str, str]:
    """Return the names by each form that a DICOMDIR may use for them.

    Of equal forms the first name counts; a form with the extension wins over one without.
    """
    index: dict[str, str] = {}
    for shorten in (plain_name, bare_name):
        for name in names:
            index.setdefault(shorten(name), name)
    return index


def find_name(index: Mapping[str, str], file_id: str) -> str | None:
    """Return the name of the file that a DICOMDIR references, None if it does not exist."""
    return index.get(plain_name(file_id)) or index.get(bare_name(file_id))


def plain_name(name: str) -> str:
    """Return a name without the parts that file systems change: case and version."""
    return FILE_VERSION.sub("", name).casefold()


def bare_name(name: str) -> str:
    """Return a plain name without its extension."""
    return EXTENSION.sub("", plain_name(name))
