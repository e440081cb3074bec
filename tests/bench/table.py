"""A run as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.bench.figures import Summary


def table(summaries: Sequence[Summary]) -> str:
    """Return one block of lines a race; columns that a race has nothing for are left out."""
    blocks = []
    for race in dict.fromkeys(each.race for each in summaries):
        lines = [each for each in summaries if each.race == race]
        columns = columns_of(lines)
        cells = [
            [race, *columns],
            *([row_of(each)[name] for name in ("case", *columns)] for each in lines),
        ]
        blocks.append(aligned(cells))
    return "\n\n".join(blocks)


def row_of(summary: Summary) -> dict[str, str]:
    """Return the cells of a line by the name of their column; those of nothing are empty."""
    return {
        "case": summary.case,
        "ms": figure(summary.milliseconds),
        "floor ms": figure(summary.floor),
        "/ floor": figure(summary.to_floor),
        "old ms": figure(summary.old),
        "new / old": figure(summary.to_old),
        **{name: figure(value) for name, value in summary.further.items()},
    }


def columns_of(lines: Iterable[Summary]) -> list[str]:
    """Return the columns that any of the lines has a figure for."""
    rows = [row_of(line) for line in lines]
    names = dict.fromkeys(name for row in rows for name in row if row[name] and name != "case")
    for row in rows:
        row.update({name: row.get(name, "") for name in names})
    return list(names)


def figure(value: float | None) -> str:
    """Return a number with three digits that count."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as text: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )
