"""Send ``print`` to the browser's console, with the name of the file that prints."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOBase

from pyloader.context import speaker

Write = Callable[[str, str], None]
"""``(name, text)``: takes whole lines of the file `name`, without the last line's end."""


class Console(TextIOBase):
    """A text stream that hands on whole lines, those of one ``print`` together.

    Loads run by turns, so each speaker has a line of its own that is not ended yet.

    Parameters
    ----------
    write : callable
        Takes the lines; see `Write`.
    """

    encoding = "utf-8"  # libraries that print ask for it

    def __init__(self, write: Write) -> None:
        self._write = write
        self._begun: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Take text, and hand it on when it ends with a line's end."""
        name = speaker.get()
        begun = self._begun.pop(name, "") + text
        if begun.endswith("\n"):
            self._write(name, begun[:-1])
        elif begun:
            self._begun[name] = begun
        return len(text)

    def flush(self) -> None:
        """Hand on every line that was begun."""
        while self._begun:
            self._write(*self._begun.popitem())

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True
