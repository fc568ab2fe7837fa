"""The one exception that reaches a user, and the one warning."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_MOST_SUGGESTED = 5
_OURS = ("nasbench_suite.", "reports.")


class SuiteError(ValueError):
    """Bad input, said in one sentence: what is wrong and how to mend it.

    The command line prints the sentence and exits with code 2.
    """


class SuiteWarning(UserWarning):
    """What should be known, in one sentence.

    The command line prints the sentence alone on standard error.
    """


def warn(sentence: str) -> None:
    """Warn of something at the line outside the suite that called it."""
    level, frame = 1, sys._getframe()
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, SuiteWarning, stacklevel=level)


def reason(error: BaseException) -> str:
    """An error's kind and the first line of what it says, whatever that is.

    NumPy's advice to load by pickle what is no array is left out: nothing here is loaded so.
    """
    try:
        lines = str(error).splitlines()
    except BaseException:  # somebody else's __str__
        lines = ["what it says cannot be told"]
    said = lines[0].partition(" If you trust the file")[0] if lines else ""
    return printable(type(error).__name__ + (f": {said}" if said else ""))


def printable(text: str, most: int = 2000) -> str:
    """Text that a terminal, a database and a page can take, at most so long.

    Line ends and tabs stay; other control characters, half characters, and those that hide or turn
    what stands beside them are written as Python escapes them.
    """
    shown = text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"
    if shown.isprintable():
        return shown
    return "".join(one if one in "\n\t" or one.isprintable() else ascii(one)[1:-1] for one in shown)


@contextmanager
def refused(sentence: str, *kinds: type[Exception]) -> Iterator[None]:
    """Have what goes wrong within end as one sentence; sentences of our own pass.

    Args:
        sentence: with ``{reason}`` where the error's kind and first line belong.
        kinds: the errors meant.

    Raises:
        SuiteError: an error of these kinds.
    """
    try:
        yield
    except SuiteError:
        raise
    except kinds as error:
        missing = isinstance(error, FileNotFoundError)
        why = "there is no such file" if missing else reason(error)
        raise SuiteError(sentence.replace("{reason}", why)) from error


def need_package(what: str, package: str, extra: str) -> None:
    """Refuse, before anything runs, what an optional package is missing for; nothing is imported.

    Raises:
        SuiteError: it is not installed; the sentence names the extra of this suite that brings it.
    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise SuiteError(f"{what} needs {package}: pip install 'nasbench-suite[{extra}]'.")


def choose_from(
    kind: str, name: str, known: Sequence[str], aliases: Mapping[str, str] | None = None
) -> str:
    """The sentence for an unknown ``name``: the nearest known ones, or all of them.

    >>> choose_from("metric of digits", "accuracy", ["flops", "test"])
    "Unknown metric 'accuracy' of digits: choose from flops, test."
    >>> choose_from("space", "trans", ["transnas-micro", "transnas-macro", "tss"])
    "Unknown space 'trans': did you mean 'transnas-micro' or 'transnas-macro'?"

    Args:
        kind: what it should be the name of; what stands after an `` of `` is said after the name.
        name: what was given.
        known: the names there are.
        aliases: further names, each with the known one that it stands for and that is suggested
            where the further name is near.
    """
    from difflib import get_close_matches

    what, of, whose = kind.partition(" of ")
    unknown = f"Unknown {what} {name!r}{of}{whose}"
    if not known:
        return f"{unknown}: there is none."
    meant = {**(aliases or {}), **{one: one for one in known}}
    lower = {one.lower(): one for one in meant}
    near = [lower[one] for one in get_close_matches(name.lower(), lower, n=3)]
    longer = dict.fromkeys(meant[one] for one in meant if _is_in(name, one))
    suggested = longer or dict.fromkeys(meant[one] for one in near)
    if 0 < len(suggested) <= _MOST_SUGGESTED:
        return f"{unknown}: did you mean {' or '.join(map(repr, suggested))}?"
    between = "; " if any("," in one for one in known) else ", "
    return f"{unknown}: choose from {between.join(sorted(set(known)))}."


def plain(name: str) -> str:
    """A name as it is compared: without case, hyphens, underscores and blanks.

    >>> plain("NAS-Bench_201")
    'nasbench201'
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _is_in(part: str, name: str) -> bool:
    """Whether a name has what was given from one of its words on, or as a whole word."""
    given, words = plain(part), re.split(r"\W|_", name.lower())
    starts = ("".join(words[first:]) for first in range(len(words)))
    return given in words or (len(given) > 3 and any(one.startswith(given) for one in starts))


def and_more(others: int) -> str:
    """`` and 3 more`` for 3 others than the one named; nothing for none."""
    return f" and {others:,} more" if others > 0 else ""
