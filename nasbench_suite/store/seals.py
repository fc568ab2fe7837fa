"""Seals: a hash of every row of a results file, by which damage is told from a figure.

A row of numbers is sealed by 64 bits that any change of one value changes (each step is a bijection
of what it takes in); the rows that belong to a trial by the sum of theirs, so that a lost row shows
too. Rows of text are sealed by SHA-256. Seals find damage; whoever wants to lie computes them anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)
_NOTHING = np.uint64(0x6E6F7468696E6721)  # stands for NULL

TRIAL = {
    **dict.fromkeys(("task_id", "method_id", "seed", "environment_id", "code_id"), int),
    **dict.fromkeys(("status", "message"), str),
    "wall_seconds": float,
    "trainings": int,
    **dict.fromkeys(("evaluations", "seconds"), float),
    "architecture": int,
    **dict.fromkeys(("signal", "report"), float),
    "unavailable": int,
}
"""What the seal of a trial's own row is made of."""

PARTS: Mapping[str, Mapping[str, type]] = {
    "incumbents": {
        "training": int,
        **dict.fromkeys(("evaluations", "seconds"), float),
        "architecture": int,
        **dict.fromkeys(("signal", "report"), float),
    },
    "fronts": {"architecture": int, "objective": int, "report": float},
    "indicators": {"name": str, "value": float},
    "diagnostics": {"name": str, "step": int, "shape": str, "value": bytes},
    "records": {
        "architectures": bytes,
        "epochs": bytes,
        "signals": bytes,
        "evaluations": bytes,
        "seconds": bytes,
        "recommended": bytes,
        "strings": str,
    },
}
"""What belongs to a trial in other tables, each sealed by the sum of its rows."""


def seal_rows(columns: Any, kinds: Mapping[str, type]) -> Words:
    """The seal of each row.

    Args:
        columns: the values of each column by name, sequences or arrays of shape (n,), as a mapping
            or a data frame; None where NULL.
        kinds: the columns that enter, in order, and what they hold.

    Raises:
        ValueError: a value is of another kind, as damage makes it.
    """
    first = next(iter(kinds))
    sealed = np.full(len(columns[first]), _ODD)
    for name, kind in kinds.items():
        sealed = (sealed ^ _words(columns[name], kind)) * _ODD
        sealed ^= sealed >> _SHIFT
    return sealed


def seal_sums(trials: NDArray[np.int64], seals: Words) -> dict[int, int]:
    """The sum of the seals of each trial's rows, as SQLite keeps it; rows stand by trial."""
    if not len(trials):
        return {}
    starts = np.flatnonzero(np.r_[True, trials[1:] != trials[:-1]])
    sums = np.add.reduceat(seals, starts).view(np.int64)
    return dict(zip(trials[starts].tolist(), sums.tolist(), strict=True))


def as_stored(seals: Words) -> int:
    """The sum of seals as SQLite keeps it, a signed number of 64 bits."""
    return int(np.add.reduce(seals, dtype=np.uint64).astype(np.int64))


def add_stored(one: int, other: int) -> int:
    """The sum of two stored seals, as SQLite keeps it."""
    return (one + other + (1 << 63)) % (1 << 64) - (1 << 63)


def seal_text(values: Sequence[Any]) -> str:
    """The seal of a row of text and numbers, as they are stored."""
    return hashlib.sha256(json.dumps(list(values)).encode()).hexdigest()


def _words(values: Any, kind: type) -> Words:
    """Each value as 64 bits."""
    if kind in (str, bytes):
        texts = np.asarray(values, dtype=object).tolist()
        known = {text: _hashed(text, kind) for text in set(texts)}  # a status is there many times
        return np.array([known[text] for text in texts], dtype=np.uint64)
    array = np.asarray(values)
    if array.dtype == object:
        if not all(value is None or isinstance(value, int | float) for value in array.tolist()):
            raise ValueError("text stands where a number belongs")
        array = array.astype(np.float64) if kind is float or None in array.tolist() else array
    if array.dtype.kind not in "iufbO":
        raise ValueError("text stands where a number belongs")
    if kind is int and array.dtype.kind != "f":
        return array.astype(np.int64).view(np.uint64)
    numbers = array.astype(np.float64) + 0.0  # SQLite knows no negative zero
    gone = np.isnan(numbers)
    whole = np.where(gone, 0.0, numbers)
    if kind is int and not np.all((np.trunc(whole) == whole) & (np.abs(whole) < 2.0**63)):
        raise ValueError("another number stands where a whole one belongs")
    words = whole.astype(np.int64).view(np.uint64) if kind is int else whole.view(np.uint64)
    return np.where(gone, _NOTHING, words)


def _hashed(value: Any, kind: type) -> int:
    if value is None or value != value:
        return int(_NOTHING)
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} stands where {kind.__name__} belongs")
    content: Any = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
