"""Anytime curves: regret against the budget spent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.curves import BudgetKind, results_curves
from nasbench_suite.analysis.curves import anytime_curves as read_curves
from nasbench_suite.errors import SuiteError, choose_from
from reports.figures.figure import Figure
from reports.figures.style import METADATA, check_figure_path

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nasbench_suite.analysis.results import Results

_LONG_NAME = 24  # characters; longer names in a legend would cover the curves
_MOST_METHODS = 8  # more colours than these cannot be told apart
_COLUMNS = 3
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)))
_AXIS = {"evaluations": "full evaluations", "seconds": "simulated training seconds"}


def anytime_curves(
    store: str | Path | pd.DataFrame,
    *,
    task: str | None = None,
    methods: Sequence[str] | None = None,
    by: BudgetKind = "evaluations",
    log: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the regret on one task against the budget spent, with bands over seeds.

    Args:
        store: a results file, or what ``nasbench_suite.analysis.anytime_curves`` made of it.
        task: name of the task; may be left out if there is one alone.
        methods: which methods to draw; by default all.
        by: what the budget is counted in.
        log: logarithmic axes; regrets below the noise floor stay on a linear piece, so that
            zero is on the axis.
        ax: where to draw; by default on new axes of ``matplotlib.pyplot``.

    Raises:
        SuiteError: the file cannot be read, there is no such task or method, or several tasks
            and none is chosen.
    """
    import seaborn as sns
    from matplotlib import pyplot as plt

    if isinstance(store, str | Path):
        store = read_curves(store, by=by)
    curves = _choose_task(store, task)
    known = list(dict.fromkeys(curves["method"]))
    for method in methods or ():
        if method not in known:
            raise SuiteError(choose_from("method with curves", method, known))
    if ax is None:
        with sns.axes_style("ticks"):
            _, ax = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
    chosen = list(methods or known)
    _draw(ax, curves[curves["method"].isin(chosen)], method_styles(chosen), by, log)
    ax.set_ylabel(f"interquartile mean {ax.get_ylabel()}")
    _label_ends(ax)
    return ax


def write_figure(
    results: Results,
    path: str | Path,
    *,
    by: BudgetKind = "evaluations",
    log: bool = True,
    confidence: float = 0.95,
) -> None:
    """Write the anytime curves of all tasks, one panel a task, as PDF, PNG or SVG.

    Of more than eight methods, those with the best final regrets are drawn.

    Raises:
        SuiteError: another kind of file, a folder that does not exist, or nothing to draw.
    """
    path = Path(path)
    check_figure_path(path)
    curves = results_curves(results, by=by, confidence=confidence)

    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    tasks = list(dict.fromkeys(curves["task"]))
    methods, left_out = _best_methods(curves)
    styles = method_styles(methods)
    columns = min(_COLUMNS, len(tasks))
    rows = -(-len(tasks) // columns)
    with sns.axes_style("ticks"), mpl.rc_context({"svg.hashsalt": "nasbench", "pdf.fonttype": 42}):
        # A figure of its own needs neither a display nor pyplot's list of open figures.
        size = (7.0, 4.2) if len(tasks) == 1 else (4.2 * columns, 3.2 * rows + 0.8)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.06, hspace=0.06))
        grid = figure.subplots(rows, columns, squeeze=False)
        for ax, task in zip(grid.flat, tasks, strict=False):
            shown = curves[(curves["task"] == task) & curves["method"].isin(methods)]
            _draw(ax, shown, styles, by, log)
        for ax in list(grid.flat)[len(tasks) :]:
            ax.remove()
        if len(tasks) == 1:
            grid[0, 0].set_ylabel(f"interquartile mean {grid[0, 0].get_ylabel()}")
            _label_ends(grid[0, 0])
        else:
            handles = [
                mpl.lines.Line2D([], [], label=method, **style) for method, style in styles.items()
            ]
            figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
        if left_out:
            figure.suptitle(
                f"the best {len(methods)} of {len(methods) + left_out} methods", fontsize="small"
            )
        try:
            figure.savefig(path, dpi=200, metadata=METADATA[path.suffix.lower()])
        except OSError as error:
            raise SuiteError(f"{path} cannot be written: {error.strerror}.") from error


