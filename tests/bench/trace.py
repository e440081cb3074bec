"""Count what one warm image touches of pyloader: files, functions, and changes of file.

``python -m tests.bench.trace`` loads a slice of a native CT by ``wadouri:`` as a worker does, once
to warm up, and counts the second time. It measures how far a reader has to jump to follow a load.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pyloader
from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport
from pyloader.wire import wire_image, wire_modules
from tests.bench import files

ROOT = str(Path(pyloader.__file__).parent)
URL = "https://host/a.dcm"
DELIVERY = Delivery(rescale=True, factor=None, darken=True)


async def load(context: Context) -> None:
    """Load an image, and make what goes to the page."""
    image = await load_image(f"wadouri:{URL}", context)
    delivered = deliver(image, DELIVERY)
    wire_image(delivered)
    wire_modules(delivered.modules)


def traced() -> list[tuple[str, str]]:
    """Return file and function of each call of pyloader's own that a warm load makes."""
    body = files.slice_of("raw").body
    calls: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(ROOT):
            calls.append((code.co_filename.removeprefix(ROOT + "/"), code.co_qualname))

    async def run() -> None:
        answer = Response(URL, 200, {"content-length": str(len(body))}, body)  # as servers say it
        context = Context(Network(MemoryTransport({URL: answer}), retries=0), Cache(1 << 28))
        await load(context)
        context.cache.clear()
        sys.setprofile(note)
        await load(context)
        sys.setprofile(None)

    asyncio.run(run())
    return calls


def main() -> None:
    """Print the counts, and the files by their number of calls."""
    calls = traced()
    names = [name for name, _ in calls]
    changes = sum(one != other for one, other in pairwise(names))
    print(f"{len(set(names))} files, {len(set(calls))} functions, {len(calls)} calls, ", end="")
    print(f"{changes} changes of file")
    for name in sorted(set(names), key=names.count, reverse=True):
        print(f"{names.count(name):6} {name}")


if __name__ == "__main__":
    main()
