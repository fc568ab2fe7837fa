"""The report: one HTML page that holds everything and asks the network for nothing."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.leaderboard import results_boards
from nasbench_suite.analysis.results import Results
from nasbench_suite.analysis.samples import explain_crossfit
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import write_bytes
from nasbench_suite.rows import TaskRow
from reports.credits import credit_lines
from reports.html.generative import generative_panel
from reports.html.panels import Panel, Section, all_panels, task_tags
from reports.labels import Labels, Presented, common_settings, in_order, read_presented
from reports.tables.rendering import AFTER, BEFORE, Table, compares, overall_table, task_notes
from reports.tables.text import (
    explain_marks,
    interval,
    mark,
    optimum_text,
    spoken_mark,
    task_digits,
)
from reports.tables.text import number as number_text

if TYPE_CHECKING:
    import pandas as pd

_CONFIDENCE = 0.95
_FIGURE = 30  # characters at most of a cell that is not broken into lines
_FILTERS = {
    "benchmark": "Benchmark",
    "dataset": "Data set",
    "device": "Device or further objective",
    "budget": "Budget",
}
_FIGURES = (*AFTER, *BEFORE)  # the board has the interquartile mean first
# Title, kind, and which figures are the better ones: the task's own direction, or smaller ones.
_COLUMNS = (
    ("method", "name", ""),
    ("#", "number", "smaller"),
    *(("IQM", "number", "task"), ("95% interval", "number", "task")),
    *((shown.heading, "number", shown.better) for shown in _FIGURES),
    *(("mean rank", "number", "smaller"), ("seeds", "number", "larger")),
)


def write_report(
    store: str | Path,
    output: str | Path = "report.html",
    *,
    title: str | None = None,
    benchmark: str | None = None,
    dataset: str | None = None,
    task: str | None = None,
    methods: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    labels: str | Path | None = None,
    generative: str | Path | None = None,
    panels: Sequence[Panel] | None = None,
) -> None:
    """Write everything a results file tells as one self-contained HTML page.

    Args:
        store: a results file.
        output: the page; a file already there is replaced in one step.
        title: of the page.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        task: one task alone, by what tells it from the others.
        methods: these alone; by default all.
        order: which come first; the others follow as the results have them.
        labels: a file of names to show, see ``reports.labels``.
        generative: figures of generative models to show as well, as
            ``reports.html.generative.read_generative`` reads them.
        panels: what is shown besides the leaderboard; by default every panel installed, see
            ``reports.html.panels``.

    Raises:
        SuiteError: the results cannot be read or the page cannot be written.
    """
    shown = all_panels() if panels is None else panels
    output = Path(output)
    if not output.parent.is_dir():
        raise SuiteError(f"There is no folder {output.parent} for the report: make it first.")
    results = read_presented(
        store,
        benchmark=benchmark,
        dataset=dataset,
        task=task,
        labels=labels,
        methods=methods,
        order=order,
    )
    words = ["nasbench", "report", "--store", results.path.name, "--output", output.name]
    words += ["--title", title] if title else []
    words += ["--generative", Path(generative).name] if generative else []
    chosen = [
        ("--benchmark", benchmark),
        ("--dataset", dataset),
        ("--task", task),
        ("--methods", ",".join(methods or ())),
        ("--order", ",".join(order or ())),
        ("--labels", Path(labels).name if labels else ""),
    ]
    choice = [word for name, value in chosen if value for word in (name, value)]
    page = render_report(
        results,
        title=title or f"Results of {results.path.name}",
        command=shlex.join(words + choice),
        leaderboard_command=shlex.join(
            ["nasbench", "leaderboard", "--store", results.path.name, *choice]
        ),
        panels=[*shown, generative_panel(generative)] if generative else shown,
        checksum=_checksum(results.path),
    )
    write_page(page, output)


def write_page(page: str, output: Path) -> None:
    """Write a page; a path in it that is no text, as Linux may have, as Python escapes it."""
    write_bytes(output, page.encode(errors="backslashreplace"))


def render_report(
    results: Presented,
    *,
    title: str,
    command: str,
    leaderboard_command: str,
    panels: Sequence[Panel],
    checksum: str = "",
) -> str:
    """The page as text; see ``write_report``.

    Args:
        results: what is shown.
        title: of the page.
        command: that makes the page.
        leaderboard_command: that prints its leaderboard.
        panels: what is shown besides.
        checksum: of the results file; empty where a reader cannot have that file.
    """
    import jinja2
    from markupsafe import Markup

    page = files("reports.html") / "page"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False
    )
    template = environment.from_string((page / "report.html.j2").read_text("utf-8"))
    boards = results_boards(results, confidence=_CONFIDENCE)
    rows = in_order(boards.rows, results)
    sections = [section for panel in panels if (section := panel(results)) is not None]
    environments = results.store.environments()
    tags = {key: task_tags(task) for key, task in results.tasks.items()}
    return template.render(
        title=title,
        summary=_summary(results),
        css=Markup((page / "report.css").read_text("utf-8")),
        js=Markup((page / "report.js").read_text("utf-8")),
        percent=f"{100 * _CONFIDENCE:g} %",
        filters=_filters(results, tags),
        columns=[
            {"title": name, "kind": kind, "better": better} for name, kind, better in _COLUMNS
        ],
        groups=_groups(rows, results, tags),
        numbers=json.dumps(dict(results.styles)),
        overall=_overall(results, boards.overall),
        marks=explain_marks(rows, round(1 - _CONFIDENCE, 10)),
        notes=[
            *_notes(rows, results),
            *common_settings(results),
            *filter(None, [explain_crossfit(results.tasks.values())]),
        ],
        leaderboard_command=leaderboard_command,
        sections=[_with_markup(section) for section in sections],
        version=version("nasbench-suite"),
        report_command=command,
        store_name=results.path.name,
        trials=f"{sum(len(results.trials_on(key)) for key in results.tasks):,}",
        checksum=checksum,
        environments=environments,
        credits=credit_lines(results.tasks.values()),
        tasks=[_task_facts(results.names[key], task) for key, task in results.tasks.items()],
    )


def _task_facts(name: str, task: TaskRow) -> dict[str, str]:
    """What the page says of a task."""
    return {
        "name": name,
        "signal": task.signal_metric,
        "report": task.report_metric,
        "optimum": optimum_text(task),
        "floor": "unknown" if task.noise_floor is None else f"{task.noise_floor:.3g}",
        "key": task.key,
    }


def _filters(results: Presented, tags: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The filters that have something to choose from."""
    found = []
    for name, label in _FILTERS.items():
        tagged = [(task, tags[key][name]) for key, task in results.tasks.items()]
        choices = _choices(name, tagged, results.labels)
        if len(choices) > 1:
            found.append({"name": name, "label": label, "values": choices})
    return found


