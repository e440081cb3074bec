"""Local files as they were when they were read, so that one written anew is read anew."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

Version = tuple[int, ...]
# File systems tell the time in steps of up to a tick of the system's clock. A file that changed
# this shortly before it was read could change again without telling another time.
TICK_NS = 20_000_000
NEVER_AGAIN: Version = ()


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A local file or folder, as it was when it was read.

    Attributes
    ----------
    path : str
    version : tuple of int or None
        Size, times of modification and of change (ns), and number; None when nothing was there.
    """

    path: str
    version: Version | None

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> LocalFile:
        """Return a file whose status was asked for when it was opened."""
        age = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)
        return cls(path, NEVER_AGAIN if 0 <= age < TICK_NS else version_of(status))

    @property
    def is_current(self) -> bool:
        """True while the file is as it was when it was read.

        A file that is gone was not written anew: what was read of it is all that there is.
        """
        try:
            return version_of(os.stat(self.path)) == self.version
        except OSError:
            return True


def version_of(status: os.stat_result) -> Version:
    """Return what changes when a file does, also when a copy brought its old time along."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
