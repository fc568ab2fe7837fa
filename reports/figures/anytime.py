"""Anytime curves: regret against the budget spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.curves import BudgetKind, results_curves
from nasbench_suite.analysis.results import choose_task, one_task, read_results
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.tasks.methods import find_label
from reports.figures.figure import Figure
from reports.figures.methods import (
    add_legend,
    add_note,
    belongs,
    best_few,
    draw_band,
    method_numbers,
    method_styles,
    plain_decades,
    readable,
    regret_label,
    spaced_markers,
    wrap_name,
)
from reports.figures.style import inks
from reports.labels import present

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BELOW = 0.15  # of the noise floor: what is drawn below a curve that comes to zero
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
        store: a results file, whose methods have the names and looks of every figure of it; or what
            ``nasbench_suite.analysis.anytime_curves`` made, whose methods keep their names and are
            counted as they stand there.
        task: the task, by its name or what tells it from the others; may be left out if there is
            one alone.
        methods: which methods to draw, by any name, in the order of the legend; by default all.
        by: what the budget is counted in.
        log: logarithmic axes; regrets below the noise floor stay on a linear piece, so that
            zero is on the axis.
        ax: where to draw; by default on new axes of ``matplotlib.pyplot``.

    Raises:
        SuiteError: the file cannot be read, there is no such task or method, or several tasks
            and none is chosen.
    """
    import pandas as pd

    chosen = _figure(by, "", log=log)
    if isinstance(store, str | Path):
        results = present(read_results(store), task=task, methods=methods, order=methods)
        return chosen.plot(one_task(results, choose_task(results, None)), ax)
    curves = _choose_task(store, task)
    known = list(dict.fromkeys(curves["method"]))
    wanted = [find_label("method with curves", name, known) for name in methods or known]
    frame = pd.concat([curves[curves["method"] == name] for name in wanted], ignore_index=True)
    frame.attrs = {
        "styles": method_numbers(known, curves),
        "ordered": methods is not None,
        "task": curves["task"].iloc[0],
    }
    if ax is not None:
        return chosen.draw(frame, ax)
    from matplotlib import pyplot as plt

    return chosen.draw_alone(frame, plt.figure(layout="constrained"))


def draw_anytime(curves: pd.DataFrame, ax: Axes, *, by: BudgetKind, log: bool = True) -> Axes:
    """Draw the curves of one task, of many methods those of the best."""
    known = _best_first(curves)
    chosen, note = best_few(known)
    numbers, styles = method_numbers(known, curves), method_styles(known, curves)
    _draw(ax, curves[curves["method"].isin(chosen)], styles, numbers, by, log)
    add_note(ax, "\n".join(filter(None, [note, _beyond(curves)])))
    if not _label_ends(ax, numbers):
        add_legend(ax, known, curves)
    return ax


def _draw(
    ax: Axes,
    curves: pd.DataFrame,
    styles: Mapping[str, Mapping[str, Any]],
    numbers: Mapping[str, int],
    by: str,
    log: bool,
) -> None:
    """The curves of one task, with their bands and the noise floor."""
    first = curves.iloc[0]
    floor, points = first["noise_floor"], "points" if first["unit"] == "%" else first["unit"]
    groups = curves.groupby("method", sort=False)
    for place, (method, curve) in enumerate(groups):
        style = {"label": str(method), **styles[str(method)]}
        style["markevery"] = spaced_markers(place, len(groups))
        (line,) = ax.step(curve["budget"], curve["regret"], where="post", **style)
        ends = curve["low"], curve["high"]
        band = draw_band(ax, curve["budget"], ends, style["color"], len(groups), "post")
        for part in (line, band):
            belongs(part, ax, numbers[str(method)])
    # A cross-fitted optimum is an estimate, which lucky searches exceed.
    bottom = min(0.0, float(np.nanmin(curves[["regret", "low"]])))
    if log:
        _make_logarithmic(ax, curves, floor, bottom)
    else:
        ax.set_ylim(bottom=bottom)
    begin, end = curves["budget"].min(), curves["budget"].max()
    if begin < end:
        ax.set_xlim(begin, end)
    if log and end <= 10 * begin:  # so short an axis would have powers beside its minor ticks
        plain_decades(ax.xaxis)
    if floor > 0:
        ax.axhspan(ax.get_ylim()[0], floor, color=inks().band, zorder=0)
        ax.annotate(
            f"noise floor {floor:.2g} {points}".rstrip(),
            (0.0, floor),
            xycoords=ax.get_yaxis_transform(),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color=inks().muted,
            zorder=4,  # over curves and bands
        )
    ax.set_xlabel(_AXIS[by])
    ax.set_ylabel(regret_label(curves, points))
    ax.spines[["top", "right"]].set_visible(False)


def _beyond(curves: pd.DataFrame) -> str:
    """How much of the curves a logarithmic axis would not have, if anything."""
    below = int((curves["regret"] <= 0).sum())
    return f"{below:,} of {len(curves):,} points ≤ 0" if below else ""