def _draw(
    ax: Axes, curves: pd.DataFrame, styles: Mapping[str, Mapping[str, Any]], by: str, log: bool
) -> None:
    """The curves of one task, with their bands and the noise floor."""
    from matplotlib.ticker import NullLocator

    first = curves.iloc[0]
    floor, points = first["noise_floor"], "points" if first["unit"] == "%" else first["unit"]
    for method, curve in curves.groupby("method", sort=False):
        style = styles[str(method)]
        ax.step(curve["budget"], curve["regret"], where="post", label=str(method), **style)
        ax.fill_between(
            curve["budget"],
            curve["low"],
            curve["high"],
            step="post",
            color=style["color"],
            alpha=0.15,
            linewidth=0,
        )
    if log:
        positive = curves.loc[curves["regret"] > 0, "regret"]
        linear = floor if floor > 0 else positive.min() if len(positive) else 1.0
        ax.set_yscale("symlog", linthresh=linear, linscale=0.5)
        ax.set_yticks(_regret_ticks(linear, ax.get_ylim()[1]), minor=False)
        ax.yaxis.set_minor_locator(NullLocator())
        ax.set_xscale("log")
        for axis in (ax.xaxis, ax.yaxis):  # 0.1, 1, 10 rather than powers
            axis.set_major_formatter(lambda value, _: f"{value:,g}")
    # A cross-fitted optimum is an estimate, which lucky searches exceed.
    bottom = min(0.0, float(curves["regret"].min()))
    ax.set_ylim(bottom=bottom)
    begin, end = curves["budget"].min(), curves["budget"].max()
    if begin < end:
        ax.set_xlim(begin, end)
    if floor > 0:
        ax.axhspan(bottom, floor, color="0.92", zorder=0)
        ax.annotate(
            f"noise floor {floor:.2g} {points}".rstrip(),
            (0.0, floor),
            xycoords=ax.get_yaxis_transform(),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color="0.35",
        )
    ax.set_title(first["task"], fontsize="medium")
    ax.set_xlabel(_AXIS[by])
    ax.set_ylabel(f"regret ({points})" if points else "regret")
    ax.spines[["top", "right"]].set_visible(False)


def _regret_ticks(linear: float, top: float) -> list[float]:
    """Zero, and round figures down to half of where the axis turns linear."""
    lowest, highest = np.floor(np.log10([linear / 2, max(top, linear)])).astype(int)
    decades = [10.0**power for power in range(lowest, highest + 1)]
    fine = [step * decade for decade in decades for step in (1, 2, 5)]
    ticks = fine if len(fine) <= 9 else decades
    return [0.0, *(tick for tick in ticks if linear / 2 <= tick <= top)]


def _label_ends(ax: Axes) -> None:
    """Write each method beside the end of its curve, pushed apart where they would overlap."""
    figure = ax.get_figure()
    assert figure is not None
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    ends = [ax.transData.transform((1.0, np.asarray(line.get_ydata())[-1]))[1] for line in lines]
    names = [wrap_name(str(line.get_label())) for line in lines]
    heights = [13.0 * (1 + name.count("\n")) * figure.dpi / 72 for name in names]
    bottom = ax.transAxes.transform((0.0, 0.0))[1]
    for index in np.argsort(ends, kind="stable"):
        centre = max(ends[index], bottom + heights[index] / 2)
        bottom = centre + heights[index] / 2
        ax.annotate(
            names[index],
            (1.0, ax.transAxes.inverted().transform((0.0, centre))[1]),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=lines[index].get_color(),
            annotation_clip=False,
        )


def wrap_name(name: str, width: int = _LONG_NAME) -> str:
    """A method's name, its hyper-parameters on lines of their own, none broken."""
    lines = [""]
    for part in re.findall(r"[^\[,]+[\[,]?", name):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def add_legend(ax: Axes, names: Sequence[str], **settings: Any) -> None:
    """A legend inside the axes, or below where long names would cover the curves."""
    if legend_height(names):
        settings = {"loc": "upper left", "bbox_to_anchor": (0.0, -0.24), "borderaxespad": 0.0}
    ax.legend(frameon=False, fontsize="small", **settings)


def legend_height(names: Sequence[str]) -> float:
    """Inches that ``add_legend`` takes below the axes."""
    return 0.13 * len(names) if max(map(len, names), default=0) > _LONG_NAME else 0.0


def method_styles(methods: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A colour and a dash of each method, from a palette for the colour-blind."""
    import seaborn as sns

    palette = sns.color_palette("colorblind", _MOST_METHODS)
    return {
        method: {
            "color": palette[number % len(palette)],
            "linestyle": _DASHES[(number + number // len(palette)) % len(_DASHES)],
            "linewidth": 1.6,
        }
        for number, method in enumerate(methods)
    }


def _best_methods(curves: pd.DataFrame) -> tuple[list[str], int]:
    """The methods to draw, best mean rank of the final regrets first, and how many are not."""
    finals = curves.groupby(["task", "method"], sort=False)["regret"].last().unstack()
    order = finals.rank(axis=1).mean().sort_values(kind="stable").index.astype(str).tolist()
    return order[:_MOST_METHODS], max(0, len(order) - _MOST_METHODS)


def _choose_task(curves: pd.DataFrame, task: str | None) -> pd.DataFrame:
    known = list(dict.fromkeys(curves["task"]))
    if task is None and len(known) == 1:
        return curves
    if task is None:
        raise SuiteError(f"There are {len(known)} tasks: choose one of {'; '.join(known)}.")
    if task not in known:
        raise SuiteError(choose_from("task", task, known))
    return curves[curves["task"] == task]


ANYTIME = Figure(
    "Anytime curves",
    "Interquartile mean over seeds of the incumbent's regret, against the budget spent, with its "
    "band over seeds; grey: below the noise floor.",
    results_curves,
    lambda frame, ax: anytime_curves(frame, ax=ax),
    across=False,
)
