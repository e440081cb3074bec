"""Zarr arrays and images of OME-Zarr, written by the library zarr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import zarr
from zarr import codecs

SHAPE, CHUNKS = (5, 30, 41), (2, 8, 16)
VOXELS = np.cumsum(np.random.default_rng(3).integers(-9, 10, SHAPE), axis=-1).astype("i2")


def of_numcodecs(name: str, **configuration: Any) -> dict[str, Any]:
    """Return the options of an array of version 3 with a codec of numcodecs."""
    return {"compressors": [{"name": f"numcodecs.{name}", "configuration": configuration}]}


V2: dict[str, dict[str, Any]] = {
    "none": {"compressors": None},
    "zlib": {"compressors": numcodecs.Zlib(1)},
    "gzip": {"compressors": numcodecs.GZip(1)},
    "zstd": {"compressors": numcodecs.Zstd(3)},
    "lz4": {"compressors": numcodecs.LZ4()},
    "fortran": {"compressors": numcodecs.Zstd(3), "order": "F"},
    "slash": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    **{
        f"blosc-{name}-{shuffle}": {"compressors": numcodecs.Blosc(name, 5, shuffle)}
        for name in ("lz4", "lz4hc", "zlib", "zstd", "blosclz")
        for shuffle in (0, 1, 2)
    },
}

V3: dict[str, dict[str, Any]] = {
    "default": {},
    "none": {"compressors": None},
    "big": {"compressors": None, "serializer": codecs.BytesCodec(endian="big")},
    "gzip": {"compressors": codecs.GzipCodec()},
    "zstd": {"compressors": codecs.ZstdCodec()},
    "blosc": {"compressors": codecs.BloscCodec(cname="zstd", shuffle="bitshuffle")},
    "crc32c": {"compressors": codecs.Crc32cCodec()},
    "sum-of-packed": {"compressors": [codecs.GzipCodec(), codecs.Crc32cCodec()]},
    "sum-packed": {"compressors": [codecs.Crc32cCodec(), codecs.ZstdCodec()]},
    "transpose": {"filters": codecs.TransposeCodec(order=(2, 0, 1))},
    "transposes": {
        "filters": [codecs.TransposeCodec(order=(2, 0, 1)), codecs.TransposeCodec(order=(1, 0, 2))]
    },
    "numcodecs-zlib": of_numcodecs("zlib", level=4),
    "numcodecs-gzip": of_numcodecs("gzip", level=1),
    "numcodecs-zstd": of_numcodecs("zstd", level=1),
    "numcodecs-lz4": of_numcodecs("lz4", acceleration=1),
    "numcodecs-blosc": of_numcodecs("blosc", cname="lz4", clevel=5, shuffle=2, blocksize=0),
    "numcodecs-blosclz": of_numcodecs("blosc", cname="blosclz", clevel=5, shuffle=1, blocksize=0),
    "numcodecs-sharded": {"shards": (4, 16, 32), **of_numcodecs("zlib", level=1)},
    "blosclz": {"compressors": codecs.BloscCodec(cname="blosclz", shuffle="shuffle")},
    "dot": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "v2-keys": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
    "sharded": {"shards": (4, 16, 32)},
    "sharded-plain": {"shards": (2, 16, 16), "compressors": None},
}


def write(path: Path | str, voxels: np.ndarray = VOXELS, **options: Any) -> np.ndarray:
    """Write an array with the library zarr and return what it reads of it."""
    options = {"chunks": CHUNKS, "zarr_format": 3} | options
    array = zarr.create_array(
        store=str(path), shape=voxels.shape, dtype=voxels.dtype, overwrite=True, **options
    )
    array[:] = voxels
    return np.asarray(zarr.open_array(str(path), mode="r")[:])


def image(
    root: Path,
    version: int,
    axes: tuple[str, ...],
    shape: tuple[int, ...],
    units: dict[str, str] | None = None,
    levels: int = 2,
    **more: Any,
) -> np.ndarray:
    """Write an image of OME-Zarr and return its finest level."""
    units = dict.fromkeys("zyx", "millimeter") if units is None else units
    voxels = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    scale = {"t": 9.0, "c": 1.0, "z": 3.0, "y": 0.75, "x": 0.5}
    datasets = []
    for level in range(levels):
        coarse = voxels[tuple(slice(None, None, 1 + level * (name in "yx")) for name in axes)]
        write(root / str(level), coarse, chunks=tuple(min(size, 8) for size in coarse.shape),
              zarr_format=version)  # fmt: skip
        scales = [scale[name] * (1 + level * (name in "yx")) for name in axes]
        shifts = [{"z": 100.0, "y": -10.0 + level, "x": 4.0}.get(name, 0.0) for name in axes]
        datasets.append(
            {"path": str(level), "coordinateTransformations": [
                {"type": "scale", "scale": scales}, {"type": "translation", "translation": shifts}]}
        )  # fmt: skip
    kinds = {"t": "time", "c": "channel"}
    described = [
        {"name": name, "type": kinds.get(name, "space")}
        | ({"unit": units[name]} if name in units else {})
        for name in axes
    ]
    multiscales = [{"axes": described, "datasets": datasets, **more.pop("multiscale", {})}]
    if version == 2:
        multiscales[0] = {"version": "0.4"} | multiscales[0]
        (root / ".zgroup").write_text('{"zarr_format": 2}')
        (root / ".zattrs").write_text(json.dumps({"multiscales": multiscales, **more}))
    else:
        ome = {"version": "0.5", "multiscales": multiscales, **more}
        group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
        (root / "zarr.json").write_text(json.dumps(group))
    return voxels
