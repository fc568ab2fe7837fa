"""Median attainment surfaces of searches for several objectives, beside the true front."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.fronts import attainment_surfaces
from nasbench_suite.analysis.results import Results
from nasbench_suite.analysis.samples import explain_crossfit
from nasbench_suite.errors import SuiteError
from reports.figures.figure import Figure
from reports.figures.methods import (
    add_legend,
    add_note,
    balanced,
    belongs,
    best_few,
    draw_band,
    letters_in,
    method_numbers,
    method_styles,
    plain_decades,
    plain_numbers,
    spaced_markers,
    width_of,
)
from reports.figures.style import inks
from reports.labels import Labels, labels_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TRUE_FRONT = "true front"
_UPWARDS = 30  # characters of the vertical label on one line
_BESIDE = 0.3  # inches of axes and what is beside them that the horizontal one does not have
_SPREAD = 5  # times the least cost: from there on the axis of costs is logarithmic
_SHARES = (0.25, 0.5, 0.75)  # what a quarter, half and three quarters of the searches reached


def attainment(store: str | Path | Results, *, share: float = 0.5, ax: Axes | None = None) -> Axes:
    """Draw what a share of each method's searches reached or did better than.

    The surface of the empirical attainment function (Grunert da Fonseca, Fonseca and Hall, EMO
    2001); with ``share`` one half it is the median front. The band lies between what a quarter of
    the searches reached and what three quarters did.

    Raises:
        SuiteError: the results are of several tasks, or of a task with one objective.
    """
    return ATTAINMENT.plot(store, ax, share=share)


def attainment_data(results: Results, share: float = 0.5) -> pd.DataFrame:
    """One row a point: ``method``, ``share``, ``x`` and ``y`` (second objective and first).

    The true front comes first, under that name and with a share of 1; then each method's surfaces,
    that of ``share`` first, and those of the band. ``x_label``, ``y_label``, ``x_direction`` and
    ``y_direction`` are the same in every row, ``middle`` is ``share``.

    Raises:
        SuiteError: as ``attainment``.
    """
    import pandas as pd

    if len(results.tasks) != 1:
        raise SuiteError(f"Attainment is drawn of one task, not of {len(results.tasks)}.")
    ((key, task),) = results.tasks.items()
    if task.measure is None:
        raise SuiteError(f"{results.names[key]} has one objective, so there is no front to draw.")
    first, second = task.measure["objectives"][:2]
    labels = labels_of(results)
    surfaces = [(TRUE_FRONT, 1.0, np.array(task.measure["front"]))]
    for each in dict.fromkeys((share, *_SHARES)):
        for method, points in attainment_surfaces(results, key, each).items():
            surfaces.append((method, each, points))
    frame = pd.concat(
        [
            pd.DataFrame(
                {"method": method, "share": each, "x": points[:, 1], "y": points[:, 0]}
            ).sort_values("x")
            for method, each, points in surfaces
            if len(points)
        ],
        ignore_index=True,
    ).assign(
        x_label=_axis(labels, second, task.dataset),
        y_label=_axis(labels, first, task.dataset),
        x_direction=second["direction"],
        y_direction=first["direction"],
        front_label=front_label(task.measure),
        middle=share,
    )
    frame.attrs["said"] = [*filter(None, [explain_crossfit([task], front=True)])]
    return frame


def front_label(measure: Mapping[str, Any]) -> str:
    """What the front is called that searches are measured beside."""
    if "sampled" in measure:
        return f"front of {measure['sampled']:,} random architectures"
    return TRUE_FRONT


def draw_attainment(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``attainment_data`` made."""
    known = [m for m in dict.fromkeys(frame["method"]) if m != TRUE_FRONT]
    methods, note = best_few(known)
    styles, numbers = method_styles(known, frame), method_numbers(known, frame)
    labels = frame.iloc[0]
    across, up = labels["x_direction"], labels["y_direction"]
    best = frame.loc[frame["method"] == TRUE_FRONT, ["x", "y"]].to_numpy()
    ax.plot(
        *_staircase(best, across, up),
        label=labels["front_label"],
        color=inks().text,
        linestyle="dotted",
        linewidth=1.2,
    )
    log = bool(best[:, 0].min() > 0 and best[:, 0].max() >= _SPREAD * best[:, 0].min())
    (x_low, x_high), (y_low, y_high) = _limits(best, up, log)
    grid = np.unique(np.concatenate([frame["x"].to_numpy(), [x_low, x_high]]))
    for place, method in enumerate(methods):
        of_method = frame[frame["method"] == method]
        surfaces = {
            share: of_method.loc[of_method["share"] == share, ["x", "y"]].to_numpy()
            for share in of_method["share"].unique()
        }
        number, style = numbers[method], styles[method]
        if labels["middle"] in surfaces:
            (line,) = ax.plot(
                *_staircase(surfaces[labels["middle"]], across, up),
                label=method,
                markevery=spaced_markers(place, len(methods)),
                **style,
            )
            belongs(line, ax, number)
        if _SHARES[0] in surfaces:
            worst = y_low if up == "maximize" else y_high
            ends = _band(surfaces, grid, across, up, worst)
            step = "post" if across == "minimize" else "pre"
            band = draw_band(ax, grid, ends, style["color"], len(methods), step)
            belongs(band, ax, number)
    if log:
        ax.set_xscale("log")
        plain_decades(ax.xaxis)
    ax.set_xlim(x_low, x_high)
    ax.set_ylim(y_low, y_high)
    along = letters_in(width_of(ax) - _BESIDE, labels["x_label"].partition("\n")[0])
    ax.set_xlabel(balanced(labels["x_label"], along))
    ax.set_ylabel(balanced(labels["y_label"], _UPWARDS))
    plain_numbers(ax, "xy")
    ax.spines[["top", "right"]].set_visible(False)
    add_note(ax, note)
    add_legend(ax, known, frame)
    return ax


