"""Figures that compare methods: critical differences, profiles, improvement, distributions.

Each comes as a pair: ``..._data`` makes a table from results, ``draw_...`` draws such a table on
axes and returns them; a third function of the plain name does both from a results file, as
``nasbench figure`` does, so that a method has one name and looks in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.comparison import (
    BEST,
    best_method,
    blocks_of,
    common_methods,
    method_samples,
)
from nasbench_suite.analysis.results import Results
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import counted
from nasbench_suite.statistics.aggregates import regret
from nasbench_suite.statistics.sample import round_figures
from nasbench_suite.statistics.significance import (
    friedman,
    indistinct,
    performance_profile,
    probability_of_improvement,
)
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
    regret_label,
    spaced_markers,
    width_of,
    wrap_name,
)
from reports.figures.style import inks
from reports.labels import shown_as

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MOST_METHODS = 12  # of a critical-difference diagram
_BESIDE = 0.2  # inches that a label below axes and the names beside them cannot have
_NAMES = 2.2  # inches that names take beside the axis of ranks
_NEAR = 0.085  # inches: markers nearer than that stand one above the other
_MARKER = 0.27  # of a row: the height of a marker
_TICKS = 1.7  # at most, an inch of figure
_RANKS = "mean rank,\n1 the best"
_LEADING = 8.8  # points from line to line of a long name there
_ROOM = 0.02  # of the range of regrets, at both ends
_THRESHOLDS = 100
_GOLDEN = 0.5 * (5**0.5 - 1)
_CORNERS = np.array([-1.0, -1.0, 1.0, 1.0, -1.0])  # of a box, and back


# -- critical differences --------------------------------------------------------------------------


def critical_difference(
    store: str | Path | Results, *, alpha: float = 0.05, ax: Axes | None = None
) -> Axes:
    """Draw the methods' mean ranks over seeds and tasks, and which are not told apart.

    The diagram of Demsar (JMLR 2006, figure 1): best rank on the left, thick bars over groups of
    methods whose mean ranks differ by less than Nemenyi's critical difference.

    Raises:
        SuiteError: fewer than two methods, or two seeds that all have.
    """
    return CRITICAL_DIFFERENCE.plot(store, ax, alpha=alpha)


def critical_difference_data(results: Results, alpha: float = 0.05) -> pd.DataFrame:
    """One row a method, best first: ``method``, ``mean_rank``, and the test's figures.

    These are ``critical_difference``, ``blocks``, ``statistic`` and ``p`` of Friedman's test.
    """
    import pandas as pd

    samples = method_samples(results)
    methods = common_methods(samples)
    if len(methods) < 2:
        raise SuiteError(
            "A critical difference needs two methods with results on every task: choose a task "
            "with --task, or run more."
        )
    tables = [blocks_of(of_task)[methods] for of_task in samples.values()]
    test = friedman(np.concatenate([table.to_numpy() for table in tables]), alpha)
    frame = pd.DataFrame(
        {
            "method": methods,
            "mean_rank": test.mean_ranks,
            "critical_difference": test.critical_difference,
            "blocks": test.blocks,
            "statistic": test.statistic,
            "p": test.p,
        }
    )
    frame = frame.sort_values(["mean_rank", "method"], ignore_index=True)
    if test.blocks < max(sum(table[m].count() for table in tables) for m in methods):
        kind = ("seed",) if len(tables) == 1 else ("seed of a task", "seeds of the tasks")
        blocks = counted(test.blocks, *kind)
        frame.attrs["said"] = (f"mean ranks are over the {blocks} that all methods have",)
    return frame


def draw_critical_difference(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``critical_difference_data`` made; of more than 12 methods, the best 12."""
    shown = frame.head(_MOST_METHODS)
    methods, ranks = list(shown["method"]), shown["mean_rank"].to_numpy()
    difference, total = float(frame["critical_difference"].iloc[0]), len(frame)
    groups = indistinct(ranks, difference)
    # Rows downwards from the axis at 0: bars of groups, then names.
    bars = 0.55 * len(groups) + 0.4
    low = max(1.0, np.floor(2 * ranks.min()) / 2)
    high = max(min(float(total), np.ceil(2 * ranks.max()) / 2), low + difference)
    width = high - low
    stacked = _stacked(ranks, _NEAR * width / max(width_of(ax) - _NAMES, 0.5))
    lift = _MARKER * max(stacked)
    _draw_rank_axis(ax, low, high, lift)
    label = f"critical difference {difference:.2f}"
    if total > len(methods):
        label += f"; the best {len(methods)} of {total} methods"
    _draw_scale(ax, low, difference, label, lift)
    for row, group in enumerate(groups):
        ends, pad = ranks[list(group)], 0.012 * width
        height = -0.4 - 0.55 * row
        ax.hlines(height, ends.min() - pad, ends.max() + pad, color=inks().text, linewidth=3.0)
    heights, depth = _name_heights(methods, -bars)
    styles, numbers = method_styles(methods, frame), method_numbers(methods, frame)
    for place, (method, rank) in enumerate(zip(methods, ranks, strict=True)):
        on_left = place < len(methods) - len(methods) // 2
        edge = low - 0.03 * width if on_left else high + 0.03 * width
        places = _MARKER * stacked[place], (edge, heights[place])
        parts = _draw_named_rank(ax, method, rank, *places, styles[method], on_left)
        for part in parts:
            belongs(part, ax, numbers[method])
    ax.set_xlim(low - 0.02 * width, high + 0.02 * width)
    ax.set_ylim(-bars - depth + 0.1, 2.4 + lift)
    ax.set_axis_off()
    return ax


