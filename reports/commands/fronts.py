"""Tables and figures of Pareto fronts, and ``nasbench fronts``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.commands.leaderboard import Format, print_report

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.results import Results
    from reports.tables.rendering import Report

_HEADINGS = {
    "hypervolume": "HV",
    "oracle_hypervolume": "oracle HV",
    "igd_plus": "IGD+",
    "epsilon": "epsilon",
    "r2": "R2",
    "coverage": "coverage",
    "constrained_regret": "constr. regret",
}


def fronts(
    store: Annotated[Path, typer.Option(help="Results file, made by `nasbench run`.")] = Path(
        "results.sqlite"
    ),
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TERMINAL,
    benchmark: Annotated[str | None, typer.Option(help="This benchmark alone.")] = None,
    dataset: Annotated[str | None, typer.Option(help="This data set alone.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw median attainment surfaces here (.pdf, .png or .svg)."),
    ] = None,
) -> None:
    """Compare Pareto fronts: hypervolume, IGD+, epsilon, R2, coverage, constrained regret."""
    from nasbench_suite.analysis.fronts import results_indicators
    from nasbench_suite.analysis.results import read_results
    from nasbench_suite.errors import SuiteError
    from reports.tables import rendering as tables

    if figure is not None and figure.suffix not in (".pdf", ".png", ".svg"):
        raise SuiteError(f"Cannot draw into {str(figure)!r}: end its name in .pdf, .png or .svg.")
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    rows = results_indicators(results)
    if figure is not None:
        write_attainment(results, list(dict.fromkeys(rows["task_key"])), figure)
        typer.echo(f"The median attainment surfaces are in {figure}.", err=True)
    if form is Format.CSV:
        typer.echo(tables.to_csv(rows), nl=False)
    elif form is Format.JSON:
        plain = rows.astype(object).where(rows.notna(), None)
        import json

        typer.echo(json.dumps(plain.to_dict("records"), indent=2, ensure_ascii=False))
    else:
        print_report(fronts_report(results, rows), form)


def fronts_report(results: Results, rows: pd.DataFrame) -> Report:
    """The tables of ``nasbench fronts``, from ``metrics.fronts.results_indicators``."""
    from reports.tables.rendering import MISSING, Report, Table

    def shown(value: float) -> str:
        return f"{value:.3f}" if math.isfinite(value) else MISSING

    parts = []
    for key, part in rows.groupby("task_key", sort=False):
        measure = results.tasks[str(key)].measure or {}
        names = ", ".join(objective["name"] for objective in measure.get("objectives", ()))
        points = len(measure.get("front", ()))
        cells = [
            (
                row["method"],
                str(row["seeds"]),
                shown(row["hypervolume"]),
                f"[{shown(row['low'])}, {shown(row['high'])}]",
                *(shown(row[name]) for name in list(_HEADINGS)[1:]),
            )
            for row in part.to_dict("records")
        ]
        heads = list(_HEADINGS.values())
        parts.append(
            Table(
                title=str(part["task"].iloc[0]),
                subtitle=f"{names}; true front of {points} points",
                columns=("method", "seeds", heads[0], "95 % interval", *heads[1:]),
                rows=tuple(cells),
                best=tuple(part["hypervolume"] == part["hypervolume"].max()),
                notes=tuple(_notes(measure)),
            )
        )
    legend = (
        "Interquartile means over seeds. The front is what is non-dominated on the signals, scored "
        "at the reported figures; the oracle scores everything evaluated. Losses are scaled to "
        "[0, 1] over the whole table, reference point (1, ..., 1); HV is divided by the true "
        "front's. Constrained regret: in the unit of the first objective, below the table's "
        "median of the others.",
    )
    return Report(tuple(parts), legend)


def _notes(measure: dict[str, Any] | Any) -> list[str]:
    notes = [
        f"The figures of {objective['name']} are {objective['provenance']}."
        for objective in measure.get("objectives", ())
        if objective["provenance"] in ("modelled", "quantised")
    ]
    if measure.get("disconnected"):
        notes.append(
            f"{measure['disconnected']} architectures without a path from input to output are kept "
            f"out of all fronts."
        )
    return notes


def write_attainment(results: Results, keys: list[str], path: Path) -> None:
    """Draw the median attainment surface of each method and the true front, a panel a task.

    Tasks of more than two objectives are drawn by their first two.
    """
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np

    from nasbench_suite.analysis.fronts import attainment_surfaces
    from reports.figures.anytime import method_styles

    columns = min(len(keys), 3)
    rows = -(-len(keys) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(5 * columns, 4 * rows), squeeze=False)
    methods = sorted({str(m) for m in results.finished["method"]})
    styles = method_styles(methods)
    for axis, key in zip(axes.flat, keys, strict=False):
        measure = results.tasks[key].measure
        assert measure is not None, "only tasks with fronts are drawn"
        objectives = measure["objectives"]
        lines = {"true front": np.array(measure["front"])}
        lines |= attainment_surfaces(results, key)
        for name, points in lines.items():
            x, y = _staircase(points, objectives)
            style = styles.get(name, {"color": "black", "linestyle": ":"})
            kept = {k: v for k, v in style.items() if k in ("color", "linestyle", "dashes")}
            axis.plot(x, y, label=name, linewidth=1.4, **kept)
        axis.set_title(results.names[key], fontsize=9)
        axis.set_xlabel(_label(objectives[1]))
        axis.set_ylabel(_label(objectives[0]))
        best = np.array(measure["front"])
        margin = 0.3 * np.ptp(best, axis=0)
        axis.set_ylim(best[:, 0].min() - margin[0] / 3, best[:, 0].max() + margin[0] / 3)
        axis.set_xlim(best[:, 1].min() - margin[1] / 6, best[:, 1].max() + margin[1])
    for axis in axes.flat[len(keys) :]:
        axis.set_visible(False)
    axes.flat[0].legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=200)
    plt.close(figure)


def _label(objective: dict[str, Any]) -> str:
    unit = f" ({objective['unit']})" if objective["unit"] else ""
    return f"{objective['name']}{unit}"


def _staircase(points: Any, objectives: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Corners of the region that points dominate: the second objective across, the first up."""
    import numpy as np

    up = 1 if objectives[0]["direction"] == "maximize" else -1
    across = 1 if objectives[1]["direction"] == "minimize" else -1
    order = np.lexsort((-up * points[:, 0], across * points[:, 1]))
    x, y = points[order, 1], np.maximum.accumulate(up * points[order, 0]) * up
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
