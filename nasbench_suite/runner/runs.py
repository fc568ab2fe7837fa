"""Running many trials: every task, every method, every seed, into one results file.

Trials are independent and each takes all its randomness from its seed, so a result does not
depend on the number of processes, on the order, or on what was interrupted. Workers compute;
the calling process alone writes, one transaction a trial.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.benchmarks.surrogates import load_any
from nasbench_suite.deprecated import RUN_ARGUMENTS, renamed_arguments
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Record, TrialResult
from nasbench_suite.parsing import Seeds, check_seeds, counted, parse_methods
from nasbench_suite.rows import CodeRow, TaskRow, method_row, task_row
from nasbench_suite.runner.code import describe_code
from nasbench_suite.runner.environment import describe_environment
from nasbench_suite.runner.executors import Executor, local_executor
from nasbench_suite.runner.jobs import Failure, Job, Outcome
from nasbench_suite.runner.larger_budgets import goes_on, smaller_budgets
from nasbench_suite.runner.messages import Evaluation, Plan, TrialDone
from nasbench_suite.runner.settling import settle
from nasbench_suite.spaces import load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Objective, Session, Task, make_task
from nasbench_suite.tasks.methods import make_method, method_key, method_label, method_name
from nasbench_suite.tasks.task import Answers, Budget

T = TypeVar("T")
MethodSpecification = str | type[Method] | Method | tuple[str, Method]
Methods = MethodSpecification | Sequence[MethodSpecification]


@dataclass
class RunSummary:
    """What a run did.

    Attributes:
        finished: trials finished in this run.
        skipped: trials that an earlier run had finished already.
        gone_on: of those finished, how many began as a finished trial with a smaller budget.
        failures: the trials that failed, in the order they did.
        hints: where a method or a setting cannot do on a task what its name says, or a cost is
            of another data set.
    """

    finished: int = 0
    skipped: int = 0
    gone_on: int = 0
    failures: list[TrialDone] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def __add__(self, other: RunSummary) -> RunSummary:
        """Both runs together; what both hint at is said once."""
        return RunSummary(
            self.finished + other.finished,
            self.skipped + other.skipped,
            self.gone_on + other.gone_on,
            self.failures + other.failures,
            list(dict.fromkeys(self.hints + other.hints)),
        )


@dataclass(frozen=True)
class _Plan:
    """All trials of one method on one task that are still to be run."""

    task: Task
    method: Method
    label: str
    method_key: str
    task_id: int
    method_id: int
    seeds: Sequence[int]
    code_id: int
    again: frozenset[int] = frozenset()  # of these, what other code ran is replaced
    smaller: Sequence[TaskRow] = ()  # what is there of this task with a smaller budget

    def checkpoint(self, folder: Path, seed: int) -> Path:
        """Where a trial leaves its checkpoint."""
        return folder / f"{self.task.key}-{self.method_key}-{seed}.npz"


@renamed_arguments(**RUN_ARGUMENTS)
def run(
    benchmark: str | Path | Benchmark | OpenBenchmark = "digits",
    methods: Methods = "random",
    *,
    space: str | None = None,
    dataset: str | Sequence[str] | None = None,
    seeds: Seeds = 5,
    jobs: int = 1,
    executor: Executor | None = None,
    store: str | Path = "results.sqlite",
    keep: bool = False,
    rerun: bool = False,
    evaluations: float | None = None,
    simulated_seconds: float | None = None,
    signal: str | None = None,
    judged_by: str | None = None,
    objectives: Sequence[str | Objective] = (),
    each_objective: Sequence[str] = (),
    answers: Answers = "mean",
    crossfit: bool | None = None,
    transfer: Sequence[str] = (),
    continued: bool = False,
    workers: int = 1,
    on_trial: Callable[[TrialDone], None] | None = None,
    on_evaluation: Callable[[Evaluation], None] | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_hint: Callable[[str], None] | None = None,
    progress: bool = False,
) -> RunSummary:
    """Run methods on a benchmark and write every finished trial to a results file.

    Trials that the file already holds are not repeated, so an interrupted call, made again,
    goes on where it stopped.

    Args:
        benchmark: a benchmark, its name, or the path of its file; ``kind:what`` asks for an open
            benchmark, such as ``live:digits``.
        space: the space that an open benchmark shall answer for, where it has a choice.
        methods: names with optional settings, as one string
            (``"random,regularized-evolution[population_size=50]"``) or a sequence; an item may
            also be a ``Method`` of your own, its class, or a pair of a name and a method.
        dataset: one data set or several; see ``make_task``.
        seeds: a trial is run with each; a number stands for so many, from 0, and text such as
            ``"0-19"`` or ``"0,2,5-9"`` for those that it names.
        jobs: number of processes; -1 for all cores. Every method has processes of its own.
        executor: where trials run, if not on so many processes of this machine: ``Processes`` with
            limits, a ``RayCluster``.
        store: the results file; made if absent.
        keep: let finished trials that other code of a method ran stand beside new ones; boards
            mark such a method.
        rerun: run those of these seeds again, each replaced when it has finished.
        evaluations: budget, see ``make_task``.
        simulated_seconds: budget, see ``make_task``.
        signal: what the methods see, see ``make_task``.
        judged_by: what they are judged by, see ``make_task``.
        objectives: further ones, see ``make_task``.
        each_objective: metrics, or quantities such as ``latency`` that stand for all metrics of
            them; a task is run with each as one objective more.
        answers: ``mean`` or ``sample``, see ``Task``.
        crossfit: whether they are judged by other trainings than answer them, see ``make_task``.
        transfer: what methods may know of other data sets and devices, see ``make_task``.
        continued: whether more epochs go on with a training, see ``Task``.
        workers: simulated ones of each search, see ``Task``.
        on_trial: called after each trial has been written.
        on_evaluation: called with every evaluation of it, in order, before ``on_trial``.
        progress: whether to show a bar with the time that is left, on standard error.
        on_plan: called once, with (trials to run, trials already finished) by task name and
            method label.
        on_hint: called with each of the summary's hints once it is known, those of methods and
            tasks before the first trial.

    Returns:
        What was done. A trial that raised, passed a limit or lost its process is recorded as
        failed, and the others go on.

    Raises:
        SuiteError: bad input, found before anything is run; or finished trials were run with other
            code, and it is not said what is to become of them.
        KeyboardInterrupt: interrupted; every finished trial is kept.
    """
    tasks = make_tasks(
        benchmark,
        space=space,
        dataset=dataset,
        evaluations=evaluations,
        simulated_seconds=simulated_seconds,
        signal=signal,
        judged_by=judged_by,
        objectives=objectives,
        each_objective=each_objective,
        answers=answers,
        crossfit=crossfit,
        transfer=transfer,
        continued=continued,
        workers=workers,
    )
    return run_tasks(
        tasks,
        methods,
        seeds=seeds,
        jobs=jobs,
        executor=executor,
        store=store,
        keep=keep,
        rerun=rerun,
        on_trial=on_trial,
        on_evaluation=on_evaluation,
        on_plan=on_plan,
        on_hint=on_hint,
        progress=progress,
    )


def prepare(
    benchmark: str | Path | Benchmark | OpenBenchmark,
    methods: Methods,
    *,
    seeds: Seeds = 5,
    **settings: Any,
) -> tuple[list[Task], list[MethodSpecification], list[int]]:
    """The tasks, methods and seeds of one call of ``run``, all of them looked at before any runs.

    Args:
        benchmark: as for ``run``.
        methods: as for ``run``.
        seeds: as for ``run``.
        settings: those of ``make_tasks``.

    Raises:
        SuiteError: a benchmark, a metric, a method, or what a method needs is missing.
    """
    tasks, chosen = make_tasks(benchmark, **settings), make_methods(methods)
    for task in tasks:
        for _, method in chosen:
            method.refuse(task)
    return tasks, list(chosen), check_seeds(seeds)


@renamed_arguments(**RUN_ARGUMENTS)
def make_tasks(
    benchmark: str | Path | Benchmark | OpenBenchmark = "digits",
    *,
    space: str | None = None,
    dataset: str | Sequence[str] | None = None,
    objectives: Sequence[str | Objective] = (),
    each_objective: Sequence[str] = (),
    **settings: Any,
) -> list[Task]:
    """The tasks of ``run``, which describes the arguments; the others are those of ``make_task``.

    Raises:
        SuiteError: unknown benchmark or metric, or as ``make_task``.
    """
    table = _benchmark(benchmark, space)
    names = [dataset] if isinstance(dataset, str) or dataset is None else dataset
    return [
        make_task(table, name, objectives=[*objectives, *more], **settings)
        for name in names
        for more in (
            [[metric] for metric in table.named(each_objective)] if each_objective else [[]]
        )
    ]


def _benchmark(
    benchmark: str | Path | Benchmark | OpenBenchmark, space: str | None
) -> Benchmark | OpenBenchmark:
    if not isinstance(benchmark, Benchmark | OpenBenchmark):
        benchmark = load_any(benchmark, space)
    if space is not None and load_space(space).name != benchmark.space.name:
        raise SuiteError(
            f"Benchmark {benchmark.name!r} is of space {benchmark.space.name!r}, not {space!r}: "
            f"leave --space out."
        )
    return benchmark


def run_tasks(
    tasks: Sequence[Task],
    methods: Methods,
    *,
    seeds: Seeds = 5,
    jobs: int = 1,
    executor: Executor | None = None,
    store: str | Path = "results.sqlite",
    keep: bool = False,
    rerun: bool = False,
    on_trial: Callable[[TrialDone], None] | None = None,
    on_evaluation: Callable[[Evaluation], None] | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_hint: Callable[[str], None] | None = None,
    progress: bool = False,
) -> RunSummary:
    """As ``run``, on tasks made before with ``make_task``."""
    seeds = check_seeds(seeds)
    executor = executor or local_executor(jobs)
    chosen = make_methods(methods)
    summary = RunSummary(hints=_check_methods(tasks, chosen))
    with ResultStore(store) as results, ExitStack() as shown:
        environment_id = results.add_environment(describe_environment(name for name, _ in chosen))
        plans = _make_plans(results, tasks, chosen, seeds, keep, rerun, summary)
        tell = on_hint or (lambda hint: None)
        for hint in summary.hints:
            tell(hint)
        if progress:
            from nasbench_suite.runner.progress import Bar

            bar = shown.enter_context(Bar())
            on_plan, on_trial = _both(bar.plan, on_plan), _both(bar.advance, on_trial)
        if on_plan is not None:
            on_plan(
                {
                    (plan.task.name, plan.label): (len(plan.seeds), len(seeds) - len(plan.seeds))
                    for plan in plans
                }
            )
        checkpoints = results.path.with_name(results.path.name + ".checkpoints").resolve()
        work = [(plan.task, plan.method) for plan in plans]
        kept = _Writer(results, environment_id, summary)
        for job, outcome in _outcomes(executor, work, _jobs(plans, checkpoints)):
            plan = plans[job.plan]
            if not isinstance(outcome, Failure):
                outcome = settle(plan.task, job.seed, outcome)
            done = kept.write(plan, job, outcome)
            if on_evaluation is not None and isinstance(outcome, TrialResult):
                for evaluation in _evaluations(done, outcome.record):
                    on_evaluation(evaluation)
            if on_trial is not None:
                on_trial(done)
        for hint in kept.hints():
            summary.hints.append(hint)
            tell(hint)
        with suppress(OSError):
            checkpoints.rmdir()  # if empty: what failed keeps its checkpoint
    return summary


def _check_methods(tasks: Sequence[Task], chosen: Sequence[tuple[str, Method]]) -> list[str]:
    """What tasks and methods hint at, a sentence each.

    Raises:
        SuiteError: a method cannot search on a task at all, or its table is damaged.
    """
    hints = []
    for task in tasks:
        if isinstance(task.benchmark, Benchmark):
            Session(task, seed=0)  # reads what answers: damage is told once, before any trial
        hints += [f"{task.name}: {hint}" for hint in task.hints]
        for name, method in chosen:
            method.refuse(task)
            label = method_label(name, method)
            hints += [f"{label} on {task.name}: {hint}" for hint in method.hints(task)]
    return hints


def _make_plans(
    results: ResultStore,
    tasks: Sequence[Task],
    chosen: Sequence[tuple[str, Method]],
    seeds: Sequence[int],
    keep: bool,
    rerun: bool,
    summary: RunSummary,
) -> list[_Plan]:
    """What is to be run of each method on each task; what is not is counted in the summary.

    Raises:
        SuiteError: other code ran some of it, and it is not said what is to become of that.
    """
    plans = []
    there, codes = results.finished_seeds(), results.codes()
    current = {name: describe_code(name, method) for name, method in chosen}
    known_tasks = results.tasks().values()
    for task in tasks:
        own_row = task_row(task)
        task_id = results.add_task(own_row)
        smaller = smaller_budgets(own_row, known_tasks)
        for name, method in chosen:
            row, own = method_row(name, method), current[name]
            method_id = results.add_method(row)
            finished = there.get((task_id, method_id), {})
            others = {
                seed: codes[code]
                for seed, code in finished.items()
                if code is not None and codes[code].identity != own.identity
            }
            again = frozenset(others).intersection(seeds) if rerun else frozenset()
            todo = [seed for seed in seeds if seed not in finished or seed in again]
            if others and not rerun:
                if todo and not keep:
                    raise SuiteError(_other_code(row.label, task, own, others, results.path))
                trials = counted(len(others), "trial")
                summary.hints.append(
                    f"{row.label} on {task.name}: {trials} of other code "
                    f"({next(iter(others.values())).title}); now it is {own.title}. "
                    f"To run these again, give --rerun."
                )
            summary.skipped += len(seeds) - len(todo)
            numbers = (task_id, method_id, todo, results.add_code(own), again, smaller)
            plans.append(_Plan(task, method, row.label, row.key, *numbers))
    return plans


@dataclass
class _Writer:
    """Writes how trials ended, and counts it.

    Attributes:
        results: written to.
        environment_id: where they run.
        summary: what is counted.
        anew: searches that do not go on from a smaller budget, by whose and which.
    """

    results: ResultStore
    environment_id: int
    summary: RunSummary
    anew: Counter[tuple[str, str]] = field(default_factory=Counter)

    def write(self, plan: _Plan, job: Job, outcome: Failure | TrialResult) -> TrialDone:
        """Write how a trial ended, and tell it."""
        where = (plan.task_id, plan.method_id, self.environment_id, job.seed)
        tell = partial(TrialDone, plan.task.name, plan.label, job.seed)
        if isinstance(outcome, Failure):
            message, seconds = f"{outcome.message}\n{outcome.traceback}", outcome.wall_seconds
            self.results.add_failure(*where, message, seconds, code_id=plan.code_id)
            done = tell(outcome.message, seconds)
            self.summary.failures.append(done)
            return done
        replaced = job.seed in plan.again
        self.results.add_trial(*where, outcome, code_id=plan.code_id, replace=replaced)
        job.checkpoint.unlink(missing_ok=True)
        self.summary.finished += 1
        budget = _goes_on_from(self.results, plan, job.seed, outcome.record)
        self.summary.gone_on += budget == ""
        if budget:
            self.anew[f"{plan.label} on {plan.task.name}", budget] += 1
        return tell(None, outcome.wall_seconds)

    def hints(self) -> list[str]:
        """Which searches began otherwise than with a smaller budget."""
        return [
            f"{whose}: {counted(count, 'search', 'searches')} did not begin as with the same "
            f"seed within {within}, so nothing was gone on with: the method plans by its "
            f"budget, or is other code since."
            for (whose, within), count in self.anew.items()
        ]


def _goes_on_from(results: ResultStore, plan: _Plan, seed: int, record: Record) -> str | None:
    """Whether a search went on from one with the largest smaller budget that there is.

    Returns:
        Nothing to tell, an empty text, if it did; that budget if it did not; None if there is none.
    """
    for task in plan.smaller:
        trial = results.finished_trial(task.key, plan.method_key, seed)
        if trial is not None:
            budget = Budget(task.config["evaluations"], task.config["seconds"])
            return "" if goes_on(results.record(trial), record) else str(budget)
    return None


def _other_code(
    label: str, task: Task, own: CodeRow, others: Mapping[int, CodeRow], path: Path
) -> str:
    """The sentence that asks what is to become of trials that other code ran."""
    seeds = sorted(others)
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds from {seeds[0]}"
    return (
        f"{label} on {task.name} was run with other code for {named} "
        f"({others[seeds[0]].title}; now {own.title}): run these again with --rerun, keep them "
        f"beside the new ones with --keep, or name a new file instead of {path} with --store."
    )


def _evaluations(trial: TrialDone, record: Record) -> Iterator[Evaluation]:
    """What was evaluated in a trial, one by one; recommendations alone are no evaluations."""
    for number, epochs in enumerate(record.epochs.tolist()):
        if epochs > 0:
            place = int(record.architectures[number])
            yield Evaluation(
                trial.task,
                trial.method,
                trial.seed,
                number + 1,
                place if record.strings is None else record.strings[place],
                epochs,
                tuple(record.signals[number].tolist()),
                float(record.evaluations[number]),
                float(record.seconds[number]),
            )


def _both(one: Callable[[T], None], other: Callable[[T], None] | None) -> Callable[[T], None]:
    """A call of both; of the one alone where there is no other."""
    if other is None:
        return one

    def call(value: T) -> None:
        one(value)
        other(value)

    return call


def make_methods(methods: Methods) -> list[tuple[str, Method]]:
    """Names and methods, each once.

    Raises:
        SuiteError: unknown method or hyper-parameter, one that no file can hold, or no method.
    """
    chosen: dict[str, tuple[str, Method]] = {}
    for item in [methods] if _is_one(methods) else methods:  # type: ignore[union-attr]
        for name, method in _made(item):  # type: ignore[arg-type]
            _check_kept(name, method)
            chosen.setdefault(method_key(name, method), (name, method))
    if not chosen:
        raise SuiteError("No method is named: give at least one, such as random.")
    return list(chosen.values())


def _is_one(methods: object) -> bool:
    """Whether it is one specification and no sequence of them: a pair is a tuple too."""
    pair = isinstance(methods, tuple) and len(methods) == 2 and isinstance(methods[1], Method)
    return isinstance(methods, str | Method | type) or pair


def _made(item: MethodSpecification) -> list[tuple[str, Method]]:
    """The methods of one specification, of which a text may have several."""
    if isinstance(item, str):
        return [(name, make_method(name, settings)) for name, settings in parse_methods(item)]
    name, method = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
    if isinstance(method, type) and issubclass(method, Method):
        try:
            method = method()
        except TypeError as error:
            raise SuiteError(
                f"{item!r} cannot be made without settings ({error}): give one that is made."
            ) from None
    if not isinstance(method, Method) or not isinstance(name, str | None):
        raise SuiteError(
            f"{item!r} is no method: give a name, a subclass of Method, one with its "
            f"hyper-parameters, or a pair of a name and such a one."
        )
    return [(method_name(type(method)) if name is None else name, method)]


def _check_kept(name: str, method: Method) -> None:
    """Refuse a name that nobody sees, and hyper-parameters that no results file can hold."""
    if not name or name != name.strip():
        raise SuiteError(f"{name!r} is no name of a method: give one without spaces around it.")
    for setting, value in method.config.items():
        try:
            json.dumps(value)
        except TypeError:
            raise SuiteError(
                f"{setting} of {name} is {value!r}, which no results file can hold: give a number, "
                f"text, or a list of such."
            ) from None


def _outcomes(
    executor: Executor, work: Sequence[tuple[Task, Method]], jobs: Iterator[Job]
) -> Iterator[tuple[Job, Outcome]]:
    """What an executor, which anybody may write, makes of jobs: one outcome of each, and no other.

    Raises:
        SuiteError: one that it was not given, or has told of, or is none; or some are missing.
    """
    begun: set[Job] = set()

    def given() -> Iterator[Job]:
        for job in jobs:
            begun.add(job)
            yield job

    waiting = given()
    for job, outcome in executor.outcomes(work, waiting):
        if job not in begun:
            raise SuiteError(
                f"The executor gave an outcome of a trial that was not to be run, or gave it twice "
                f"(seed {getattr(job, 'seed', '?')}): run the same command with another."
            )
        if not isinstance(outcome, Failure | TrialResult):
            raise SuiteError(
                f"The executor gave {type(outcome).__name__} as the outcome of a trial: run the "
                f"same command with another."
            )
        begun.remove(job)
        yield job, outcome
    missing = len(begun) + sum(1 for _ in waiting)
    if missing:
        raise SuiteError(
            f"The executor gave no outcome of {counted(missing, 'trial')}: run the same command "
            f"with another."
        )


def _jobs(plans: Sequence[_Plan], checkpoints: Path) -> Iterator[Job]:
    for number, plan in enumerate(plans):
        for seed in plan.seeds:
            yield Job(number, seed, plan.checkpoint(checkpoints, seed))
