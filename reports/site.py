"""A static site from a folder of submissions: the report, the submissions, and all figures."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.parsing import counted
from nasbench_suite.submissions import Merge, merge_submissions
from reports.html.downloads import Download, downloads_panel
from reports.html.panels import Panel, PlacedPanel, Section, all_panels
from reports.html.report import render_report, write_page
from reports.labels import present, read_presented
from reports.tables.rendering import Table, to_csv
from reports.tables.text import number

PUBLISHED = "published.toml"
_STORE, _BOARD, _SUBMISSIONS = "board.sqlite", "leaderboard.csv", "submissions"
_TITLE = "Leaderboard of neural architecture search"
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


def write_site(
    folder: str | Path,
    output: str | Path,
    *,
    title: str = "",
    tell: Callable[[str], object] = lambda said: None,
) -> Merge:
    """Verify and merge the submissions of a folder, and write them as a site.

    The site has ``index.html`` (the report, with links to all files), ``leaderboard.csv`` and the
    submissions themselves under ``submissions/``; it needs no server. Where the folder has a file
    ``published.toml``, what papers print stands beside what is measured, and the file among the
    submissions. The commands that the page prints work on what is downloaded from it.

    Args:
        folder: with submissions.
        output: the folder to write; made if absent, files of the same names are replaced.
        title: of the page; by default it says that it is a leaderboard.
        tell: called with what is done next, see ``merge_submissions``.

    Returns:
        What was merged, and what was rejected and why.

    Raises:
        SuiteError: no submission is sound, or the site cannot be written.
    """
    folder, output = Path(folder), Path(output)
    published = folder / PUBLISHED
    figures = read_published(published) if published.is_file() else []
    with refused(f"{output} cannot be written ({{reason}}): choose another folder.", OSError):
        (output / _SUBMISSIONS).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        merge = merge_submissions(folder, Path(place) / _STORE, tell=tell)
        tell("Writing the page")
        results = read_presented(Path(place) / _STORE)
        write_text(output / _BOARD, to_csv(leaderboard(results.path)))
        names = [*merge.accepted, *([PUBLISHED] if figures else [])]
        for name in names:
            _copy(folder / name, output / _SUBMISSIONS / name)
        board = Download(_BOARD, (output / _BOARD).stat().st_size)
        files = [_download(name, merge, (folder / name).stat().st_size) for name in names]
        panels: list[Panel] = [*all_panels(), downloads_panel(board, files)]
        panels += [published_panel(figures)] if figures else []
        panels.sort(key=lambda panel: getattr(panel, "place", float("inf")))
        again = ["nasbench", "site", _SUBMISSIONS, "--output", "site"]
        page = render_report(
            results,
            title=title or _TITLE,
            command=shlex.join([*again, *(["--title", title] if title else [])]),
            leaderboard_command=f"nasbench leaderboard --from {_SUBMISSIONS}",
            panels=panels,
        )
        write_page(page, output / "index.html")
    return merge


def _copy(source: Path, target: Path) -> None:
    """Copy a file that may lie there already, as where a site is made of what one holds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(shutil.SameFileError):
        shutil.copyfile(source, target)


def _download(name: str, merge: Merge, size: int) -> Download:
    """A file of the folder as the page lists it."""
    path = f"{_SUBMISSIONS}/{name}"
    if name not in merge.entries:
        return Download(path, size, "figures that papers print")
    entry = merge.entries[name]
    said = [
        counted(entry.trials, "trial"),
        f"confirmed by {merge.levels[name]}",
        *([f"by {shown_name(entry.author)}"] if entry.author else []),
    ]
    note = f". {shown_name(entry.note)}" if entry.note else ""
    return Download(path, size, ", ".join(said) + note, merge.doubts.get(name, ()))


__all__ = ["PublishedFigure", "published_panel", "read_published", "write_site"]
