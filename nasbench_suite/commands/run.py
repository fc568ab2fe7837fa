"""``nasbench run``: methods on benchmarks, into a results file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.completion import complete, complete_benchmarks
from nasbench_suite.commands.options import Seeds
from nasbench_suite.errors import SuiteError

if TYPE_CHECKING:
    from rich.console import Console

    from nasbench_suite.runner import RunSummary
    from nasbench_suite.runner.messages import Plan

_MANY_FAILURES = 5


def run(
    experiment: Annotated[
        Path | None,
        typer.Argument(help="Experiment file (TOML); it says all but where trials run."),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            help="A named experiment instead; `nasbench list suites` names them.",
            autocompletion=complete("suites"),
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods, as name,name[setting=value,...]; `nasbench methods list` names them.",
            autocompletion=complete("methods"),
        ),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            help="Name or file of a benchmark; `nasbench data list` names them. The embedded "
            "`digits` if left out.",
            autocompletion=complete_benchmarks,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Data set, or several, as name,name; needed if there is a choice."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="Space of an open benchmark such as live:digits, if it has a choice."),
    ] = None,
    seeds: Seeds = "0-4",
    evaluations: Annotated[
        float | None, typer.Option(help="Budget in evaluations; 200 if no budget is given.")
    ] = None,
    simulated_seconds: Annotated[
        float | None, typer.Option(help="Budget in simulated seconds of training.")
    ] = None,
    signal: Annotated[
        str | None,
        typer.Option(help="Metric the methods see; by default the last validation accuracy."),
    ] = None,
    judged_by: Annotated[
        str | None,
        typer.Option(help="Metric they are judged by; by default the last test accuracy."),
    ] = None,
    objectives: Annotated[
        str | None,
        typer.Option(help="Objectives besides, as name,name: search for a Pareto front."),
    ] = None,
    each_objective: Annotated[
        str | None,
        typer.Option(
            help="One task for each of these as a further objective, as name,name; `latency` "
            "stands for all latencies."
        ),
    ] = None,
    answers: Annotated[
        str,
        typer.Option(help="`mean`: answer by the mean of the training seeds; `sample`: by one."),
    ] = "mean",
    transfer: Annotated[
        str | None,
        typer.Option(
            help="What methods may know beforehand, as name,name: metrics, BENCHMARK:METRIC, or "
            "`others`: accuracies of other data sets and costs of other devices."
        ),
    ] = None,
    crossfit: Annotated[
        bool | None,
        typer.Option(
            "--crossfit/--no-crossfit",
            help="Judge by other trainings than those that answer the search; by default wherever "
            "the table has several.",
            show_default=False,
        ),
    ] = None,
    continued: Annotated[
        bool,
        typer.Option(
            "--continued",
            help="Charge more epochs of an architecture that was trained to fewer the difference.",
        ),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            help="Trainings that a search runs at a time, simulated; seconds are the clock's then."
        ),
    ] = 1,
    jobs: Annotated[int, typer.Option(help="Processes; -1 for all cores.")] = 1,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Seconds of wall time after which a trial is stopped and has failed."),
    ] = None,
    memory_limit: Annotated[
        float | None, typer.Option(help="Megabytes that a trial may allocate (Linux).")
    ] = None,
    retries: Annotated[
        int, typer.Option(help="How often a trial begins again whose process was lost.")
    ] = 1,
    executor: Annotated[
        str,
        typer.Option(
            help="`local`; `this-process`, for a debugger; or `ray` for a cluster. --jobs counts "
            "for the first alone."
        ),
    ] = "local",
    address: Annotated[
        str, typer.Option(help="Of the Ray cluster, as host:port; `auto`: this machine's.")
    ] = "auto",
    trial_cores: Annotated[
        float, typer.Option(help="With ray: processor cores that one trial asks for.")
    ] = 1.0,
    trial_gpus: Annotated[
        float, typer.Option(help="With ray: GPUs that one trial asks for.")
    ] = 0.0,
    trial_memory: Annotated[
        float, typer.Option(help="With ray: megabytes that one trial asks for.")
    ] = 0.0,
    store: Annotated[Path, typer.Option(help="Results file.")] = Path("results.sqlite"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep trials of other code of a method beside new ones.")
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run trials of other code of a method again.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Run search methods on a benchmark; the same command again goes on where it stopped."""
    from rich.console import Console

    from nasbench_suite.parsing import parse_seeds
    from nasbench_suite.runner import Limits, RunSummary, run_tasks
    from nasbench_suite.runner.executors import Resources, make_executor
    from nasbench_suite.runner.progress import Bar
    from nasbench_suite.runner.runs import prepare

    limits = Limits(time_limit, memory_limit, retries)
    asked = Resources(jobs, limits, address, trial_cores, trial_gpus, trial_memory)
    where = make_executor(executor, asked)
    console = Console(stderr=True, quiet=quiet, markup=False)
    if experiment is not None or suite is not None:
        if methods is not None or benchmark is not None or (experiment and suite):
            raise SuiteError(
                "An experiment file or a suite says which methods and benchmarks are run: give one "
                "of them and nothing else, or --methods and --benchmark."
            )
        runs = _written_runs(experiment, suite)
    elif methods is None:
        raise SuiteError(
            "Nothing is to be run: give --methods, an experiment file, or --suite; `nasbench "
            "methods list` and `nasbench list suites` name what there is."
        )
    else:
        runs = [
            {
                "benchmark": benchmark or "digits",
                "methods": methods,
                "space": space,
                "dataset": _names(dataset) or None,
                "seeds": parse_seeds(seeds),
                "evaluations": evaluations,
                "simulated_seconds": simulated_seconds,
                "signal": signal,
                "judged_by": judged_by,
                "objectives": _names(objectives),
                "each_objective": _names(each_objective),
                "answers": answers,
                "crossfit": crossfit,
                "transfer": _names(transfer),
                "continued": continued,
                "workers": workers,
            }
        ]
    groups = [prepare(**settings) for settings in runs]  # what is missing shows before any runs
    told = _Told(console, _seeds_told([seeds for _, _, seeds in groups]))
    summary = RunSummary()
    with Bar(console) as bar:
        bar.expect(sum(len(tasks) * len(made) * len(seeds) for tasks, made, seeds in groups))
        for tasks, made, numbers in groups:
            summary += run_tasks(
                tasks,
                made,
                seeds=numbers,
                executor=where,
                store=store,
                keep=keep,
                rerun=rerun,
                on_plan=lambda plan: bar.plan(told.begun(plan)),
                on_trial=bar.advance,
                on_hint=told,
            )
    for line in (*bar.told(), _done(summary, store)):
        console.print(line, highlight=False)
    _refuse_failures(summary, store)


