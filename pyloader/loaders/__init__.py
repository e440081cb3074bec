"""The two tables by scheme: who loads an image, and who can read its header alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pyloader.context import Context
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.registry import Registry

Loader = Callable[[ImageId, Context], Awaitable[Image]]
HeaderLoader = Callable[[ImageId, Context], Awaitable[Mapping[str, Mapping[str, Any]]]]

image_loaders: Registry[Loader] = Registry(
    "image loader for scheme",
    {
        "dicomfile": "pyloader.loaders.wadouri:load",
        "dicomweb": "pyloader.loaders.wadouri:load",
        "wadors": "pyloader.loaders.wadors:load",
        "wadouri": "pyloader.loaders.wadouri:load",
    },
)
header_loaders: Registry[HeaderLoader] = Registry(
    "header loader for scheme",
    {
        "dicomfile": "pyloader.loaders.wadouri:load_header",
        "dicomweb": "pyloader.loaders.wadouri:load_header",
        "wadors": "pyloader.loaders.wadors:load_header",
        "wadouri": "pyloader.loaders.wadouri:load_header",
    },
)
