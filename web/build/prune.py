"""Select the files of third-party wheels that a page needs to decode images."""

from fnmatch import fnmatch

from web.build.archives import Files

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

# Without _tiff, which is 2 MB: add it when a page needs it.
KEPT_CODECS = {
    "_ccitt", "_deflate", "_htj2k", "_imcd", "_jpeg2k", "_jpeg8", "_jpegls", "_jpegxl", "_jpegxr",
    "_lerc", "_ljpeg", "_lz4", "_lzma", "_png", "_shared", "_webp", "_zlib", "_zstd",
}  # fmt: skip


def pruned(name: str, files: Files) -> Files:
    """Return the files of a wheel that are kept, by path."""
    return {path: content for path, content in files.items() if not is_dropped(name, path)}


def is_dropped(name: str, path: str) -> bool:
    """Return whether a file of the wheel `name` stays out of dist/."""
    if name == "imagecodecs" and path.endswith(".so"):
        return path.split("/")[-1].split(".")[0] not in KEPT_CODECS
    if ".dist-info/licenses/" in path:
        return False
    return any(fnmatch(path, pattern) for pattern in (*DROPPED_EVERYWHERE, *DROPPED.get(name, ())))
