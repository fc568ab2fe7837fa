"""The gate: every method of a baseline against what it reaches now."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.adding import add_up
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.errors import SuiteError
from nasbench_suite.gate.baseline import Baseline, Entry, figures_of, load_baseline
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.parsing import counted
from nasbench_suite.statistics.noninferiority import RARE, NonInferiority, Verdict, noninferiority
from nasbench_suite.statistics.significance import check_level
from nasbench_suite.tasks.methods import find_label

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finding:
    """One method on one task.

    Attributes:
        entry: its baseline.
        figures: what it reaches now, by seed.
        failures: trials that failed now.
        test: the comparison; None if a trial failed, which is a regression whatever the rest.
    """

    entry: Entry
    figures: Mapping[int, float]
    failures: int
    test: NonInferiority | None

    @property
    def verdict(self) -> Verdict:
        """See ``NonInferiority``."""
        return "worse" if self.test is None else self.test.verdict


@dataclass(frozen=True)
class Check:
    """All findings, in the order of the baseline.

    Attributes:
        findings: one a method and task.
        extra: methods on tasks that the baseline does not have, as readable text.
    """

    findings: tuple[Finding, ...]
    extra: tuple[str, ...]

    @property
    def regressions(self) -> tuple[Finding, ...]:
        """What has become worse."""
        return tuple(finding for finding in self.findings if finding.verdict == "worse")

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """What has too few seeds to tell."""
        return tuple(finding for finding in self.findings if finding.verdict == "undecided")

    @property
    def passed(self) -> bool:
        """Whether nothing is worse and nothing undecided."""
        return not self.regressions and not self.undecided

    def markdown(self) -> str:
        """A summary for people, as in a CI job's report."""
        return _markdown(self)


def check(
    store: str | Path | Results,
    baseline: str | Path | Baseline,
    *,
    methods: Sequence[str] | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    power: float = 0.9,
    rare: float | None = RARE,
) -> Check:
    """Has any method of a baseline become worse?

    A loss of the margin or more, in any method on any task (of a diagnostic, a change either
    way), passes with a chance of at most ``alpha``; if nothing has changed, all pass together with
    a chance of at least ``power``, or are called undecided, with the number of seeds that it
    takes. (Each is tested at ``alpha``; of m comparisons each has to have the power
    ``1 - (1 - power) / m``.)

    Args:
        store: a results file with the same tasks and methods, run anew.
        baseline: a baseline, or its file.
        methods: labels to check; by default all of the baseline.
        margin: the smallest loss that matters, in the metric's unit; by default the noise floor
            of the task's metric: what two trainings of one architecture differ by.
        alpha: see above.
        power: see above.
        rare: the smallest share of seeds whose collapse must not pass unseen, which takes 59 seeds
            for 0.05; None asks for no more seeds than the mean needs.

    Raises:
        SuiteError: either file cannot be read; the store lacks a task or method of the baseline;
            no margin is given and no noise floor is known; or a power out of range.
    """
    check_level(power, "power")  # that of each comparison may be within, where this is not
    if not isinstance(baseline, Baseline):
        baseline = load_baseline(baseline)
    results = store if isinstance(store, Results) else read_results(store)
    entries = _chosen(baseline, methods)
    groups = {name: _groups(results, name) for name in {entry.diagnostic for entry in entries}}
    each = 1.0 - (1.0 - power) / len(entries)
    settings = _Settings(margin, alpha, each, rare)
    findings = tuple(
        _find(entry, _trials_of(entry, groups[entry.diagnostic], results), results, settings)
        for entry in entries
    )
    known = {(entry.task_key, entry.method) for entry in baseline.entries}
    extra = tuple(
        f"{method} on {results.names[key]}"
        for key, method in next(iter(groups.values()))
        if (key, method) not in known
    )
    return Check(findings, extra)


def _groups(results: Results, diagnostic: str | None) -> dict[tuple[str, str], pd.DataFrame]:
    trials = figures_of(results, diagnostic)
    return {
        (str(key), str(method)): part
        for (key, method), part in trials.groupby(["task_key", "method"], sort=False)
    }


def _chosen(baseline: Baseline, methods: Sequence[str] | None) -> list[Entry]:
    known = list(dict.fromkeys(entry.method for entry in baseline.entries))
    if methods is not None:
        methods = [find_label("method of the baseline", name, known) for name in methods]
    entries = [entry for entry in baseline.entries if methods is None or entry.method in methods]
    if not entries:
        raise SuiteError("The baseline is empty: save one with `nasbench check --save`.")
    return entries