def _band(
    surfaces: Mapping[float, Any], grid: Any, across: str, up: str, worst: float
) -> tuple[Any, Any]:
    """What the first and the last share of the searches reach over a grid, or the worst drawn."""
    low, high = (
        _reached(surfaces[share], grid, across, up, worst)
        if share in surfaces
        else np.full(len(grid), worst)
        for share in (_SHARES[0], _SHARES[-1])
    )
    return low, high


def _limits(best: Any, up: str, log: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """What of both axes is drawn: the true front, with more room where figures are worse.

    Args:
        best: points of the true front, shape (n, 2).
        up: the direction of the second objective.
        log: whether the horizontal axis is logarithmic.
    """
    x_room, y_room = np.ptp(best, axis=0)
    (x_low, y_low), (x_high, y_high) = best.min(axis=0), best.max(axis=0)
    worse, better = 0.15 * y_room, 0.08 * y_room
    below, above = (worse, better) if up == "maximize" else (better, worse)
    y_limits = y_low - below, y_high + above
    if log:
        more = (x_high / x_low) ** 0.05
        return (x_low / more, x_high * more), y_limits
    x_low = max(x_low - 0.05 * x_room, min(0.0, x_low))  # no latency is below zero
    return (x_low, x_high + 0.1 * x_room), y_limits


def _reached(points: Any, grid: Any, across: str, up: str, worst: float) -> Any:
    """The best first objective among points no worse in the second than each place of a grid."""
    x_sign = 1 if across == "minimize" else -1
    y_sign = 1 if up == "maximize" else -1
    within = x_sign * points[:, 0] <= x_sign * grid[:, None]
    figures = np.where(within, y_sign * points[:, 1], -np.inf).max(axis=1)
    return np.where(np.isfinite(figures), y_sign * figures, worst)


def _axis(labels: Labels, said: Mapping[str, Any], dataset: str | None) -> str:
    """An objective with its unit, and below it the conditions and data set of the figures."""
    name = labels.objective(said, dataset)
    of = labels.dataset(said.get("dataset") or "")
    below = ", ".join(filter(None, [of if of not in name else "", said.get("conditions")]))
    return (f"{name} ({said['unit']})" if said["unit"] else name) + (f"\n{below}" if below else "")


def _staircase(points: Any, across: str, up: str) -> tuple[Any, Any]:
    """Corners of the region that points dominate, from the better end of the second objective."""
    x_sign = 1 if across == "minimize" else -1
    y_sign = 1 if up == "maximize" else -1
    order = np.lexsort((-y_sign * points[:, 1], x_sign * points[:, 0]))
    x, y = points[order, 0], y_sign * np.maximum.accumulate(y_sign * points[order, 1])
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


ATTAINMENT = Figure(
    "Attainment",
    "What half of each method's searches for several objectives reached or did better than, with a "
    "band from a quarter of them to three quarters, beside the true front.",
    attainment_data,
    draw_attainment,
    across=False,
)
