"""Find where an author's own code failed: the function, the line, perhaps a missing `await`."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from pyloader.errors import LoaderError

OWN_PACKAGE = "pyloader."
# Modules whose functions take and check an author's values.
VALUE_MODULES = frozenset(
    OWN_PACKAGE + name for name in ("arrays", "image", "volumes.geometry", "volumes.volume")
)
INSTALL = (
    "; if it is a package, a page installs it with loadPython({packages: [...]}), plain Python "
    "with pip. Pages cannot have some, such as scipy: see 'Use Python packages in the browser' in "
    "the documentation"
)


def is_own(frame: FrameType) -> bool:
    """Return whether a stack frame is in pyloader's own code."""
    name = str(frame.f_globals.get("__name__", ""))
    return name == "pyloader" or name.startswith(OWN_PACKAGE)


def at(function: Callable[..., Any]) -> str:
    """Return the location of a function in brackets, to append to a message."""
    found: Any = inspect.unwrap(function)
    found = getattr(found, "func", found)  # of a functools.partial
    code = getattr(found, "__code__", None) or getattr(type(found).__call__, "__code__", None)
    if code is None:
        return f" ({found!r})"
    return f" ({code.co_name} in {code.co_filename}, line {code.co_firstlineno})"


def entries_of(error: BaseException) -> Iterator[TracebackType]:
    """Yield the entries of an error's traceback, innermost last."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def last_of_author(error: BaseException) -> TracebackType | None:
    """Return the innermost entry of a traceback that is outside pyloader's own code."""
    return next((each for each in [*entries_of(error)][::-1] if not is_own(each.tb_frame)), None)


def is_of_values(error: BaseException) -> bool:
    """Return whether pyloader raised an error because an author passed a wrong value."""
    last = last_of_author(error)
    following = last and last.tb_next
    return bool(following and following.tb_frame.f_globals.get("__name__") in VALUE_MODULES)


def format_traceback(error: BaseException) -> str:
    """Return a traceback as Python prints it, without pyloader's frames before the author's code.

    For a wrong value it ends at the line where the author passed it.
    """
    entries = [*entries_of(error)]
    foreign = [number for number, each in enumerate(entries) if not is_own(each.tb_frame)]
    first = entries[foreign[0]] if foreign else None
    if first is None and not isinstance(error, SyntaxError):
        first = next(iter(entries), None)  # only pyloader's own code took part
    found = traceback.TracebackException(type(error), error, first)
    if isinstance(error, LoaderError) and is_of_values(error):
        del found.stack[foreign[-1] - foreign[0] + 1 :]
    return "".join(found.format())


def hint(error: BaseException, module: str) -> str:
    """Return the likely cure for an error in an author's module, to append to its message."""
    if isinstance(error, ModuleNotFoundError):
        return INSTALL
    if not re.search(r"\bcoroutine\b", str(error)):
        return ""
    entries = [*entries_of(error)][::-1]
    found = (each for each in entries if each.tb_frame.f_globals.get("__name__") == module)
    entry = next(found, None)
    return f"; is an `await` missing in line {line_of_coroutine(entry)}?" if entry else ""


def line_of_coroutine(entry: TracebackType) -> int:
    """Return the line that assigned the coroutine nobody awaited; if unknown, the failing line."""
    frame, line = entry.tb_frame, entry.tb_lineno
    names = [name for name, value in frame.f_locals.items() if inspect.iscoroutine(value)]
    for number in range(line, frame.f_code.co_firstlineno - 1, -1):
        text = linecache.getline(frame.f_code.co_filename, number)
        if any(re.match(rf"\s*{name}\s*=[^=]", text) for name in names):
            return number
    return line
