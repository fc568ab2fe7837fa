"""Methods by tasks, as papers print them: best bold, second underlined, worse than best marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nasbench_suite.analysis.leaderboard import Boards, results_boards
from nasbench_suite.analysis.results import budget_text
from nasbench_suite.analysis.samples import explain_crossfit
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.parsing import counted, seed_ranges
from nasbench_suite.statistics.significance import check_level
from reports.credits import credit_lines
from reports.labels import Presented, common_settings, present, told_apart
from reports.tables.latex import NEEDED, latex_table, latex_text
from reports.tables.rendering import markdown_text
from reports.tables.text import (
    WORSE,
    explain_failures,
    explain_one_figure,
    interval,
    number,
    task_digits,
)

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

    A method is marked where its interquartile mean is worse than the best one of its task, as
    ``nasbench leaderboard`` finds it among the methods shown.

    Args:
        results: what to print.
        methods: which, in this order; by default all, as the leaderboard has them: of several
            tasks by their score over all, or by their mean rank where no optimum is known.
        statistic: what of the seeds.
        alpha: level of the test.

    Raises:
        SuiteError: unknown method or statistic, or a level out of range.
    """
    check_level(alpha)
    if statistic not in _STATISTICS:
        raise SuiteError(choose_from("statistic", statistic, list(_STATISTICS)))
    presented = present(results, methods=methods, order=methods)
    boards = results_boards(presented, confidence=1.0 - alpha)
    rows = boards.rows
    shown = list(dict.fromkeys([*presented.order, *_best_first(boards)]))
    results = presented
    keys = list(dict.fromkeys(rows["task_key"]))
    columns = [
        _column(rows[rows["task_key"] == key].set_index("method").reindex(shown), statistic)
        for key in keys
    ]
    tasks, budget = _headings(presented, keys)
    metric, unit = _judged(presented, keys)
    what = {
        "mean": "Mean and standard deviation" if rows["std"].notna().any() else "Mean",
        "median": "Median",
        "iqm": f"IQM with {100 * (1 - alpha):g}% interval",
    }[statistic]
    headings = dict(zip(keys, tasks, strict=True))
    seeds = _seeds_text(rows, headings)
    return PaperTable(
        tuple(shown),
        tasks,
        tuple(zip(*columns, strict=True)),
        f"{what}{metric} over {seeds}{budget}{unit}. "
        f"Bold: best; underlined: second; {WORSE} IQM worse than the best (Yuen's test, "
        f"adjusted for all pairs, p < {alpha:g})."
        + "".join(
            f" {sentence}"
            for sentence in (
                explain_failures(rows.assign(task=rows["task_key"].map(headings))),
                *([explain_one_figure(rows)] if statistic == "iqm" else []),
                explain_crossfit(presented.tasks.values(), optimum=False),
                *common_settings(presented),
                *credit_lines(presented.tasks.values()),
            )
            if sentence
        ),
    )


def _best_first(boards: Boards) -> list[str]:
    """The methods of leaderboards, over all tasks where there are several."""
    overall = boards.overall
    if boards.rows["task_key"].nunique() > 1 and overall["score"].notna().any():
        return list(map(str, overall["method"]))
    places = boards.rows.groupby("method", sort=False)["rank"].mean().sort_values(kind="stable")
    return list(map(str, places.index))


def _judged(results: Presented, keys: Sequence[str]) -> tuple[str, str]:
    """What the figures are, and in which unit; of which column where they are not all of one kind.

    Args:
        results: with the tasks.
        keys: of the tasks, in the order of the columns.
    """
    columns: dict[tuple[str, str], list[int]] = {}
    for place, key in enumerate(keys, start=1):
        task = results.tasks[key]
        unit = f", in {task.unit}" if task.unit else ""
        better = ", smaller is better" if task.direction == "minimize" else ""
        columns.setdefault((results.labels.judged_by(task), unit + better), []).append(place)
    if len(columns) == 1:
        ((metric, unit),) = columns
        return f" of the {metric}", unit
    told = (
        f"column{'s' if len(where) > 1 else ''} {seed_ranges(where)}: {metric}{unit}"
        for (metric, unit), where in columns.items()
    )
    return "", f"; {'; '.join(told)}"


