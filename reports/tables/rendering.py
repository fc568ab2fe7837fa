"""Leaderboards as tables of text, and these in Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nasbench_suite.analysis.sameness import idle_settings, told
from nasbench_suite.analysis.samples import explain_crossfit
from nasbench_suite.deprecated import moved
from reports.labels import labels_of
from reports.tables.latex import NEEDED, latex_table, latex_text
from reports.tables.text import (
    MISSING,
    counted,
    explain_failures,
    explain_marks,
    explain_one_figure,
    interval,
    mark,
    number,
    optimum_text,
    small,
    task_digits,
)

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.results import Results

LEFT_ALIGNED = ("method", "against", "group", "")  # all other columns are numbers
_TASK_FIELDS = (
    *("task", "benchmark", "dataset", "metric", "unit", "direction"),
    *("optimum", "noise_floor", "common_seeds", "task_key"),
)


class Shown(NamedTuple):
    """A figure of the leaderboard, as the terminal's tables and the HTML report show it.

    Attributes:
        column: of ``nasbench_suite.leaderboard``.
        heading: above it.
        better: ``larger`` or ``smaller``, or ``task`` for whichever is on the task.
        where_known: whether it is left out where no method has a figure.
    """

    column: str
    heading: str
    better: str
    where_known: bool = False


# Beside the interquartile mean, whose place is between them; a further one is a line here.
BEFORE = (
    Shown("mean", "mean", "task"),
    Shown("std", "std", "smaller"),
    Shown("cvar", "CVaR", "task"),
)
AFTER = (
    Shown("noise", "noise", "smaller"),
    Shown("regret", "regret", "smaller"),
    Shown("signal_regret", "signal regret", "smaller", where_known=True),
)


@dataclass(frozen=True)
class Table:
    """A table of finished text.

    Attributes:
        title: what it shows.
        subtitle: metric, unit and the like, in one line.
        columns: their headings.
        rows: cells as text, in the order of the columns.
        best: which rows are printed bold.
        notes: what a reader of this table must know.
    """

    title: str
    subtitle: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: tuple[bool, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """Tables that are shown together, and the legend that they share."""

    tables: tuple[Table, ...]
    legend: tuple[str, ...]


def explained(tables: Sequence[Table], meanings: Mapping[str, str]) -> str:
    """What the headings mean that stand in tables; nothing of what is not there.

    Args:
        tables: of a sheet.
        meanings: what to say of a heading.
    """
    there = {name for table in tables for name in table.columns}
    return " ".join(said for name, said in meanings.items() if name in there)


def leaderboard_sheet(
    results: Results,
    rows: pd.DataFrame,
    overall: pd.DataFrame | None = None,
    *,
    confidence: float = 0.95,
    cut: str = "",
) -> Sheet:
    """The tables of a leaderboard.

    Args:
        results: what the leaderboard was made from.
        rows: as ``nasbench_suite.leaderboard`` gives them.
        overall: as ``overall_leaderboard`` gives it, if there are several tasks.
        confidence: of the intervals.
        cut: the budget looked at, such as ``50 evaluations``; empty for the whole.
    """
    percent = f"{100 * confidence:g} %"
    tables = [
        _task_table(task, results, percent, cut) for _, task in rows.groupby("task_key", sort=False)
    ]
    if overall is not None and compares(overall, len(tables)):
        tables.append(overall_table(overall, percent, cut, tasks=len(tables)))
    meanings = {
        "IQM": f"IQM: interquartile mean over seeds, with its {percent} interval over seeds.",
        "CVaR": "CVaR: mean of the worst fifth of the seeds.",
        "noise": "Noise: half the width of the IQM's interval by training noise alone.",
        "regret": "Regret: mean distance from the optimum of the whole space.",
        "signal regret": "Signal regret: of the signal that methods see, from its best.",
        "mean rank": "Mean rank: over seeds, paired. Bold: the best IQM.",
    }
    said = (
        explained(tables, meanings),
        explain_marks(rows, round(1 - confidence, 10)),
        explain_crossfit(results.tasks.values()),
    )
    legend = [*filter(None, said)]
    left_out = [name for name in results.names.values() if name not in set(rows["task"])]
    if left_out:
        legend.append(f"Left out, as they did not run for {cut}: {'; '.join(left_out)}.")
    return Sheet(tuple(tables), tuple(legend))


def _task_table(rows: pd.DataFrame, results: Results, percent: str, cut: str) -> Table:
    first = rows.iloc[0]
    task_row = results.tasks[first["task_key"]]
    points = "points" if first["unit"] == "%" else first["unit"]
    digits = task_digits(rows)
    floor = first["noise_floor"]
    # Two significant digits of the floor, which may be far below the figures' own digits.
    noise = (
        f"noise floor {small(floor, digits)} {points}".rstrip()
        if np.isfinite(floor)
        else "noise floor unknown, so nothing is called equivalent"
    )
    unit = f" in {first['unit']}" if first["unit"] else ""
    after = [one for one in AFTER if not one.where_known or rows[one.column].notna().any()]
    better = "larger" if first["direction"] == "maximize" else "smaller"
    cells = [
        (
            number(row["rank"]),
            _one_line(row["method"]),
            str(row["seeds"]),
            *(number(row[shown.column], digits) for shown in BEFORE),
            number(row["iqm"], digits),
            mark(row),
            interval(row["low"], row["high"], digits),
            *(number(row[shown.column], digits) for shown in after),
            number(row["mean_rank"], 2),
        )
        for row in rows.to_dict("records")
    ]
    return Table(
        title=first["task"] + (f", after {cut}" if cut else ""),
        subtitle=f"{labels_of(results).judged_by(task_row)}{unit} ({better} is better), "
        f"optimum {optimum_text(task_row, digits)}, {noise}{_unavailable(rows)}",
        columns=(
            *("#", "method", "seeds", *(shown.heading for shown in BEFORE), "IQM", ""),
            percent.replace(" ", "") + " interval",
            *(*(shown.heading for shown in after), "mean rank"),
        ),
        rows=tuple(cells),
        best=tuple(rows["best"]),
        notes=tuple(task_notes(rows, results)),
    )


def task_notes(rows: pd.DataFrame, results: Results) -> Iterator[str]:
    """What must be known of one task's rows of a leaderboard, a sentence each."""
    taking_part = rows[rows["seeds"] > 0]
    fewest, most = taking_part["seeds"].min(), taking_part["seeds"].max()
    common = rows["common_seeds"].iloc[0]
    if len(taking_part) and common < most:
        numbers = f"numbers of seeds ({fewest} to {most})" if fewest < most else "seeds"
        over = f"are over the {common} that all have" if common else "need some that all have"
        yield f"Methods have different {numbers}; mean ranks {over}."
    if said := explain_failures(rows):
        yield said
    undecided = rows[rows["undecided"] > 0]
    if len(undecided):
        counts = counted(zip(undecided["method"], undecided["undecided"], strict=True))
        yield f"Trials that had evaluated nothing yet and are left out: {counts}."
    if said := explain_one_figure(rows):
        yield said
    key = rows["task_key"].iloc[0]
    repeated = rows.groupby("same_as", sort=False)["method"]  # without what is like none
    yield from told((str(first), *others) for first, others in repeated)
    searched = rows[rows["evaluations"] > 0]
    yield from idle_settings(
        results, key, dict(zip(searched["method"], searched["method_key"], strict=True))
    )
    measure = results.tasks[rows["task_key"].iloc[0]].measure
    if measure is not None:
        over, beside = "the whole table", "the true front's"
        if "sampled" in measure:
            over = f"{measure['sampled']:,} random architectures"
            beside = "their front's"
        yield (
            f"What is non-dominated on the signals, scored at the reported figures, scaled over "
            f"{over}, reference point 1, divided by {beside} hypervolume."
        )
        task, labels = results.tasks[key], labels_of(results)
        yield from filter(None, (labels.circumstances(o, task) for o in measure["objectives"]))


