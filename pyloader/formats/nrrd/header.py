"""Headers of NRRD files: pynrrd reads them, except for lists of data files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.sidecar import list_names, text_of

LIST = re.compile(r"^data ?file:\s*LIST\b.*$", re.IGNORECASE | re.MULTILINE)
TEXT = ("ascii", "text", "txt")
# The magic of the format's first version, which teem still reads.
FIRST_MAGIC = "NRRD00.01"
# Fields of the geometry; an image can be made without them.
PLACE = ("space", "spacings", "thicknesses", "axis", "units", "measurement")


@dataclass(frozen=True, slots=True, eq=False)
class NrrdHeader:
    """The header of a NRRD.

    Attributes
    ----------
    fields : mapping
        The fields as returned by pynrrd, by name in lower case.
    dtype : dtype
        Of the elements, with their byte order.
    sizes : tuple of int
        The fastest axis first.
    names : list of str
        The files with the elements; empty if the elements follow the header.
    end : int
        Position of the first byte after the header.
    warnings : tuple of str
    """

    fields: dict[str, Any]
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    names: list[str]
    end: int
    warnings: tuple[str, ...] = ()

    @property
    def encoding(self) -> str:
        """The encoding of the elements."""
        return str(self.fields["encoding"]).lower()

    def skipped(self, what: str) -> int:
        """Return the number of ``"line"`` or ``"byte"`` to skip before each file's elements."""
        return int(self.fields.get(f"{what} skip", self.fields.get(f"{what}skip", 0)))


def parse(nrrd: Any, body: bytes, url: str) -> NrrdHeader:
    """Read the header of a file.

    Parameters
    ----------
    nrrd : module
        pynrrd.

    Raises
    ------
    FormatError, UnsupportedError
    """
    blank = re.search(rb"\r?\n\r?\n", body)
    text = text_of(body[: blank.start() if blank else None])
    listed = LIST.search(text)
    text, following = (text[: listed.end()], text[listed.end() :]) if listed else (text, "")
    lines = [normalized(line) for line in text.splitlines() if line.strip() and not is_pair(line)]
    try:
        fields, warnings = read_fields(nrrd, lines)
        dtype = dtype_of(nrrd, fields)
        sizes = tuple(int(size) for size in fields["sizes"])
    except UnsupportedError:
        raise
    except Exception as error:  # pynrrd raises many types for a broken header
        raise FormatError(f"{url!r} is not a readable NRRD file: {error!r}") from error
    if fields.get("dimension") != len(sizes):
        raise FormatError(f"{url!r} has {fields.get('dimension')} dimensions, but sizes {sizes}")
    entry = fields.get("data file", fields.get("datafile"))
    names = list_names(entry, following, url) if entry else []
    end = blank.end() if blank else len(body)
    return NrrdHeader(fields, dtype, sizes, names, end, warnings)


def read_fields(nrrd: Any, lines: list[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of a header, and warnings; leave broken geometry fields out."""
    try:
        return nrrd.read_header(lines), ()
    except Exception as error:
        rest = [line for line in lines if not line.lower().startswith(PLACE)]
        if len(rest) == len(lines):
            raise
        fields = nrrd.read_header(rest)
        return fields, (f"no place is known: its fields in the header are broken, {error!r}",)


def is_pair(line: str) -> bool:
    """Return whether a line is a key/value pair, whose key may repeat, rather than a field."""
    _, colon, value = line.partition(":")
    return bool(colon) and value.startswith("=") and not line.startswith("#")


def normalized(line: str) -> str:
    """Normalise a line for pynrrd: field names in lower case, vectors without inner spaces."""
    name, colon, value = line.partition(":")
    if not colon or line.startswith("#"):
        return "NRRD0001" if line.rstrip() == FIRST_MAGIC else line
    if name.lower().startswith(("space ", "measurement ")):
        value = ",".join(part.strip() for part in value.split(","))
        value = "(".join(part.lstrip() for part in value.split("("))
        value = ")".join(part.rstrip() for part in value.split(")")).replace(")(", ") (")
    return f"{name.lower()}:{value}"


def dtype_of(nrrd: Any, fields: dict[str, Any]) -> np.dtype[Any]:
    """Return the dtype of the elements: pynrrd makes an empty array that has it."""
    if fields["type"].lower() == "block":
        raise UnsupportedError("elements of NRRD's type 'block' are not numbers")
    encoding = "ascii" if fields["encoding"].lower() in TEXT else "raw"
    none = {"type": fields["type"].lower(), "encoding": encoding, "dimension": 1}
    endian = {"endian": fields["endian"].lower()} if "endian" in fields else {}
    array = nrrd.read_data({**none, **endian, "sizes": np.zeros(1, int)}, BytesIO())
    dtype: np.dtype[Any] = array.dtype
    return dtype
