"""Import everything that a page starts with. This runs in Pyodide before the memory snapshot."""

import codecs
import gc
import sys
import zipimport
from array import array
from collections.abc import Iterable, Iterator
from types import CodeType

import imagecodecs._shared  # noqa: F401 -- imported for the snapshot
import numpy.linalg._library  # noqa: F401 -- the package of its shared library
from pydicom.charset import python_encoding

import pyloader.browser.bridge  # noqa: F401 -- imported for the snapshot
from pyloader.loaders import schemes

# Flags of types: the garbage collector's head precedes their objects, or more than that.
HAS_HEAD, HAS_MORE = 1 << 14, 1 << 4 | 1 << 3
HEAD_BYTES = 8
# Types whose objects differ in length; `__sizeof__` is the size requested from the allocator.
LONG = (str, bytes, tuple, int, CodeType)


def everything() -> Iterable[object]:
    """Return all objects reachable from the modules."""
    seen: dict[int, object] = {}
    found: list[object] = [sys.modules, *object.__subclasses__()]
    while found:
        seen.update((id(each), each) for each in found)
        # The garbage collector does not follow the references of code objects.
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
    """Yield, for each object, the address of its memory and the end of the used part."""
    for each in found:
        kind = type(each)
        if kind in LONG or not (kind.__itemsize__ or kind.__flags__ & HAS_MORE):
            yield id(each) - (HEAD_BYTES if kind.__flags__ & HAS_HEAD else 0)
            yield id(each) + (each.__sizeof__() if kind in LONG else kind.__basicsize__)


# Python imports an encoding at its first use; patient names need these.
for encoding in python_encoding.values():
    codecs.lookup(encoding)

# A scheme's loader would be imported with its first image.
for scheme in schemes:
    schemes[scheme]

# Only plain steps of the interpreter's loop, see `warmUp` in snapshot.js: none calls a function
# that depends on the type of its operands.
exec("def practice():\n" + "    step = 0\n" * 2000)

# The restored interpreter has none of these files.
sys.path_importer_cache.clear()
zipimport._zip_directory_cache.clear()  # type: ignore[attr-defined]
sys._clear_internal_caches()  # type: ignore[attr-defined]  # since Python 3.13
gc.collect()
# Imported objects stay: no later garbage collection needs to visit them.
gc.freeze()

id(practice), array("I", extents(everything()))  # type: ignore[name-defined]  # noqa: F821 -- see above