def compares(overall: pd.DataFrame, tasks: int) -> bool:
    """Whether scores over all tasks compare anything: one method alone is the best of nothing."""
    return len(overall) == 1 or int((overall["tasks"] == tasks).sum()) > 1


def overall_table(overall: pd.DataFrame, percent: str, cut: str, tasks: int) -> Table:
    """The scores over all tasks.

    Args:
        overall: as ``overall_leaderboard`` gives it.
        percent: the confidence of its intervals, as text.
        cut: the budget looked at; empty for the whole.
        tasks: how many tasks there are.
    """
    cells = [
        (
            number(row["rank"]),
            _one_line(row["method"]),
            str(row["tasks"]),
            str(row["seeds"]),
            number(row["score"], 3),
            interval(row["low"], row["high"], 3),
            number(row["mean_rank"], 2),
        )
        for row in overall.to_dict("records")
    ]
    notes = []
    lacking = list(overall.loc[overall["tasks"] < tasks, "method"])
    if lacking:
        notes.append(f"Without results on every task, so not compared: {', '.join(lacking)}.")
    return Table(
        title=f"All {tasks} tasks together" + (f", after {cut}" if cut else ""),
        subtitle=f"score: 0 at {overall['anchor'].iloc[0]}, 1 at the optimum; IQM over seeds, mean "
        f"over tasks; mean rank here: by IQM, over tasks",
        columns=(
            *("#", "method", "tasks", "seeds", "score"),
            *(percent.replace(" ", "") + " interval", "mean rank"),
        ),
        rows=tuple(cells),
        best=tuple(overall["rank"] == overall["rank"].min()),
        notes=tuple(notes),
    )


