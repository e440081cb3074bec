"""Which files of the third-party wheels are kept: what a page needs to decode images."""

from fnmatch import fnmatch

# `*` also matches slashes here, so "*/tests/*" is a folder at any depth.
DROPPED_EVERYWHERE = (
    "*/tests/*", "*.pyi", "*/py.typed", "*.a", "*.c", "*.h", "*.lib", "*.pxd", "*.pyx", "*.rst",
    "*.md", "*/RECORD", "*/entry_points.txt", "*/API_CHANGES.txt",
)  # fmt: skip

DROPPED = {
    "numpy": (
        "numpy/_core/include/*", "numpy/_core/lib/*", "numpy/_pyinstaller/*", "numpy/distutils/*",
        "numpy/doc/*", "numpy/f2py/*", "numpy/random/_examples/*", "numpy/conftest.py",
    ),
    # The palettes in pydicom/data stay; structured reporting is 3.2 MB of code dictionaries.
    "pydicom": (
        "pydicom/cli/*", "pydicom/data/charset_files/*", "pydicom/data/test_files/*",
        "pydicom/sr/*",
    ),
    "nibabel": ("nibabel/benchmarks/*", "nibabel/cmdline/*"),
    "imagecodecs": (
        "imagecodecs/__main__.py", "imagecodecs/_imagecodecs.py", "imagecodecs/numcodecs.py",
        "imagecodecs/zarr.py", "imagecodecs/licenses/*",
    ),
}  # fmt: skip

# _tiff is 2 MB and waits for a page that asks for it.
KEPT_CODECS = {
    "_ccitt", "_deflate", "_htj2k", "_imcd", "_jpeg2k", "_jpeg8", "_jpegls", "_jpegxl", "_jpegxr",
    "_lerc", "_ljpeg", "_lz4", "_lzma", "_png", "_shared", "_webp", "_zlib", "_zstd",
}  # fmt: skip

# Read at import or later, but of no use here: documentation strings that are attached to what C
# defines; test files, their addresses and how to fetch them, searched for longer than all of
# `import pydicom`; what asks for the version in a way that needs the library of e-mail.
REPLACED = {
    "pydicom/data/download.py": b"""
class NoHashFound(Exception): pass
def get_url_map(): return {}
def get_data_dir(): return ""
def data_path_with_download(path): raise FileNotFoundError(path)
calculate_file_hash = get_cached_filehash = data_path_with_download
""",
    "pydicom/_private_dict.py": b"""
class Deferred(dict):
    def __missing__(self, creator):
        from pydicom._private_entries import private_dictionaries as entries
        return dict.setdefault(self, creator, entries[creator])
    def setdefault(self, creator, default):
        try:
            return self[creator]
        except KeyError:
            return dict.setdefault(self, creator, default)
private_dictionaries = Deferred()
""",
    "pydicom/_version.py": b"""
__version__ = "3.0.2"
__version_info__ = ("3", "0", "2")
__dicom_version__ = __concepts_version__ = "2024c"
""",
    "numpy/_core/_add_newdocs.py": b"",
    "numpy/_core/_add_newdocs_scalars.py": b"",
    "pydicom/data/hashes.json": b"{}",
    "pydicom/data/urls.json": b"{}",
    "pydicom/examples/__init__.py": b"",
}


# Of use to few: found by its other name when it is first asked for.
MOVED = {"pydicom/_private_dict.py": "pydicom/_private_entries.py"}


# numpy imports its library of linear algebra, which few loaders use: theirs is the first call.
ADDED = {
    "numpy": {
        "numpy/linalg/_umath_linalg.py": b"""
def __getattr__(name):
    from numpy.linalg._library import _umath_linalg
    return getattr(_umath_linalg, name)
""",
        "numpy/linalg/_library/__init__.py": b"",
    }
}


def pruned(name: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a wheel that are kept, by path."""
    kept = {path: content for path, content in files.items() if not is_dropped(name, path)}
    moved = {new: kept[old] for old, new in MOVED.items() if old in kept}
    replaced = {path: REPLACED.get(path, content) for path, content in kept.items()}
    return replaced | moved | ADDED.get(name, {})


def is_dropped(name: str, path: str) -> bool:
    """Tell whether a file of the wheel `name` stays out of dist/."""
    if name == "imagecodecs" and path.endswith(".so"):
        return path.split("/")[-1].split(".")[0] not in KEPT_CODECS
    if ".dist-info/licenses/" in path:
        return False
    return any(fnmatch(path, pattern) for pattern in (*DROPPED_EVERYWHERE, *DROPPED.get(name, ())))
