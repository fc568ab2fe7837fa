"""Methods by tasks, as papers print them: best bold, second underlined, worse than best marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_suite.analysis.comparison import method_blocks
from nasbench_suite.analysis.leaderboard import results_leaderboard
from nasbench_suite.analysis.results import budget_text
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.statistics.significance import check_level, holm, wilcoxon
from reports.tables.rendering import latex_text, markdown_text

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.results import Results

_STATISTICS = ("mean", "median", "iqm")


@dataclass(frozen=True)
class Cell:
    """One method on one task.

    Attributes:
        figure: the statistic, as text; empty if there are no results.
        spread: what follows it, as text.
        place: 1 the best as printed, 2 the second; equals share a place.
        worse: whether it is significantly worse than the best.
    """

    figure: str
    spread: str
    place: int
    worse: bool


@dataclass(frozen=True)
class PaperTable:
    """A table of methods (rows) by tasks (columns).

    Attributes:
        methods: row headings.
        tasks: column headings.
        cells: one row a method.
        caption: what is shown, and what the marks mean.
    """

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    caption: str


def paper_table(
    results: Results,
    *,
    methods: Sequence[str] | None = None,
    statistic: Literal["mean", "median", "iqm"] = "mean",
    alpha: float = 0.05,
) -> PaperTable:
    """Methods by tasks.

    A method is marked where Wilcoxon's signed-rank test over the seeds that it shares with the
    best, Holm-adjusted within the task, finds it worse.

    Args:
        results: what to print.
        methods: which, in this order; by default all, by name.
        statistic: what of the seeds.
        alpha: level of the test.

    Raises:
        SuiteError: unknown method or statistic, or a level out of range.
    """
    check_level(alpha)
    if statistic not in _STATISTICS:
        raise SuiteError(choose_from("statistic", statistic, list(_STATISTICS)))
    rows = results_leaderboard(results, resamples=1000)
    known = sorted(rows["method"].unique())
    for method in methods or ():
        if method not in known:
            raise SuiteError(choose_from("method with results", method, known))
    shown = list(methods or known)
    blocks = method_blocks(results, methods=shown)
    columns = []
    units = set()
    for key, block in blocks.items():
        part = rows[rows["task_key"] == key].set_index("method").reindex(shown)
        task = results.tasks[key]
        units.add(task.unit)
        columns.append(_column(part, block, statistic, task.direction, alpha))
    unit = units.pop() if len(units) == 1 else ""
    tasks, budget = _headings(results, list(blocks))
    seeds = sorted({len(block) for block in blocks.values()})
    count = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    what = {
        "mean": "Mean and standard deviation",
        "median": "Median",
        "iqm": "IQM with 95% bootstrap interval",
    }[statistic]
    return PaperTable(
        tuple(shown),
        tasks,
        tuple(zip(*columns, strict=True)),
        f"{what} over {count} seeds{f', in {unit}' if unit else ''}{budget}. Bold: best; "
        f"underlined: second; † worse "
        f"than the best (Wilcoxon signed-rank, Holm-adjusted, p < {alpha:g}).",
    )


def _headings(results: Results, keys: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Names of tasks, and what of them is said once if all have one budget."""
    short = tuple(results.tasks[key].name for key in keys)
    budgets = {budget_text(results.tasks[key]) for key in keys}
    if len(budgets) == 1 and len(set(short)) == len(short):
        return short, f", after {budgets.pop()}"
    return tuple(results.names[key] for key in keys), ""


def _column(
    part: pd.DataFrame, block: pd.DataFrame, statistic: str, direction: str, alpha: float
) -> list[Cell]:
    floor = part["noise_floor"].max()
    scale = floor if floor > 0 else part["std"].median()
    digits = int(np.clip(1 - np.floor(np.log10(scale)), 1, 6)) if scale > 0 else 2
    texts = [f"{value:.{digits}f}" if np.isfinite(value) else "" for value in part[statistic]]
    printed = sorted({float(text) for text in texts if text}, reverse=direction == "maximize")
    places = {value: place for place, value in enumerate(printed, start=1)}
    # By the statistic itself, so that of two equal as printed the better one is the reference.
    sign = 1.0 if direction == "maximize" else -1.0
    best = (sign * part[statistic]).idxmax() if len(places) else None
    others = [m for m in part.index if m in block.columns and m != best]
    p_values = {}
    if best is not None:
        tested = []
        for method in others:
            both = block[[best, method]].dropna()
            differences = (both[best] - both[method]).to_numpy()
            behind = len(differences) and differences.mean() > 0  # else the ranks favour it
            tested.append(float(wilcoxon(differences)) if behind else 1.0)
        p_values = dict(zip(others, holm(tested), strict=True))
    cells = []
    for method, text in zip(part.index, texts, strict=True):
        row = part.loc[method]
        if statistic == "mean" and np.isfinite(row["std"]):
            spread = f"±{row['std']:.{digits}f}"
        elif statistic == "iqm" and np.isfinite(row["low"]):
            spread = f"[{row['low']:.{digits}f}, {row['high']:.{digits}f}]"
        else:
            spread = ""
        cells.append(
            Cell(
                text,
                spread,
                places[float(text)] if text else 0,
                bool(p_values.get(method, 1.0) < alpha),
            )
        )
    return cells


def paper_table_latex(table: PaperTable) -> str:
    r"""For ``\usepackage{booktabs}``."""
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.caption)}}}",
        rf"\begin{{tabular}}{{l{'c' * len(table.tasks)}}}",
        r"\toprule",
        " & ".join(["method", *map(latex_text, table.tasks)]) + r" \\",
        r"\midrule",
    ]
    for method, cells in zip(table.methods, table.cells, strict=True):
        lines.append(" & ".join([latex_text(method), *map(_latex_cell, cells)]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _latex_cell(cell: Cell) -> str:
    if not cell.figure:
        return "--"
    shown = cell.figure
    if cell.place == 1:
        shown = rf"\textbf{{{shown}}}"
    elif cell.place == 2:
        shown = rf"\underline{{{shown}}}"
    spread = (
        cell.spread.replace("±", r"{\scriptsize$\pm$") + "}"
        if "±" in cell.spread
        else (rf"{{\scriptsize {cell.spread}}}" if cell.spread else "")
    )
    return shown + (r"$^{\dagger}$" if cell.worse else "") + (f" {spread}" if spread else "")


def paper_table_markdown(table: PaperTable) -> str:
    """For GitHub; the second is underlined by HTML, as Markdown has no underline."""
    lines = [
        f"| method | {' | '.join(map(markdown_text, table.tasks))} |",
        f"|---|{'---:|' * len(table.tasks)}",
    ]
    for method, cells in zip(table.methods, table.cells, strict=True):
        shown = []
        for cell in cells:
            text = {1: f"**{cell.figure}**", 2: f"<u>{cell.figure}</u>"}.get(
                cell.place, cell.figure or "-"
            )
            shown.append(f"{text}{'†' if cell.worse else ''} {cell.spread}".strip())
        lines.append(f"| {markdown_text(method)} | {' | '.join(shown)} |")
    return "\n".join([*lines, "", table.caption]) + "\n"
