"""Headers of NRRD files: pynrrd reads them, but for the lists of files that they may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.beside import list_names, text_of

LIST = re.compile(r"^data ?file:\s*LIST\b.*$", re.IGNORECASE | re.MULTILINE)
TEXT = ("ascii", "text", "txt")


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What a header says.

    Attributes
    ----------
    fields : mapping
        As pynrrd returns them, by name in lower case.
    dtype : dtype
        Of the elements, with their byte order.
    sizes : tuple of int
        The fastest axis first.
    names : list of str
        The files that hold the elements; none when they follow the header.
    end : int
        Where the header ends.
    """

    fields: dict[str, Any]
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    names: list[str]
    end: int

    @property
    def encoding(self) -> str:
        """How the elements are written."""
        return str(self.fields["encoding"]).lower()

    def skipped(self, what: str) -> int:
        """Return how many ``"line"`` or ``"byte"`` stand before the elements of each file."""
        return int(self.fields.get(f"{what} skip", self.fields.get(f"{what}skip", 0)))


def parse(nrrd: Any, body: bytes, url: str) -> Header:
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
    try:
        fields = nrrd.read_header([plainly(line) for line in text.splitlines() if line.strip()])
        dtype = dtype_of(nrrd, fields)
        sizes = tuple(int(size) for size in fields["sizes"])
    except UnsupportedError:
        raise
    except Exception as error:  # pynrrd has many words for a broken header
        raise FormatError(f"{url!r} is no NRRD file that can be read: {error!r}") from error
    if fields.get("dimension") != len(sizes):
        raise FormatError(f"{url!r} has {fields.get('dimension')} dimensions, but sizes {sizes}")
    entry = fields.get("data file", fields.get("datafile"))
    names = list_names(entry, following, url) if entry else []
    return Header(fields, dtype, sizes, names, blank.end() if blank else len(body))


def plainly(line: str) -> str:
    """Return a line as pynrrd reads it: fields in lower case, vectors without spaces in them."""
    name, colon, value = line.partition(":")
    if not colon or value.startswith("=") or line.startswith("#"):
        return line
    if name.lower().startswith(("space ", "measurement ")):
        value = ",".join(part.strip() for part in value.split(","))
        value = "(".join(part.lstrip() for part in value.split("("))
        value = ")".join(part.rstrip() for part in value.split(")"))
    return f"{name.lower()}:{value}"


def dtype_of(nrrd: Any, fields: dict[str, Any]) -> np.dtype[Any]:
    """Return the dtype of the elements: that of the array that pynrrd makes of none."""
    if fields["type"].lower() == "block":
        raise UnsupportedError("elements of the type 'block' of NRRD are no numbers")
    encoding = "ascii" if fields["encoding"].lower() in TEXT else "raw"
    none = {"type": fields["type"].lower(), "encoding": encoding, "dimension": 1}
    endian = {"endian": fields["endian"].lower()} if "endian" in fields else {}
    array = nrrd.read_data({**none, **endian, "sizes": np.zeros(1, int)}, BytesIO())
    dtype: np.dtype[Any] = array.dtype
    return dtype
