"""Boards of predictors and proxies, as tables."""

from __future__ import annotations

from collections.abc import Mapping
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
    figures = "Interquartile means over seeds, with half the width of their 95 % intervals."
    if not any(np.isfinite(summary["low"]).any() for summary in summaries.values()):
        figures = "Without intervals, which take two seeds."
    leader = "the best at the largest number" if learning else "the best proxy"
    meanings = {
        "predictor": f"{figures} Bold: {leader}.",
        "0": "Size 0: proxies, which learn nothing, and the noise ceiling: what a second training "
        "of the same architecture scores as a prediction of the first. A predictor without noise "
        "of its own can pass it.",
        "fit": "Fit: seconds to learn from the most architectures.",
        "query": "Query: milliseconds for one.",
    }
    return Sheet(tuple(tables), (explained(tables, meanings),))


def _table(title: str, summary: pd.DataFrame, measure: str, where: str, seconds: bool) -> Table:
    sizes = sorted(int(size) for size in summary["size"].unique())
    names = list(dict.fromkeys(summary["predictor"]))
    largest = max(sizes)
    sign = 1 if MEASURES[measure].larger else -1
    rivals = summary[(summary["size"] == largest) & (summary["kind"] != "ceiling")]
    at_most = rivals.set_index("predictor")["value"] * sign
    leader = at_most.idxmax() if at_most.notna().any() else None
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
        subtitle=f"{MEASURES[measure].title}{where}; by number of trained architectures",
        columns=("predictor", *map(str, sizes), *(("fit", "query") if seconds else ())),
        rows=tuple(rows),
        best=tuple(name == leader for name in names),
        notes=(),
    )


def _cell(row: pd.Series[float]) -> str:
    if not np.isfinite(row["value"]):
        return "-"
    half = (row["high"] - row["low"]) / 2
    width = f" ±{half:.{_DIGITS}f}" if np.isfinite(half) else ""
    return f"{row['value']:.{_DIGITS}f}{width}"


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(__name__, {"prediction_report": ":prediction_sheet"})
