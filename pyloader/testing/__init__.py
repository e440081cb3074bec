"""For authors of loaders: a network in memory, and tests that every loader should pass.

``LoaderContract`` is inherited in a file of tests::

    from pyloader.testing import LoaderContract

    class TestMine(LoaderContract):
        loader = "my_loader.py"
        image_id = "custom1://host/a.raw"
        answers = {"https://host/a.raw": bytes(512)}

pytest runs what it brings; nothing but pytest is needed, and nothing else is fetched.
"""

from pyloader.testing.contract import LoaderContract
from pyloader.testing.memory import memory_context

__all__ = ["LoaderContract", "memory_context"]