def _trials_of(
    entry: Entry, groups: Mapping[tuple[str, str], pd.DataFrame], results: Results
) -> pd.DataFrame:
    try:
        return groups[entry.task_key, entry.method]
    except KeyError:
        pass
    if any(re.fullmatch(re.escape(entry.method) + r" \(\w{6}\)", name) for _, name in groups):
        raise SuiteError(
            f"{results.path} holds two different methods labelled {entry.method!r}: run what is "
            f"to be checked into a new file."
        )
    if entry.task_key in results.tasks:
        raise SuiteError(
            f"{results.path} has no trial of {entry.method!r} on {entry.task}: run it, or choose "
            f"others with --methods."
        )
    raise SuiteError(
        f"{results.path} does not have the task {entry.task} of the baseline (same benchmark, "
        f"figures and budget), but {'; '.join(results.names.values())}: run it, or save a new "
        f"baseline."
    )


@dataclass(frozen=True)
class _Settings:
    """What ``check`` was asked for, with the power of each comparison."""

    margin: float | None
    alpha: float
    power: float
    rare: float | None


def _refuse_altered(entry: Entry, results: Results) -> None:
    """What is compared, which way is better and what is noise are the task's.

    Raises:
        SuiteError: they are another's.
    """
    task = results.tasks.get(entry.task_key)
    if task is None or entry.diagnostic is not None:
        return
    for name, known in {
        "metric": task.report_metric,
        "unit": task.unit,
        "direction": task.direction,
        "noise_floor": task.noise_floor,
    }.items():
        told = getattr(entry, name)
        if told != known:
            raise SuiteError(
                f"The baseline of {entry.method} on {entry.task} says {name} {told!r}, and the "
                f"task has {known!r}: save it anew with `nasbench check --save`."
            )


def _find(entry: Entry, trials: pd.DataFrame, results: Results, settings: _Settings) -> Finding:
    _refuse_altered(entry, results)
    reached = trials.dropna(subset=["figure"])
    figures = dict(zip(reached["seed"].tolist(), reached["figure"].tolist(), strict=True))
    failures = int((trials["status"] == "failed").sum())
    if failures:
        return Finding(entry, figures, failures, None)
    # A margin of zero is not none given: the test refuses it.
    margin = entry.noise_floor if settings.margin is None else settings.margin
    if margin is None:
        raise SuiteError(
            f"No noise floor of {entry.metric} is known, so say with --margin which loss matters."
        )
    task = results.tasks.get(entry.task_key) if entry.diagnostic is None else None
    test = compare(
        entry,
        figures,
        margin,
        alpha=settings.alpha,
        power=settings.power,
        rare=settings.rare,
        width=math.inf if task is None else task.width,
    )
    return Finding(entry, figures, 0, test)


def compare(
    entry: Entry,
    figures: Mapping[int, float],
    margin: float,
    *,
    alpha: float,
    power: float,
    rare: float | None = RARE,
    width: float = math.inf,
) -> NonInferiority:
    """The test of figures by seed against those of a baseline's entry; see ``check``.

    What is to stay as it was is tested both ways, and the way that speaks against it is returned:
    to pass wrongly it would have to pass both.
    """
    signs = {"maximize": (1.0,), "minimize": (-1.0,)}.get(entry.direction, (1.0, -1.0))
    unchanged = bool(figures) and all(
        entry.figures.get(seed) == figure for seed, figure in figures.items()
    )
    tests = [
        noninferiority(
            [sign * figure for figure in figures.values()],
            [sign * figure for figure in entry.figures.values()],
            margin,
            alpha=alpha,
            power=1.0 - (1.0 - power) / len(signs),
            rare=rare,
            unchanged=unchanged,
            width=width,
        )
        for sign in signs
    ]
    return max(tests, key=lambda test: test.p)


# -- for people ------------------------------------------------------------------------------------

_MANY = 4
_SIGNS = {"unchanged": "pass", "no worse": "pass", "worse": "**FAIL**", "undecided": "**?**"}