def _make_logarithmic(ax: Axes, curves: pd.DataFrame, floor: float, bottom: float) -> None:
    """Logarithmic axes; regrets nearer to zero than the noise floor stand on a linear part.

    A curve that comes to zero or below is drawn there in full, and a line marks zero.
    """
    from matplotlib.ticker import NullLocator

    positive = curves.loc[curves["regret"] > 0, "regret"]
    linear = floor if floor > 0 else positive.min() if len(positive) else 1.0
    ax.set_yscale("symlog", linthresh=linear, linscale=0.5)
    top = ax.get_ylim()[1]
    ticks = _regret_ticks(linear, top)
    ticks = [-tick for tick in ticks[:0:-1] if -tick >= bottom] + ticks
    ax.set_yticks(ticks, minor=False)
    ax.yaxis.set_minor_locator(NullLocator())
    if (curves["regret"] <= 0).any():
        ax.axhline(0, color=inks().muted, linewidth=0.6, linestyle="dotted", zorder=1)
        bottom -= _BELOW * linear
    ax.set_ylim(bottom, top)
    ax.set_xscale("log")
    for axis in (ax.xaxis, ax.yaxis):  # 0.1, 1, 10 rather than powers
        axis.set_major_formatter(lambda value, _: f"{value:,g}")


def _regret_ticks(linear: float, top: float) -> list[float]:
    """Zero, and round figures down to half of where the axis turns linear."""
    lowest, highest = np.floor(np.log10([linear / 2, max(top, linear)])).astype(int)
    decades = [10.0**power for power in range(lowest, highest + 1)]
    fine = [step * decade for decade in decades for step in (1, 2, 5)]
    ticks = fine if len(fine) <= 9 else decades
    return [0.0, *(tick for tick in ticks if linear / 2 <= tick <= top)]


def _label_ends(ax: Axes, numbers: Mapping[str, int]) -> bool:
    """Write each method beside the end of its curve, pushed apart where they would overlap.

    Returns:
        Whether they are written: not where they would take more than the height of the axes, where
        methods share a colour, which a legend tells apart by markers, nor on one of several panels.
    """
    figure = ax.get_figure()
    assert figure is not None
    if len(figure.axes) > 1:
        return False
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    if len({line.get_color() for line in lines}) < len(lines):
        return False
    ends = [ax.transData.transform((1.0, np.asarray(line.get_ydata())[-1]))[1] for line in lines]
    names = [wrap_name(str(line.get_label())) for line in lines]
    heights = np.array([11.0 * (1 + name.count("\n")) * figure.dpi / 72 for name in names])
    bottom, top = (ax.transAxes.transform((0.0, edge))[1] for edge in (0.0, 1.0))
    if heights.sum() > 0.8 * (top - bottom):  # a title and labels will still take some of it
        return False
    centres = _apart(np.array(ends), heights, bottom, top)
    for line, name, centre in zip(lines, names, centres, strict=True):
        text = ax.annotate(
            name,
            (1.0, ax.transAxes.inverted().transform((0.0, centre))[1]),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=readable(line.get_color()),
            annotation_clip=False,
        )
        belongs(text, ax, numbers[str(line.get_label())])
    return True


def _apart(
    wanted: NDArray[np.float64], heights: NDArray[np.float64], bottom: float, top: float
) -> NDArray[np.float64]:
    """Centres of labels near where they are wanted, none over another, all within the ends."""
    centres = np.array(wanted, dtype=np.float64)
    order = np.argsort(centres, kind="stable")
    edge = bottom
    for index in order:
        centres[index] = max(centres[index], edge + heights[index] / 2)
        edge = centres[index] + heights[index] / 2
    edge = top
    for index in order[::-1]:
        centres[index] = min(centres[index], edge - heights[index] / 2)
        edge = centres[index] - heights[index] / 2
    return centres


def _best_first(curves: pd.DataFrame) -> list[str]:
    """The methods, the smallest final regret first; in the order of the frame if it has one."""
    if curves.attrs.get("ordered"):
        return list(dict.fromkeys(curves["method"]))
    finals = curves.groupby("method", sort=False)["regret"].last()
    return [str(method) for method in finals.sort_values(kind="stable").index]


def _choose_task(curves: pd.DataFrame, task: str | None) -> pd.DataFrame:
    known = list(dict.fromkeys(curves["task"]))
    if task is None and len(known) == 1:
        return curves
    if task is None:
        raise SuiteError(f"There are {len(known)} tasks: choose one of {'; '.join(known)}.")
    if task not in known:
        raise SuiteError(choose_from("task", task, known))
    return curves[curves["task"] == task]


def _figure(
    by: BudgetKind, against: str, *, simultaneous: bool = False, log: bool = True
) -> Figure:
    band = "band that holds for the whole curve at once" if simultaneous else "band over seeds"
    return Figure(
        f"Anytime curves against {against}",
        f"Interquartile mean over seeds of the incumbent's regret, against {against}, with its "
        f"{band}; grey: below the noise floor.",
        partial(results_curves, by=by, simultaneous=simultaneous),
        partial(draw_anytime, by=by, log=log),
        across=False,
        with_failures=True,
    )


_EVALUATIONS = "the evaluations spent"
_SECONDS = "the simulated seconds of training spent"
ANYTIME = _figure("evaluations", _EVALUATIONS)
ANYTIME_SECONDS = _figure("seconds", _SECONDS)
ANYTIME_SIMULTANEOUS = _figure("evaluations", _EVALUATIONS, simultaneous=True)
ANYTIME_SECONDS_SIMULTANEOUS = _figure("seconds", _SECONDS, simultaneous=True)
