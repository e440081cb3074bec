"""A load of one file from a network in memory."""

from __future__ import annotations

from pyloader import Context, load_image
from pyloader.transport.memory import MemoryTransport

URL = "https://host/image.dcm"


async def load(context: Context, transport: MemoryTransport, body: bytes, frame: int = 1):
    """Load a frame of a file."""
    transport.answers[URL] = body
    return await load_image(f"wadouri:{URL}?frame={frame}", context)