def _markdown(found: Check) -> str:
    alpha = next((f.test.alpha for f in found.findings if f.test is not None), None)
    of_all = f"of {counted(len(found.findings), 'comparison')}"
    few = len(found.undecided)
    headline = (
        f"**{len(found.regressions)} {of_all} did not pass.**"
        if found.regressions
        else f"**{few} {of_all} {'has' if few == 1 else 'have'} too few seeds.**"
        if few
        else f"No worse than the baseline: {len(found.findings)} {of_all}."
    )
    lines = [
        "### nasbench check",
        "",
        headline,
        "",
        "| | method | task | seeds | before | now | difference | at worst | margin | power |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [f"| {' | '.join(_row(finding))} |" for finding in found.findings]
    lines.append("")
    lines += [f"- {_why(finding)}" for finding in found.findings if finding.verdict != "no worse"]
    if alpha is not None:
        lines += [
            "",
            f"At worst: lower end of the one-sided {100 * (1 - alpha):g} % interval of the "
            f"difference, turned so that a loss is negative; a method passes where it is above "
            f"minus the margin. A loss of the margin passes with a chance of {alpha:g}. Power: "
            f"chance that an unchanged method passes.",
        ]
    if found.extra:
        shown = "; ".join(map(_escape, found.extra[:_MANY]))
        more = f"; and {len(found.extra) - _MANY} more" if found.extra[_MANY:] else ""
        lines += ["", f"Not in the baseline: {shown}{more}."]
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> list[str]:
    entry, test = finding.entry, finding.test
    unit = f" {_escape(entry.unit)}" if entry.unit else ""
    cells = [
        _SIGNS[finding.verdict],
        _escape(entry.method),
        _escape(entry.task),
        f"{len(finding.figures)} / {len(entry.figures)}",
        f"{_mean(entry.figures):.4g}{unit}",
        f"{_mean(finding.figures):.4g}{unit}" if finding.figures else "-",
    ]
    if test is None:
        return [*cells, "-", "-", "-", "-"]
    figures = f"{test.difference:+.3g}", f"{test.low:+.3g}", f"{test.margin:.3g}"
    return [*cells, *figures, f"{test.power:.2f}"]


def _why(finding: Finding) -> str:
    entry, test = finding.entry, finding.test
    where = _escape(f"{entry.method} on {entry.task}")
    if test is None:
        return f"{where}: {counted(finding.failures, 'trial')} failed."
    if test.verdict == "unchanged":
        return f"{where}: the same figure at each of {counted(len(finding.figures), 'seed')}."
    if test.verdict == "undecided":
        seeds = f"{counted(len(finding.figures), 'seed')} now and {len(entry.figures)} before"
        weak = f"an unchanged method passes with a chance of {test.power:.2f}"
        lacks = [
            *(["one seed tells no spread"] if _alone(finding) else [weak] * _weak(test)),
            *(["rare collapses may go unseen"] * test.blind),
        ]
        return f"{where}: {seeds} are too few: {' and '.join(lacks)}. {advice([finding])}"
    differs = f"{test.difference:+.3g} [{test.low:+.3g}, {test.high:+.3g}]"
    if test.high < 0:
        return f"{where}: worse, the mean differs by {differs}."
    return (
        f"{where}: the mean differs by {differs}, which may be no loss, but one of "
        f"{test.margin:.3g} is not ruled out (p = {test.p:.3f})."
    )


def _alone(finding: Finding) -> bool:
    return 1 in (len(finding.figures), len(finding.entry.figures))


def _weak(test: NonInferiority) -> bool:
    """Whether an unchanged method passes less often than it should."""
    return test.power < test.wanted_power


def advice(undecided: Sequence[Finding]) -> str:
    """What to do about comparisons that have too few seeds."""
    tests = [finding.test for finding in undecided if finding.test is not None]
    # By one seed it is unknown how many are enough.
    more = " or more" if any(map(_alone, undecided)) else ""
    larger = [
        *(["--margin"] * any(map(_weak, tests))),
        *(["--rare"] * any(test.blind for test in tests)),
    ]
    otherwise = f", or choose a larger {' or '.join(larger)}" if larger and not more else ""
    return f"Run and save {max(test.seeds_needed for test in tests)} seeds{more}{otherwise}."


def _mean(figures: Mapping[int, float]) -> float:
    return add_up(figures.values()) / len(figures)


def _escape(text: str) -> str:
    text = shown_name(text)
    return re.sub(r"([\\`*_{}\[\]<>|~#])", r"\\\1", text)
