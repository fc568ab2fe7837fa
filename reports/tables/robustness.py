"""Robustness over seeds, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.deprecated import moved
from reports.tables.rendering import Sheet, Table
from reports.tables.text import explain_failures, explain_one_figure, interval, number

if TYPE_CHECKING:
    import pandas as pd

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


def robustness_sheet(rows: pd.DataFrame, *, confidence: float, tail: float) -> Sheet:
    """Tables of what ``nasbench_suite.analysis.robustness.robustness`` gives.

    Two a task: figures over seeds, and what happened inside of methods that tell.
    """
    tables = []
    for _, task in rows.groupby("task_key", sort=False):
        first = task.iloc[0].to_dict()
        tables.append(
            Table(
                title=f"{first['task']}: robustness",
                subtitle=", ".join(filter(None, [_unit(first), _threshold(first)])),
                columns=(
                    *("method", "seeds", "mean", "std", "worst", "CVaR", "IQM"),
                    f"{100 * confidence:g}% interval",
                    *_SHARES.values(),
                ),
                rows=tuple(_spread_row(row) for row in task.to_dict("records")),
                best=tuple(task["rank"] == task["rank"].min()),
                notes=tuple(filter(None, [explain_failures(task), explain_one_figure(task)])),
            )
        )
        inside = task[task[list(_INSIDE)].notna().any(axis=1)]
        if len(inside):
            tables.append(
                Table(
                    title=f"{first['task']}: inside the search",
                    subtitle="last epoch, mean over seeds",
                    columns=("method", *_INSIDE.values()),
                    rows=tuple(
                        (str(row["method"]), *(number(row[name], 3) for name in _INSIDE))
                        for row in inside.to_dict("records")
                    ),
                    best=(False,) * len(inside),
                    notes=(),
                )
            )
    legend = (
        f"CVaR: mean of the worst {100 * tail:g} % of seeds. Collapsed: share of seeds worse than "
        f"the median of the space, or of random search where the table is not at hand; declined: "
        f"of seeds that were as good on the way and ended worse. skip, none: "
        f"share of the edges of returned cells; skips rule: share of cells "
        f"of whose operations more than half are skip connections; no path: share of cells without "
        f"one. Bold: the best IQM.",
        "gap: validation accuracy of the supernet less that of the derived path in it, in points. "
        "entropy: of the operation strengths, in nats. λmax: largest eigenvalue of the validation "
        "loss's Hessian in the architecture parameters. τ strength: Kendall's correlation of these "
        "with the table, on an edge. "
        "τ inherited: of accuracies with inherited weights with the table.",
    )
    return Sheet(tuple(tables), legend)


def sensitivity_sheet(rows: pd.DataFrame, method: str, parameter: str) -> Sheet:
    """Tables of what ``nasbench_suite.analysis.robustness.sensitivity`` gives."""
    tables = []
    for (task, others), group in rows.groupby(["task", "others"], sort=False):
        tables.append(
            Table(
                title=f"{task}: {method}, by {parameter}",
                subtitle=str(others) or "all else at its default",
                columns=(parameter, "seeds", "mean", "std", "worst", "CVaR", "IQM", "interval"),
                rows=tuple(
                    (
                        f"{row['value']}",
                        str(row["seeds"]),
                        *(number(row[name], 2) for name in ("mean", "std", "worst", "cvar", "iqm")),
                        interval(row["low"], row["high"], 2),
                    )
                    for row in group.to_dict("records")
                ),
                best=tuple(group["best"]),
                notes=(),
            )
        )
    return Sheet(tuple(tables), ())


def _unit(row: Mapping[Any, Any]) -> str:
    return f"in {row['unit']}" if row["unit"] else ""


def _threshold(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["threshold"]):
        return "no table at hand and no random search to tell a collapse by"
    return f"collapsed: worse than {number(row['threshold'], 2)}"


def _spread_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["method"]),
        str(row["seeds"]),
        *(number(row[name], 2) for name in ("mean", "std", "worst", "cvar", "iqm")),
        interval(row["low"], row["high"], 2),
        *(number(row[name], 2) for name in _SHARES),
    )


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(
        __name__,
        {
            "robustness_report": ":robustness_sheet",
            "sensitivity_report": ":sensitivity_sheet",
        },
    )
