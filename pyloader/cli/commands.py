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
    """Return what an image is."""
    image_id = image_id_of(options.image)
    image, count = asyncio.run(load_and_count(image_id))
    if options.json:
        return json.dumps(as_json(image_id, image, count), indent=2, ensure_ascii=False) + "\n"
    return as_text(image_id, image, count) + "\n"


async def load_and_count(image_id: str) -> tuple[Image, int]:
    """Return an image, and how many its source has."""
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
    """Refuse a file's name that says another format than the one that is written."""
    suffix = Path(output).suffix
    if suffix.lower() not in ("", ".png"):
        raise LoaderError(
            f"{output!r} is the name of another format: PNG is all that is written; name it "
            f"{str(Path(output).with_suffix('.png'))!r}"
        )


def listing(options: Namespace) -> str:
    """Return the imageIds of a source, a line each."""
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