# -- renderings --------------------------------------------------------------------------------


def to_markdown(sheet: Sheet) -> str:
    """GitHub-flavoured Markdown, with columns padded so that it reads well as it is."""
    lines: list[str] = []
    for table in sheet.tables:
        rows = [
            [
                f"**{markdown_text(cell)}**" if best and cell else markdown_text(cell)
                for cell in cells
            ]
            for cells, best in zip(table.rows, table.best, strict=True)
        ]
        head = [markdown_text(name) for name in table.columns]
        widths = [max(3, *map(len, column)) for column in zip(head, *rows, strict=True)]
        left = [name in LEFT_ALIGNED for name in table.columns]
        rule = [
            "-" * width if is_left else "-" * (width - 1) + ":"
            for width, is_left in zip(widths, left, strict=True)
        ]
        lines += [f"### {markdown_text(table.title)}", "", markdown_text(table.subtitle), ""]
        for cells in (head, rule, *rows):
            padded = [
                cell.ljust(width) if is_left else cell.rjust(width)
                for cell, width, is_left in zip(cells, widths, left, strict=True)
            ]
            lines.append(f"| {' | '.join(padded)} |")
        lines.append("")
        for note in table.notes:
            lines += [markdown_text(note), ""]
    for line in sheet.legend:
        lines += [markdown_text(line), ""]
    return "\n".join(lines).rstrip() + "\n"


def to_latex(sheet: Sheet) -> str:
    r"""Tables for ``\usepackage{booktabs,graphicx}``."""
    lines = [NEEDED]
    for table in sheet.tables:
        rows = []
        for cells, best in zip(table.rows, table.best, strict=True):
            texts = ["--" if cell == MISSING else latex_text(cell) for cell in cells]
            rows.append([rf"\textbf{{{text}}}" if best and text else text for text in texts])
        lines += latex_table(
            f"{table.title}: {table.subtitle}.",
            "".join("l" if name in LEFT_ALIGNED else "r" for name in table.columns),
            table.columns,
            rows,
            (*table.notes, *sheet.legend),
        )
        lines.append("")
    return "\n".join(lines)


def to_csv(rows: pd.DataFrame) -> str:
    """The rows of the leaderboard with all their digits."""
    from nasbench_suite.files.cells import guard_cells

    text: str = guard_cells(rows).to_csv(index=False, lineterminator="\n")
    return text


def to_json(rows: pd.DataFrame, overall: pd.DataFrame | None = None) -> str:
    """Tasks with their methods, and the overall table; what is missing is null."""
    fields = [name for name in rows.columns if name not in _TASK_FIELDS]
    tasks = [
        {
            **_records(task[list(_TASK_FIELDS)].head(1))[0],
            "methods": _records(task[fields]),
        }
        for _, task in rows.groupby("task_key", sort=False)
    ]
    content = {"tasks": tasks, "overall": None if overall is None else _records(overall)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def records_json(frame: pd.DataFrame) -> str:
    """One object a row; what is missing is null."""
    return json.dumps(_records(frame), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


# -- text --------------------------------------------------------------------------------------


def _unavailable(rows: pd.DataFrame) -> str:
    """How often architectures without a figure were asked for, where they were."""
    gone = {row["method"]: int(row["unavailable"]) for row in rows.to_dict("records")}
    told = ", ".join(f"{_one_line(method)} {count}" for method, count in gone.items() if count)
    return f"; evaluations without a figure: {told}" if told else ""


def _one_line(name: str) -> str:
    return " ".join(name.split())


def markdown_text(text: str) -> str:
    """Text in which nothing is Markdown's."""
    return re.sub(r"([\\`*_{}\[\]<>|~#])", r"\\\1", text)


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(__name__, {"Report": ":Sheet", "make_report": ":leaderboard_sheet"})
