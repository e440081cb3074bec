"""Metadata of Zarr arrays, of version 2 (.zarray) and 3 (zarr.json), in one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, LoaderError, UnsupportedError
from pyloader.formats.elements import NUMBERS, are_numbers

COMPRESSORS = ("blosc", "gzip", "lz4", "zlib", "zstd")
CHECKSUM = "crc32c"
# Prefix of zarr-python for numcodecs' codecs in version 3; their bytes are as in version 2.
NUMCODECS = "numcodecs."
# bool is a byte of 0 or 1, and is delivered as uint8.
DATA_TYPES = {
    **{"bool": "u1", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8"},
    **{"uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8"},
    **{"float16": "f2", "float32": "f4", "float64": "f8", "complex64": "c8", "complex128": "c16"},
}


@dataclass(frozen=True, slots=True, eq=False)
class ChunkEncoding:
    """The encoding of a chunk's elements as bytes.

    Attributes
    ----------
    dtype : dtype
        With its byte order.
    order : tuple of int
        The array's axes, in the order of the chunk.
    codecs : tuple of str
        The codecs applied to the bytes, in order: one of `COMPRESSORS`, ``"crc32c"``.
    """

    dtype: np.dtype[Any]
    order: tuple[int, ...]
    codecs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """The sharding of an array: files of many chunks each.

    Attributes
    ----------
    shape : tuple of int
        Elements of one file.
    index : ChunkEncoding
        Encoding of the index, (..., 2) uint64: offset and size of each chunk, in bytes.
    is_at_end : bool
        True if the index is at the end of the file, False at its beginning.
    """

    shape: tuple[int, ...]
    index: ChunkEncoding
    is_at_end: bool


@dataclass(frozen=True, slots=True, eq=False)
class ZarrArray:
    """The metadata of an array.

    Attributes
    ----------
    path : str
        The path within the hierarchy; ``"/"`` for its root.
    shape, chunks : tuple of int
    encoding : ChunkEncoding
        The encoding of each chunk.
    fill : array of no dimensions
        The value of missing chunks.
    prefix, separator : str
        The file of the chunk (1, 2) is ``prefix + "1" + separator + "2"``.
    names : tuple of str
        Names of the axes; empty if unknown.
    shards : Shards or None
    """

    path: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    encoding: ChunkEncoding
    fill: NDArray[Any]
    prefix: str
    separator: str
    names: tuple[str, ...] = ()
    shards: Shards | None = None

    def key(self, index: Sequence[int]) -> str:
        """Return the name of the file of a chunk, or of a shard."""
        return self.prefix + self.separator.join(map(str, index))


def parse_array(document: Any, attributes: Mapping[str, Any], path: str) -> ZarrArray:
    """Parse the metadata of an array.

    Parameters
    ----------
    document : JSON
        The content of .zarray or zarr.json.
    attributes : mapping
        The content of .zattrs; in version 3 the document has them.

    Raises
    ------
    FormatError, UnsupportedError
    """
    try:
        if document["zarr_format"] == 2:
            array = parse_v2(document, attributes, path)
        else:
            array = parse_v3(document, path)
        lengths = {len(array.shape), len(array.chunks), len(array.encoding.order)}
        sizes = (*array.shape, *array.chunks)
        is_sound = len(lengths) == 1 and all(type(size) is int and size > 0 for size in sizes)
    except LoaderError:
        raise
    except Exception as error:  # the JSON may have any structure
        raise FormatError(
            f"array {path or '/'!r} has a description that cannot be read: {error!r}"
        ) from error
    if not is_sound:
        raise FormatError(
            f"array {path or '/'!r} has the shape {array.shape} in chunks {array.chunks}"
        )
    return array


def parse_v2(document: Mapping[str, Any], attributes: Mapping[str, Any], path: str) -> ZarrArray:
    """Parse a .zarray."""
    dtype = np.dtype(document["dtype"]) if isinstance(document["dtype"], str) else np.dtype("V")
    if not are_numbers(dtype):
        refuse(path, "dtype", document["dtype"], (NUMBERS,))
    dtype = np.dtype(np.uint8) if dtype.kind == "b" else dtype
    if document.get("filters"):
        refuse(path, "filters", [each["id"] for each in document["filters"]], ("none",))
    compressor = document["compressor"] and document["compressor"]["id"]
    if compressor and compressor not in COMPRESSORS:
        refuse(path, "compressor", compressor, COMPRESSORS)
    axes = tuple(range(len(document["shape"])))
    order = axes[::-1] if document.get("order") == "F" else axes
    return ZarrArray(
        path or "/",
        tuple(document["shape"]),
        tuple(document["chunks"]),
        ChunkEncoding(dtype, order, (compressor,) if compressor else ()),
        fill_of(document["fill_value"], dtype),
        f"{path}/" if path else "",
        document.get("dimension_separator", "."),
        tuple(map(str, attributes.get("_ARRAY_DIMENSIONS") or ())),
    )


def parse_v3(document: Mapping[str, Any], path: str) -> ZarrArray:
    """Parse a zarr.json."""
    if document["data_type"] not in tuple(DATA_TYPES):
        refuse(path, "data_type", document["data_type"], DATA_TYPES)
    if document["chunk_grid"]["name"] != "regular" or document.get("storage_transformers"):
        refuse(path, "chunk_grid", document["chunk_grid"]["name"], ("regular, not transformed",))
    dtype = np.dtype(DATA_TYPES[document["data_type"]])
    chunks = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    keys = document["chunk_key_encoding"]
    is_default = keys["name"] == "default"
    separator = keys.get("configuration", {}).get("separator", "/" if is_default else ".")
    folder = f"{path}/" if path else ""
    codecs = [named(codec) for codec in document["codecs"]]
    array = ZarrArray(
        path or "/",
        tuple(document["shape"]),
        chunks,
        ChunkEncoding(dtype, tuple(range(len(chunks)))),
        fill_of(document["fill_value"], dtype),
        f"{folder}c{separator}" if is_default else folder,
        separator,
        tuple(map(str, document.get("dimension_names") or ())),
    )
    if codecs[0][0] == "sharding_indexed":
        return sharded(array, codecs)
    return replace(array, encoding=encoding_of(codecs, dtype, len(chunks), path))


def named(codec: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the name and configuration of a codec."""
    name, configuration = (
        (codec, {}) if isinstance(codec, str) else (codec["name"], codec.get("configuration", {}))
    )
    plain = name.removeprefix(NUMCODECS)
    return (plain if plain in COMPRESSORS else name), configuration