def _seeds_text(rows: pd.DataFrame, headings: Mapping[str, str]) -> str:
    """How many seeds there are, and on which tasks and of which methods there are others.

    Args:
        rows: of the leaderboard.
        headings: of the tasks, by key.
    """
    counts = rows.loc[rows["seeds"] > 0, ["method", "task_key", "seeds"]]
    if not len(counts):
        return "no seed"
    usual = int(counts["seeds"].mode().max())
    # A task on which all methods have another number is said once.
    of_task = counts.groupby("task_key", sort=False)["seeds"].agg(["min", "max"])
    alike = of_task[(of_task["min"] == of_task["max"]) & (of_task["min"] != usual)]["min"]
    named = [f"{n} on {headings[str(key)]}" for key, n in alike.items()]
    counts = counts[~counts["task_key"].isin(alike.index)]
    for method, part in counts.groupby("method", sort=False):
        others = part[part["seeds"] != usual]
        if not len(others):
            continue
        where = ", ".join(headings[key] for key in others["task_key"])
        low, high = others["seeds"].min(), others["seeds"].max()
        number = str(low) if low == high else f"{low} to {high}"
        named.append(f"{number} of {method}" + (f" on {where}" if len(others) < len(part) else ""))
    return counted(usual, "seed") + (f" ({'; '.join(named)})" if named else "")


def _headings(results: Presented, keys: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Names of tasks, and what all have in common, which is said once if they have one budget."""
    short = tuple(results.labels.task(results.tasks[key]) for key in keys)
    budgets = {budget_text(results.tasks[key]) for key in keys}
    names = tuple(results.names[key] for key in keys)
    if len(budgets) > 1:
        return names, ""
    (budget,) = budgets
    if len(set(short)) < len(short):  # tasks that differ by what they are judged by
        short = tuple(name.replace(f", {budget}", "") for name in names)
    headings, common = told_apart(short)
    return tuple(headings), f"{f', on {common}' if common else ''}, after {budget}"


def _column(part: pd.DataFrame, statistic: str) -> list[Cell]:
    """The cells of one task, a method each.

    Args:
        part: rows of the leaderboard, in the order of the table.
        statistic: which of their columns.
    """
    digits = task_digits(part, fewest=1)
    texts = [number(value, digits) if np.isfinite(value) else "" for value in part[statistic]]
    places = _places(texts, part["direction"].dropna().iloc[0] == "maximize")
    return [
        Cell(text, _spread(row, statistic, digits), places.get(text, 0), row["worse"] is True)
        for text, row in zip(texts, part.to_dict("records"), strict=True)
    ]


def _places(texts: Sequence[str], larger: bool) -> dict[str, int]:
    """Place of each figure as it is printed, 1 the best; equals share one."""
    printed = sorted({text for text in texts if text}, key=float, reverse=larger)
    return {text: place for place, text in enumerate(printed, start=1)}


def _spread(row: Mapping[Any, Any], statistic: str, digits: int) -> str:
    """What follows the figure."""
    if statistic == "mean" and np.isfinite(row["std"]):
        return f"±{number(row['std'], digits)}"
    if statistic == "iqm" and np.isfinite(row["low"]):
        return interval(row["low"], row["high"], digits)
    return ""


def paper_table_latex(table: PaperTable) -> str:
    r"""For ``\usepackage{booktabs,graphicx}``."""
    rows = [
        [latex_text(method), *map(_latex_cell, cells)]
        for method, cells in zip(table.methods, table.cells, strict=True)
    ]
    alignment = "l" + "r" * len(table.tasks)
    lines = latex_table(table.caption, alignment, ["method", *table.tasks], rows)
    return "\n".join([NEEDED, *lines]) + "\n"


def _latex_cell(cell: Cell) -> str:
    if not cell.figure:
        return "--"
    shown = latex_text(cell.figure)
    if cell.place == 1:
        shown = rf"\textbf{{{shown}}}"
    elif cell.place == 2:
        shown = rf"\underline{{{shown}}}"
    spread = rf"{{\scriptsize {latex_text(cell.spread)}}}" if cell.spread else ""
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
