"""The images of files by series, in the order of a DICOMDIR or of their positions."""

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
from pyloader.loaders.filesets.folder import Disc
from pyloader.loaders.filesets.scan import Collection, Contents, FileScan, Found
from pyloader.source import Open, Series

# What ISO 9660 puts behind a name, and what people do.
FILE_VERSION = re.compile(r";\d+$")
EXTENSION = re.compile(r"\.[^./]*$")
DIGITS = re.compile(r"(\d+)")
NAMES_TOLD = 3
# They decide whether images may be shown as one series; "Doe^Jane " is "DOE^JANE".
OF_PATIENT = ("patient_id", "patient_name")
NO_LETTER = re.compile(r"[\s^]+")


Key = tuple[str, str]
"""Study and Series Instance UID, "" where they are not known."""


async def list_series(collection: Collection, context: Context, open_source: Open) -> list[Series]:
    """Return the images of files by series.

    Where there is a DICOMDIR its order counts, and what it does not name comes after what it names;
    other series are sorted by patient, study date and series number, and their images by position.
    DICOM files that cannot be read are in the list too, at the end or where the DICOMDIR has them:
    a load says why. What is no image is left out.

    Raises
    ------
    LoaderError
        There is no image, or none that can be read: that of the first.
    """
    contents = await FileScan(context, open_source).look_through(collection)
    if isinstance(collection, Disc):
        contents.directories[""] = collection.references
    found = arrange(contents)
    await refuse_empty(contents, collection, context, open_source)
    warn_of_missing([name for series in found for name in series.missing])
    return found


