"""Robustness over seeds, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.deprecated import moved
from nasbench_suite.statistics.aggregates import TAIL
from reports.tables.rendering import Sheet, Table, explained
from reports.tables.text import (
    digits_of,
    explain_failures,
    explain_one_figure,
    interval,
    number,
    task_digits,
)

if TYPE_CHECKING:
    import pandas as pd

_SPREAD = {
    "mean": "mean",
    "std": "std",
    "worst": "worst",
    "cvar": "CVaR",
    "iqm": "IQM",
}
_SHARES = {
    "collapse": "collapsed",
    "declined": "declined",
    "skip": "skip",
    "skip_dominated": "skips rule",
    "none": "none",
    "disconnected": "no path",
}
_INSIDE = {
    "discretisation_gap": "gap",
    "entropy": "entropy",
    "dominant_eigenvalue": "λmax",
    "strength_tau": "τ strength",
    "inherited_tau": "τ inherited",
}
_MEANINGS = {
    "IQM": "IQM: interquartile mean over seeds, bold where it is the best.",
    "collapsed": "Collapsed: share of seeds worse than the figure named above the table; "
    "declined: of seeds that were as good on the way and ended worse.",
    "skip": "skip, none: share of the edges of returned cells; skips rule: share of cells of whose "
    "operations more than half are skip connections; no path: share of cells without one.",
    "gap": "gap: validation accuracy of the supernet less that of the derived path in it, in "
    "points.",
    "entropy": "entropy: of the operation strengths, in nats.",
    "λmax": "λmax: largest eigenvalue of the validation loss's Hessian in the architecture "
    "parameters.",
    "τ strength": "τ strength: Kendall's correlation of operation strengths with the table, on an "
    "edge.",
    "τ inherited": "τ inherited: of accuracies with inherited weights with the table.",
}


def robustness_sheet(rows: pd.DataFrame, *, confidence: float, tail: float) -> Sheet:
    """Tables of what ``nasbench_suite.analysis.robustness.robustness`` gives.

    Two a task: figures over seeds, and what happened inside of methods that tell.
    """
    tables: list[Table] = []
    for _, task in rows.groupby("task_key", sort=False):
        tables += _task_tables(task, confidence)
    meanings = {"CVaR": _tail_text(tail), **_MEANINGS}
    return Sheet(tuple(tables), (explained(tables, meanings),))


def _task_tables(task: pd.DataFrame, confidence: float) -> list[Table]:
    """The tables of one task; columns of which nothing is known are left out."""
    first, digits = task.iloc[0].to_dict(), task_digits(task)
    shares, inside = (
        {name: heading for name, heading in columns.items() if task[name].notna().any()}
        for columns in (_SHARES, _INSIDE)
    )
    tables = [
        Table(
            title=f"{first['task']}: robustness",
            subtitle=", ".join(filter(None, [_unit(first), _threshold(first, digits)])),
            columns=(
                *("method", "seeds", *_SPREAD.values(), f"{100 * confidence:g}% interval"),
                *shares.values(),
            ),
            rows=tuple(
                (
                    *(str(row["method"]), *_spread_cells(row, digits)),
                    *(number(row[name], 2) for name in shares),
                )
                for row in task.to_dict("records")
            ),
            best=tuple(task["rank"] == task["rank"].min()),
            notes=tuple(filter(None, [explain_failures(task), explain_one_figure(task)])),
        )
    ]
    if inside:
        telling = task[task[list(inside)].notna().any(axis=1)]
        tables.append(
            Table(
                title=f"{first['task']}: inside the search",
                subtitle="last epoch, mean over seeds",
                columns=("method", *inside.values()),
                rows=tuple(
                    (str(row["method"]), *(number(row[name], 3) for name in inside))
                    for row in telling.to_dict("records")
                ),
                best=(False,) * len(telling),
                notes=(),
            )
        )
    return tables


def _tail_text(tail: float) -> str:
    return f"CVaR: mean of the worst {100 * tail:g} % of seeds."


def sensitivity_sheet(
    rows: pd.DataFrame,
    method: str,
    parameter: str,
    *,
    confidence: float = 0.95,
    tail: float = TAIL,
) -> Sheet:
    """Tables of what ``nasbench_suite.analysis.robustness.sensitivity`` gives."""
    tables = []
    for (task, others), group in rows.groupby(["task", "others"], sort=False):
        digits = digits_of(group["std"].median())
        tables.append(
            Table(
                title=f"{task}: {method}, by {parameter}",
                subtitle=str(others) or "all else at its default",
                columns=(
                    *(parameter, "seeds", *_SPREAD.values()),
                    f"{100 * confidence:g}% interval",
                ),
                rows=tuple(
                    (f"{row['value']}", *_spread_cells(row, digits))
                    for row in group.to_dict("records")
                ),
                best=tuple(group["best"]),
                notes=(),
            )
        )
    meanings = {"CVaR": _tail_text(tail), "IQM": _MEANINGS["IQM"]}
    return Sheet(tuple(tables), (explained(tables, meanings),))


def _unit(row: Mapping[Any, Any]) -> str:
    return f"in {row['unit']}" if row["unit"] else ""


def _threshold(row: Mapping[Any, Any], digits: int) -> str:
    if np.isnan(row["threshold"]):
        return "no table at hand and no random search to tell a collapse by"
    return f"collapsed: worse than {number(row['threshold'], digits)}, {row['threshold_of']}"


def _spread_cells(row: Mapping[Any, Any], digits: int) -> tuple[str, ...]:
    """Seeds, ``_SPREAD`` and the interval of the IQM."""
    return (
        str(row["seeds"]),
        *(number(row[name], digits) for name in _SPREAD),
        interval(row["low"], row["high"], digits),
    )


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(
        __name__,
        {
            "robustness_report": ":robustness_sheet",
            "sensitivity_report": ":sensitivity_sheet",
        },
    )
