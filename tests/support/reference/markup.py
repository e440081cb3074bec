"""HTML of the conformance page: tables that scroll in a box, and groups that open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def table(label: str, columns: Iterable[str], rows: Iterable[str]) -> Iterator[str]:
    """Yield a table of rows; a keyboard can scroll its box."""
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    yield f'<div class="table-box" tabindex="0" role="region" aria-label="{label}">'
    yield f'<table class="conformance"><thead><tr>{head}</tr></thead><tbody>'
    yield from rows
    yield "</tbody></table></div>"


def group(identity: str, title: str, count: str, content: Iterable[str]) -> Iterator[str]:
    """Yield content that is closed until its title, or a link into it, is chosen."""
    yield f'<details id="{identity}"><summary><h3>{title}</h3> <small>{count}</small></summary>'
    yield from content
    yield "</details>"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
