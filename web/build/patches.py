"""
Patches of numpy, pydicom and Pyodide: files in `patches/`, listed in `patches.json` with reasons.

A file there replaces the package's file with the same path, or is new. In a script of one long
line, a patch replaces a passage: `NAME.before.js` by `NAME.after.js`.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from web.build.archives import Files
from web.build.common import RECIPES, BuildError

FOLDER = RECIPES / "patches"
LIST = FOLDER / "patches.json"


@dataclass(frozen=True, slots=True)
class Patch:
    """
    One row of the list.

    Attributes
    ----------
    file : str
        Path of the patched file, starting with the package's name.
    upstream : str
        SHA-256 of the file that is replaced; "" for a new file.
    moved : str
        New path of the replaced file; "" if it is dropped.
    passage : str
        Path of the two files of a passage, without their endings; "" for a whole file.
    """

    file: str
    reason: str
    upstream: str = ""
    moved: str = ""
    passage: str = ""

    def apply(self, files: Files) -> Files:
        """Return the files that the patch changes or adds."""
        if self.passage:
            return {self.file: self.with_passage(self.original(files))}
        changed = {self.file: (FOLDER / self.file).read_bytes()}
        if not self.upstream:
            if self.file in files:
                raise self.misfit("the package has a file of this name now")
            return changed
        original = self.original(files)
        actual = hashlib.sha256(original).hexdigest()
        if actual != self.upstream:
            raise self.misfit(f"its SHA-256 is {actual}, expected {self.upstream}")
        return changed | ({self.moved: original} if self.moved else {})

    def original(self, files: Files) -> bytes:
        """Return the file as the package has it."""
        if self.file not in files:
            raise self.misfit("the package has no such file")
        return files[self.file]

    def with_passage(self, original: bytes) -> bytes:
        """Return the file with the new passage in place of the old."""
        before, after = (
            (FOLDER / f"{self.passage}.{time}.js").read_bytes().removesuffix(b"\n")
            for time in ("before", "after")
        )
        count = original.count(before)
        if count != 1:
            raise self.misfit(f"it has {before.decode()!r} {count} times, expected once")
        return original.replace(before, after)

    def misfit(self, difference: str) -> BuildError:
        """Return the error for a package that has changed since the patch was made."""
        return BuildError(
            f"the patch of {self.file} does not fit: {difference}. Its reason: {self.reason}\n"
            f"Check what has changed in the package, then adapt web/build/patches/"
        )


def patched(package: str, files: Files) -> Files:
    """Return the files of a package, by path, with all its patches applied."""
    changed = dict(files)
    for patch in patches_of(package):
        changed |= patch.apply(files)
    return changed


def patches_of(package: str) -> list[Patch]:
    """Read the rows of a package."""
    rows = [Patch(**row) for row in json.loads(LIST.read_text())]
    return [row for row in rows if row.file.startswith(f"{package}/")]


def recipes_of(package: str) -> list[Path]:
    """Return the files that the patches of a package depend on."""
    paths = sorted(path for path in (FOLDER / package).rglob("*") if path.is_file())
    return [RECIPES / "patches.py", LIST, *paths]
