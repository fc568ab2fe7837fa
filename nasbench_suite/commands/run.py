"""``nasbench run``: methods on benchmarks, into a results file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from nasbench_suite.runner import TrialDone

_MANY_FAILURES = 5


def run(
    methods: Annotated[
        str,
        typer.Option(
            help="Methods, as name,name[setting=value,...]; `nasbench methods list` names them."
        ),
    ],
    benchmark: Annotated[
        str, typer.Option(help="Name or file of a benchmark; `nasbench data list` names them.")
    ] = "digits",
    dataset: Annotated[
        str | None,
        typer.Option(help="Data set, or several, as name,name; needed if there is a choice."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="Space of an open benchmark such as live:digits, if it has a choice."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, as 0-4 or 0,2,5-9.")] = "0-4",
    evaluations: Annotated[
        float | None, typer.Option(help="Budget in evaluations; 200 if no budget is given.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Budget in simulated seconds of training.")
    ] = None,
    signal: Annotated[
        str | None,
        typer.Option(help="Metric the methods see; by default the last validation accuracy."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(help="Metric they are judged by; by default the last test accuracy."),
    ] = None,
    also: Annotated[
        str | None,
        typer.Option(help="Further objectives, as name,name: search for a Pareto front."),
    ] = None,
    each: Annotated[
        str | None,
        typer.Option(
            help="One task for each of these as a further objective, as name,name; `latency` "
            "stands for all latencies."
        ),
    ] = None,
    noise: Annotated[
        str,
        typer.Option(help="`mean`: answer by the mean of the training seeds; `sample`: by one."),
    ] = "mean",
    crossfit: Annotated[
        bool | None,
        typer.Option(
            "--crossfit/--no-crossfit",
            help="Judge by other trainings than those that answer the search; by default wherever "
            "the table has several.",
            show_default=False,
        ),
    ] = None,
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

    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import parse_seeds, split_names
    from nasbench_suite.runner import Limits
    from nasbench_suite.runner import run as run_trials
    from nasbench_suite.runner.executors import Resources, make_executor

    limits = Limits(time_limit, memory_limit, retries)
    asked = Resources(jobs, limits, address, trial_cores, trial_gpus, trial_memory)
    where = make_executor(executor, asked)
    console = Console(stderr=True, quiet=quiet, markup=False)
    with _Bars(console) as bars:
        summary = run_trials(
            benchmark,
            methods,
            space=space,
            dataset=split_names(dataset) if dataset else None,
            seeds=parse_seeds(seeds),
            executor=where,
            store=store,
            keep=keep,
            rerun=rerun,
            evaluations=evaluations,
            seconds=seconds,
            signal=signal,
            report=report,
            also=split_names(also) if also else (),
            each=split_names(each) if each else (),
            noise=noise,  # type: ignore[arg-type]  # make_task checks it
            crossfit=crossfit,
            on_plan=bars.plan,
            on_trial=bars.advance,
        )
    kept = f", {summary.skipped} were already there" if summary.skipped else ""
    console.print(f"{summary.finished} trials finished{kept}: {store}", highlight=False)
    for hint in summary.hints:
        console.print(f"Note: {hint}", highlight=False)
    if summary.failures:
        for failure in summary.failures[:_MANY_FAILURES]:
            typer.echo(
                f"{failure.method} on {failure.task}, seed {failure.seed}: {failure.failure}",
                err=True,
            )
        raise SuiteError(
            f"{len(summary.failures)} trials failed, all others are kept: mend the method and run "
            f"the same command again (the tracebacks are in {store}, column trials.message)."
        )


class _Bars:
    """A progress bar for every method on every task."""

    def __init__(self, console: object) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,  # type: ignore[arg-type]
        )
        self._bars: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._progress.stop()

    def plan(self, plan: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        several_tasks = len({task for task, _ in plan}) > 1
        for (task, method), (todo, finished) in plan.items():
            self._bars[task, method] = self._progress.add_task(
                f"{task}: {method}" if several_tasks else method,
                total=todo + finished,
                completed=finished,
            )
        self._progress.start()

    def advance(self, trial: TrialDone) -> None:
        self._progress.advance(self._bars[trial.task, trial.method])
