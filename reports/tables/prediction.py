"""Boards of predictors and proxies, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.deprecated import moved
from nasbench_suite.prediction import MEASURES, summarise
from reports.tables.rendering import Sheet, Table, explained
from reports.tables.text import number

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 3


def prediction_sheet(
    boards: Mapping[str, pd.DataFrame], measure: str, region: str, *, seconds: bool = True
) -> Sheet:
    """A table a board: a row a predictor or proxy, a column a number of trained architectures.

    Args:
        boards: rows of ``prediction.run_board``, by the heading of each.
        measure: one of ``prediction.MEASURES``.
        region: one of ``prediction.REGIONS``.
        seconds: whether to tell the seconds of the largest size.
    """
    where = "" if region == "all" else ", over the tenth that is truly best"
    summaries = {title: summarise(rows, measure, region) for title, rows in boards.items()}
    learning = any((summary["kind"] == "predictor").any() for summary in summaries.values())
    tables = [
        _table(title, summary, measure, where, seconds and learning)
        for title, summary in summaries.items()
    ]
    leader = "the best at the largest number" if learning else "the best proxy"
    meanings = {
        "predictor": f"{_explain_figures(list(summaries.values()))} Bold: {leader}.",
        "0": "Size 0: proxies, which learn nothing, and the noise ceiling: what a second training "
        "of the same architecture scores as a prediction of the first. A predictor without noise "
        "of its own can pass it.",
        "fit": "Fit: seconds to learn from the most architectures.",
        "query": "Query: milliseconds for one.",
    }
    return Sheet(tuple(tables), (explained(tables, meanings),))


def _explain_figures(summaries: Sequence[pd.DataFrame]) -> str:
    """What figures and intervals are, and why one is missing where one is."""
    import pandas as pd

    rows = pd.concat(summaries)
    told = np.isfinite(rows["value"])
    wide = told & np.isfinite(rows["low"])
    said = ["Interquartile means over seeds" if (rows["seeds"] > 1).any() else "Of one seed"]
    if wide.any():
        said[0] += ", with their 95 % intervals, as half the width (±) where that says all"
    if (told & ~wide & (rows["seeds"] > 1)).any():
        said.append("Without an interval all seeds gave one figure, as where all test the same")
    if not told.all():
        said.append(
            "-: no figure, as what is predicted, or what is true, is alike for all that are "
            "tested, or too few are tested or trained"
        )
    return ". ".join(said) + "."


def _table(title: str, summary: pd.DataFrame, measure: str, where: str, seconds: bool) -> Table:
    sizes = sorted(int(size) for size in summary["size"].unique())
    names = list(dict.fromkeys(summary["predictor"]))
    largest = max(sizes)
    sign = 1 if MEASURES[measure].larger else -1
    rivals = summary[(summary["size"] == largest) & (summary["kind"] != "ceiling")]
    at_most = rivals.set_index("predictor")["value"] * sign
    leader = at_most.idxmax() if at_most.notna().any() else None
    less = "" if MEASURES[measure].larger else ", in the unit of the figure, less is better"
    rows = []
    for name in names:
        part = summary[summary["predictor"] == name].set_index("size")
        cells = [_cell(part.loc[size]) if size in part.index else "" for size in sizes]
        times = []
        if seconds:
            last = part.loc[part.index.max()]
            learns = last["kind"] == "predictor"
            times = [
                number(last["fit_seconds"], 2) if learns else "",
                number(1000 * last["query_seconds"], 3) if learns else "",
            ]
        rows.append((name, *cells, *times))
    return Table(
        title=title,
        subtitle=f"{MEASURES[measure].title}{where}{less}; by number of trained architectures",
        columns=("predictor", *map(str, sizes), *(("fit", "query") if seconds else ())),
        rows=tuple(rows),
        best=tuple(name == leader for name in names),
        notes=(),
    )


def _cell(row: pd.Series[float]) -> str:
    if not np.isfinite(row["value"]):
        return "-"
    value, low, high = (f"{row[end]:.{_DIGITS}f}" for end in ("value", "low", "high"))
    if not np.isfinite(row["low"]):
        return value
    below, above = row["value"] - row["low"], row["high"] - row["value"]
    if abs(below - above) > 0.5 * 10**-_DIGITS:  # cut at what it can be
        return f"{value} [{low}, {high}]"
    return f"{value} ±{above:.{_DIGITS}f}"


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(__name__, {"prediction_report": ":prediction_sheet"})