def _choices(name: str, tagged: Iterable[tuple[TaskRow, str]], labels: Labels) -> dict[str, str]:
    """What a filter offers, by value; names that several have are told apart by their values."""
    known = {"benchmark": labels.benchmarks, "dataset": labels.datasets}.get(name, {})
    texts = {
        value: _further(task, labels) if name == "device" else known.get(value, value)
        for task, value in sorted(tagged, key=itemgetter(1))
    }
    several = Counter(texts.values())
    return {
        value: text if several[text] == 1 else f"{text} ({value})" for value, text in texts.items()
    }


def _further(task: TaskRow, labels: Labels) -> str:
    """The devices of the objectives beyond the first, or these where they are of none."""
    return (
        ", ".join(
            labels.device(str(said["device"]))
            if said.get("device")
            else labels.objective(said, task.dataset)
            for said in (task.measure or {}).get("objectives", [])[1:]
        )
        or "none"
    )


def _summary(results: Results) -> str:
    def count(number: int, word: str) -> str:
        return f"{number:,} {word}{'' if number == 1 else 's'}"

    methods = len({m for of_task in results.taking_part.values() for m in of_task})
    finished = sum(len(results.finished_on(key)) for key in results.tasks)
    return (
        f"{count(methods, 'method')} on {count(len(results.tasks), 'task')}, "
        f"{count(finished, 'finished trial')}."
    )