async def refuse_empty(
    contents: Contents, collection: Collection, context: Context, open_source: Open
) -> None:
    """Say why there is nothing to list.

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
            f"the DICOMDIR names {len(references)} files, such as {references[0].file_id!r}; of "
            f"the {len(contents.names)} files that are here none is an image. The folder of the "
            "disc is needed with all that is in it"
        )
    if len(contents.names) == 1:
        await open_source(collection.image_id_of(contents.names[0]), context)
    raise FormatError(
        f"there is no DICOM image among {len(contents.names)} "
        f"file{'' if len(contents.names) == 1 else 's'}"
        f"{' (' * bool(contents.names)}{', '.join(map(repr, contents.names[:NAMES_TOLD]))}"
        f"{')' * bool(contents.names)}: expected DICOM files with pixel data"
    )


def warn_of_missing(names: list[str]) -> None:
    """Tell what a DICOMDIR names in vain."""
    if names:
        told = ", ".join(map(repr, names[:NAMES_TOLD]))
        warnings.warn(
            f"{len(names)} of the files that the DICOMDIR names are not there, such as {told}: "
            "their images are missing in the list",
            stacklevel=2,
        )


# ------------------------------------------------------------------ order


def arrange(contents: Contents) -> list[Series]:
    """Return what files hold by series, in order; see `list_series`."""
    shelf = Shelf()
    left = {found.name: found for found in contents.images}
    names = index_of([*left, *contents.names])
    for folder, references in contents.directories.items():
        for reference in references:
            name = find_name(names, folder + reference.file_id)
            if name is None:
                put_missing(shelf, reference, folder + reference.file_id)
            elif name in left:
                put(shelf, left.pop(name), reference)
    for found in sort_found(left.values()):
        put(shelf, found, Reference())
    return shelf.series


@dataclass(frozen=True, slots=True)
class Shelf:
    """Series in the order in which their first images came."""

    series: list[Series] = field(default_factory=list)
    _by_key: dict[Key, list[Series]] = field(default_factory=dict)

    def of(self, key: Key, attributes: Mapping[str, Any]) -> Series:
        """Return the series that images of these attributes belong to, a new one if there is none.

        Equal UIDs do not make one series of two patients. Images without a Series Instance UID are
        of one series only if nothing else that they say of it differs.
        """
        alike = self._by_key.setdefault(key, [])
        names = OF_PATIENT if key[1] else tuple(attributes)
        for series in alike:
            if not any(differs(series.attributes, attributes, name) for name in names):
                return series
        alike.append(Series({}))
        self.series.append(alike[-1])
        return alike[-1]


def differs(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    """Tell whether both have an attribute, and not the same; case and blanks are no difference."""
    texts = [
        NO_LETTER.sub(" ", str(each.get(name) or "")).strip().casefold() for each in (one, other)
    ]
    return all(texts) and texts[0] != texts[1]


def put(shelf: Shelf, found: Found, reference: Reference) -> None:
    """Add images to their series; of those that cannot be read, the DICOMDIR tells which it is."""
    key = key_of(found)
    if found.failure is not None:
        key = (reference.study_instance_uid, reference.series_instance_uid)
    series = shelf.of(key, found.series)
    if not series.image_ids or "series_instance_uid" not in series.attributes:
        series.attributes.update(found.series)
    series.image_ids.extend(found.image_ids)


def put_missing(shelf: Shelf, reference: Reference, name: str) -> None:
    """Note in its series that a file is not there."""
    key = (reference.study_instance_uid, reference.series_instance_uid)
    shelf.of(key, {}).missing.append(name)


def key_of(found: Found) -> Key:
    """Return which series a file says that it belongs to."""
    uid = found.series.get
    return str(uid("study_instance_uid", "")), str(uid("series_instance_uid", ""))


def sort_found(images: Iterable[Found]) -> Iterator[Found]:
    """Yield images by series and position; what cannot be read last, by name."""
    groups: dict[Key, list[Found]] = {}
    failed = []
    for found in sorted(images, key=lambda found: natural(found.name)):
        if found.failure is None:
            groups.setdefault(key_of(found), []).append(found)
        else:
            failed.append(found)
    for group in sorted(groups.values(), key=lambda group: rank(group[0].series)):
        by_place = {id(found.place): found for found in group}
        yield from (by_place[id(place)] for place in sort_by_position([f.place for f in group]))
    yield from failed


def rank(series: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what orders series: patient, study date and time, series number, UIDs."""
    texts = ("patient_id", "patient_name", "study_date", "study_time", "study_instance_uid")
    number = series.get("series_number")
    is_number = isinstance(number, (int, float))
    return (
        *(natural(str(series.get(name) or "")) for name in texts),
        (not is_number, number if is_number else 0),
        natural(str(series.get("series_instance_uid") or "")),
    )


def natural(text: str) -> list[tuple[bool, int, str, str]]:
    """Return what orders names as people do: "IM9" before "IM10".

    Digits are not made numbers, for which Python refuses thousands of them.
    """
    parts = enumerate(DIGITS.split(text))
    return [natural_part(p, is_number=index % 2 == 1) for index, p in parts if p]


def natural_part(part: str, is_number: bool) -> tuple[bool, int, str, str]:
    """Return what orders a part of a name: numbers by length, then by digits."""
    digits = part.lstrip("0") if is_number else ""
    return not is_number, len(digits), digits, part


# ------------------------------------------------------------------ names


def index_of(names: Iterable[str]) -> dict[str, str]:
    """Return names by what a DICOMDIR may call them; the first counts, and whole names before."""
    index: dict[str, str] = {}
    for shorten in (plain_name, bare_name):
        for name in names:
            index.setdefault(shorten(name), name)
    return index


def find_name(index: Mapping[str, str], file_id: str) -> str | None:
    """Return the file that a DICOMDIR names, None when it is not there."""
    return index.get(plain_name(file_id)) or index.get(bare_name(file_id))


def plain_name(name: str) -> str:
    """Return a name without what file systems change: case and version."""
    return FILE_VERSION.sub("", name).casefold()


def bare_name(name: str) -> str:
    """Return a plain name without extension."""
    return EXTENSION.sub("", plain_name(name))
