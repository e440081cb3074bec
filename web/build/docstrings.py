"""An extension of Griffe, which reads pyloader's docstrings for the documentation site."""

import re
from typing import Any

from griffe import Extension, Module, Object

# reStructuredText's mark of a code block that follows; Markdown needs no mark.
MARK = re.compile(r"^::\n|(?<=:):$", re.MULTILINE)


class PlainBlocks(Extension):
    """Makes Markdown of the code blocks in docstrings."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Remove the marks from the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = MARK.sub("", obj.docstring.value)

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Remove them from that of the package, for which `on_object` is not called."""
        self.on_object(obj=pkg)
