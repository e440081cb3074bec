"""The conformance page of the demo: what a run in Chromium found, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pydicom import Dataset

from tests.support.reference import markup, real_files
from tests.support.reference.naming import bits, in_order, syntax_name
from tests.support.reference.row import Row

PAGE = Path(__file__).parents[3] / "web" / "demo" / "conformance.html"
START, END = "<!-- written by the tests: -->", "<!-- until here -->"
COLUMNS = ("1 bit", "2 to 8", "9 to 15", "16", "24, 32", "64", "float", "RGB", "YBR", "palette")


@dataclass(frozen=True)
class Found:
    """The outcome of a row.

    Attributes
    ----------
    delivered_as : str
        Class of the array that the page got.
    """

    row: Row
    delivered_as: str


@dataclass(frozen=True)
class Refused:
    """The error that refused a file which cannot be shown."""

    name: str
    code: str
    message: str


def column(header: Dataset) -> str:
    """Return the column of the summary that a file belongs to."""
    photometric = header.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        return "palette"
    if header.SamplesPerPixel > 1:
        return "YBR" if photometric.startswith(("YBR", "XYB")) else "RGB"
    stored = header.get("BitsStored")
    if stored is None:
        return "float"
    limits = {1: "1 bit", 8: "2 to 8", 15: "9 to 15", 16: "16", 32: "24, 32", 64: "64"}
    return next(name for limit, name in limits.items() if stored <= limit)


def by_syntax(found: Iterable[Found]) -> dict[str, list[Found]]:
    """Return what was found by transfer syntax, in the order of UIDs."""
    groups: dict[str, list[Found]] = {}
    for each in found:
        groups.setdefault(each.row.syntax, []).append(each)
    return {uid: groups[uid] for uid in sorted(groups, key=in_order)}


# ------------------------------------------------------------------ summary


def summary(groups: Mapping[str, list[Found]]) -> Iterator[str]:
    """Yield the table of transfer syntaxes and kinds of pixels."""
    yield '<div class="table-box" tabindex="0" role="region" aria-label="Summary">'
    yield '<table class="conformance summary">'
    heads = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    yield '<thead><tr><td rowspan="2"></td><th colspan="7" scope="colgroup">grey, bits stored</th>'
    yield '<th colspan="3" scope="colgroup">colour</th></tr>'
    yield f"<tr>{heads}</tr></thead><tbody>"
    for uid, group in groups.items():
        cells = {
            name: [each for each in group if column(each.row.header) == name] for name in COLUMNS
        }
        yield f'<tr><th scope="row"><a href="#{uid}">{escape(syntax_name(uid))}</a></th>'
        yield "".join(summary_cell(cell) for cell in cells.values()) + "</tr>"
    yield "</tbody></table></div>"


def summary_cell(found: list[Found]) -> str:
    """Return a cell: how nearly the files of a kind were read, and how many they are."""
    if not found:
        return "<td></td>"
    words = sorted({verdict(each.row) for each in found})
    is_signed = any(each.row.header.get("PixelRepresentation") for each in found)
    count = f"{len(found)} file{'s' * (len(found) > 1)}{', ±' * is_signed}"
    return f'<td><a href="#{found[0].row.name}">{", ".join(words)}</a><small>{count}</small></td>'


def verdict(row: Row) -> str:
    """Return how nearly a row is equal to its decoders, or to what was encoded."""
    bound = row.bound if row.decoders else row.loss
    return f"within {bound}" if bound else "exact"


# ------------------------------------------------------------------ rows


def details(groups: Mapping[str, list[Found]]) -> Iterator[str]:
    """Yield a closed table of files for each transfer syntax."""
    heads = (
        "File", "Photometric interpretation", "Bits", "Planar", "Frames", "Encoded by",
        "Compared with", "Equal", "Delivered as",
    )  # fmt: skip
    for uid, group in groups.items():
        name, count = escape(syntax_name(uid)), markup.counted(len(group), "file")
        files = markup.table(f"Files of {name}", heads, [file_row(each) for each in group])
        yield from markup.group(uid, f"{name} <code>{uid}</code>", count, files)


def file_row(found: Found) -> str:
    """Return the row of a file."""
    row, header = found.row, found.row.header
    planar = header.get("PlanarConfiguration") if header.SamplesPerPixel > 1 else None
    cells = (
        f"<code>{row.name}</code>",
        header.PhotometricInterpretation,
        bits(header),
        "" if planar is None else str(planar),
        str(header.get("NumberOfFrames", 1)),
        row.written_by,
        " and ".join(row.decoders) or "what was encoded",
        verdict(row),
        found.delivered_as,
    )
    return f'<tr id="{row.name}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def refusals(refused: list[Refused]) -> Iterator[str]:
    """Yield the table of what is refused, in the loader's own words."""
    yield '<h2 id="refused">What is refused</h2>'
    heads = ("File", "Code", "The load rejects with")
    rows = markup.table("Refused files", heads, [refused_row(each) for each in refused])
    count = markup.counted(len(refused), "file")
    yield from markup.group("refusals", "Each file and its error", count, rows)


def refused_row(refused: Refused) -> str:
    """Return the row of a file that is refused."""
    text = escape(refused.message.partition("; supported are")[0])
    cells = f"<code>{refused.name}</code>", f"<code>{refused.code}</code>", text
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


# ------------------------------------------------------------------ page


def written(found: list[Found], refused: list[Refused]) -> str:
    """Return the page with its tables written anew."""
    groups = by_syntax(found)
    frames = sum(len(each.row.made.pixels) for each in found)
    lines = [
        f"<p>{len(found)} files with {frames} frames, in {len(groups)} transfer syntaxes; "
        f"{len(refused)} files that are refused.</p>",
        *summary(groups),
        '<h2 id="files">The files</h2>',
        *details(groups),
        *real_files.section(),
        *refusals(refused),
    ]
    text = PAGE.read_text()
    head, tail = text.partition(START)[0], text.partition(END)[2]
    return "\n".join([head + START, *lines, END + tail])