def _stacked(ranks: NDArray[np.float64], near: float) -> list[int]:
    """How many markers each stands above, so that those of ranks so near do not hide each other."""
    above = [0]
    for rank, before in zip(ranks[1:], ranks[:-1], strict=True):
        above.append(above[-1] + 1 if rank - before < near else 0)
    return above


def _draw_rank_axis(ax: Axes, low: float, high: float, lift: float) -> None:
    """The line of ranks at height 0, with its ticks, their numbers lifted over markers."""
    ink = inks().text
    ax.hlines(0, low, high, color=ink, linewidth=0.8)
    most = _TICKS * width_of(ax)
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if (high - low) / s <= most)
    for tick in np.arange(np.ceil(low / step) * step, high + 1e-9, step):
        ax.vlines(tick, 0, 0.18, color=ink, linewidth=0.8)
        ax.text(tick, 0.3 + lift, f"{tick:g}", ha="center", va="bottom", fontsize="small")
    ax.annotate(
        _RANKS,
        (high, 0.3 + lift),
        xytext=(12, 0),
        textcoords="offset points",
        va="bottom",
        fontsize="small",
        annotation_clip=False,
    )


def _draw_scale(ax: Axes, low: float, difference: float, label: str, lift: float) -> None:
    """How long the critical difference is, above the axis."""
    ink = inks().text
    ax.hlines(1.35 + lift, low, low + difference, color=ink, linewidth=1.0)
    ends = [low, low + difference]
    ax.vlines(ends, 1.2 + lift, 1.5 + lift, color=ink, linewidth=1.0)
    ax.text(low, 1.6 + lift, label, ha="left", va="bottom", fontsize="small")


def _name_heights(methods: Sequence[str], below: float) -> tuple[list[float], float]:
    """How high the name of each method stands, and how much room they take.

    The better half stands on the left, downwards from the best, the others on the right, downwards
    from the worst: so no line crosses another.
    """
    left = len(methods) - len(methods) // 2
    heights, depth = [0.0] * len(methods), 0.0
    for side in (range(left), reversed(range(left, len(methods)))):
        above = 0.0
        for place in side:
            size = _row_size(methods[place])
            heights[place] = below - 0.9 * (above + (size - 1) / 2) - 0.3
            above += size
        depth = max(depth, 0.9 * above)
    return heights, depth


