"""The figures that ``nasbench figure`` and the HTML report know, by name.

A further figure is one entry of ``FIGURES``: a function that makes a table from results, and one
that draws such a table on axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.analysis.curves import results_curves
from nasbench_suite.analysis.results import Results
from nasbench_suite.errors import SuiteError, choose_from
from reports.figures import comparison as comparison_figures
from reports.figures.anytime import anytime_curves, legend_height
from reports.figures.attainment import attainment_data, draw_attainment
from reports.figures.diagnostics import diagnostic_data, diagnostic_drawing
from reports.figures.style import check_figure_path, figure_width, paper_style, save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure


@dataclass(frozen=True)
class Figure:
    """A figure that can be drawn from results.

    Attributes:
        name: what ``nasbench figure`` calls it.
        title: its heading.
        summary: what it shows, in one sentence.
        data: a table of all that is drawn.
        draw: draws that table on axes.
        across: whether it can show several tasks together; otherwise it shows one.
        height: inches, by the names of the methods; by default 0.62 of the width, and what a legend
            below takes.
    """

    name: str
    title: str
    summary: str
    data: Callable[[Results], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Axes], Axes]
    across: bool = True
    height: Callable[[Sequence[str]], float] | None = None


FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "anytime",
            "Anytime curves",
            "Interquartile mean over seeds of the incumbent's regret, against the budget spent, "
            "with its bootstrap band; grey: below the noise floor.",
            results_curves,
            lambda frame, ax: anytime_curves(frame, ax=ax),
            across=False,
        ),
        Figure(
            "critical-difference",
            "Critical differences",
            "Mean ranks over seeds and tasks, 1 the best; a bar joins methods that Nemenyi's test "
            "does not tell apart.",
            comparison_figures.critical_difference_data,
            comparison_figures.draw_critical_difference,
            height=comparison_figures.critical_difference_height,
        ),
        Figure(
            "improvement",
            "Probability of improvement",
            "The chance that a run of the method with the best mean rank beats a run of each "
            "other, with its bootstrap interval; one half means no difference.",
            comparison_figures.improvement_data,
            comparison_figures.draw_improvement,
            height=lambda methods: 0.7 + 0.2 * len(methods),
        ),
        Figure(
            "profile",
            "Performance profiles",
            "Share of runs whose regret is at most so much, all tasks weighing the same, with "
            "bootstrap bands; the higher curve is better.",
            comparison_figures.profiles_data,
            comparison_figures.draw_profiles,
        ),
        Figure(
            "distribution",
            "Distribution of regrets",
            "Every run's regret, with box of the quartiles and whiskers from 5 to 95 %.",
            comparison_figures.distribution_data,
            comparison_figures.draw_distribution,
            height=lambda methods: 0.7 + 0.24 * len(methods),
        ),
        Figure(
            "attainment",
            "Attainment",
            "What half of each method's searches for several objectives reached or did better "
            "than, beside the true front.",
            attainment_data,
            draw_attainment,
            across=False,
        ),
        *(
            Figure(
                name,
                title,
                f"{summary}, over the epochs of a search; median over seeds, quartiles as band.",
                diagnostic_data(logged),
                diagnostic_drawing(label, log=log),
                across=False,
            )
            for name, logged, title, summary, label, log in (
                (
                    *("eigenvalue", "dominant_eigenvalue", "Sharpness"),
                    "Largest eigenvalue of the Hessian of the validation loss in the architecture "
                    "parameters",
                    *("dominant eigenvalue", False),
                ),
                (
                    *("entropy", "entropy", "Entropy"),
                    "Entropy of the operation strengths of an edge",
                    *("entropy (nats)", False),
                ),
                (
                    *("discretisation-gap", "discretisation_gap", "Discretisation gap"),
                    "Validation accuracy of the supernet less that of the derived path in it",
                    *("gap (points)", False),
                ),
                (
                    *("node-variance", "node_variance", "Variance of nodes"),
                    "Activation variance of the cells' nodes, mean over nodes and cells",
                    *("activation variance", True),
                ),
                (
                    *("edge-variance", "edge_variance", "Variance of edges"),
                    "Activation variance of what edges carry, mean over edges and cells",
                    *("activation variance", True),
                ),
            )
        ),
    )
}


def choose_figure(name: str) -> Figure:
    """The figure of that name.

    Raises:
        SuiteError: there is none.
    """
    if name not in FIGURES:
        raise SuiteError(choose_from("figure", name, list(FIGURES)))
    return FIGURES[name]


def one_task(results: Results, task: str) -> Results:
    """The results of one task alone, by its readable name.

    Raises:
        SuiteError: there is no such task.
    """
    keys = [key for key, name in results.names.items() if name == task]
    if not keys:
        raise SuiteError(choose_from("task", task, list(results.names.values())))
    (key,) = keys
    trials = results.trials[results.trials["task_key"] == key].reset_index(drop=True)
    return replace(results, tasks={key: results.tasks[key]}, names={key: task}, trials=trials)


def make_figure(
    name: str,
    frame: pd.DataFrame,
    *,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
) -> MatplotlibFigure:
    """A figure of a venue's width, to be saved in ``paper_style`` of that venue.

    Args:
        name: which figure.
        frame: what its ``data`` made.
        venue: see ``reports.figures.style.WIDTHS``.
        width: ``column`` or ``text``.
        height: inches; by default as the figure asks.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    chosen = choose_figure(name)
    inches = figure_width(venue, width)
    if height is None:
        methods = list(dict.fromkeys(frame["method"]))
        height = chosen.height(methods) if chosen.height else 0.62 * inches + legend_height(methods)
    figure = MatplotlibFigure(figsize=(inches, height), layout="constrained")
    chosen.draw(frame, figure.subplots())
    return figure


def write_paper_figure(
    results: Results,
    name: str,
    path: str | Path,
    *,
    task: str | None = None,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
) -> pd.DataFrame:
    """Write a figure for a paper as PDF, SVG or PNG, fonts embedded.

    Args:
        results: what to draw from.
        name: which figure; see ``FIGURES``.
        path: the file; its ending says what kind.
        task: one task alone, by its readable name; needed for a figure of one task if there are
            several.
        venue: see ``reports.figures.style.WIDTHS``.
        width: ``column`` or ``text``.
        height: inches; by default as the figure asks.

    Returns:
        The table behind the figure.

    Raises:
        SuiteError: unknown figure, task, venue or width, or a file that cannot be written.
    """
    chosen = choose_figure(name)
    path = Path(path)
    check_figure_path(path)
    figure_width(venue, width)
    if height is not None and not 0.3 <= height <= 30:
        raise SuiteError(f"A height of {height} inches is impossible: give 0.3 to 30.")
    if task is not None:
        results = one_task(results, task)
    elif not chosen.across and len(results.tasks) > 1:
        raise SuiteError(
            f"The figure {name!r} shows one task: choose one of "
            f"{'; '.join(results.names.values())} with --task."
        )
    frame = chosen.data(results)
    with paper_style(venue):
        save_figure(make_figure(name, frame, venue=venue, width=width, height=height), path)
    return frame
