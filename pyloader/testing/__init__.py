"""Tests that every loader should pass, and a network in memory, for authors of loaders.

Inherit ``LoaderContract`` in a test file::

    from pyloader.testing import LoaderContract

    class TestMine(LoaderContract):
        loader = "my_loader.py"
        image_id = "custom1://host/a.raw"
        answers = {"https://host/a.raw": bytes(512)}

pytest runs the inherited tests. They need nothing but pytest, and fetch nothing else.
"""

from pyloader.testing.contract import LoaderContract
from pyloader.testing.memory import memory_context

__all__ = ["LoaderContract", "memory_context"]
