"""Read data sets in the DICOM JSON Model (PS3.18 F), or by keyword as in viewers.

Only the attributes that pixels and modules need are read (`attributes.KNOWN`). Each gets its VR
from the dictionary, not from the JSON. An unreadable attribute is left out with a warning. Numbers
become int and float, not pydicom's IS and DS.
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
    """A value that is stored elsewhere, at a URI.

    Attributes
    ----------
    owner : Dataset
        The data set or item of a sequence that lacks the value.
    tag : int
    vr : str
    uri : str
        As given, absolute or relative.
    """

    owner: Dataset
    tag: int
    vr: str
    uri: str


Found = tuple[Dataset, tuple[BulkData, ...], tuple[str, ...]]


def parse_json(text: str | bytes, url: str = "") -> Instance:
    """Parse the JSON text of one data set, or of a list of one; bulk data are not fetched.

    Raises
    ------
    FormatError
        The text is not JSON, or has another number of data sets.
    """
    datasets = parse_datasets(text, url)
    if len(datasets) != 1:
        raise FormatError(
            f"{url or 'the metadata'} cannot be read as a DICOM JSON data set: it has "
            f"{len(datasets)} data sets, expected 1"
        )
    dataset, _, notes = read_dataset(datasets[0])
    return instance_of(dataset, notes)


def instance_of(dataset: Dataset, notes: tuple[str, ...] = ()) -> Instance:
    """Return an instance without pixels; its transfer syntax is "" if the data set has none."""
    uids = (value_of(dataset, key) for key in ("AvailableTransferSyntaxUID", "TransferSyntaxUID"))
    syntax = next((each for uid in uids for each in as_tuple(uid)), "")
    return Instance(dataset, UID(syntax), None, notes)


def parse_datasets(text: str | bytes, url: str = "") -> list[Mapping[str, Any]]:
    """Return the data sets of a JSON text, each as the object in the JSON.

    Parameters
    ----------
    url : str
        Address of the text, for error messages.

    Raises
    ------
    FormatError
        The text is not JSON, or neither an object nor a list of objects.
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
            f"with {text[:60]!r}. It may be a server's log-in page or error message"
        )
    return datasets


def read_dataset(attributes: Mapping[str, Any]) -> Found:
    """Read a data set of the DICOM JSON Model.

    Returns
    -------
    Dataset
    tuple of BulkData
        Values stored elsewhere, in the order of the JSON; without pixels.
    tuple of str
        A warning for each attribute that cannot be read.

    Raises
    ------
    FormatError
        `attributes` is not a mapping, or it has keys but none is a tag.
    """
    is_mapping = isinstance(attributes, Mapping)
    if not is_mapping or (attributes and not any(TAG.fullmatch(str(key)) for key in attributes)):
        raise FormatError(
            "the metadata cannot be read as a DICOM JSON data set: expected an object whose keys "
            f"are tags of 8 hexadecimal digits, got {shortened(attributes)}; it may be a server's "
            "error message"
        )
    return Reader(BY_TAG, lambda element: element).found(attributes)


def read_attributes(attributes: Mapping[str, Any]) -> Found:
    """Read attributes by DICOM keyword, with plain values: ``{"PixelSpacing": [0.5, 0.5]}``.

    A sequence is one mapping of this kind or a list of them. A person name is text or its component
    groups. Bulk data is ``{"BulkDataURI": uri}``. Other keys are ignored, and so is None.
    """
    return Reader(BY_KEYWORD, as_element).found(attributes)


def as_element(value: Any) -> Any:
    """Return a value as an element of the DICOM JSON Model."""
    if isinstance(value, Mapping) and not value.keys().isdisjoint(VALUE_KEYS):
        return value
    return {"Value": value if isinstance(value, (list, tuple)) else [value]}


class Reader:
    """Reads mappings into data sets; collects bulk data and warnings.

    Parameters
    ----------
    known : mapping
        The attributes to read, by their key in the mapping.
    as_element : callable
        Converts the value of a key to an element of the DICOM JSON Model.
    """

    def __init__(self, known: Mapping[str, Attribute], as_element: Callable[[Any], Any]) -> None:
        self.known = known
        self.as_element = as_element
        self.bulk: list[BulkData] = []
        self.warnings: list[str] = []

    def found(self, attributes: Mapping[str, Any]) -> Found:
        """Return the data set, the bulk data and the warnings."""
        return self.read(attributes), tuple(self.bulk), tuple(self.warnings)

    def read(self, attributes: Mapping[str, Any]) -> Dataset:
        """Read a data set, or an item of a sequence."""
        elements: dict[BaseTag, DataElement | RawDataElement] = {}
        # pydicom keeps this mapping; adding each element to the data set would take twice the time.
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
                    # Keep an invalid element, as in a file: attributes that belong with it, such as
                    # slope and intercept, are then useless too.
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
        """Add a warning about an attribute that is left out."""
        self.warnings.append(
            f"{attribute} cannot be read as {' or '.join(attribute.vrs)} and is left out: "
            f"{str(error)[:120]}; it is {shortened(value)}"
        )

    def element(self, attribute: Attribute, element: Any) -> DataElement | tuple[str, str]:
        """Return an element, or the VR and URI of a value that is stored elsewhere."""
        if type(element) is not dict and not isinstance(element, Mapping):
            raise TypeError("it is not an object")
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
        """Return an element from the JSON values in `values`."""
        if attribute.vrs[0] == "SQ":
            items = Sequence([self.item(attribute, value) for value in values])
            return DataElement(attribute.tag, "SQ", items, already_converted=True)
        if isinstance(values[0], (bytes, bytearray, memoryview)):
            return read_buffer(attribute, attribute.vr_of_bytes(given), memoryview(values[0]))
        return read_values(attribute, given, values)

    def item(self, attribute: Attribute, value: Any) -> Dataset:
        """Read an item of a sequence; return an empty one for anything but an object."""
        if isinstance(value, Mapping):
            return self.read(value)
        if value is not None:
            note = f"{attribute} has an item that is not an object: {shortened(value)}"
            self.warnings.append(note)
        return Dataset()


def decode_base64(text: Any) -> bytes:
    """Return the bytes of InlineBinary; its text may be in a list, as PS3.18 F.4 shows."""
    first = text[0] if isinstance(text, list) and text else text
    if not isinstance(first, str):
        raise TypeError("InlineBinary is not text")
    return b64decode("".join(first.split()), validate=True)


def uri_of(element: Mapping[str, Any]) -> str | None:
    """Return the URI of the value of an element; None if it has none."""
    for key in ("BulkDataURI", "retrieveBulkData"):
        found = element.get(key)
        uri = found[0] if isinstance(found, list) and found else found
        if isinstance(uri, str) and uri:
            return uri
        if uri:
            raise TypeError(f"{key} is not text")
    return None


def fill(bulk: BulkData, body: bytes) -> None:
    """Insert a bulk data value into its owner.

    Parameters
    ----------
    body : bytes
        The value, encoded as in a file, in little endian (PS3.18 8.7.3.3.1).

    Raises
    ------
    FormatError
        `body` is not a value of this VR.
    """
    attribute = Attribute.of(bulk.tag)
    try:
        bulk.owner[bulk.tag] = read_bytes(attribute, bulk.vr, body)
    except ValueError as error:
        raise FormatError(
            f"the bulk data at {bulk.uri!r}, {len(body)} bytes, are not a value of {attribute}, "
            f"vr {bulk.vr}: {error}"
        ) from error
