"""Baselines: what methods reached, seed by seed, in a small file to keep under version control."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.robustness import final_diagnostics
from nasbench_suite.analysis.samples import figures_at_cut
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import write_text
from nasbench_suite.files.limits import beyond_limits
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.parsing import counted
from nasbench_suite.tasks.methods import find_label

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = 2  # 1 had no checksum
_LARGEST = 1 << 28  # bytes
_MOST = 1e100  # of a figure, whose square is to be a number
_OF_DIAGNOSTIC = ("", "either", None)  # its unit, direction and noise floor


class Entry(BaseModel):
    """One method on one task.

    Attributes:
        task_key: key of the task: its benchmark's figures, data set, objectives and budget.
        task: its readable name.
        method: the method's label; its hyper-parameters' defaults may change, and are tested.
        metric: what is compared.
        unit: its unit.
        direction: whether larger or smaller is better; ``either`` of a diagnostic, which is to
            stay as it was.
        noise_floor: of the metric, if known.
        figures: what was reached, by seed.
        diagnostic: the name it was logged under, if it is not what the task reports.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    task_key: str
    task: str
    method: str
    metric: str
    unit: str
    direction: str
    noise_floor: float | None
    figures: dict[int, float]
    diagnostic: str | None = None


class Baseline(BaseModel):
    """What a baseline file holds."""

    model_config = ConfigDict(extra="forbid")

    nasbench_baseline: int = _FORMAT
    checksum: str | None = None
    entries: list[Entry]


def make_baseline(
    store: str | Path | Results,
    *,
    methods: Sequence[str] | None = None,
    benchmark: str | None = None,
    dataset: str | None = None,
    diagnostic: str | None = None,
) -> Baseline:
    """The trials of a results file as a baseline.

    No check passes where a trial failed, so there is no baseline of a method of which one did.

    Args:
        store: a results file.
        methods: labels; by default all.
        benchmark: tasks on this benchmark alone.
        dataset: tasks on this data set alone.
        diagnostic: what methods logged last under this name, such as ``node_variance``, in place
            of what the tasks report.

    Raises:
        SuiteError: the file cannot be read, has no such method or diagnostic, two different
            methods of one label, a method without a finished trial, or one with a failed trial.
    """
    results = store
    if not isinstance(results, Results):
        results = read_results(results, benchmark=benchmark, dataset=dataset)
    trials = figures_of(results, diagnostic)
    if methods is not None:
        known = sorted(trials["method"].unique())
        methods = [find_label(f"method of {results.path}", name, known) for name in methods]
    entries = []
    for (key, method), part in trials.groupby(["task_key", "method"], sort=False):
        if methods is not None and method not in methods:
            continue
        reached = part.dropna(subset=["figure"])
        if not len(reached):
            missing = "finished trial" if diagnostic is None else f"trial that logged {diagnostic}"
            raise SuiteError(
                f"{method} has no {missing} on {results.names[str(key)]}: mend it and run "
                f"it again, or leave it out with --methods."
            )
        if failed := int((part["status"] == "failed").sum()):
            raise SuiteError(
                f"{failed} of {counted(len(part), 'trial')} of {method} failed on "
                f"{results.names[str(key)]}, and no check passes where a trial failed: mend it and "
                f"run it again, or leave it out with --methods."
            )
        task = results.tasks[str(key)]
        own = (task.unit, task.direction, task.noise_floor)
        unit, direction, floor = _OF_DIAGNOSTIC if diagnostic else own
        entries.append(
            Entry(
                task_key=str(key),
                task=results.names[str(key)],
                method=str(method),
                metric=diagnostic or task.report_metric,
                unit=unit,
                direction=direction,
                noise_floor=floor,
                figures=dict(
                    zip(reached["seed"].tolist(), reached["figure"].tolist(), strict=True)
                ),
                diagnostic=diagnostic,
            )
        )
    return Baseline(entries=entries)


def figures_of(results: Results, diagnostic: str | None) -> pd.DataFrame:
    """The trials with their ``figure``: what they are judged by, or what they logged last."""
    import pandas as pd

    whole = [figures_at_cut(results, key) for key in results.tasks]
    trials = pd.concat([part for part in whole if part is not None], ignore_index=True)
    if diagnostic is None:
        return trials
    return trials.assign(figure=trials["trial"].map(final_diagnostics(results, diagnostic)))


def save_baseline(baseline: Baseline, path: str | Path) -> None:
    """Write a baseline; equal baselines give equal files, and a file is replaced in one step.

    Raises:
        SuiteError: the folder does not exist or cannot be written.
    """
    sealed = baseline.model_copy(update={"checksum": _checksum(baseline)})
    write_text(Path(path), json.dumps(sealed.model_dump(), indent=1) + "\n")


def _checksum(baseline: Baseline) -> str:
    """SHA-256 of what a baseline says."""
    entries = [entry.model_dump(mode="json") for entry in baseline.entries]
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def _impossible(baseline: Baseline) -> str:
    """What ``make_baseline`` says of no entry, in words; empty where there is none."""
    for entry in baseline.entries:
        if any(abs(figure) > _MOST for figure in entry.figures.values()):
            return f"a figure of {entry.method} is beyond {_MOST:g}"
        if fault := beyond_limits(list(entry.figures), where=f"a seed of {entry.method}"):
            return fault
        said = (entry.unit, entry.direction, entry.noise_floor)
        if entry.diagnostic is not None and said != _OF_DIAGNOSTIC:
            return f"a diagnostic of {entry.method} has a unit, direction or noise floor"
    return ""


def load_baseline(path: str | Path) -> Baseline:
    """Read a baseline.

    Raises:
        SuiteError: it is missing, damaged, or of another version.
    """
    path = Path(path)
    need_regular_file(path, _LARGEST)
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise SuiteError(
            f"There is no baseline {path}: make it with `nasbench check --save --baseline {path}`."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise SuiteError(f"{path} is no baseline or is damaged ({error}): save it anew.") from None
    version = content.get("nasbench_baseline") if isinstance(content, dict) else None
    if version not in (1, _FORMAT):
        raise SuiteError(
            f"{path} is no baseline of format {_FORMAT}: save it anew with `nasbench check --save`."
        )
    try:
        baseline = Baseline.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SuiteError(f"{path} is damaged ({where}: {first['msg']}): save it anew.") from None
    if fault := beyond_limits(content) or _impossible(baseline):
        raise SuiteError(f"{path} cannot be taken ({fault}): save it anew.")
    if (version, baseline.checksum) not in ((1, None), (_FORMAT, _checksum(baseline))):
        raise SuiteError(
            f"{path} was altered after it was saved (its checksum differs): save it anew with "
            f"`nasbench check --save`."
        )
    return baseline.model_copy(update={"checksum": None})
