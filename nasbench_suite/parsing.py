"""Lists and settings as they are written on the command line; facts as a notebook shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from html import escape
from operator import index
from typing import TYPE_CHECKING, Any, TypeVar

from nasbench_suite.errors import SuiteError, choose_from

if TYPE_CHECKING:
    from pydantic import ValidationError

T = TypeVar("T")

Seeds = int | str | Iterable[int]

_PART = re.compile(r"([^\[\],\s]+)(?:\[(.*)\])?", re.DOTALL)


def split_names(text: str) -> list[str]:
    """The names in a list such as ``random,tpe[a=1,b=2]``; commas in brackets divide none."""
    items, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth <= 0:
            items.append(text[start:place])
            start = place + 1
    return [name for item in (*items, text[start:]) if (name := item.strip())]


def given_names(text: str | None) -> list[str] | None:
    """The names in the list that an option was given; None where it was not given.

    Raises:
        SuiteError: it was given and names nothing, as a variable does that is not set.
    """
    names = None if text is None else split_names(text)
    if names == []:
        raise SuiteError(f"{text!r} is a list of no name: name one, or leave the option out.")
    return names


def parse_part(text: str) -> tuple[str, dict[str, str]]:
    """Name and settings of a part written as ``name`` or ``name[setting=value,...]``.

    A value may have brackets of its own, as in ``darts[data=cifar10[images=8000,resolution=16]]``.

    Raises:
        SuiteError: the text is not of that form.
    """
    match = _PART.fullmatch(text.strip())
    if match is None or not _balanced(match[2] or ""):
        raise SuiteError(f"{text!r} is no name with settings: write name[setting=value,...].")
    settings = {}
    for assignment in split_names(match[2] or ""):
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SuiteError(f"{assignment!r} sets nothing: write setting=value.")
        settings[key.strip()] = value.strip()
    return match[1], settings


def _balanced(text: str) -> bool:
    """Whether every bracket is closed, and none before it is opened."""
    depth = 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if depth < 0:
            return False
    return depth == 0


def parse_methods(text: str) -> list[tuple[str, dict[str, str]]]:
    """Names and settings in a list such as ``random,regularized-evolution[population_size=50]``.

    Raises:
        SuiteError: the text is not of that form.
    """
    items = split_names(text)
    if not items:
        raise SuiteError("No method is named: give at least one, such as random.")
    if any(_PART.fullmatch(item) is None for item in items):
        raise SuiteError(f"{text!r} is no list of methods: write name,name[setting=value,...],...")
    return [parse_part(item) for item in items]


MOST_SEEDS = 1_000_000  # of one command


def check_settings(kind: type[Any], what: str, settings: Iterable[str]) -> None:
    """Refuse names that are no hyper-parameters of a dataclass.

    Args:
        kind: the dataclass.
        what: it is for, as a sentence names it: ``method 'random'``.
        settings: names of hyper-parameters.

    Raises:
        SuiteError: there is none of a name.
    """
    known = [item.name for item in fields(kind) if item.init]
    for key in settings:
        if key not in known:
            raise SuiteError(choose_from(f"hyper-parameter of {what}", key, known))


def configure(kind: type[T], what: str, settings: Mapping[str, Any]) -> T:
    """A dataclass with its hyper-parameters set; strings are converted to the declared types.

    Args:
        kind: the dataclass.
        what: it is for, as ``check_settings`` takes it.
        settings: hyper-parameters by name.

    Raises:
        SuiteError: a value that it does not take.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        made: T = TypeAdapter(kind).validate_python(dict(settings))
    except ValidationError as error:
        raise SuiteError(
            f"{what[:1].upper()}{what[1:]} does not take this: {first_fault(error)}"
        ) from None
    return made


def first_fault(error: ValidationError) -> str:
    """What pydantic found first and where, as the end of a sentence with its full stop.

    Of several values that there may be, the nearest is suggested.
    """
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", first["ctx"]["expected"])
        return choose_from(f"value of {place}", str(first["input"]), known)
    told = first["msg"].rstrip(".")
    own = told.removeprefix("Value error, ")  # a sentence of ours, which begins as it should
    if own == told:
        own = told[:1].lower() + told[1:]
    return f"{place}: {own}." if place else f"{own}."


