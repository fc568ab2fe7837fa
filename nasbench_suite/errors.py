"""The one exception that reaches a user."""

from __future__ import annotations


class SuiteError(ValueError):
    """Bad input, said in one sentence: what is wrong and how to mend it.

    The command line prints the sentence and exits with code 2.
    """


def choose_from(kind: str, name: str, known: list[str]) -> str:
    """The sentence for an unknown ``name``: the nearest known ones, or all of them."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3)
    if near:
        return f"Unknown {kind} {name!r}: did you mean {' or '.join(map(repr, near))}?"
    return f"Unknown {kind} {name!r}: choose from {', '.join(sorted(known)) or 'none so far'}."
