"""The commands: each returns what it prints."""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from pyloader.cli.report import as_json, as_text
from pyloader.errors import LoaderError
from pyloader.image import Image
from pyloader.load import list_image_ids, load_image
from pyloader.loaders.filesets.paths import image_id_of
from pyloader.pixels.codecs import encode_png
from pyloader.pixels.output.voi import display


def info(options: Namespace) -> str:
    """Return the description of an image."""
    image_id = image_id_of(options.image)
    image, count = asyncio.run(load_and_count(image_id))
    if options.json:
        return json.dumps(as_json(image_id, image, count), indent=2, ensure_ascii=False) + "\n"
    return as_text(image_id, image, count) + "\n"


async def load_and_count(image_id: str) -> tuple[Image, int]:
    """Return an image, and the number of images of its source."""
    return await load_image(image_id), len(await list_image_ids(image_id))


def render(options: Namespace) -> str:
    """Write an image as PNG."""
    check_name(options.output)
    image_id = image_id_of(options.image)
    image = asyncio.run(load_image(image_id))
    for warning in image.warnings:
        print(f"pyloader: warning: {' '.join(warning.split())}", file=sys.stderr)
    png = encode_png(display(image, options.window))
    try:
        Path(options.output).write_bytes(png)
    except OSError as error:
        raise LoaderError(f"{options.output!r} cannot be written: {error.strerror}") from error
    return ""


def check_name(output: str) -> None:
    """Raise when the suffix of an output file is that of another format than PNG."""
    suffix = Path(output).suffix
    if suffix.lower() not in ("", ".png"):
        raise LoaderError(
            f"{output!r} has the suffix of another format, and only PNG is written; name it "
            f"{str(Path(output).with_suffix('.png'))!r}"
        )


def listing(options: Namespace) -> str:
    """Return the imageIds of a source, one a line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = asyncio.run(list_image_ids(image_id_of(options.image)))
    for warning in caught:
        print(f"pyloader: warning: {warning.message}", file=sys.stderr)
    return "".join(f"{each}\n" for each in found)


COMMANDS: dict[str, Callable[[Namespace], str]] = {
    "info": info,
    "render": render,
    "list": listing,
}
