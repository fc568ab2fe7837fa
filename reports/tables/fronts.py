"""Indicators of Pareto fronts, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nasbench_suite.analysis.samples import explain_crossfit
from nasbench_suite.deprecated import moved
from nasbench_suite.parsing import counted
from reports.labels import Labels, labels_of
from reports.tables.rendering import Sheet, Table
from reports.tables.text import interval, number

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.results import Results
    from nasbench_suite.rows import TaskRow

_DIGITS = 3
_HEADINGS = {
    "hypervolume": "HV",
    "log_regret": "log10(1 - HV)",
    "front_hypervolume": "HV of front",
    "oracle_hypervolume": "oracle HV",
    "igd_plus": "IGD+",
    "epsilon": "epsilon",
    "r2": "R2",
    "coverage": "coverage",
    "constrained_regret": "constr. regret",
}

_LEGEND = (
    "Interquartile means over seeds, that of HV with its interval. The front is what is "
    "non-dominated on the signals, scored at the reported figures; the oracle scores everything "
    "evaluated. Losses are scaled to [0, 1] over the whole table. HV: hypervolume dominated, "
    "reference point (1, ..., 1), divided by the true front's, larger is better; HV of front: "
    "scaled by the true front's ideal and nadir, reference point a tenth beyond. Bold: the best "
    "HV.",
    "Of the front against the true one, smaller is better: IGD+: mean distance by which it fails "
    "to dominate the true points; epsilon: the least shift by which it dominates them all; R2: "
    "mean over weights of the best weighted Chebyshev distance. Coverage: share of the true "
    "points that it holds. Constrained regret: of its best first objective, in that one's unit, "
    "where the others are below the table's median.",
)


def fronts_sheet(results: Results, rows: pd.DataFrame) -> Sheet:
    """The tables of ``nasbench fronts``, from ``analysis.fronts.results_indicators``."""
    parts = []
    labels = labels_of(results)
    for key, part in rows.groupby("task_key", sort=False):
        measure = results.tasks[str(key)].measure or {}
        names = " and ".join(
            labels.objective(said, results.tasks[str(key)].dataset)
            for said in measure.get("objectives", ())
        )
        points = len(measure.get("front", ()))
        cells = [
            (
                row["method"],
                str(row["seeds"]),
                number(row["hypervolume"], _DIGITS),
                interval(row["low"], row["high"], _DIGITS),
                *(number(row[name], _DIGITS) for name in list(_HEADINGS)[1:]),
            )
            for row in part.to_dict("records")
        ]
        heads = list(_HEADINGS.values())
        parts.append(
            Table(
                title=str(part["task"].iloc[0]),
                subtitle=f"{names}; {_beside(measure)} of {counted(points, 'point')}",
                columns=("method", "seeds", heads[0], "95% interval", *heads[1:]),
                rows=tuple(cells),
                best=tuple(part["rank"] == part["rank"].min()),
                notes=tuple(_notes(results.tasks[str(key)], labels)),
            )
        )
    shown = (results.tasks[str(key)] for key in rows["task_key"].unique())
    crossfit = explain_crossfit(shown, front=True)
    return Sheet(tuple(parts), (*_LEGEND, *filter(None, [crossfit])))


def _beside(measure: Mapping[str, Any]) -> str:
    return "front of a sample" if "sampled" in measure else "true front"


def _notes(task: TaskRow, labels: Labels) -> list[str]:
    measure = task.measure or {}
    said = (labels.circumstances(one, task) for one in measure.get("objectives", ()))
    notes = [sentence for sentence in said if sentence]
    if "sampled" in measure:
        notes.append(
            f"Nobody knows the true front: scale and front are those of {measure['sampled']:,} "
            f"random architectures, so that a HV above 1 is better than all of these."
        )
    if measure.get("disconnected"):
        notes.append(
            f"Kept out of all fronts: {counted(measure['disconnected'], 'architecture')} without a "
            f"path from input to output."
        )
    return notes


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(__name__, {"fronts_report": ":fronts_sheet"})