def _draw_named_rank(
    ax: Axes,
    method: str,
    rank: float,
    above: float,
    end: tuple[float, float],
    style: Mapping[str, Any],
    on_left: bool,
) -> list[Artist]:
    """A method's dot on the axis or above it, the line to its name, and the name with the rank."""
    edge, height = end
    down = [above, height, height]
    (line,) = ax.plot([rank, rank, edge], down, color=inks().text, linewidth=0.7)
    looks = {name: style[name] for name in ("color", "marker", "markersize")}
    (dot,) = ax.plot([rank], [above], linestyle="none", clip_on=False, zorder=3, **looks)
    name = wrap_name(method)
    lines = (f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}").split("\n")
    texts = [  # one by one, or a page's fonts would set them askew
        ax.annotate(
            words,
            end,
            xytext=(-2 if on_left else 2, _LEADING * ((len(lines) - 1) / 2 - number)),
            textcoords="offset points",
            ha="right" if on_left else "left",
            va="center",
            fontsize="small",
            annotation_clip=False,
        )
        for number, words in enumerate(lines)
    ]
    return [line, dot, *texts]


def critical_difference_height(methods: Sequence[str]) -> float:
    """Inches that fit the names."""
    return 0.9 + 0.17 * sum(map(_row_size, methods[:_MOST_METHODS]))


def _row_size(method: str) -> float:
    """Room for a name: one for one or two lines, more for more."""
    return max(1.0, 0.5 * len(wrap_name(method).split("\n")))


# -- performance profiles --------------------------------------------------------------------------


def profiles(store: str | Path | Results, *, ax: Axes | None = None) -> Axes:
    """Draw the share of runs whose regret is at most so much, all tasks weighing the same.

    Score distributions of Agarwal et al. (NeurIPS 2021) with pointwise 95 % bootstrap bands; a
    curve above another everywhere is better at every level.
    """
    return PROFILE.plot(store, ax)


def profiles_data(results: Results, *, confidence: float = 0.95) -> pd.DataFrame:
    """One row a method and threshold: ``method``, ``regret``, ``share``, ``low``, ``high``.

    Regrets are in ``unit``: the task's own, or over several tasks in their noise floors, where
    all are known, or else shares of the worst method's mean regret.
    """
    import pandas as pd

    regrets, unit = _regrets(results)
    everywhere = [m for m, strata in regrets.items() if len(strata) == len(results.tasks)]
    every = np.concatenate([[0.0], *(stratum for m in everywhere for stratum in regrets[m])])
    # Below zero where lucky searches exceed a cross-fitted optimum.
    thresholds = np.linspace(every.min(), every.max() or 1.0, _THRESHOLDS)
    parts = []
    for method in everywhere:
        # A share strictly above the next float below -x is the share of regrets of at most x.
        cuts = np.nextafter(-thresholds, -np.inf)
        share, low, high = performance_profile(
            [-stratum for stratum in regrets[method]], cuts, confidence=confidence
        )
        parts.append(
            pd.DataFrame(
                {
                    "method": method,
                    "regret": thresholds,
                    "share": share,
                    "low": low,
                    "high": high,
                    "unit": unit,
                }
            )
        )
    if not parts:
        raise SuiteError("No method has results on every task, so there is no profile to draw.")
    return pd.concat(parts, ignore_index=True)


