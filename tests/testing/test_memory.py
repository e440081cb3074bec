"""A network in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyloader import Image, ImageId, load_image, register_loader
from pyloader.errors import NetworkError
from pyloader.loaders import schemes
from pyloader.testing import memory_context


async def test_memory_context_is_a_network():
    @register_loader("mine")
    async def load(image_id: ImageId, context: Any) -> Image:
        body = (await context.fetch(f"https:{image_id.rest}")).body
        return Image.from_array(np.frombuffer(body, "u1").reshape(-1, context.options["columns"]))

    try:
        context = memory_context({"https://host/a": bytes(6)}, options={"columns": 3})
        assert (await load_image("mine://host/a", context)).pixels.shape == (2, 3)
        with pytest.raises(NetworkError, match="nothing is stored there"):
            await load_image("mine://host/b", context)
    finally:
        schemes.drop(__name__)
