"""Fetch the files of some modules on their first import.

A page starts Python from a snapshot of its memory, in which all that an image needs is imported.
The files of other modules, and the codecs' libraries, are fetched when they are first needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from pyloader.errors import NetworkError

Bring = Callable[[str], object]


class DeferredFinder(MetaPathFinder):
    """Finds modules that no other finder found, after fetching their archive.

    Parameters
    ----------
    archives : mapping of str to str
        Archive by the full name of a module, or of its top-level package.
    bring : callable
        Makes the files of an archive importable before it returns; called once for each.
    """

    def __init__(self, archives: Mapping[str, str], bring: Bring) -> None:
        self.archives = dict(archives)
        self.bring = bring
        self.brought: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Fetch the module's archive, then find the module on the path.

        Raises
        ------
        NetworkError
        """
        archive = self.archives.get(fullname, self.archives.get(fullname.partition(".")[0]))
        if archive is None or archive in self.brought:
            return None
        try:
            self.bring(archive)
        except Exception as error:
            # Not ImportError: the importing code would think that the module does not exist.
            raise NetworkError(
                f"{archive} of dist/pyodide/, which has {fullname}, cannot be fetched; the next "
                f"import tries again. Is dist/ complete? {error}",
                url=archive,
            ) from error
        self.brought.add(archive)
        # Not importlib.invalidate_caches, which imports importlib.metadata.
        sys.path_importer_cache.clear()
        return PathFinder.find_spec(fullname, path, target)


def defer(archives: Mapping[str, str], bring: Bring) -> None:
    """Fetch the modules of archives on their first import; see `DeferredFinder`."""
    sys.meta_path.append(DeferredFinder(archives, bring))