def encoding_of(
    codecs: Sequence[tuple[str, Mapping[str, Any]]], dtype: np.dtype[Any], count: int, path: str
) -> ChunkEncoding:
    """Return the encoding of chunks of `count` axes from the codecs of version 3."""
    names = [name for name, _ in codecs]
    start = names.index("bytes") if "bytes" in names else 0
    order = tuple(range(count))
    for name, configuration in codecs[:start]:
        if name != "transpose":
            refuse(path, "codec", name, ("transpose",))
        order = tuple(order[axis] for axis in configuration["order"])
    if sorted(order) != list(range(count)):
        raise FormatError(f"array {path or '/'!r} transposes its {count} axes to {order}")
    after = tuple(names[start + 1 :])
    unknown = [name for name in names[start:] if name not in ("bytes", CHECKSUM, *COMPRESSORS)]
    # Between two compressors the size would be unknown.
    if unknown or sum(name in COMPRESSORS for name in after) > 1 or names[start] != "bytes":
        refuse(path, "codecs", names, ("transpose", "bytes", CHECKSUM, "and one of", *COMPRESSORS))
    is_big = codecs[start][1].get("endian") == "big"
    return ChunkEncoding(dtype.newbyteorder(">" if is_big else "<"), order, after)


def sharded(array: ZarrArray, codecs: Sequence[tuple[str, Mapping[str, Any]]]) -> ZarrArray:
    """Apply the sharding codec to an array: its files hold many chunks each."""
    if len(codecs) > 1:
        refuse(array.path, "codecs", [name for name, _ in codecs], ("sharding_indexed alone",))
    configuration = codecs[0][1]
    count, dtype = len(array.chunks), array.encoding.dtype
    chunks = tuple(configuration["chunk_shape"])
    if len(chunks) != count or any(np.remainder(array.chunks, chunks)):
        raise FormatError(f"array {array.path!r} has shards {array.chunks} of chunks {chunks}")
    index_codecs = [named(codec) for codec in configuration["index_codecs"]]
    index = encoding_of(index_codecs, np.dtype(np.uint64), count + 1, array.path)
    if set(index.codecs) - {CHECKSUM}:
        refuse(array.path, "index codecs", list(index.codecs), ("bytes", CHECKSUM))
    shards = Shards(array.chunks, index, configuration.get("index_location", "end") == "end")
    inner = encoding_of(
        [named(codec) for codec in configuration["codecs"]], dtype, count, array.path
    )
    return replace(array, chunks=chunks, encoding=inner, shards=shards)


def fill_of(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Parse a fill value; JSON may have ``"NaN"`` or, for the bits, ``"0x7fc00000"``.

    A complex fill value is a list of its real and imaginary part.
    """
    if dtype.kind == "c" and isinstance(value, list):
        real, imaginary = (fill_of(part, np.dtype(f"f{dtype.itemsize // 2}")) for part in value)
        return np.array(real + 1j * imaginary, dtype)
    if isinstance(value, str) and value.startswith("0x"):
        bits = np.array(int(value, 16), f"u{dtype.itemsize}")
        return bits.view(dtype.newbyteorder("="))
    return np.array(float(value) if isinstance(value, str) else value or 0, dtype)


def refuse(path: str, what: str, found: Any, known: Iterable[str]) -> NoReturn:
    """Raise for an unsupported property of an array."""
    raise UnsupportedError(
        f"array {path or '/'!r} has {what} {found!r}, which cannot be read; known are "
        f"{', '.join(known)}"
    )
