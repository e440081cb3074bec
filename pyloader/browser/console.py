"""Send ``print`` to the browser's console, with the name of the file that prints."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOBase

from pyloader.context import speaker

Write = Callable[[str, str], None]
"""``(name, text)``: receives whole lines of the file `name`, without the final newline."""


class Console(TextIOBase):
    """A text stream that passes on whole lines, those of one ``print`` together.

    Loads interleave, so each `speaker` has its own unfinished line.

    Parameters
    ----------
    write : callable
        Receives the lines; see `Write`.
    """

    encoding = "utf-8"  # libraries that print ask for it

    def __init__(self, write: Write) -> None:
        self._write = write
        self._begun: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Take text, and pass it on when it ends with a newline."""
        name = speaker.get()
        begun = self._begun.pop(name, "") + text
        if begun.endswith("\n"):
            self._write(name, begun[:-1])
        elif begun:
            self._begun[name] = begun
        return len(text)

    def flush(self) -> None:
        """Pass on all unfinished lines."""
        while self._begun:
            self._write(*self._begun.popitem())

    def writable(self) -> bool:
        """Return True: text can be written to it."""
        return True
