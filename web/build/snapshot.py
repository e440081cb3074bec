"""Runs in Pyodide before the snapshot of its memory is taken: all that a page starts with."""

import codecs
import gc
import sys
import zipimport

import imagecodecs._shared  # noqa: F401 -- it is imported
import numpy.linalg._library  # noqa: F401 -- where its shared library will be
from pydicom.charset import python_encoding

import pyloader.bridge  # noqa: F401 -- it is imported
from pyloader.loaders import schemes

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
zipimport._zip_directory_cache.clear()
sys._clear_type_cache()
gc.collect()
# What is imported stays: collections of garbage need not walk through it each time.
gc.freeze()

id(practice)  # noqa: F821 -- see above
