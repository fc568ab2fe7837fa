"""What JSON from others may hold: nothing too long, too large, too deep, or that hides."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nasbench_suite.errors import printable

_LONGEST = 1000  # characters of a name, an author, a note
_DEEPEST = 12  # levels of lists and mappings
_MOST_ITEMS = 2_000_000  # of one list
_LARGEST = 1 << 53  # a seed, a step or an index beyond this is none that anybody counted to


def beyond_limits(content: Any, *, free: Collection[str] = (), where: str = "") -> str:
    """Where something is beyond what is taken, in words; empty where nothing is.

    Args:
        content: as JSON is read.
        free: the places of texts of several lines; all others are names of one.
        where: the place of the content, its levels joined by dots.
    """
    return _beyond(content, free, where, 0)


def _beyond(content: Any, free: Collection[str], where: str, depth: int) -> str:
    if isinstance(content, str):
        shown = content.replace("\n", " ") if where in free else content
        if len(content) > _LONGEST or not shown.isprintable():
            return f"{where} is no printable text of at most {_LONGEST} characters"
        return ""
    if isinstance(content, bool | float) or content is None:
        return ""
    if isinstance(content, int):
        return f"{where} is beyond {_LARGEST:,}" if abs(content) > _LARGEST else ""
    if depth > _DEEPEST:
        return f"{where} goes deeper than {_DEEPEST} levels"
    if isinstance(content, list) and len(content) > _MOST_ITEMS:
        return f"{where} has more than {_MOST_ITEMS:,} items"
    return _beyond_within(content, free, where, depth)


def _beyond_within(content: Any, free: Collection[str], where: str, depth: int) -> str:
    for name, value in content.items() if isinstance(content, dict) else enumerate(content):
        shown = printable(str(name), 40)
        inside = f"{where}.{shown}" if where else shown
        if fault := _beyond(value, free, inside, depth + 1):
            return fault
        if isinstance(name, str) and (len(name) > _LONGEST or not name.isprintable()):
            return f"{inside} is no name of at most {_LONGEST} characters"
    return ""