def _written_runs(experiment: Path | None, suite: str | None) -> list[dict[str, Any]]:
    """The settings of each run of an experiment file or a named suite; warnings are printed."""
    from warnings import catch_warnings

    from nasbench_suite.suites import load_suite, read_suite

    with catch_warnings(record=True) as told:
        found = read_suite(experiment) if experiment else load_suite(str(suite))
    for one in told:
        typer.echo(f"nasbench: {one.message}", err=True)
    return [one.settings() for one in found.runs]


def _names(text: str | None) -> list[str]:
    """The names of a list as it is written; none where none was given."""
    from nasbench_suite.parsing import given_names

    return given_names(text) or []


@dataclass
class _Told:
    """Prints what should be known of a run, once, when it is known.

    Attributes:
        console: where to.
        first: what stands before all else.
        hints: what was told.
    """

    console: Console
    first: str
    hints: set[str] = field(default_factory=set)

    def begun(self, plan: Plan) -> Plan:
        """The same plan, which is about to be run."""
        if self.first:
            self.console.print(self.first, highlight=False)
            self.first = ""
        return plan

    def __call__(self, hint: str) -> None:
        self.begun({})
        if hint not in self.hints:
            self.hints.add(hint)
            self.console.print(f"Note: {hint}", highlight=False)


def _seeds_told(of_runs: Iterable[Sequence[int]]) -> str:
    """How many seeds there are, and which: 4 is one, whoever expects four."""
    from nasbench_suite.parsing import counted, seed_ranges

    told = (f"{counted(len(seeds), 'seed')}: {seed_ranges(seeds)}" for seeds in of_runs)
    return "; ".join(dict.fromkeys(told))


def _done(summary: RunSummary, store: Path) -> str:
    """What was done."""
    from nasbench_suite.parsing import counted

    were = "was" if summary.skipped == 1 else "were"
    kept = f", {summary.skipped:,} {were} already there" if summary.skipped else ""
    on = f", {summary.gone_on:,} going on from a smaller budget" if summary.gone_on else ""
    finished = counted(summary.finished, "trial")
    return f"{finished} finished{on}{kept}: {store}"


def _refuse_failures(summary: RunSummary, store: Path) -> None:
    """Print the first of the failures.

    Raises:
        SuiteError: there is one.
    """
    from nasbench_suite.parsing import counted

    for failure in summary.failures[:_MANY_FAILURES]:
        typer.echo(
            f"{failure.method} on {failure.task}, seed {failure.seed}: {failure.failure}", err=True
        )
    if summary.failures:
        raise SuiteError(
            f"{counted(len(summary.failures), 'trial')} failed, all others are kept: mend the "
            f"method and run the same command again. Tracebacks: nasbench store failures {store}"
        )
