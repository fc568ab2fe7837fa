"""Median attainment surfaces of searches for several objectives, beside the true front."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.fronts import attainment_surfaces
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.errors import SuiteError
from reports.figures.anytime import add_legend, method_styles
from reports.figures.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TRUE_FRONT = "true front"
_MOST = 8  # more colours than these cannot be told apart


def attainment(store: str | Path | Results, *, share: float = 0.5, ax: Axes | None = None) -> Axes:
    """Draw what a share of each method's searches reached or did better than.

    The surface of the empirical attainment function (Grunert da Fonseca, Fonseca and Hall, EMO
    2001); with ``share`` one half it is the median front.

    Raises:
        SuiteError: the results are of several tasks, or of a task with one objective.
    """
    results = store if isinstance(store, Results) else read_results(store)
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(layout="constrained")
    return draw_attainment(attainment_data(results, share), ax)


def attainment_data(results: Results, share: float = 0.5) -> pd.DataFrame:
    """One row a point: ``method``, ``x`` and ``y`` (the second objective and the first).

    The true front comes first, under that name; ``x_label``, ``y_label``, ``x_direction`` and
    ``y_direction`` are the same in every row.

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
    surfaces = {TRUE_FRONT: np.array(task.measure["front"])}
    surfaces |= attainment_surfaces(results, key, share)
    return pd.concat(
        [
            pd.DataFrame({"method": method, "x": points[:, 1], "y": points[:, 0]}).sort_values("x")
            for method, points in surfaces.items()
            if len(points)
        ],
        ignore_index=True,
    ).assign(
        x_label=_label(second),
        y_label=_label(first),
        x_direction=second["direction"],
        y_direction=first["direction"],
        front_label=front_label(task.measure),
    )


def front_label(measure: Mapping[str, Any]) -> str:
    """What the front is called that searches are measured beside."""
    if "sampled" in measure:
        return f"front of {measure['sampled']:,} random architectures"
    return TRUE_FRONT


def draw_attainment(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what ``attainment_data`` made; of more than 8 methods, the first 8 by name."""
    methods = [m for m in dict.fromkeys(frame["method"]) if m != TRUE_FRONT][:_MOST]
    styles = method_styles(methods)
    labels = frame.iloc[0]
    for method in [TRUE_FRONT, *methods]:
        points = frame.loc[frame["method"] == method, ["x", "y"]].to_numpy()
        x, y = _staircase(points, labels["x_direction"], labels["y_direction"])
        style = styles.get(method, {"color": "black", "linestyle": "dotted", "linewidth": 1.2})
        ax.plot(x, y, label=labels["front_label"] if method == TRUE_FRONT else method, **style)
    best = frame.loc[frame["method"] == TRUE_FRONT, ["x", "y"]].to_numpy()
    room = np.ptp(best, axis=0) * [0.1, 0.3]
    x_low, y_low = best.min(axis=0) - room
    x_high, y_high = best.max(axis=0) + room
    ax.set_xlim(x_low, x_high)
    ax.set_ylim(y_low, y_high)
    ax.set_xlabel(labels["x_label"])
    ax.set_ylabel(labels["y_label"])
    ax.spines[["top", "right"]].set_visible(False)
    add_legend(ax, [TRUE_FRONT, *methods])
    return ax


def _label(objective: dict[str, Any]) -> str:
    unit = f" ({objective['unit']})" if objective["unit"] else ""
    return f"{objective['name']}{unit}"


def _staircase(points: Any, across: str, up: str) -> tuple[Any, Any]:
    """Corners of the region that points dominate, from the better end of the second objective."""
    x_sign = 1 if across == "minimize" else -1
    y_sign = 1 if up == "maximize" else -1
    order = np.lexsort((-y_sign * points[:, 1], x_sign * points[:, 0]))
    x, y = points[order, 0], y_sign * np.maximum.accumulate(y_sign * points[order, 1])
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


ATTAINMENT = Figure(
    "Attainment",
    "What half of each method's searches for several objectives reached or did better than, beside "
    "the true front.",
    attainment_data,
    draw_attainment,
    across=False,
)
