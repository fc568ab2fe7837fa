"""What a figure is: a table made from results, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.labels import common_settings, in_order, present

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nasbench_suite.analysis.results import Results


@dataclass(frozen=True)
class Figure:
    """A figure that can be drawn from results; named under ``nasbench_suite.figures``.

    Attributes:
        title: its heading.
        summary: what it shows, in one sentence.
        data: makes a table of all that is drawn, with a column ``method``; it raises a
            ``SuiteError`` where the results have nothing of it.
        draw: draws that table on axes.
        across: whether it can show several tasks together; otherwise it shows one.
        height: inches, by the names of the methods; by default 0.62 of the width, and what a legend
            below takes.
        ranked: whether the order of its methods is what it shows, so that nobody can ask for
            another.
        in_report: whether the HTML report shows it too, among further figures, over all tasks.
    """

    title: str
    summary: str
    data: Callable[[Results], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Axes], Axes]
    across: bool = True
    height: Callable[[Sequence[str]], float] | None = None
    ranked: bool = False
    in_report: bool = False

    def table(self, results: Results) -> pd.DataFrame:
        """The table under the names of a paper, with what its drawing needs beside it.

        ``attrs`` of the table hold the number of each method that decides its looks, what the task
        is judged by where there is one task, whether the order of methods was asked for, which
        methods are left out, as they lack results on a task, and a sentence on settings that no
        name repeats.
        """
        presented = present(results)
        frame = self.data(presented)
        if presented.order and not self.ranked:
            frame = in_order(frame, presented)
        frame.attrs |= {
            "styles": dict(presented.styles),
            "ordered": bool(presented.order) and not self.ranked,
            "common": common_settings(presented),
        }
        if self.across and len(presented.tasks) > 1:
            shown = {*frame["method"], *frame.get("against", ())}
            everyone = {m for of_task in presented.taking_part.values() for m in of_task}
            frame.attrs["left_out"] = sorted(everyone - shown)
        if len(presented.tasks) == 1:
            ((key, task),) = presented.tasks.items()
            frame.attrs |= {
                "metric": presented.labels.judged_by(task),
                "task": presented.names[key],
            }
        return frame