def check_counts(whose: str, given: object, names: str) -> None:
    """See that settings that count something are at least 1, as far as they are given.

    Args:
        whose: settings they are, as a sentence begins: ``BANANAS``.
        given: what has them as attributes; None is none.
        names: of the settings, blanks between them.

    Raises:
        SuiteError: one is below 1.
    """
    _check(whose, given, names, lambda count: count >= 1, "1 or more")


def check_positive(whose: str, given: object, names: str) -> None:
    """As ``check_counts``, of settings that are finite numbers above 0."""
    _check(whose, given, names, lambda number: 0 < number < float("inf"), "a number above 0")


def check_not_negative(whose: str, given: object, names: str) -> None:
    """As ``check_counts``, of settings that are finite numbers from 0 on."""
    _check(whose, given, names, lambda number: 0 <= number < float("inf"), "0 or more")


def check_shares(whose: str, given: object, names: str) -> None:
    """As ``check_counts``, of settings that are shares above 0 and at most 1."""
    _check(whose, given, names, lambda share: 0 < share <= 1, "a share above 0 and at most 1")


def check_portions(whose: str, given: object, names: str) -> None:
    """As ``check_counts``, of settings that are shares from 0 on and below 1."""
    _check(whose, given, names, lambda share: 0 <= share < 1, "a share from 0 on and below 1")


def check_at_most(whose: str, given: object, names: str, most: int) -> None:
    """As ``check_counts``, of counts that none can have more of."""
    _check(whose, given, names, lambda count: count <= most, f"{most:,} or fewer")


def _check(
    whose: str, given: object, names: str, allowed: Callable[[float], bool], advice: str
) -> None:
    for name in names.split():
        value = getattr(given, name)
        if value is not None and not allowed(value):
            raise SuiteError(f"{whose} cannot work with {name}={value}: give {advice}.")


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
        if max(len(first), len(last)) > 15:
            raise SuiteError(
                f"{part.strip()[:20]!r}... is too large: seeds have 15 digits at most."
            )
        if dash and int(last) < int(first):
            raise SuiteError(f"{part.strip()!r} is an empty range of seeds: write {last}-{first}.")
        found = range(int(first), int(last or first) + 1)
        if len(seeds) + len(found) > MOST_SEEDS:
            raise SuiteError(
                f"{text[:40]!r} are more than {MOST_SEEDS:,} seeds: give fewer at a time."
            )
        seeds.extend(found)
    return seeds


def check_seeds(seeds: Seeds) -> list[int]:
    """Seeds, each once: a number stands for so many, from 0, and text is as ``parse_seeds`` reads.

    Raises:
        SuiteError: they are no seeds, or there is none.
    """
    if isinstance(seeds, str):
        return list(dict.fromkeys(parse_seeds(seeds)))
    if isinstance(seeds, int) and seeds > MOST_SEEDS:
        raise SuiteError(f"{seeds} are more than {MOST_SEEDS:,} seeds: give fewer at a time.")
    try:
        found = [index(seed) for seed in (range(seeds) if isinstance(seeds, int) else seeds)]
    except TypeError:
        raise SuiteError(
            f"{seeds!r} are no seeds: give a number of them, their numbers, or text such as 0-19."
        ) from None
    for seed in found:
        if seed < 0:
            raise SuiteError(f"Seed {seed} is impossible: seeds are whole numbers from 0.")
    if not found:
        raise SuiteError("No seed is given: name at least one, such as 0.")
    return list(dict.fromkeys(found))


def seed_ranges(seeds: Iterable[int]) -> str:
    """Seeds as ``parse_seeds`` reads them.

    >>> seed_ranges([7, 0, 1, 2, 9])
    '0-2,7,9'
    """
    ranges: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], seed]
        else:
            ranges.append([seed])
    return ",".join("-".join(map(str, one)) for one in ranges)


def parse_numbers(text: str) -> list[int]:
    """Whole numbers in a list such as ``3,17,200``.

    Raises:
        SuiteError: the text is not of that form.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SuiteError(f"{text!r} is no list of whole numbers: write 1,2,3.") from None


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 trial``, ``2 trials``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def html_table(title: str, facts: Mapping[str, str]) -> str:
    """Facts as a small table for a notebook; names and values are text and never markup."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"
