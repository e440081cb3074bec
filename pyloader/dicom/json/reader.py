"""Read data sets in the DICOM JSON Model (PS3.18 F), or by keyword as viewers have them.

Only the attributes that pixels and modules are made of are read (`attributes.KNOWN`), each as the
VR that the dictionary gives it, whatever the text says. One that cannot be read is left out with a
warning. Numbers become int and float, not pydicom's IS and DS.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

from pydicom import DataElement, Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag
from pydicom.uid import UID

from pyloader.dicom.instance import Instance
from pyloader.dicom.json.attributes import (
    BY_KEYWORD,
    BY_TAG,
    Attribute,
    read_buffer,
    read_bytes,
    read_values,
)
from pyloader.dicom.values import as_tuple, value_of
from pyloader.errors import FormatError
from pyloader.jsontext import read_json

TAG = re.compile("[0-9A-Fa-f]{8}")
VALUE_KEYS = frozenset({"Value", "InlineBinary", "BulkDataURI", "retrieveBulkData"})
UNREADABLE = (OverflowError, RecursionError, TypeError, ValueError)
FRACTIONS = frozenset({"DS", "FD", "FL"})


@dataclass(frozen=True, slots=True)
class BulkData:
    """A value that stands elsewhere.

    Attributes
    ----------
    owner : Dataset
        Where it belongs, without it: the data set or an item of a sequence.
    tag : int
    vr : str
    uri : str
        As it was given, absolute or relative.
    """

    owner: Dataset
    tag: int
    vr: str
    uri: str


Found = tuple[Dataset, tuple[BulkData, ...], tuple[str, ...]]


def parse_json(text: str | bytes, url: str = "") -> Instance:
    """Read a text that holds one data set, or a list of one; bulk data stay where they are.

    Raises
    ------
    FormatError
        It does not.
    """
    datasets = parse_datasets(text, url)
    if len(datasets) != 1:
        raise FormatError(
            f"{url or 'the metadata'} cannot be read as a DICOM JSON data set: it holds "
            f"{len(datasets)} of them, expected 1"
        )
    dataset, _, notes = read_dataset(datasets[0])
    return instance_of(dataset, notes)


def instance_of(dataset: Dataset, notes: tuple[str, ...] = ()) -> Instance:
    """Return an instance without pixels; its transfer syntax is empty if the data set has none."""
    uids = (value_of(dataset, key) for key in ("AvailableTransferSyntaxUID", "TransferSyntaxUID"))
    syntax = next((each for uid in uids for each in as_tuple(uid)), "")
    return Instance(dataset, UID(syntax), None, notes)


def parse_datasets(text: str | bytes, url: str = "") -> list[Mapping[str, Any]]:
    """Return the data sets of a text, still as JSON has them.

    Parameters
    ----------
    url : str
        Where it came from, for error texts.

    Raises
    ------
    FormatError
        The text is no JSON, or neither an object nor a list of objects.
    """
    found: Any = None
    reason = "it is neither an object nor a list of objects"
    try:
        found = read_json(text.removeprefix("\ufeff") if isinstance(text, str) else text)
    except ValueError as error:
        reason = f"{type(error).__name__}: {error}"
    datasets = found if isinstance(found, list) else [found]
    if not all(isinstance(dataset, dict) for dataset in datasets):
        raise FormatError(
            f"{url or 'the metadata'} cannot be read as a DICOM JSON data set: {reason}; it begins "
            f"with {text[:60]!r}. Servers answer with a page for log-in, or an error, in its place"
        )
    return datasets


def read_dataset(attributes: Mapping[str, Any]) -> Found:
    """Read a data set of the DICOM JSON Model.

    Returns
    -------
    Dataset
    tuple of BulkData
        What stands elsewhere, in the order of the text; not pixels.
    tuple of str
        What could not be read.

    Raises
    ------
    FormatError
        `attributes` is no mapping, or has keys and none is a tag.
    """
    is_mapping = isinstance(attributes, Mapping)
    if not is_mapping or (attributes and not any(TAG.fullmatch(str(key)) for key in attributes)):
        raise FormatError(
            "the metadata cannot be read as a DICOM JSON data set: it is no object whose keys are "
            f"tags of 8 hexadecimal digits, but {shortened(attributes)}; it may be a server's error"
        )
    return Reader(BY_TAG, lambda element: element).found(attributes)


def read_attributes(attributes: Mapping[str, Any]) -> Found:
    """Read attributes by DICOM keyword, values as they are: ``{"PixelSpacing": [0.5, 0.5]}``.

    A sequence is a list of such mappings, or one; a person name is text or its component groups;
    bulk data is ``{"BulkDataURI": uri}``. Other keys are no attributes, and None is no value.
    """
    return Reader(BY_KEYWORD, as_element).found(attributes)


def as_element(value: Any) -> Any:
    """Return a value as an element of the DICOM JSON Model."""
    if isinstance(value, Mapping) and not value.keys().isdisjoint(VALUE_KEYS):
        return value
    return {"Value": value if isinstance(value, (list, tuple)) else [value]}


class Reader:
    """Reads mappings, and gathers what is met on the way.

    Parameters
    ----------
    known : mapping
        Attributes by the key that they have.
    as_element : callable
        Returns what stands at a key as an element of the DICOM JSON Model.
    """

    def __init__(self, known: Mapping[str, Attribute], as_element: Callable[[Any], Any]) -> None:
        self.known = known
        self.as_element = as_element
        self.bulk: list[BulkData] = []
        self.warnings: list[str] = []

    def found(self, attributes: Mapping[str, Any]) -> Found:
        """Return a data set with all that was met."""
        return self.read(attributes), tuple(self.bulk), tuple(self.warnings)

    def read(self, attributes: Mapping[str, Any]) -> Dataset:
        """Read a data set, or an item of a sequence."""
        elements: dict[BaseTag, DataElement | RawDataElement] = {}
        # pydicom keeps the mapping; adding each element to a data set takes it twice the time.
        dataset = Dataset(elements)
        for key, value in attributes.items():
            attribute = self.known.get(key)
            if attribute is None or value is None:
                continue
            try:
                found = self.element(attribute, self.as_element(value))
            except UNREADABLE as error:
                self.warn(attribute, value, error)
                if attribute.vrs[0] in FRACTIONS:
                    # It is there, as in a file: what goes with it is of no use either.
                    found = DataElement(
                        attribute.tag, attribute.vrs[0], "\0", already_converted=True
                    )
                    elements[attribute.tag] = found
                continue
            if isinstance(found, DataElement):
                elements[attribute.tag] = found
            else:
                self.bulk.append(BulkData(dataset, attribute.tag, *found))
        return dataset

    def warn(self, attribute: Attribute, value: Any, error: Exception) -> None:
        """Note what is left out."""
        self.warnings.append(
            f"{attribute} cannot be read as {' or '.join(attribute.vrs)} and is left out: "
            f"{str(error)[:120]}; it is {shortened(value)}"
        )

    def element(self, attribute: Attribute, element: Any) -> DataElement | tuple[str, str]:
        """Return an element, or VR and URI of what stands elsewhere."""
        if not isinstance(element, Mapping):
            raise TypeError("it is no object")
        given, values = element.get("vr"), element.get("Value")
        if values is not None and not isinstance(values, (list, tuple)):
            values = [values]
        if values:
            return self.of_values(attribute, given, values)
        if "InlineBinary" in element:
            body = decode_base64(element["InlineBinary"])
            return read_bytes(attribute, attribute.vr_of_bytes(given), body)
        uri = uri_of(element)
        if uri:
            return attribute.vr_of_bytes(given), uri
        vr = attribute.vrs[0]
        value = Sequence() if vr == "SQ" else None
        return DataElement(attribute.tag, vr, value, already_converted=True)

    def of_values(self, attribute: Attribute, given: Any, values: Several[Any]) -> DataElement:
        """Return an element of its values."""
        if attribute.vrs[0] == "SQ":
            items = Sequence([self.item(attribute, value) for value in values])
            return DataElement(attribute.tag, "SQ", items, already_converted=True)
        if isinstance(values[0], (bytes, bytearray, memoryview)):
            return read_buffer(attribute, attribute.vr_of_bytes(given), memoryview(values[0]))
        return read_values(attribute, given, values)

    def item(self, attribute: Attribute, value: Any) -> Dataset:
        """Read an item of a sequence; one that is none stays as an empty one, in its place."""
        if isinstance(value, Mapping):
            return self.read(value)
        if value is not None:
            self.warnings.append(f"{attribute} has an item that is no object: {shortened(value)}")
        return Dataset()


def decode_base64(text: Any) -> bytes:
    """Return the bytes of InlineBinary; PS3.18 F.4 shows its text in a list."""
    first = text[0] if isinstance(text, list) and text else text
    if not isinstance(first, str):
        raise TypeError("InlineBinary is no text")
    return b64decode("".join(first.split()), validate=True)


def uri_of(element: Mapping[str, Any]) -> str | None:
    """Return where the value of an element stands, None if it is empty."""
    for key in ("BulkDataURI", "retrieveBulkData"):
        found = element.get(key)
        uri = found[0] if isinstance(found, list) and found else found
        if isinstance(uri, str) and uri:
            return uri
        if uri:
            raise TypeError(f"{key} is no text")
    return None


def fill(bulk: BulkData, body: bytes) -> None:
    """Put a value that stands elsewhere in its place.

    Parameters
    ----------
    body : bytes
        The value as files have it, in little endian (PS3.18 8.7.3.3.1).

    Raises
    ------
    FormatError
        `body` is no value of this VR.
    """
    attribute = Attribute.of(bulk.tag)
    try:
        bulk.owner[bulk.tag] = read_bytes(attribute, bulk.vr, body)
    except ValueError as error:
        raise FormatError(
            f"the bulk data at {bulk.uri!r}, {len(body)} bytes, are no value of {attribute}, "
            f"vr {bulk.vr}: {error}"
        ) from error
