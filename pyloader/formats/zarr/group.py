"""Zarr hierarchies: find the array of an OME-Zarr image's level, or a single array.

Reference: https://ngff.openmicroscopy.org/0.5, multiscales; Zarr versions 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyloader.errors import FormatError, LoaderError, UnsupportedError
from pyloader.formats.sidecar import gather_or_cancel
from pyloader.formats.zarr.array import ZarrArray, parse_array
from pyloader.formats.zarr.chunks import read_region
from pyloader.formats.zarr.store import Store

VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5")
# The axes of an array by default, by their number.
AXES = {2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx"}
FILES = (".zmetadata", ".zattrs", ".zarray")
# Types by name of axes without a type, as in versions up to 0.3 and in arrays of xarray.
NAMED = {"t": "time", "time": "time", "c": "channel", "channel": "channel"}
UNREAD = "no place is known: a scale or translation of OME-Zarr cannot be read"


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The array of a resolution level, and the metadata of its axes, in order.

    Attributes
    ----------
    array : ZarrArray
    axes : tuple of str
        ``x``, ``y`` and ``z`` for space, ``t`` for time, ``c`` for channels; else the name.
    units : tuple of str
        Empty text if unknown.
    scale : tuple of float or None
        Distance from one element to the next, in `units`; None: unknown.
    translation : tuple of float
        Position of the first element, in `units`.
    channels : list
        Display settings of each channel (omero metadata).
    warnings : tuple of str
    """

    array: ZarrArray
    axes: tuple[str, ...]
    units: tuple[str, ...]
    scale: tuple[float, ...] | None = None
    translation: tuple[float, ...] = ()
    channels: Any = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """The array or group at a URL.

    Attributes
    ----------
    store : Store
    documents : mapping of str to JSON
        By path of the file; with consolidated metadata, also those of the hierarchy below.
    version : int
        Version of Zarr, 2 or 3.
    is_array : bool
    attributes : mapping
        The attributes of the array or group.
    """

    store: Store
    documents: Mapping[str, Any]
    version: int
    is_array: bool
    attributes: Mapping[str, Any]

    async def array(self, path: str) -> ZarrArray:
        """Return the array at a path."""
        document = await self._document(path, "zarr.json" if self.version == 3 else ".zarray")
        if document is None:
            raise FormatError(f"{self.store.url!r} names an array {path!r} that does not exist")
        attributes = await self._document(path, ".zattrs") if self.version == 2 else {}
        return parse_array(document, attributes or {}, path)

    async def _document(self, path: str, name: str) -> Any:
        key = f"{path}/{name}" if path else name
        return self.documents[key] if key in self.documents else await self.store.get_json(key)


async def open_level(store: Store, choose: Callable[[int], int]) -> Level:
    """Fetch the metadata of a level of the image at a URL.

    Parameters
    ----------
    choose : (number of levels) -> int
        Chooses the level, from 0.

    Raises
    ------
    FormatError, UnsupportedError, TransportError
        And what `choose` raises.
    """
    newer = await store.get_json("zarr.json")
    older = [] if newer else await gather_or_cancel(store.get_json(name) for name in FILES)
    try:
        root = root_of_3(store, newer) if newer else root_of_2(store, older)
        if root.is_array:
            choose(1)
            return level_of_array(await root.array(""))
        return await level_of_image(root, choose)
    except LoaderError:
        raise
    except Exception as error:  # the JSON may have any structure
        raise FormatError(
            f"{store.url!r} has a description that cannot be read: {error!r}"
        ) from error


def root_of_3(store: Store, document: Any) -> Root:
    """Make the root of a Zarr 3 hierarchy from its zarr.json."""
    consolidated = (document.get("consolidated_metadata") or {}).get("metadata") or {}
    documents = {f"{path}/zarr.json": each for path, each in consolidated.items()}
    documents["zarr.json"] = document
    is_array = document["node_type"] == "array"
    return Root(store, documents, 3, is_array, document.get("attributes") or {})


def root_of_2(store: Store, found: Sequence[Any]) -> Root:
    """Make the root of a Zarr 2 hierarchy from the contents of `FILES`, None for a missing one."""
    documents = {name: each for name, each in zip(FILES, found, strict=True) if each is not None}
    documents |= documents.pop(".zmetadata", {}).get("metadata", {})
    attributes = documents.get(".zattrs", {})
    if ".zarray" not in documents and not attributes:
        raise FormatError(
            f"{store.url!r} is not a readable Zarr array or group: it has no zarr.json, .zattrs or "
            ".zarray, or its server hides them (status 403)"
        )
    return Root(store, documents, 2, ".zarray" in documents, attributes)


