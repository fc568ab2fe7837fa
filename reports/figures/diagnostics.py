"""What differentiable methods logged of themselves, over their epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nasbench_suite.analysis.results import Results
from nasbench_suite.analysis.robustness import derived_curves, diagnostic_curves
from nasbench_suite.errors import SuiteError
from reports.figures.figure import Figure
from reports.figures.methods import (
    add_legend,
    add_note,
    balanced,
    belongs,
    best_few,
    draw_band,
    method_numbers,
    method_styles,
    plain_decades,
    plain_numbers,
    spaced_markers,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


_UPWARDS = 30  # characters of the vertical label on one line


def diagnostic_data(name: str) -> Callable[[Results], pd.DataFrame]:
    """What makes the table of a diagnostic: see ``analysis.robustness.diagnostic_curves``."""

    def data(results: Results) -> pd.DataFrame:
        frame = diagnostic_curves(results, name)
        if not len(frame):
            raise SuiteError(
                f"No trial in {results.path} logged {name!r}: methods with a supernet do (the "
                f"dominant eigenvalue with the hyper-parameter eigenvalue_every)."
            )
        return frame.reset_index(drop=True)

    return data


def derived_data(results: Results) -> pd.DataFrame:
    """See ``analysis.robustness.derived_curves``; and ``unit`` of what the task is judged by."""
    frame = derived_curves(results)
    if not len(frame):
        raise SuiteError(
            f"No trial in {results.path} derived an architecture after every epoch: methods with "
            f"a supernet do."
        )
    (task,) = results.tasks.values()
    return frame.reset_index(drop=True).assign(unit=task.unit)


def diagnostic_drawing(
    label: str | None, *, log: bool = False
) -> Callable[[pd.DataFrame, Axes], Axes]:
    """What draws such a table: medians over seeds, quartiles as bands.

    Args:
        label: of the vertical axis; None for what the task is judged by.
        log: whether that axis is logarithmic.
    """

    def draw(frame: pd.DataFrame, ax: Axes) -> Axes:
        from matplotlib.ticker import MaxNLocator

        known = list(dict.fromkeys(frame["method"]))
        methods, note = best_few(known)
        styles, numbers = method_styles(known, frame), method_numbers(known, frame)
        for place, method in enumerate(methods):
            curve, style = frame[frame["method"] == method], styles[method]
            spacing = spaced_markers(place, len(methods))
            (line,) = ax.plot(
                curve["step"], curve["median"], label=method, markevery=spacing, **style
            )
            ends = curve["low"], curve["high"]
            band = draw_band(ax, curve["step"], ends, style["color"], len(methods))
            for part in (line, band):
                belongs(part, ax, numbers[method])
        if log:
            ax.set_yscale("log")
            plain_decades(ax.yaxis)
        # There is no half an epoch, and what is logged every five lies on a tick.
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        plain_numbers(ax)
        ax.set_xlabel("epoch")
        ax.set_ylabel(balanced(label or _judged_by(frame), _UPWARDS))
        add_note(ax, note.replace("the best", "the first"))
        add_legend(ax, known, frame)
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    return draw


def _judged_by(frame: pd.DataFrame) -> str:
    unit = frame["unit"].iloc[0]
    return str(frame.attrs["metric"]) + (f" ({unit})" if unit else "")


def _over_epochs(logged: str, title: str, summary: str, label: str, *, log: bool = False) -> Figure:
    """The figure of one diagnostic.

    Args:
        logged: the name that methods log it by.
        title: the figure's heading.
        summary: what the diagnostic is.
        label: of the vertical axis, with the unit.
        log: whether that axis is logarithmic.
    """
    return Figure(
        title,
        f"{summary}, over the epochs of a search; median over seeds, quartiles as band.",
        diagnostic_data(logged),
        diagnostic_drawing(label, log=log),
        across=False,
    )


EIGENVALUE = _over_epochs(
    "dominant_eigenvalue",
    "Sharpness",
    "Largest eigenvalue of the Hessian of the validation loss in the architecture parameters",
    "dominant eigenvalue of the Hessian",
)
ENTROPY = _over_epochs(
    "entropy",
    "Entropy",
    "Entropy of the operation strengths of an edge",
    "entropy of an edge's strengths (nats)",
)
DISCRETISATION_GAP = _over_epochs(
    "discretisation_gap",
    "Discretisation gap",
    "Validation accuracy of the supernet less that of the derived path in it",
    "validation accuracy lost by deriving (points)",
)
NODE_VARIANCE = _over_epochs(
    "node_variance",
    "Variance of nodes",
    "Activation variance of the cells' nodes, mean over nodes and cells",
    "activation variance of nodes",
    log=True,
)
EDGE_VARIANCE = _over_epochs(
    "edge_variance",
    "Variance of edges",
    "Activation variance of what edges carry, mean over edges and cells",
    "activation variance of edges",
    log=True,
)
DERIVED = Figure(
    "Derived architectures",
    "What the architecture is worth that would be derived after each epoch of a search with a "
    "supernet, from the table; median over seeds, quartiles as band.",
    derived_data,
    diagnostic_drawing(None),
    across=False,
)
