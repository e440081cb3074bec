"""Modules whose files are not there from the start: the first import brings them.

A page starts Python from a snapshot of memory, in which all that an image needs is imported; the
files of the rest, and the codecs' libraries, are fetched when one of them is asked for.
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
    """Finds what no other finder did, once its archive is there.

    Parameters
    ----------
    archives : mapping of str to str
        The archive of a module, by its full name or by that of its top-level package.
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
        """Find a module by the path, after its archive was brought.

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
            # No ImportError: whoever imports it would take the module for one that does not exist.
            raise NetworkError(
                f"{archive} of dist/pyodide/, which has {fullname}, cannot be fetched; the next "
                f"that needs it tries again. Is the whole of dist/ there? {error}",
                url=archive,
            ) from error
        self.brought.add(archive)
        # Not importlib.invalidate_caches, which imports the reader of packages' metadata.
        sys.path_importer_cache.clear()
        return PathFinder.find_spec(fullname, path, target)


def defer(archives: Mapping[str, str], bring: Bring) -> None:
    """Have the modules of archives brought by the first import; see `DeferredFinder`."""
    sys.meta_path.append(DeferredFinder(archives, bring))