def level_of_array(array: ZarrArray) -> Level:
    """Make a level of a single array without image metadata."""
    names = axis_letters([{"name": name} for name in array.names], array.shape)
    count = len(array.shape)
    if len(set(names)) != count or not set(names) <= set("tczyx"):
        names = tuple(AXES.get(count, "?" * count))
    return Level(array, names, ("",) * count)


async def level_of_image(root: Root, choose: Callable[[int], int]) -> Level:
    """Make a level of the first image in the attributes of a group."""
    ome = root.attributes.get("ome", root.attributes)
    if not ome.get("multiscales"):
        raise FormatError(
            f"{root.store.url!r} is a group without multiscales; add the path of an image or an "
            "array within it, such as '/0'"
        )
    image = ome["multiscales"][0]
    version = str(ome.get("version", image.get("version", VERSIONS[-1])))
    if version not in VERSIONS:
        raise UnsupportedError(
            f"{root.store.url!r} is OME-Zarr {version}; known are {', '.join(VERSIONS)}"
        )
    dataset = image["datasets"][choose(len(image["datasets"]))]
    array = await root.array(dataset["path"])
    axes = [
        axis if isinstance(axis, dict) else {"name": axis} for axis in image.get("axes", "tczyx")
    ]
    names = axis_letters(axes, array.shape)
    if not len(set(names)) == len(names) == len(array.shape):
        raise FormatError(
            f"{root.store.url!r} has the axes {names} for an array of shape {array.shape}"
        )
    transformations = [
        *dataset.get("coordinateTransformations", ()),
        *image.get("coordinateTransformations", ()),
    ]
    transformations = [await with_values(root, each, len(axes)) for each in transformations]
    scale, translation = compose(transformations, len(axes))
    units = tuple(str(axis.get("unit") or "") for axis in axes)
    channels = (ome.get("omero") or {}).get("channels", ())
    is_unread = any(each.get(each["type"], ()) is None for each in transformations)
    return Level(array, names, units, scale, translation, channels, (UNREAD,) if is_unread else ())


def axis_letters(axes: Sequence[Mapping[str, Any]], shape: Sequence[int]) -> tuple[str, ...]:
    """Return the letter of each axis: by its type, which overrides its name, else by its name.

    If two axes have one type, the longer counts. If no spatial axis is named x, y or z, the last
    ones are z, y and x.
    """
    names = [str(axis["name"]).lower() for axis in axes]
    pairs = zip(axes, names, strict=True)
    kinds = [str(axis.get("type") or NAMED.get(name, "")).lower() for axis, name in pairs]
    # An axis named by one of these letters must not count as it unless its type says so.
    found = [f"{name}?" if name in ("t", "c") else name for name in names]
    for kind, letter in (("time", "t"), ("channel", "c")):
        places = [place for place, each in enumerate(kinds[: len(shape)]) if each == kind]
        if places:
            found[max(places, key=lambda place: shape[place])] = letter
    space = [place for place, kind in enumerate(kinds) if kind == "space"]
    if len(space) in (2, 3) and not {names[place] for place in space} & set("xyz"):
        for place, letter in zip(space[::-1], "xyz", strict=False):
            found[place] = letter
    return tuple(found)


async def with_values(root: Root, each: Mapping[str, Any], count: int) -> Mapping[str, Any]:
    """Return a transformation with its numbers, even if they are in an array of their own.

    They are None if that array cannot be read: missing geometry is no reason to refuse the image.
    """
    kind = each["type"]
    if kind not in ("scale", "translation") or kind in each:
        return each
    try:
        array = await root.array(each["path"])
        values = (await read_region(root.store, array, [range(count)])).tolist()
    except (KeyError, LoaderError, ValueError):
        values = None
    return {**each, kind: values}


def compose(
    transformations: Sequence[Mapping[str, Any]], count: int
) -> tuple[tuple[float, ...] | None, tuple[float, ...]]:
    """Return the scale and translation of transformations applied one after the other."""
    scale, translation = np.ones(count), np.zeros(count)
    for each in transformations:
        kind = each["type"]
        if kind not in ("identity", "scale", "translation"):
            raise UnsupportedError(
                f"OME-Zarr has a transformation {kind!r}; known are identity, scale, translation"
            )
        if kind == "identity":
            continue
        if each[kind] is None:
            return None, ()
        values = np.asarray(each[kind], "f8")
        if values.shape != (count,):
            raise FormatError(f"OME-Zarr has a {kind} {each[kind]!r} for {count} axes")
        if kind == "scale":
            scale, translation = scale * values, translation * values
        else:
            translation = translation + values
    is_known = any(each["type"] == "scale" for each in transformations)
    return tuple(scale.tolist()) if is_known else None, tuple(translation.tolist())
