"""Lists as they are written on the command line: names, methods, seeds, numbers."""

from __future__ import annotations

import re

from nasbench_suite.errors import SuiteError

_ITEM = re.compile(r"(?:[^,\[]|\[[^\]]*\])+")
_METHOD = re.compile(r"([^\[\],\s]+)(?:\[([^\[\]]*)\])?")


def split_names(text: str) -> list[str]:
    """The names in a list such as ``random,tpe[a=1,b=2]``; commas in brackets divide none."""
    return [name for item in _ITEM.findall(text) if (name := item.strip())]


def parse_methods(text: str) -> list[tuple[str, dict[str, str]]]:
    """Names and settings in a list such as ``random,regularized-evolution[population_size=50]``.

    Raises:
        SuiteError: the text is not of that form.
    """
    parsed = []
    rest = text.strip()
    while rest:
        match = _METHOD.match(rest)
        if match is None or (rest[match.end() :].strip() or ",")[0] != ",":
            raise SuiteError(
                f"{text!r} is no list of methods: write name,name[setting=value,...],..."
            )
        settings = {}
        for assignment in filter(None, (match[2] or "").split(",")):
            key, equals, value = assignment.partition("=")
            if not equals:
                raise SuiteError(f"{assignment!r} sets nothing: write setting=value.")
            settings[key.strip()] = value.strip()
        parsed.append((match[1], settings))
        rest = rest[match.end() :].strip().removeprefix(",").strip()
    if not parsed:
        raise SuiteError("No method is named: give at least one, such as random.")
    return parsed


def parse_seeds(text: str) -> list[int]:
    """Seeds from text such as ``0-4`` or ``0,2,5-9``.

    Raises:
        SuiteError: the text is not of that form.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise SuiteError(f"{text!r} is no list of seeds: write 0-4 or 0,2,5-9.")
        if dash and int(last) < int(first):
            raise SuiteError(f"{part.strip()!r} is an empty range of seeds: write {last}-{first}.")
        seeds.extend(range(int(first), int(last or first) + 1))
    return seeds


def parse_numbers(text: str) -> list[int]:
    """Whole numbers in a list such as ``3,17,200``.

    Raises:
        SuiteError: the text is not of that form.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SuiteError(f"{text!r} is no list of whole numbers: write 1,2,3.") from None
