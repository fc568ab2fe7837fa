"""What is wrong with the value of an option, in one sentence, in whatever words it was found."""

from __future__ import annotations

import re
from ast import literal_eval

import typer

from nasbench_suite.errors import choose_from

_CHOICE = re.compile(r"(?P<given>'.*'|\".*\") is not one of (?P<known>.*?)\.?", re.DOTALL)
_KINDS = {"number": "a number", "float": "a number", "integer": "a whole number"}
_KIND = re.compile(rf".*valid ({'|'.join(_KINDS)})\b.*", re.DOTALL)


def value_fault(error: typer.BadParameter) -> str:
    """The sentence; empty where the value is missing, which typer says well.

    Args:
        error: as typer raises it, which found it itself or had pydantic find it.
    """
    message = str(error.message).removeprefix("Value error, ")
    if error.param is None or not message:
        return ""
    option = max(error.param.opts, key=len)
    if found := _CHOICE.fullmatch(message):
        known = list(map(str, literal_eval(f"[{found['known']}]")))
        return choose_from(f"value of {option}", literal_eval(found["given"]), known)
    if found := _KIND.fullmatch(message):
        return f"{option} takes {_KINDS[found[1]]}{_instead(error, message)}."
    return f"{option}: {message.rstrip('.')}."


def _instead(error: typer.BadParameter, message: str) -> str:
    """What was given in its place, where that is known."""
    from pydantic import ValidationError

    if isinstance(error.__cause__, ValidationError):
        return f", not {error.__cause__.errors()[0]['input']!r}"
    given, said, _ = message.partition(" is not ")
    return f", not {given}" if said else ""
