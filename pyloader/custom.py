"""Run a user's Python file that registers loaders, for a page, the command line or a test."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from textwrap import dedent
from tokenize import open as open_source
from types import ModuleType

from pyloader.authors import hint
from pyloader.errors import CustomLoaderError
from pyloader.loaders import schemes


def define_loaders(name: str, source: str) -> list[str]:
    """Run `source` as the module `name` and return the schemes that it registered.

    Running the same name again replaces its earlier loaders; if it fails, they stay registered.

    Raises
    ------
    CustomLoaderError
        The source has an error or raises.
    """
    # Python inside a page may be indented as far as the markup around it.
    source = dedent(source)
    # Tracebacks look up the lines of code without a file in linecache.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    before, module_before = schemes.drop(name), sys.modules.get(name)
    try:
        execute(name, source)
    except BaseException as error:
        schemes.drop(name)
        schemes.restore(before)
        put_back(name, module_before)
        if not isinstance(error, (Exception, SystemExit)):
            raise
        raise CustomLoaderError(
            f"the Python loader {name!r} cannot be run: {type(error).__name__}: {error}"
            f"{hint(error, name)}"
        ) from error
    return sorted(schemes.owned_by(name))


def execute(name: str, source: str) -> None:
    """Run `source` as the module `name`, as an import would."""
    # Without `dont_inherit`, this file's `from __future__ import annotations` applies to it too.
    code = compile(source, name, "exec", dont_inherit=True)
    module = ModuleType(name)
    sys.modules[name] = module
    exec(code, module.__dict__)


def put_back(name: str, module: ModuleType | None) -> None:
    """Restore the module `name` in ``sys.modules``, or remove it when it is None."""
    sys.modules.pop(name, None)
    if module is not None:
        sys.modules[name] = module


def read_loader(path: str | Path) -> tuple[str, str]:
    """Return name and source of a loader file, as `define_loaders` takes them.

    Raises
    ------
    CustomLoaderError
        The file cannot be read, or is not text in the encoding that it declares (PEP 263).
    """
    try:
        with open_source(path) as file:
            return str(path), file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise CustomLoaderError(
            f"the Python loader {str(path)!r} cannot be read: {error}; expected a Python file "
            "that calls register_loader"
        ) from error
