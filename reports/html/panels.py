"""What the HTML report shows besides the leaderboard: one panel a function of the results.

A panel looks at the results and gives a ``Section``, or None where the file holds nothing for it.
A further panel is one function, and one line under the entry point group ``nasbench_suite.panels``.
"""

from __future__ import annotations

import io
import math
import re
import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite import registry
from nasbench_suite.analysis.comparison import Comparison, results_comparisons
from nasbench_suite.analysis.results import Results, budget_text, one_task
from nasbench_suite.analysis.robustness import results_robustness
from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.cells import guard_cells
from nasbench_suite.parsing import counted
from nasbench_suite.rows import TaskRow
from nasbench_suite.statistics.aggregates import TAIL
from reports.figures.gallery import choose_figure, list_figures, make_figure
from reports.figures.methods import MOST_CURVES
from reports.figures.style import LIGHT, METADATA, paper_style, show_as_text, without_lacking
from reports.labels import only
from reports.tables.rendering import Table
from reports.tables.robustness import robustness_sheet
from reports.tables.text import digits_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure

_RESAMPLES = 20  # of an interval that the table of pairs does not show
_RUNS = 12  # methods whose runs are compared one by one
_LOGGED = ("discretisation_gap", "entropy", "dominant_eigenvalue", "inherited_tau")
_DIGITS = 10  # of the data beside a figure


@dataclass(frozen=True)
class Block:
    """A figure of the report, with all that is needed to make it again.

    Attributes:
        key: its identifier in the page.
        title: what it shows.
        caption: how to read it.
        svg: the drawing, from ``inline_svg``.
        data: what is drawn.
        command: the command that draws it.
        spoken: what it shows, for those who hear the page.
        tags: values by filter name, from ``task_tags``; the filters hide it by them.
    """

    key: str
    title: str
    caption: str
    svg: str
    data: pd.DataFrame
    command: str
    spoken: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def csv(self) -> str:
        """The data as text."""
        text: str = guard_cells(self.data).to_csv(
            index=False, lineterminator="\n", float_format=f"%.{_DIGITS}g"
        )
        return text


@dataclass(frozen=True)
class Section:
    """A part of the page: text, tables and figures.

    Attributes:
        key: its identifier in the page.
        title: its heading.
        text: what stands below it.
        tables: its tables.
        blocks: its figures.
        markup: HTML of a panel's own, which is not escaped.
    """

    key: str
    title: str
    text: str = ""
    tables: Sequence[Table] = ()
    blocks: Sequence[Block] = ()
    markup: str = ""


Panel = Callable[[Results], Section | None]
"""What makes a part of the page; None where the results have nothing for it."""


@dataclass(frozen=True)
class PlacedPanel:
    """A panel with its place on the page; any other function comes after those with one.

    Attributes:
        make: the panel.
        place: lower numbers come first.
        summary: what it shows, in one line.
    """

    make: Panel
    place: float
    summary: str

    def __call__(self, results: Results) -> Section | None:
        """What the panel makes of the results."""
        return self.make(results)


def task_tags(task: TaskRow) -> dict[str, str]:
    """What the page's filters know of a task: benchmark, data set, device and budget.

    The device is that of the objectives beyond the first, or their names where they are of none.
    """
    further = (task.measure or {}).get("objectives", [])[1:]
    devices = [str(objective.get("device") or objective["name"]) for objective in further]
    return {
        "benchmark": task.benchmark,
        "dataset": task.dataset or "none",
        "device": ", ".join(devices) or "none",
        "budget": budget_text(task),
    }


# -- drawings --------------------------------------------------------------------------------------


