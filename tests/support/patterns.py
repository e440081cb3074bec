"""Finds the repeats of regular expressions that can match one text in more than one way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Items = Iterable[tuple[Any, Any]]
# The characters that patterns tell apart, and one for all others.
ALPHABET = [chr(code) for code in range(256)] + ["\u0661"]
EVERY = frozenset(ALPHABET)
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
# Nothing is tried again within these.
CLOSED = (codes.ATOMIC_GROUP, codes.POSSESSIVE_REPEAT)
WITHOUT_TEXT = (codes.AT, codes.ASSERT, codes.ASSERT_NOT)


def ambiguous_repeats(pattern: str | bytes, flags: int) -> list[str]:
    """Return the repeats of a pattern that may take apart one text in several ways."""
    tree = parser.parse(pattern, flags)
    return list(found_in(tree, re.compile(pattern, flags).flags, isinstance(pattern, bytes)))


def found_in(items: Items, flags: int, is_bytes: bool) -> list[str]:
    """Return what `ambiguous_repeats` does, of a part."""
    found: list[str] = []
    for operation, value in items:
        if operation in REPEATS and value[1] > 1 and not is_certain(value[2], flags, is_bytes):
            found.append(str(value))
        for inner in parts_of(operation, value):
            found += found_in(inner, flags, is_bytes)
    return found


def parts_of(operation: Any, value: Any) -> list[Any]:
    """Return the patterns within an element."""
    if operation in REPEATS or operation is codes.POSSESSIVE_REPEAT:
        return [value[2]]
    if operation is codes.SUBPATTERN:
        return [value[3]]
    if operation is codes.BRANCH:
        return list(value[1])
    if operation in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    if operation is codes.GROUPREF_EXISTS:
        return [each for each in value[1:] if each]
    return [value] if operation is codes.ATOMIC_GROUP else []


def is_certain(body: Items, flags: int, is_bytes: bool) -> bool:
    """Tell whether what is repeated ends in one place only, wherever it begins.

    It is so when nothing in it varies, when each of several alternatives begins otherwise and is
    certain, and when it begins or ends with a character that nothing else in it can be.
    """
    flat = flattened(body)
    if not flat:
        return False
    if len(flat) == 1 and flat[0][0] is codes.BRANCH:
        branches = [flattened(each) for each in flat[0][1][1]]
        firsts = [first_of(each, flags) for each in branches]
        apart = all(not one & other for n, one in enumerate(firsts) for other in firsts[n + 1 :])
        return apart and all(is_certain(each, flags, is_bytes) for each in branches)
    if not any(varies(each) for each in flat):
        return True
    return any(
        is_mark(flat[place], flat[:place] + flat[place + 1 :], flags)
        for place in (0, len(flat) - 1)
    )


def is_mark(item: tuple[Any, Any], others: list[Any], flags: int) -> bool:
    """Tell whether an element is one character, which none of the others can be."""
    if item[0] not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
        return False
    mine = characters_of(item, flags)
    return not any(mine & characters_of(each, flags) for each in others)


def flattened(items: Items) -> list[tuple[Any, Any]]:
    """Return the elements of a part without groups, and without what takes no text."""
    found: list[tuple[Any, Any]] = []
    for operation, value in items:
        if operation is codes.SUBPATTERN:
            found += flattened(value[3])
        elif operation not in WITHOUT_TEXT:
            found.append((operation, value))
    return found


def varies(item: tuple[Any, Any]) -> bool:
    """Tell whether an element may take more or less of one text."""
    operation, value = item
    if operation in CLOSED:
        return False
    if operation in REPEATS:
        return bool(value[0] != value[1]) or any(map(varies, flattened(value[2])))
    if operation is codes.BRANCH:
        return True
    return operation in (codes.GROUPREF, codes.GROUPREF_EXISTS)


def characters_of(item: tuple[Any, Any], flags: int) -> frozenset[str]:
    """Return all characters that an element may have anywhere."""
    operation, value = item
    if operation in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
        return frozenset(filter(single(operation, value, flags).match, ALPHABET))
    inner = parts_of(operation, value)
    if not inner:
        return EVERY
    return frozenset().union(
        *(characters_of(each, flags) for part in inner for each in flattened(part))
    )


def first_of(flat: list[tuple[Any, Any]], flags: int) -> frozenset[str]:
    """Return the characters that a part may begin with; all when it may be empty."""
    if not flat:
        return EVERY
    operation, value = flat[0]
    if operation in REPEATS:
        return EVERY if value[0] == 0 else first_of(flattened(value[2]), flags)
    if operation is codes.BRANCH:
        return frozenset().union(*(first_of(flattened(each), flags) for each in value[1]))
    return characters_of(flat[0], flags)


def single(operation: Any, value: Any, flags: int) -> re.Pattern[str]:
    """Return a pattern of one character."""
    kept = flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
    if operation is codes.ANY:
        return re.compile(".", kept)
    if operation in (codes.LITERAL, codes.NOT_LITERAL):
        mark = "^" * (operation is codes.NOT_LITERAL)
        return re.compile(f"[{mark}{re.escape(chr(value))}]", kept)
    return re.compile("".join(["[", *map(of_set, value), "]"]), kept)


CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def of_set(member: tuple[Any, Any]) -> str:
    """Return a member of a set of characters as patterns write it."""
    operation, value = member
    if operation is codes.NEGATE:
        return "^"
    if operation is codes.LITERAL:
        return re.escape(chr(value))
    if operation is codes.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return CATEGORIES[value]
