"""Numbers as text: how many decimals, what is missing, intervals and p-values; here alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.samples import told_failures
from nasbench_suite.errors import and_more

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.rows import TaskRow

EQUIVALENT = "≈"
OPEN = "?"
AT_OPTIMUM = "✓"
WORSE = "†"
MISSING = "-"
TELLING_SEEDS = 11  # seeds of one figure that tell the interquartile mean of all
_MANY = 4  # methods named one by one


def number(value: float, digits: int | None = None) -> str:
    """A number with so many decimals, or as short as it is; a dash where it is missing.

    A zero has no sign, also one that rounding made.
    """
    if not np.isfinite(value):
        return MISSING
    return f"{value:zg}" if digits is None else f"{value:z.{digits}f}"


def interval(low: float, high: float, digits: int) -> str:
    """Both ends in brackets; a dash where they are missing."""
    if not np.isfinite(low):
        return MISSING
    return f"[{number(low, digits)}, {number(high, digits)}]"


def p_value(value: float) -> str:
    """Three decimals, as more say nothing."""
    return "<0.001" if value < 0.001 else number(value, 3)


def digits_of(scale: float, fewest: int = 2) -> int:
    """Decimals that show two digits of a noise floor, spread or difference."""
    return int(np.clip(1 - np.floor(np.log10(scale)), fewest, 6)) if scale > 0 else 2


def task_digits(rows: pd.DataFrame, fewest: int = 2) -> int:
    """Decimals for a task's rows: by its noise floor, or by the spread where that is unknown."""
    floor = rows["noise_floor"].max()
    return digits_of(floor if floor > 0 else rows["std"].median(), fewest)


def small(value: float, digits: int) -> str:
    """So many decimals, or two digits where these would show a zero."""
    return f"{value:.{digits}f}" if round(value, digits) else f"{value:.2g}"


def mark(row: Mapping[Any, Any]) -> str:
    """How a row of a leaderboard stands to the best and to the optimum."""
    shown = EQUIVALENT if row["equivalent"] else ""
    if row["seeds"] and not (row["best"] or row["worse"] or row["equivalent"]):
        shown = OPEN
    return shown + (AT_OPTIMUM if row["at_optimum"] else "")


def spoken_mark(row: Mapping[Any, Any]) -> str:
    """``mark`` in words."""
    words = {
        EQUIVALENT: "equivalent to the best within the noise",
        OPEN: "not distinguished from the best",
        AT_OPTIMUM: "at the optimum within noise",
    }
    return ", ".join(words[character] for character in mark(row))


def explain_marks(rows: pd.DataFrame, alpha: float) -> str:
    """The legend of ``mark``: of the marks that rows of the leaderboard have.

    Args:
        rows: of one task or several.
        alpha: level of the tests.
    """
    if rows["best"].all():
        return ""
    marks = "".join(map(mark, rows.to_dict("records")))
    said = {
        OPEN: "not distinguished from the best, which is no evidence of equality.",
        EQUIVALENT: "equivalent: a difference of the noise floor is ruled out.",
        AT_OPTIMUM: "at the optimum: the whole interval lies within the noise floor of it.",
    }
    tested = f"Yuen's test, adjusted for all pairs, level {alpha:g}"
    return " ".join(
        [
            f"Without a mark: worse than the best ({tested}).",
            *(f"{one} {meaning}" for one, meaning in said.items() if one in marks),
        ]
    )


def optimum_text(task: TaskRow, digits: int | None = None) -> str:
    """The optimum of a task, and whether searches may exceed it.

    Args:
        task: the task.
        digits: decimals where its unit stands beside; by default as many as it has, with the unit.
    """
    if task.optimum is None:
        return "unknown"
    exact = f"{task.optimum:.6g} {task.unit}".strip()
    shown = exact if digits is None else number(task.optimum, digits)
    return f"{shown} (cross-fitted)" if task.crossfitted else shown


def explain_one_figure(rows: pd.DataFrame) -> str:
    """One sentence on methods whose seeds, few as they are, all gave one figure; or empty.

    Of 11 seeds and more, others give that figure too in three of four cases at the least (by 95 %),
    and so the interquartile mean is this one.

    Args:
        rows: of the leaderboard, of one task or several.
    """
    alike = rows[(rows["low"] == rows["high"]) & rows["seeds"].between(2, TELLING_SEEDS - 1)]
    if not len(alike):
        return ""
    names = _named(alike, rows)
    more = and_more(len(names) - _MANY)
    return (
        f"All seeds gave one figure, with fewer than {TELLING_SEEDS} seeds: "
        f"{', '.join(names[:_MANY])}{more}. An interval without width says nothing of what other "
        f"seeds would give."
    )


def explain_failures(rows: pd.DataFrame) -> str:
    """One sentence on trials that failed, and what they count as; or empty.

    Args:
        rows: of the leaderboard, of one task or several.
    """
    failed = rows[rows["failed"] > 0]
    if not len(failed):
        return ""
    named = zip(_named(failed, rows), failed["failed"], strict=True)
    return told_failures(dict(named), figures=bool(rows["seeds"].any()))


def _named(chosen: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """The methods of chosen rows, with their tasks where there are several."""
    several = rows["task"].nunique() > 1
    return [
        f"{row['method']} on {row['task']}" if several else str(row["method"])
        for row in chosen.to_dict("records")
    ]


def counted(pairs: Iterable[tuple[Any, Any]]) -> str:
    """Names with their counts, as ``a (2), b (1)``."""
    return ", ".join(f"{name} ({count})" for name, count in pairs)
