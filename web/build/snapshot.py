"""Runs in Pyodide before the snapshot of its memory is taken: all that a page starts with."""

import codecs
import gc
import sys
import zipimport
from array import array
from collections.abc import Iterable, Iterator
from types import CodeType

import imagecodecs._shared  # noqa: F401 -- it is imported
import numpy.linalg._library  # noqa: F401 -- where its shared library will be
from pydicom.charset import python_encoding

import pyloader.browser.bridge  # noqa: F401 -- it is imported
from pyloader.loaders import schemes

# Of types: the collector's head is in front of their objects, or more than that.
HAS_HEAD, HAS_MORE = 1 << 14, 1 << 4 | 1 << 3
HEAD_BYTES = 8
# They differ in length, and `__sizeof__` is what each asked of the allocator.
LONG = (str, bytes, tuple, int, CodeType)


def everything() -> Iterable[object]:
    """Return the objects that the modules lead to."""
    seen: dict[int, object] = {}
    found: list[object] = [sys.modules, *object.__subclasses__()]
    while found:
        seen.update((id(each), each) for each in found)
        # The collector does not know what code refers to.
        within = [
            (
                code.co_consts,
                code.co_names,
                code.co_qualname,
                code.co_linetable,
                code.co_exceptiontable,
            )
            for code in found
            if isinstance(code, CodeType)
        ]
        found = [each for each in gc.get_referents(*found, *within) if id(each) not in seen]
    return seen.values()


def extents(found: Iterable[object]) -> Iterator[int]:
    """Return where the memory of each object begins, and where its use of it ends, in turns."""
    for each in found:
        kind = type(each)
        if kind in LONG or not (kind.__itemsize__ or kind.__flags__ & HAS_MORE):
            yield id(each) - (HEAD_BYTES if kind.__flags__ & HAS_HEAD else 0)
            yield id(each) + (each.__sizeof__() if kind in LONG else kind.__basicsize__)


# Names of patients: Python imports an encoding when it is first used.
for encoding in python_encoding.values():
    codecs.lookup(encoding)

# The loader of a scheme is imported with its first image.
for scheme in schemes:
    schemes[scheme]

# Nothing but steps of the interpreter's loop, see `practise` in snapshot.js: none that calls a
# function which depends on what it is about.
exec("def practice():\n" + "    step = 0\n" * 2000)

# Files are not there when the snapshot is put back.
sys.path_importer_cache.clear()
zipimport._zip_directory_cache.clear()  # type: ignore[attr-defined]
sys._clear_internal_caches()  # type: ignore[attr-defined]  # since Python 3.13
gc.collect()
# What is imported stays: collections of garbage need not walk through it each time.
gc.freeze()

id(practice), array("I", extents(everything()))  # type: ignore[name-defined]  # noqa: F821 -- see above