def _groups(
    rows: pd.DataFrame, results: Presented, tags: dict[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """The board's rows, a group a task."""
    found = []
    for key, part in rows.groupby("task_key", sort=False):
        task = results.tasks[str(key)]
        digits = task_digits(part)
        unit = f" in {task.unit}" if task.unit else ""
        better = "larger" if task.direction == "maximize" else "smaller"
        lines = [
            {
                "best": bool(row["best"]),
                "method": row["method"],
                "cells": [
                    _cell(row["method"]),
                    _number(row["rank"], None),
                    {**_number(row["iqm"], digits), "mark": mark(row), "spoken": spoken_mark(row)},
                    {
                        **_number(row["low"], digits),
                        "text": interval(row["low"], row["high"], digits),
                    },
                    *(_number(row[shown.column], digits) for shown in _FIGURES),
                    _number(row["mean_rank"], 2),
                    _number(row["seeds"], 0),
                ],
            }
            for row in part.to_dict("records")
        ]
        found.append(
            {
                "task": results.names[str(key)],
                "metric": f"{results.labels.judged_by(task)}{unit}, {better} is better",
                "better": better,
                "tags": tags[str(key)],
                "rows": lines,
            }
        )
    return found


def _overall(results: Presented, overall: pd.DataFrame) -> Table | None:
    """The scores over all tasks, if there are several."""
    if len(results.tasks) < 2:
        return None
    rows = in_order(overall, results)
    if not compares(rows, len(results.tasks)):
        return None
    return overall_table(rows, f"{100 * _CONFIDENCE:g} %", "", tasks=len(results.tasks))


def _cell(text: str) -> dict[str, Any]:
    return {"kind": "name", "text": text, "value": None, "mark": "", "spoken": ""}


def _number(value: float, digits: int | None) -> dict[str, Any]:
    return {
        "kind": "number",
        "text": number_text(value, digits),
        "value": float(value) if np.isfinite(value) else None,
        "mark": "",
        "spoken": "",
    }


def _notes(rows: pd.DataFrame, results: Results) -> list[str]:
    """What stands below the tables of ``nasbench leaderboard``, once, with the tasks it is of."""
    tasks: dict[str, list[str]] = {}
    for _, part in rows.groupby("task_key", sort=False):
        for note in task_notes(part, results):
            tasks.setdefault(note, []).append(part["task"].iloc[0])
    everywhere = rows["task_key"].nunique()
    notes = [
        note if len(names) == everywhere else f"{'; '.join(names)}: {note}"
        for note, names in tasks.items()
    ]
    if rows["noise_floor"].isna().any():
        unknown = rows.loc[rows["noise_floor"].isna(), "task"].unique()
        notes.append(
            f"No noise floor is known, so nothing is called equivalent: {'; '.join(unknown)}."
        )
    return notes


def _with_markup(section: Section) -> dict[str, Any]:
    """A section for the template; drawings are ours and not escaped."""
    from markupsafe import Markup

    return {
        "key": section.key,
        "title": section.title,
        "text": section.text,
        "tables": [(table, _kinds(table)) for table in section.tables],
        "markup": Markup(section.markup),
        "blocks": [
            {**vars(block), "svg": Markup(block.svg), "csv": block.csv} for block in section.blocks
        ],
    }


def _kinds(table: Table) -> list[str]:
    """What each column is: the first one of names, others of figures, or of words that wrap."""
    longest = [max(map(len, column), default=0) for column in zip(*table.rows, strict=True)]
    further = ["words" if length > _FIGURE else "number" for length in longest[1:]]
    return ["", *further] if longest else ["" for _ in table.columns]


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