def draw_profiles(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``profiles_data`` made, the method with the most area first."""
    areas = frame.groupby("method", sort=False)["share"].mean()
    order = [str(m) for m in areas.sort_values(ascending=False, kind="stable").index]
    known = list(dict.fromkeys(frame["method"])) if frame.attrs.get("ordered") else order
    methods, note = best_few(known)
    styles, numbers = method_styles(known, frame), method_numbers(known, frame)
    for place, method in enumerate(methods):
        curve = frame[frame["method"] == method]
        (line,) = ax.step(
            curve["regret"],
            curve["share"],
            where="post",
            label=method,
            markevery=spaced_markers(place, len(methods)),
            **styles[method],
        )
        ends, colour = (curve["low"], curve["high"]), styles[method]["color"]
        band = draw_band(ax, curve["regret"], ends, colour, len(methods), "post")
        for part in (line, band):
            belongs(part, ax, numbers[method])
    ax.set_xlim(min(0.0, float(frame["regret"].min())), frame["regret"].max())
    ax.set_ylim(0.0, 1.02)  # curves that end at 1 are not cut in half
    ax.set_xlabel(regret_label(frame, frame["unit"].iloc[0], width_of(ax) - 4 * _BESIDE))
    ax.set_ylabel("share of runs at or below")
    ax.spines[["top", "right"]].set_visible(False)
    add_note(ax, note)
    add_legend(ax, known, frame)
    return ax


# -- probability of improvement --------------------------------------------------------------------


def improvement(
    store: str | Path | Results, *, against: str = BEST, ax: Axes | None = None
) -> Axes:
    """Draw the chance that a run of one method beats one of each other, with its interval.

    Args:
        store: a results file.
        against: the method that the others are compared with, by any name; ``best`` for that of
            the best interquartile mean.
        ax: where to draw.
    """
    return IMPROVEMENT.plot(store, ax, against=against)


def improvement_data(results: Results, against: str = BEST) -> pd.DataFrame:
    """One row a method: ``method``, ``against``, ``improvement``, ``low``, ``high``.

    ``improvement`` is the probability that a run of ``against`` beats one of ``method``.
    """
    import pandas as pd

    samples = method_samples(results)
    everywhere = common_methods(samples)
    against = best_method(results) if against == BEST else shown_as(results, against)
    if against not in everywhere:
        raise SuiteError(f"{against} has no results on every task: choose another method.")
    if len(everywhere) < 2:
        raise SuiteError(
            "An improvement needs two methods with results on every task: choose a task with "
            "--task, or run more."
        )
    runs = {m: [of_task[m].figures for of_task in samples.values()] for m in everywhere}
    rows = [
        (method, against, *probability_of_improvement(runs[against], runs[method]))
        for method in everywhere
        if method != against
    ]
    frame = pd.DataFrame(rows, columns=["method", "against", "improvement", "low", "high"])
    return frame.sort_values(["improvement", "method"], ignore_index=True)


def draw_improvement(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``improvement_data`` made."""
    places = np.arange(len(frame))
    methods = list(frame["method"])
    styles, numbers = method_styles(methods, frame), method_numbers(methods, frame)
    for place, row in enumerate(frame.to_dict("records")):
        style, number = styles[row["method"]], numbers[row["method"]]
        looks = {name: style[name] for name in ("color", "marker")}
        bar = ax.hlines(place, row["low"], row["high"], color=style["color"], linewidth=1.2)
        (dot,) = ax.plot([row["improvement"]], [place], markersize=5, linestyle="none", **looks)
        for part in (bar, dot):
            belongs(part, ax, number)
    ax.axvline(0.5, color=inks().muted, linewidth=0.8, linestyle="dashed")
    ax.set_yticks(places, [wrap_name(method) for method in methods])
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.set_xlim(min(0.4, float(frame["low"].min()) - 0.02), 1.0)
    label = f"probability that {frame['against'].iloc[0]} is better"
    ax.set_xlabel(balanced(label, letters_in(width_of(ax) - _BESIDE, label)), loc="right")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


# -- distributions ---------------------------------------------------------------------------------


def distribution(store: str | Path | Results, *, ax: Axes | None = None) -> Axes:
    """Draw the regrets of all runs: box of the quartiles, whiskers to 5 and 95 %, every run."""
    return DISTRIBUTION.plot(store, ax)


def distribution_data(results: Results) -> pd.DataFrame:
    """One row a run: ``method``, ``regret``, ``unit``; methods by median.

    Of methods with results on every task, as other runs are of other tasks alone.
    """
    import pandas as pd

    regrets, unit = _regrets(results)
    parts = [
        pd.DataFrame({"method": method, "regret": np.concatenate(strata), "unit": unit})
        for method, strata in regrets.items()
        if len(strata) == len(results.tasks)
    ]
    if not parts:
        raise SuiteError("No method has results on every task: choose one with --task.")
    frame = pd.concat(parts, ignore_index=True)
    order = frame.groupby("method")["regret"].median().sort_values(kind="stable").index
    return frame.set_index("method").loc[order].reset_index()


def draw_distribution(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``distribution_data`` made."""
    methods = list(dict.fromkeys(frame["method"]))
    styles, numbers = method_styles(methods, frame), method_numbers(methods, frame)
    for row, method in enumerate(methods):
        regrets = frame.loc[frame["method"] == method, "regret"].to_numpy()
        # Spread evenly rather than at random, so that the same results look the same.
        offsets = 0.5 * ((np.arange(len(regrets)) * _GOLDEN) % 1.0 - 0.5)
        dots = ax.scatter(
            regrets,
            row + offsets,
            s=5,
            alpha=0.6,
            color=styles[method]["color"],
            linewidths=0,
            rasterized=True,
            zorder=3,  # over the box, but not its median
        )
        belongs(dots, ax, numbers[method])
        ends, middle = np.quantile(regrets, [0.05, 0.95]), np.quantile(regrets, [0.25, 0.5, 0.75])
        thin: dict[str, Any] = {"color": inks().text, "linewidth": 0.9}
        box = ([middle[0], middle[2], middle[2], middle[0], middle[0]], row + 0.3 * _CORNERS)
        for part in (
            ax.hlines(row, ends[0], middle[0], **thin),
            ax.hlines(row, middle[2], ends[1], **thin),
            *ax.plot(*box, **thin),
            ax.vlines(middle[1], row - 0.3, row + 0.3, color=inks().text, linewidth=1.3, zorder=4),
        ):
            belongs(part, ax, numbers[method])
    ax.set_yticks(range(len(methods)), [wrap_name(method) for method in methods])
    ax.set_ylim(len(methods) - 0.5, -0.5)
    label = regret_label(frame, frame["unit"].iloc[0], width_of(ax) - _BESIDE)
    ax.set_xlabel(label, loc="right")
    least, most = min(0.0, float(frame["regret"].min())), float(frame["regret"].max())
    room = _ROOM * (most - least or 1.0)
    ax.set_xlim(least - room, most + room)  # a run at either end stands clear of the axes
    ax.spines[["top", "right"]].set_visible(False)
    return ax


# -- shared ----------------------------------------------------------------------------------------


def _regrets(results: Results) -> tuple[dict[str, list[np.ndarray]], str]:
    """Regrets by method, an array a task, and their unit."""
    samples = method_samples(results)
    tasks = results.tasks
    floors = [tasks[key].noise_floor for key in samples]
    unit = ""
    found: dict[str, list[np.ndarray]] = {}
    for key, of_task in samples.items():
        task = tasks[key]
        sign = 1.0 if task.direction == "maximize" else -1.0
        # Rounded as the figures are, or a regret of nothing could be one below zero.
        reference = results.reference(key)
        best = sign * float(round_figures(reference, reference))
        values = {m: regret(sample.figures, best) for m, sample in of_task.items()}
        if len(samples) == 1:
            scale, unit = 1.0, "points" if task.unit == "%" else task.unit or "no unit"
        elif all(floors):
            scale, unit = float(task.noise_floor or 1.0), "noise floors"
        else:
            scale = max(float(regrets.mean()) for regrets in values.values()) or 1.0
            unit = "share of the worst method's mean"
        for method, regrets in values.items():
            found.setdefault(method, []).append(regrets / scale)
    return dict(sorted(found.items())), unit


def rows_height(methods: Sequence[str], row: float) -> float:
    """Inches of a figure with a row a method, by those of a row; names may take several lines."""
    most = max(len(wrap_name(method).split("\n")) for method in methods)
    return 0.75 + len(methods) * max(row, 0.06 + 0.13 * most)


CRITICAL_DIFFERENCE = Figure(
    "Critical differences",
    "Mean ranks over seeds and tasks, 1 the best; a bar joins methods that Nemenyi's test does not "
    "tell apart.",
    critical_difference_data,
    draw_critical_difference,
    height=critical_difference_height,
    with_failures=True,
    ranked=True,
)
IMPROVEMENT = Figure(
    "Probability of improvement",
    "The chance that a run of the method with the best IQM beats a run of each other, with "
    "its bootstrap interval; one half means no difference.",
    improvement_data,
    draw_improvement,
    height=lambda methods: rows_height(methods, 0.2),
    with_failures=True,
    ranked=True,
)
PROFILE = Figure(
    "Performance profiles",
    "Share of runs whose regret is at most so much, all tasks weighing the same, with bootstrap "
    "bands; the higher curve is better.",
    profiles_data,
    draw_profiles,
    with_failures=True,
)
DISTRIBUTION = Figure(
    "Distribution of regrets",
    "Every run's regret, with box of the quartiles and whiskers from 5 to 95 %.",
    distribution_data,
    draw_distribution,
    height=lambda methods: rows_height(methods, 0.24),
    with_failures=True,
)
