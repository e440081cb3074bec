"""The files of pydicom and pydicom-data on the conformance page, by what they hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.support import corpus
from tests.support.reference import markup
from tests.support.reference.naming import bits, in_order, syntax_name

# (implicit VR, little endian) -> transfer syntax of a file that does not name its own.
UNNAMED = {
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}


def header(name: str) -> Dataset:
    """Return a file's description; pydicom's warnings of odd files are known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(corpus.path_of(name), stop_before_pixels=True, force=True)


def kind(name: str) -> tuple[str, str, str]:
    """Return transfer syntax, photometric interpretation and bits of a file."""
    dataset = header(name)
    syntax = dataset.file_meta.get("TransferSyntaxUID") or UNNAMED[dataset.original_encoding]
    return str(syntax), dataset.PhotometricInterpretation, bits(dataset)


def section() -> Iterator[str]:
    """Yield the table: a row for each transfer syntax, photometric interpretation and bits."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name in [*corpus.images(), *corpus.further_images()]:
        groups.setdefault(kind(name), []).append(name)
    total = sum(map(len, groups.values()))
    yield '<h2 id="real">Files of scanners and other software</h2>'
    yield (
        f"<p>All {total} images of the packages pydicom and pydicom-data are compared likewise, "
        "their first, middle and last frames, by <code>tests/pages/test_corpus.py</code>.</p>"
    )
    heads = ("Transfer syntax", "Photometric interpretation", "Bits", "Equal", "Files")
    ordered = sorted(groups, key=lambda key: (in_order(key[0]), key[1:]))
    rows = markup.table("Kinds of files", heads, [row(key, groups[key]) for key in ordered])
    count = markup.counted(len(groups), "kind")
    yield from markup.group("real-files", "Each kind and its files", count, rows)


def row(key: tuple[str, str, str], names: list[str]) -> str:
    """Return a row of the table."""
    syntax, photometric, stored = key
    bound = corpus.LOSSY_BOUND.get(syntax, 0)
    files = " ".join(f"<code>{name}</code>" for name in sorted(names))
    verdict = f"within {bound}" if bound else "exact"
    cells = (syntax_name(syntax), photometric, stored, verdict, files)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
