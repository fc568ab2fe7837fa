"""A static site from a folder of submissions: the report, the submissions, and all figures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.analysis.results import Results
from nasbench_suite.deprecated import current_keys, warn_renamed
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.files.atomic import write_text
from nasbench_suite.files.toml import read_toml
from nasbench_suite.submissions import Merge, merge_submissions
from reports.html.panels import Panel, PlacedPanel, Section, all_panels
from reports.html.report import write_report
from reports.labels import present
from reports.tables.rendering import Table, to_csv
from reports.tables.text import number

PUBLISHED = "published.toml"
_OLD_KEYS = {"report": "judged_by"}
_TEXT = (
    "Figures that papers print for the same protocol, beside what is measured here: mean and "
    "standard deviation over seeds. They are an outside check, and differ where seeds, trainings "
    "or details of a method do."
)


class PublishedFigure(BaseModel):
    """What a paper prints of a method on a task.

    Attributes:
        signal: the metric that the method saw.
        judged_by: the metric that it was judged by.
        method: label of the method here.
        mean: over runs, in the metric's unit.
        std: over runs.
        runs: how many; 0 where the paper does not say.
        source: paper, table and page or section.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    signal: str
    judged_by: str
    method: str
    mean: float
    std: float
    runs: int = 0
    source: str

    @property
    def report(self) -> str:
        """``judged_by`` by the name of earlier versions."""
        warn_renamed("PublishedFigure.report", "PublishedFigure.judged_by")
        return self.judged_by


def read_published(path: Path) -> list[PublishedFigure]:
    """The figures in a TOML file, each a table of ``figures``.

    Raises:
        SuiteError: it cannot be read, or says something else.
    """
    content = read_toml(path, "File of published figures")
    try:
        return [
            PublishedFigure.model_validate(
                current_keys(one, _OLD_KEYS, path) if isinstance(one, dict) else one
            )
            for one in content.get("figures", [])
        ]
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise SuiteError(f"{path}: a figure's {place}: {fault['msg']}.") from None


def published_panel(figures: Sequence[PublishedFigure]) -> PlacedPanel:
    """The panel of what papers print beside what is measured."""

    def panel(results: Results) -> Section | None:
        shown = present(results)
        rows = []
        for figure in figures:
            for key, task in shown.tasks.items():
                if (task.signal_metric, task.report_metric) != (figure.signal, figure.judged_by):
                    continue
                name = shown.shown.get(figure.method)
                finished = shown.finished_on(key)
                reports = finished.loc[finished["method"] == name, "report"].to_numpy()
                if not len(reports):
                    continue
                std = float(np.std(reports, ddof=1)) if len(reports) > 1 else float("nan")
                rows.append(
                    (
                        str(name),
                        shown.names[key],
                        f"{figure.mean:.2f} ± {figure.std:.2f}",
                        str(figure.runs or "-"),
                        f"{reports.mean():.2f} ± {number(std, 2)}",
                        str(len(reports)),
                        f"{reports.mean() - figure.mean:+.2f}",
                        figure.source,
                    )
                )
        if not rows:
            return None
        columns = ("method", "task", "published", "runs", "here", "seeds", "difference", "source")
        table = Table("Published and measured", "", columns, tuple(rows), (False,) * len(rows), ())
        return Section("published", "Published figures", _TEXT, [table])

    return PlacedPanel(panel, 0.7, "What papers print, beside what is measured.")


def write_site(folder: str | Path, output: str | Path, *, title: str = "") -> Merge:
    """Verify and merge the submissions of a folder, and write them as a site.

    The site has ``index.html`` (the report), ``leaderboard.csv`` and the submissions themselves
    under ``submissions/``; it needs no server. Where the folder has a file ``published.toml``,
    what papers print stands beside what is measured.

    Args:
        folder: with submissions.
        output: the folder to write; made if absent, files of the same names are replaced.
        title: of the page.

    Returns:
        What was merged, and what was rejected and why.

    Raises:
        SuiteError: no submission is sound, or the site cannot be written.
    """
    folder, output = Path(folder), Path(output)
    published = folder / PUBLISHED
    figures = read_published(published) if published.is_file() else []
    with refused(f"{output} cannot be written ({{reason}}): choose another folder.", OSError):
        (output / "submissions").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        store = Path(place) / "board.sqlite"
        merge = merge_submissions(folder, store)
        panels: list[Panel] = [*all_panels(), *([published_panel(figures)] if figures else [])]
        panels.sort(key=lambda panel: getattr(panel, "place", float("inf")))
        write_report(store, output / "index.html", title=title or folder.name, panels=panels)
        board = leaderboard(store)
    write_text(output / "leaderboard.csv", to_csv(board))
    for name in merge.accepted:
        target = output / "submissions" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target)
    return merge


__all__ = ["PublishedFigure", "published_panel", "read_published", "write_site"]
