"""Figures of boards of predictors: curves against the number trained, and a heat map of proxies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.prediction import MEASURES, summarise
from reports.figures.style import figure_width, inks, paper_style, save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def draw_curves(summary: pd.DataFrame, axes: Axes, measure: str) -> Axes:
    """A line a predictor against the number of trained architectures, with intervals over seeds.

    Proxies and the noise ceiling, which learn nothing, are lines across, the ceiling dashed.

    Args:
        summary: as ``prediction.summarise`` gives it.
        axes: where to.
        measure: its name.
    """
    import seaborn as sns

    learners = [n for n in dict.fromkeys(summary["predictor"]) if _kind(summary, n) == "predictor"]
    colours = sns.color_palette("husl", len(learners)) if len(learners) > 8 else None
    for place, name in enumerate(learners):
        part = summary[summary["predictor"] == name].sort_values("size")
        colour = colours[place] if colours else f"C{place}"
        axes.plot(part["size"], part["value"], marker="o", ms=2.5, color=colour, label=name)
        low, high = part["low"].to_numpy(), part["high"].to_numpy()
        axes.fill_between(part["size"], low, high, color=colour, alpha=0.15, linewidth=0)
    styles = {"ceiling": (inks().text, "--"), "proxy": (inks().muted, ":")}
    for name in dict.fromkeys(summary["predictor"]):
        kind = _kind(summary, name)
        if kind in styles:
            value = float(summary.loc[summary["predictor"] == name, "value"].iloc[0])
            colour, style = styles[kind]
            axes.axhline(value, color=colour, linestyle=style, linewidth=0.9, label=name)
    if learners:
        axes.set_xscale("log")
        sizes = sorted(summary.loc[summary["kind"] == "predictor", "size"].unique())
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
    axes.set_xlabel("trained architectures")
    axes.set_ylabel(MEASURES[measure].title)
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
        figure, grid = plt.subplots(
            1, len(boards), figsize=(width, 3.2), squeeze=False, layout="constrained"
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
            ncols=4,
            frameon=False,
        )
        save_figure(figure, path)
        plt.close(figure)


def heat_map_table(boards: Mapping[str, pd.DataFrame], measure: str, region: str) -> pd.DataFrame:
    """The measure of every proxy, a row each, on every board, a column each.

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
    if not len(table.drop(index="second training", errors="ignore")):
        raise SuiteError("There are no proxies to draw: give their scores by --scores.")
    return table.loc[table.mean(axis=1).sort_values(ascending=False).index]


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
    import seaborn as sns

    table = heat_map_table(boards, measure, region)
    with paper_style(venue):
        figure, axes = plt.subplots(
            figsize=(1.6 + 1.1 * table.shape[1], 0.8 + 0.28 * len(table)), layout="constrained"
        )
        sns.heatmap(
            table,
            ax=axes,
            cmap="vlag",
            center=0,
            vmin=-1 if float(np.nanmin(table)) < 0 else 0,
            vmax=1,
            annot=True,
            fmt=".2f",
            cbar_kws={"label": MEASURES[measure].title},
        )
        axes.set_ylabel("")
        axes.tick_params(axis="x", rotation=30)
        save_figure(figure, path)
        plt.close(figure)


def _kind(summary: pd.DataFrame, name: str) -> str:
    return str(summary.loc[summary["predictor"] == name, "kind"].iloc[0])