def inline_svg(figure: MatplotlibFigure, key: str) -> str:
    """A figure as SVG to be put into a page, in the page's own colours of text, light or dark.

    Args:
        figure: made within ``screen_style``.
        key: set before all identifiers in the drawing, so that those of two do not clash.
    """
    buffer = io.StringIO()
    show_as_text(figure)
    with warnings.catch_warnings():
        without_lacking()  # the browser chooses the font
        figure.savefig(buffer, format="svg", metadata=METADATA[".svg"], transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{key}-", text)
    for colour in ("#000000", LIGHT.text):
        text = text.replace(colour, "currentColor")
    text = text.replace(LIGHT.muted, "var(--muted)").replace(LIGHT.band, "var(--band)")
    return text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


@contextmanager
def screen_style() -> Iterator[None]:
    """Matplotlib's settings for drawings in the page; text stays text there."""
    import matplotlib as mpl

    with paper_style("screen"), mpl.rc_context({"svg.fonttype": "none"}):
        yield


def gallery_block(
    results: Results,
    name: str,
    key: str,
    *,
    title: str,
    data: pd.DataFrame,
    task: str | None = None,
    tags: Mapping[str, str] | None = None,
    spoken: str,
    notes: str = "",
) -> Block:
    """A figure of ``reports.figures.gallery`` as a block; ``notes`` end its caption."""
    figure = choose_figure(name)
    with screen_style():
        drawn = make_figure(name, data, venue="screen")
        svg = inline_svg(drawn, key)
    words = ["nasbench", "figure", name, "--store", results.path.name]
    words += ["--task", task] if task else []
    words += ["--venue", "screen", "--output", f"{name}.svg"]
    return Block(
        key=key,
        title=title,
        caption=f"{figure.summary} {notes}".strip(),
        svg=svg,
        data=data,
        command=shlex.join(words),
        spoken=spoken,
        tags=tags or {},
    )


# -- panels ----------------------------------------------------------------------------------------


def overall_panel(results: Results) -> Section | None:
    """All tasks together, if there are several."""
    if len(results.tasks) < 2:
        return None
    return _comparisons(results, "overall", "All tasks together", None, {})


def task_panel(results: Results) -> Section | None:
    """Anytime curves and comparisons of each task."""
    blocks: list[Block] = []
    for number, (key, name) in enumerate(results.names.items()):
        alone = one_task(results, name)
        tags = task_tags(results.tasks[key])
        curves = _anytime(alone, f"task{number}-anytime", name, tags)
        blocks += [curves] if curves is not None else []
        section = _comparisons(alone, f"task{number}", name, name, tags)
        blocks += section.blocks if section is not None else []
    return Section("tasks", "Tasks", "", (), blocks) if blocks else None


def _anytime(alone: Results, key: str, name: str, tags: Mapping[str, str]) -> Block | None:
    methods = _best_methods(alone)[:MOST_CURVES]
    ((task_key, taking_part),) = alone.taking_part.items()
    if not methods or not alone.finished_on(task_key)["evaluations"].max() > 0:
        return None
    kept = only(alone, methods)
    data = choose_figure("anytime").table(kept)
    ends = data.groupby("method")["regret"].last().sort_values()
    total = len(taking_part)
    spoken = (
        f"Regret of {len(methods)} of {counted(total, 'method')} on {name}; at the end "
        + "; ".join(f"{method} {regret:.3g}" for method, regret in ends.items())
    )
    return gallery_block(
        alone,
        "anytime",
        key,
        title=f"{name}: anytime curves.",
        data=data,
        task=name,
        tags=tags,
        spoken=spoken,
    )


def robustness_panel(results: Results) -> Section | None:
    """Robustness over seeds, and what methods with a supernet logged of themselves."""
    if not results.store.logged():  # nothing to show, and much to compute
        return None
    rows = results_robustness(results)
    if rows[list(_LOGGED)].isna().all(axis=None):
        return None
    sheet = robustness_sheet(rows, confidence=0.95, tail=TAIL)
    blocks = []
    for number, (key, name) in enumerate(results.names.items()):
        alone = one_task(results, name)
        tags = task_tags(results.tasks[key])
        for figure in ("derived", "eigenvalue", "entropy", "discretisation-gap", "node-variance"):
            try:
                data = choose_figure(figure).table(alone)
            except SuiteError:  # nobody logged it
                continue
            ends = data.groupby("method", sort=False)["median"].last()
            blocks.append(
                gallery_block(
                    alone,
                    figure,
                    f"robustness{number}-{figure}",
                    title=f"{name}: {choose_figure(figure).title.lower()}.",
                    data=data,
                    task=name,
                    tags=tags,
                    spoken=f"{choose_figure(figure).title}, at the end: "
                    + "; ".join(f"{method} {value:.3g}" for method, value in ends.items()),
                )
            )
    text = " ".join(sheet.legend)
    return Section("robustness", "Robustness", text, sheet.tables, blocks)


def _comparisons(
    results: Results, prefix: str, title: str, task: str | None, tags: Mapping[str, str]
) -> Section | None:
    """Critical differences, and over several tasks improvement and profiles too."""
    blocks = []
    names = ["critical-difference"]
    if task is None:
        names += ["improvement", "profile"]
    for name in names:
        chosen = results
        if name != "critical-difference":
            most = _RUNS if name == "improvement" else MOST_CURVES
            chosen = only(results, _best_methods(results)[:most])
        try:
            data = choose_figure(name).table(chosen)
        except SuiteError:  # too few methods or seeds in common: there is nothing to compare
            continue
        blocks.append(
            gallery_block(
                results,
                name,
                f"{prefix}-{name}",
                title=f"{title}: {choose_figure(name).title.lower()}.",
                data=data,
                task=task,
                tags=tags,
                spoken=_spoken(name, data),
            )
        )
    return Section(prefix, title, "", (), blocks) if blocks else None


def _spoken(name: str, data: pd.DataFrame) -> str:
    if name == "critical-difference":
        ranks = "; ".join(
            f"{method} {rank:.2f}"
            for method, rank in zip(data["method"], data["mean_rank"], strict=True)
        )
        return f"Mean ranks: {ranks}. Critical difference {data['critical_difference'].iloc[0]:.2f}"
    if name == "improvement":
        chances = "; ".join(
            f"{row['method']} {row['improvement']:.2f}" for row in data.to_dict("records")
        )
        return f"Probability that {data['against'].iloc[0]} beats: {chances}"
    areas = data.groupby("method")["share"].mean().sort_values(ascending=False)
    return "Performance profiles, best first by area: " + "; ".join(map(str, areas.index))


def _best_methods(results: Results) -> list[str]:
    """Methods by the mean over tasks of their rank by mean figure, best first."""
    import pandas as pd

    by_task = {
        key: finished.groupby("method")["report"].mean()
        for key in results.tasks
        if len(finished := results.finished_on(key))
    }
    if not by_task:
        return []
    means = pd.DataFrame(by_task).T
    signs = [
        1.0 if results.tasks[str(key)].direction == "maximize" else -1.0 for key in means.index
    ]
    ranks = means.mul(np.array(signs), axis=0).rank(axis=1, ascending=False, na_option="bottom")
    order = ranks.mean().sort_values(kind="stable")
    return [str(method) for method in order.index]


OVERALL = PlacedPanel(overall_panel, 1, "All tasks together, if there are several.")


def pairwise_panel(results: Results) -> Section | None:
    """Which method beats which, on each task: differences of the IQM, row less column."""
    tables = []
    for name in results.names.values():
        alone = one_task(results, name)
        try:
            (found,) = results_comparisons(alone, against=None, resamples=_RESAMPLES)
        except SuiteError:  # one method, or too few seeds in common
            continue
        tables.append(_pairwise(found))
    text = (
        "Difference of the interquartile means, row less column, turned so that a positive one "
        "favours the row; in brackets where the test, adjusted for all pairs, does not tell the "
        "two apart."
    )
    return Section("pairs", "Pairs", text, tables) if tables else None


def _pairwise(found: Comparison) -> Table:
    digits = digits_of(found.rope or found.pairs["difference"].abs().median())
    cells = {}
    for row in found.pairs.to_dict("records"):
        told = row["p_adjusted"] < found.alpha
        for one, other, sign in (
            (row["first"], row["second"], 1),
            (row["second"], row["first"], -1),
        ):
            text = f"{sign * row['difference']:+.{digits}f}"
            cells[one, other] = text if told else f"({text})"
    methods = [m for m in found.methods if any(m in pair for pair in cells)]
    return Table(
        title=found.task,
        subtitle=f"in {found.unit}" if found.unit else "",
        columns=("", *methods),
        rows=tuple((m, *(cells.get((m, other), "") for other in methods)) for m in methods),
        best=(False,) * len(methods),
        notes=(),
    )


def further_panel(results: Results) -> Section | None:
    """Figures that ask to stand in the report, but for those that the results have nothing for."""
    blocks = []
    for name in list_figures():
        try:
            figure = choose_figure(name)
            data = figure.table(results) if figure.in_report else None
        except SuiteError:
            continue
        if data is not None:
            key, title = f"further-{name}", f"{figure.title}."
            spoken = f"{title} {figure.summary}"
            blocks.append(gallery_block(results, name, key, title=title, data=data, spoken=spoken))
    return Section("further", "Further figures", "", (), blocks) if blocks else None


TASKS = PlacedPanel(task_panel, 2, "Anytime curves and comparisons of each task.")
PAIRS = PlacedPanel(pairwise_panel, 2.5, "Which method beats which, on each task.")
ROBUSTNESS = PlacedPanel(robustness_panel, 3, "Robustness over seeds, and what supernets logged.")
FURTHER = PlacedPanel(further_panel, 9, "Figures that ask to stand in the report.")


def all_panels() -> list[Panel]:
    """Every panel that is installed, in the order of the page.

    One that cannot be imported leaves a section that says why, so that the page is whole.
    """
    found: list[tuple[float, str, Panel]] = []
    for name, entry in registry.entries("panels").items():
        place = math.inf
        with suppress(SuiteError), entry.blamed("be placed"):
            place = float(getattr(entry.load(), "place", math.inf))
        found.append((place, name, PlacedPanel(partial(_section, entry), place, "")))
    return [panel for _, _, panel in sorted(found, key=lambda part: part[:2])]


def _section(entry: registry.Entry, results: Results) -> Section | None:
    """What a panel makes of results; of one that cannot be imported or fails, why it is missing.

    Raises:
        SuiteError: by the panel, as where results are damaged.
    """
    try:
        panel: Panel = entry.load()
    except SuiteError as error:
        return Section(entry.name, entry.name, str(error))
    try:
        made = panel(results)
        if made is None or isinstance(made, Section):
            return made
        raise TypeError(f"it makes {type(made).__name__}, no Section")
    except SuiteError:
        raise
    except Exception as error:
        if entry.own:
            raise
        said = f"Panel {entry.name!r} ({entry.value}) fails: {reason(error)}."
        return Section(entry.name, entry.name, said)
