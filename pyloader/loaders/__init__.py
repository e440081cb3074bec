"""The table of schemes: each name with the function that opens its sources."""

from __future__ import annotations

from pyloader.registry import Registry
from pyloader.source import Open

schemes: Registry[Open] = Registry(
    "image loader for scheme",
    {
        "dicomfile": "pyloader.loaders.wadouri.source:open_source",
        "dicomweb": "pyloader.loaders.wadouri.source:open_source",
        "http": "pyloader.loaders.web:open_source",
        "https": "pyloader.loaders.web:open_source",
        "localfile": "pyloader.loaders.wadouri.source:open_source",
        "metaimage": "pyloader.formats.metaimage",
        "nifti": "pyloader.loaders.nifti:open_source",
        "nrrd": "pyloader.formats.nrrd",
        "numpy": "pyloader.formats.numpy_array",
        "wadors": "pyloader.dicomweb.wadors:open_source",
        "wadouri": "pyloader.loaders.wadouri.source:open_source",
        "web": "pyloader.loaders.web:open_source",
        "zarr": "pyloader.formats.zarr",
    },
)
