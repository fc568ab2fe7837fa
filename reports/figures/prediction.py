"""Figures of boards of predictors: curves against the number trained, and a heat map of proxies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.prediction import MEASURES, summarise
from reports.figures.style import figure_width, inks, paper_style, save_figure
from reports.labels import told_apart

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
    if not len(table.drop(index="second training", errors="ignore")):
        raise SuiteError("There are no proxies to draw: give their scores by --scores.")
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
        xticklabels=columns,
        cbar_kws={"label": MEASURES[measure].title},
        **colours,
    )
    axes.set_ylabel("")
    axes.set_title(common)
    # Each ends at its column.
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
            figsize=(1.6 + 1.1 * table.shape[1], 0.8 + 0.28 * len(table)), layout="constrained"
        )
        draw_heat_map(table, axes, measure)
        save_figure(figure, path)
        plt.close(figure)


def _written(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _kind(summary: pd.DataFrame, name: str) -> str:
    return str(summary.loc[summary["predictor"] == name, "kind"].iloc[0])
