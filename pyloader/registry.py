"""A table of names to values: built-in ones are imported on first use, users register theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from pyloader.errors import LoaderError

Target = TypeVar("Target")


def owner_of(target: Any) -> str:
    """Return the module that a row belongs to: the one it names, or that defined its value."""
    return target.partition(":")[0] if isinstance(target, str) else str(target.__module__)


class Registry(Mapping[str, Target], Generic[Target]):
    """A mapping of names to values.

    A target is a value, or the name of one to import on first use: ``"module:name"``, or
    ``"module"``, which registers itself. In a browser, start-up time is import time. A row belongs
    to the module that defined its value, by ``__module__``.

    Parameters
    ----------
    what : str
        The name of the values in error texts: ``"image loader for scheme"``.
    targets : mapping of str to str
        The built-in rows.
    """

    def __init__(self, what: str, targets: Mapping[str, str]) -> None:
        self.what = what
        self._built_in = dict(targets)
        self._targets: dict[str, Target | str] = dict(targets)
        self._imported: dict[str, Target] = {}

    def register(self, key: str, target: Target, *, replace: bool = False) -> None:
        """Add a row; a module may always replace its own row.

        Raises
        ------
        ValueError
            `key` is held by another module and `replace` is false.
        """
        holder = self.owner(key)
        if holder is not None and holder != owner_of(target) and not replace:
            raise ValueError(
                f"{self.what} {key!r} is already registered by {holder}; "
                "pass replace=True to take its place"
            )
        self._targets[key] = target

    def owner(self, key: str) -> str | None:
        """Return the module that holds `key`, or None."""
        target = self._targets.get(key)
        return None if target is None else owner_of(target)

    def owned_by(self, module: str) -> dict[str, Target | str]:
        """Return the rows that `module` holds."""
        return {key: row for key, row in self._targets.items() if self.owner(key) == module}

    def drop(self, module: str) -> dict[str, Target | str]:
        """Remove and return the rows that `module` holds; `restore` undoes it.

        Built-in rows that it had replaced come back.
        """
        rows = self.owned_by(module)
        for key in rows:
            if key in self._built_in and owner_of(self._built_in[key]) != module:
                self._targets[key] = self._built_in[key]
            else:
                del self._targets[key]
        return rows

    def restore(self, rows: Mapping[str, Target | str]) -> None:
        """Put back rows that `drop` returned."""
        self._targets.update(rows)

    def __getitem__(self, key: str) -> Target:
        target = self._targets[key]
        if not isinstance(target, str):
            return target
        if target not in self._imported:
            self._imported[target] = self._bring(key, target)
        return self._imported[target]

    def _bring(self, key: str, target: str) -> Target:
        """Import the target of a row.

        Raises
        ------
        LoaderError
            The module has no such name, or registers nothing under the key.
        """
        module, _, name = target.partition(":")
        imported = import_module(module)
        found = getattr(imported, name, None) if name else self._targets[key]
        if found is None or isinstance(found, str):
            lacks = f"has no {name!r}" if name else f"registered nothing for {key!r}"
            raise LoaderError(
                f"{module} {lacks}: the row of {key!r} names a module that registers itself, or "
                f"'{module}:open_source', the function to register"
            )
        return cast(Target, found)

    def __contains__(self, key: object) -> bool:
        return key in self._targets  # without importing it

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)
