"""Record the state of local files when they are read, so that a changed file is read again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

Version = tuple[int, ...]
# File systems record times in steps of up to a tick of the system's clock. A file that changed this
# shortly before it was read could change again and keep the same time.
TICK_NS = 20_000_000
NEVER_CURRENT: Version = ()


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The state of a local file or folder when it was read.

    Attributes
    ----------
    path : str
    version : tuple of int or None
        Size, times of modification and of change (ns), and inode number; None when there was no
        file.
    """

    path: str
    version: Version | None

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> LocalFile:
        """Return the state of a file, from the status that it had when it was opened."""
        age = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)
        return cls(path, NEVER_CURRENT if 0 <= age < TICK_NS else version_of(status))

    @property
    def is_current(self) -> bool:
        """True while the file is unchanged since it was read.

        A file that was deleted counts as unchanged: there is nothing else to read.
        """
        try:
            return version_of(os.stat(self.path)) == self.version
        except OSError:
            return True


def version_of(status: os.stat_result) -> Version:
    """Return values that change with a file, even if a copy keeps its modification time."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
