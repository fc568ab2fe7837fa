"""Figures of boards of predictors: curves against the number trained, and a heat map of proxies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.prediction import CEILING, MEASURES, summarise
from reports.figures.style import figure_width, inks, paper_style, save_figure
from reports.labels import told_apart

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LEGEND_COLUMNS = 4
_LINE = 0.2  # inches of a line of the legend
_COLOURS = 8  # of the style; from there on lines differ by more than colour
_MARKERS = ("o", "s", "^", "D", "v")
_DOTS = (":", "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3)))


def draw_curves(summary: pd.DataFrame, axes: Axes, measure: str) -> Axes:
    """A line a predictor against the number of trained architectures, with intervals over seeds.

    Proxies and the noise ceiling, which learn nothing, are lines across, dotted and dashed.

    Args:
        summary: as ``prediction.summarise`` gives it.
        axes: where to.
        measure: its name.
    """
    kinds = {name: _kind(summary, name) for name in dict.fromkeys(summary["predictor"])}
    learners = [name for name in kinds if kinds[name] == "predictor"]
    proxies = [name for name in kinds if kinds[name] == "proxy"]
    for place, name in enumerate(learners):
        part, colour = summary[summary["predictor"] == name].sort_values("size"), _colour(place)
        marker = _MARKERS[place // _COLOURS % len(_MARKERS)]
        axes.plot(part["size"], part["value"], marker=marker, ms=2.5, color=colour, label=name)
        low, high = part["low"].to_numpy(), part["high"].to_numpy()
        axes.fill_between(part["size"], low, high, color=colour, alpha=0.15, linewidth=0)
    across: dict[str, dict[str, Any]] = {
        name: {"color": inks().text, "linestyle": "--"}
        for name in kinds
        if kinds[name] == "ceiling"
    }
    for place, name in enumerate(proxies):
        style = _DOTS[place // _COLOURS % len(_DOTS)]
        across[name] = {"color": _colour(len(learners) + place), "linestyle": style}
    for name, drawn in across.items():
        value = float(summary.loc[summary["predictor"] == name, "value"].iloc[0])
        axes.axhline(value, linewidth=0.9, label=name, **drawn)
    axes.set_ylabel(MEASURES[measure].title)
    if learners:
        axes.set_xscale("log")
        sizes = sorted(summary.loc[summary["kind"] == "predictor", "size"].unique())
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel("trained architectures")
    else:
        axes.set_xticks([])  # nothing here depends on how many are trained
    return axes


def write_curves(
    boards: Mapping[str, pd.DataFrame],
    measure: str,
    region: str,
    path: Path,
    venue: str = "screen",
) -> None:
    """Draw the boards beside one another, with one legend, into a file."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    with paper_style(venue):
        width = figure_width(venue, "text") / 2 * max(len(boards), 1.4)
        named = {name for rows in boards.values() for name in rows["predictor"]}
        height = 2.8 + _LINE * math.ceil(len(named) / _LEGEND_COLUMNS)
        figure, grid = plt.subplots(
            1, len(boards), figsize=(width, height), squeeze=False, layout="constrained"
        )
        handles: dict[str, Artist] = {}
        for axes, (title, rows) in zip(grid[0], boards.items(), strict=True):
            draw_curves(summarise(rows, measure, region), axes, measure)
            axes.set_title(title)
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="outside lower center",
            ncols=_LEGEND_COLUMNS,
            frameon=False,
        )
        save_figure(figure, path)
        plt.close(figure)


def heat_map_table(boards: Mapping[str, pd.DataFrame], measure: str, region: str) -> pd.DataFrame:
    """The measure of every proxy, a row each, best first, on every board, a column each.

    Raises:
        SuiteError: no board has a proxy.
    """
    import pandas as pd

    columns = {}
    for title, rows in boards.items():
        summary = summarise(rows, measure, region)
        kept = summary[summary["kind"].isin(["proxy", "ceiling"])]
        columns[title] = kept.set_index("predictor")["value"]
    table = pd.DataFrame(columns)
    if not len(table.drop(index=CEILING, errors="ignore")):
        raise SuiteError("There are no proxies to draw: give their scores by --scores.")
    if not np.isfinite(table.to_numpy()).any():
        raise SuiteError(
            f"There is no {MEASURES[measure].title} to draw: no proxy tells any two architectures "
            f"apart, or too few are tested."
        )
    means = table.mean(axis=1).sort_values(ascending=not MEASURES[measure].larger, kind="stable")
    return table.loc[means.index]


def draw_heat_map(table: pd.DataFrame, axes: Axes, measure: str) -> Axes:
    """A row a proxy, a column a board; what all boards have in common stands above.

    Args:
        table: as ``heat_map_table`` gives it.
        axes: where to.
        measure: its name.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    columns, common = told_apart([str(title) for title in table])
    lowest, highest = MEASURES[measure].bounds
    colours: dict[str, object] = {"cmap": "vlag", "center": 0, "vmin": lowest, "vmax": highest}
    if not MEASURES[measure].larger:  # a regret has no greatest value
        colours = {"cmap": "rocket_r", "vmin": lowest}
    elif float(np.nanmin(table)) >= 0:
        colours["vmin"] = 0
    sns.heatmap(
        table,
        ax=axes,
        annot=table.map(_written),
        fmt="",
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": MEASURES[measure].title},
        **colours,
    )
    axes.set_ylabel("")
    axes.set_title(common)
    # Not by seaborn, which would read them as formulas; each ends at its column.
    axes.set_yticks(np.arange(len(table)) + 0.5, [str(name) for name in table.index])
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    plt.setp(axes.get_xticklabels(), rotation=30, ha="right", rotation_mode="anchor")
    return axes


def write_heat_map(
    boards: Mapping[str, pd.DataFrame],
    measure: str,
    region: str,
    path: Path,
    venue: str = "screen",
) -> None:
    """Draw proxies by data set, best first, and the noise ceiling, into a file."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    table = heat_map_table(boards, measure, region)
    with paper_style(venue):
        figure, axes = plt.subplots(
            figsize=(1.6 + 1.1 * table.shape[1], max(0.8 + 0.28 * len(table), 2.6)),
            layout="constrained",
        )
        draw_heat_map(table, axes, measure)
        save_figure(figure, path)
        plt.close(figure)


def _colour(place: int) -> str:
    return f"C{place % _COLOURS}"


def _written(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _kind(summary: pd.DataFrame, name: str) -> str:
    return str(summary.loc[summary["predictor"] == name, "kind"].iloc[0])
