"""What a figure is: a table made from results, and how it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.samples import told_failures
from reports.figures.methods import legend_height, letters_in, title_of
from reports.figures.style import inks
from reports.labels import common_settings, in_order, present

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

NOTE_LINE = 0.15  # inches of a line of notes
_EDGES = 0.3  # inches beside notes


@dataclass(frozen=True)
class Figure:
    """A figure that can be drawn from results; named under ``nasbench_suite.figures``.

    Attributes:
        title: its heading.
        summary: what it shows, in one sentence.
        data: makes a table of all that is drawn, with a column ``method``; it raises a
            ``SuiteError`` where the results have nothing of it. It may take choices by name.
        draw: draws that table on axes.
        across: whether it can show several tasks together; otherwise it shows one.
        height: inches, by the names of the methods; by default 0.62 of the width, and what a legend
            below takes.
        ranked: whether the order of its methods is what it shows, so that nobody can ask for
            another.
        in_report: whether the HTML report shows it too, among further figures, over all tasks.
        with_failures: whether trials that failed are drawn, as what they count as on the
            leaderboard, which is then said below.
    """

    title: str
    summary: str
    data: Callable[..., pd.DataFrame]
    draw: Callable[[pd.DataFrame, Axes], Axes]
    across: bool = True
    height: Callable[[Sequence[str]], float] | None = None
    ranked: bool = False
    in_report: bool = False
    with_failures: bool = False

    def table(self, results: Results, **choices: Any) -> pd.DataFrame:
        """The table under the names of a paper, with what its drawing needs beside it.

        ``choices`` are those of ``data``.

        ``attrs`` of the table hold the number of each method that decides its looks, what the task
        is judged by where there is one task, whether the order of methods was asked for, which
        methods are left out, as they lack results on a task, how many trials failed of methods that
        are shown, where these are drawn, and sentences: what ``data`` said there, and settings that
        no name repeats.
        """
        presented = present(results)
        frame = self.data(presented, **choices)
        if presented.order and not self.ranked:
            frame = in_order(frame, presented)
        frame.attrs |= {
            "styles": dict(presented.styles),
            "ordered": bool(presented.order) and not self.ranked,
            "common": (*frame.attrs.get("said", ()), *common_settings(presented)),
        }
        shown = dict.fromkeys((*frame["method"], *frame.get("against", ())))
        if self.with_failures:
            of_tasks = [presented.failed_on(key) for key in presented.tasks]
            counts = {m: sum(failed.get(m, 0) for failed in of_tasks) for m in shown}
            frame.attrs["failed"] = {m: count for m, count in counts.items() if count}
        if self.across and len(presented.tasks) > 1:
            everyone = {m for of_task in presented.taking_part.values() for m in of_task}
            frame.attrs["left_out"] = sorted(everyone - set(shown))
        if len(presented.tasks) == 1:
            ((key, task),) = presented.tasks.items()
            frame.attrs |= {
                "metric": presented.labels.judged_by(task),
                "task": presented.names[key],
            }
        return frame

    def plot(self, store: str | Path | Results, ax: Axes | None = None, **choices: Any) -> Axes:
        """Draw results under the names and looks that they have in every figure of their file.

        Args:
            store: a results file, or what was read of one.
            ax: where to draw; by default on a new figure of ``matplotlib.pyplot``, with its notes.
            choices: those of ``data``.
        """
        results = store if isinstance(store, Results) else read_results(store)
        frame = self.table(results, **choices)
        if ax is not None:
            return self.draw(frame, ax)
        from matplotlib import pyplot as plt

        return self.draw_alone(frame, plt.figure(layout="constrained"))

    def draw_alone(
        self, frame: pd.DataFrame, figure: MatplotlibFigure, height: float | None = None
    ) -> Axes:
        """Draw a table on an empty figure, with the task above and what is to be said below.

        Args:
            frame: what ``table`` made.
            figure: of the width that is wanted.
            height: inches, without those of title and notes; by default as the figure asks.
        """
        inches = float(figure.get_figwidth())
        if height is None:
            methods = list(dict.fromkeys(frame["method"]))
            below = legend_height(methods, inches)
            height = self.height(methods) if self.height else 0.62 * inches + below
        figure.set_figheight(height)
        ax = self.draw(frame, figure.subplots())
        if "task" in frame.attrs and not ax.get_title(loc="left"):
            title_of(ax, frame.attrs["task"])
            height += 0.17 * (1 + ax.get_title(loc="left").count("\n"))
        if words := notes_below([frame], inches):
            figure.supxlabel(words, fontsize="small", color=inks().muted)
            height += NOTE_LINE * (1 + words.count("\n"))
        figure.set_figheight(height)
        return ax


def notes_below(frames: Sequence[pd.DataFrame], inches: float) -> str:
    """What is to be said below a figure of what ``Figure.table`` made, a panel each; or empty.

    Args:
        frames: of the panels; what is said of several is said once.
        inches: width of the figure, which lines of small letters keep within.
    """
    failed: Counter[str] = Counter()
    for frame in frames:
        failed.update(frame.attrs.get("failed", {}))
    left_out = frames[0].attrs.get("left_out")
    said = (
        f"not run on every task, so left out: {', '.join(left_out)}" if left_out else "",
        told_failures(failed),
        *dict.fromkeys(one for frame in frames for one in frame.attrs.get("common", ())),
    )
    return "\n".join(
        fill(note, letters_in(inches - _EDGES, note, "small")) for note in said if note
    )
