"""A table from a name to a function, filled by us with lazy targets and by users with functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

Target = TypeVar("Target", bound=Callable[..., Any])


class Registry(Mapping[str, Target], Generic[Target]):
    """Names to functions.

    A target is a function, or ``"module:name"`` imported on first use: in a browser, start-up
    time is import time.

    Parameters
    ----------
    what : str
        What the table holds, for its error texts: ``"image loader for scheme"``.
    targets : mapping of str to str
        The built-in rows.
    """

    def __init__(self, what: str, targets: Mapping[str, str]) -> None:
        self.what = what
        self._targets: dict[str, Target | str] = dict(targets)

    def register(self, key: str, target: Target, *, replace: bool = False) -> None:
        """Add a row; a function of the same module may always take its own row again.

        Raises
        ------
        ValueError
            `key` is held by another module and `replace` is false.
        """
        holder = self.owner(key)
        if holder is not None and holder != target.__module__ and not replace:
            raise ValueError(
                f"{self.what} {key!r} is already registered by {holder}; "
                "pass replace=True to take its place"
            )
        self._targets[key] = target

    def owner(self, key: str) -> str | None:
        """Return the module that holds `key`, or None when nobody does."""
        target = self._targets.get(key)
        if target is None:
            return None
        return target.partition(":")[0] if isinstance(target, str) else target.__module__

    def owned_by(self, module: str) -> dict[str, Target | str]:
        """Return the rows that `module` holds."""
        return {key: row for key, row in self._targets.items() if self.owner(key) == module}

    def drop(self, module: str) -> dict[str, Target | str]:
        """Remove and return the rows that `module` holds; `restore` undoes it."""
        rows = self.owned_by(module)
        for key in rows:
            del self._targets[key]
        return rows

    def restore(self, rows: Mapping[str, Target | str]) -> None:
        """Put back rows that `drop` returned."""
        self._targets.update(rows)

    def __getitem__(self, key: str) -> Target:
        target = self._targets[key]
        if isinstance(target, str):
            module, _, name = target.partition(":")
            target = cast(Target, getattr(import_module(module), name))
            self._targets[key] = target
        return target

    def __contains__(self, key: object) -> bool:
        return key in self._targets  # without importing it

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)
