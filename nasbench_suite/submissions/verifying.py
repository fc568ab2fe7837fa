"""Computing every claim of a submission again, from the table alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.library import known_benchmarks
from nasbench_suite.benchmarks.open import OpenBenchmark, is_open
from nasbench_suite.benchmarks.surrogates import known_surrogates, load_any
from nasbench_suite.errors import SuiteError, and_more, choose_from, printable, reason, refused
from nasbench_suite.events import Record, TrialResult
from nasbench_suite.parsing import counted
from nasbench_suite.rows import MethodRow, TaskRow, TrialRow, task_row
from nasbench_suite.runner.environment import describe_environment
from nasbench_suite.runner.trial import Trial
from nasbench_suite.submissions.files import Submission, gather_submission, read_submission
from nasbench_suite.submissions.naming import naming_faults
from nasbench_suite.submissions.plausibility import copies, foresight, seed_gaps
from nasbench_suite.tasks import Objective, Task, make_task
from nasbench_suite.tasks.auditing import Violation, audit
from nasbench_suite.tasks.judging import judged_on
from nasbench_suite.tasks.methods import make_method, method_key
from nasbench_suite.tasks.task import config_hash

Kind = Literal[
    "task",
    "method",
    "duplicate seed",
    "seeds",
    "copied",
    "record",
    "forged",
    "test leakage",
    "budget",
    "rerun",
    "versions",
    "foresight",
    "trainings",
]
Level = Literal["form", "trainings", "surrogate", "table", "rerun"]

# What a field that is something else than it should be raises, wherever it is first used.
_OTHERS_WORD = (
    *(LookupError, TypeError, ValueError, AttributeError, ArithmeticError),
    *(MemoryError, RecursionError),
)
_DATABASE = b"SQLite format 3\0"  # how results files begin
_LONGEST = 1e9  # seconds of a trial
_MANY = 3  # packages named one by one
_SHOWN = 400  # characters of what is claimed
_TELLING = 5  # trials that must all favour the test figure before that is called a leak


@dataclass(frozen=True)
class Fault:
    """Something in a submission that is not so.

    Attributes:
        kind: what sort of thing.
        where: task, method and seed, as far as it concerns one.
        what: what is claimed and what is so, in one sentence.
    """

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {f'{self.where}: ' if self.where else ''}{self.what}"


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        submission: what was read.
        faults: everything that is not so; a submission with any is rejected.
        doubts: what is strange and may be so; a submission with any enters, and is marked.
        notes: what could not be checked.
        rerun: number of trials that were run again.
        tasks: the tasks, built anew, by key.
        results: what each sound trial comes to, computed anew, by its place.
    """

    submission: Submission
    faults: tuple[Fault, ...]
    doubts: tuple[Fault, ...]
    notes: tuple[str, ...]
    rerun: int
    tasks: dict[str, Task]
    results: dict[int, TrialResult]

    @property
    def accepted(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    @property
    def level(self) -> Level:
        """How far it was confirmed, in the order of what that is worth.

        ``form``: that it can be read, and its figures could not be had again. ``trainings``: by
        networks trained here, or kept from before. ``surrogate``: by the same model. ``table``: by
        the same table. ``rerun``: some of each method's trials were run again with the same
        outcome.
        """
        if self.faults or any(doubt.kind == "trainings" for doubt in self.doubts):
            return "form"
        if self.rerun and not self.doubts and not self.notes:
            return "rerun"
        benchmarks = [task.benchmark for task in self.tasks.values()]
        asked = [one for one in benchmarks if isinstance(one, OpenBenchmark)]
        if not asked:
            return "table"
        return "trainings" if any(one.trains for one in asked) else "surrogate"


def load_by_name(name: str) -> Benchmark | OpenBenchmark:
    """The benchmark at hand of that name; a submission names no file.

    Raises:
        SuiteError: there is none; the sentence says how it comes to be there.
    """
    known = [*known_benchmarks(), *known_surrogates()]
    if is_open(name) and not {"/", "\\"} & set(name):
        return load_any(name)
    if name not in known:
        raise SuiteError(
            f"{choose_from('benchmark', name, known)} What is claimed can be computed again on the "
            f"same table alone: import it with `nasbench data import FILE --name {name}`."
        )
    return load_any(name)


def verify_submission(
    path: str | Path | Submission,
    *,
    rerun: int = 0,
    load: Callable[[str], Benchmark | OpenBenchmark] = load_by_name,
) -> Verification:
    """Compute everything that a submission claims again, and name what differs.

    Tasks are built anew from the benchmark at hand, so another table, an altered optimum or a
    search on a test metric shows. Each evaluation is looked up, its cost charged and what the
    search would have returned is found by the harness's own rules, so forged accuracies, signals
    that are test figures and exceeded budgets show. Two trials of one task, method and seed are
    duplicates. The seeds of a method are 0 to n-1, and none does what another did.

    Args:
        path: a submission or its file, or a results file, whose finished trials are verified as
            if they were submitted.
        rerun: run so many trials again, as many of each method, spread evenly, and compare them to
            the last bit; their methods have to be installed here.
        load: what finds benchmarks by name; by default those at hand, and no file by its path.

    Raises:
        SuiteError: the file cannot be read, a benchmark is not at hand, or an impossible number.
    """
    check_rerun(rerun)
    submission = path if isinstance(path, Submission) else _read(Path(path))
    with refused("The submission cannot be verified ({reason}): make it anew.", *_OTHERS_WORD):
        return _verify(submission, rerun, load)


def check_rerun(rerun: int) -> None:
    """Refuse a number of trials that cannot be run again."""
    if rerun < 0:
        raise SuiteError(f"{rerun} trials cannot be run again: give 0 or more.")


def _read(path: Path) -> Submission:
    """A submission, or the finished trials of a results file."""
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(len(_DATABASE))
        if begin == _DATABASE:
            return gather_submission(path)
    return read_submission(path)


def _verify(
    submission: Submission, rerun: int, load: Callable[[str], Benchmark | OpenBenchmark]
) -> Verification:
    named = _Names(submission)
    faults: list[Fault] = []
    doubts: list[Fault] = []
    tasks: dict[str, Task] = {}
    for claim in submission.tasks:
        built = _build(claim, load)
        if isinstance(built, Fault):
            faults.append(built)
        else:
            tasks[claim.key] = built
    if not submission.trials:
        faults.append(Fault("record", "", "it holds no trial."))
    for method in submission.methods:
        faults += [Fault("method", method.label, what) for what, _ in naming_faults(method)]
        if _is_another(method):
            what = f"a class, or settings, that the {method.name!r} of here does not have."
            doubts.append(Fault("method", method.label, what))
    faults += _duplicates(submission, named)
    results = _trial_results(submission, tasks, named, faults, doubts)
    faults += _leaks(submission, tasks, results, named)
    faults += [
        Fault("seeds", named.searches(*group), what) for group, what in seed_gaps(submission.trials)
    ]
    for copied, certain in _copies(submission, named):
        (faults if certain else doubts).append(copied)
    doubts += [
        Fault("foresight", named.searches(*group), what)
        for group, what in foresight(submission.trials, tasks, results)
    ]
    notes: list[str] = []
    again, differing = _rerun(submission, tasks, results, named, rerun, notes) if rerun else (0, [])
    doubts += [fault for fault in differing if fault.kind == "versions"]
    faults += [fault for fault in differing if fault.kind != "versions"]
    found_all = (tuple(faults), tuple(doubts), tuple(notes))
    return Verification(submission, *found_all, again, tasks, results)


def _trial_results(
    submission: Submission,
    tasks: Mapping[str, Task],
    named: _Names,
    faults: list[Fault],
    doubts: list[Fault],
) -> dict[int, TrialResult]:
    """What the trials without a fault come to, by their places; faults and doubts are added."""
    results: dict[int, TrialResult] = {}
    environments = {environment.key for environment in submission.environments}
    for place, trial in enumerate(submission.trials):
        where = named.trial(trial)
        if trial.task in named.tasks and trial.task not in tasks:
            continue  # of a task that is at fault itself
        if missing := _missing_row(trial, named.tasks, environments, named.methods):
            faults.append(Fault(missing[0], where, missing[1]))
            continue
        found, doubts_of_trial, result = _verify_trial(tasks[trial.task], trial, where)
        faults += found
        doubts += doubts_of_trial
        if result is not None and not found:
            results[place] = result
    return results


def _copies(submission: Submission, named: _Names) -> Iterator[tuple[Fault, bool]]:
    """Trials that evaluate what another does, and whether that is beyond doubt.

    Two methods may draw alike with one seed: evolution, before its population is full.
    """
    for first, again in copies(submission.trials):
        one, two = submission.trials[first], submission.trials[again]
        what = f"it evaluates what {named.trial(one)} does, in its order."
        yield Fault("copied", named.trial(two), what), one.seed != two.seed


class _Names:
    """What the tasks and methods of a submission are called, found once for all its trials."""

    def __init__(self, submission: Submission) -> None:
        self.tasks = {claim.key: claim.name for claim in submission.tasks}
        self.methods = {claim.key: claim.label for claim in submission.methods}

    def searches(self, task: str, method: str) -> str:
        """A method on a task, by their keys; what is not in the submission by its key."""
        return f"{self.methods.get(method, method)} on {self.tasks.get(task, task)}"

    def trial(self, trial: TrialRow) -> str:
        """The same with its seed."""
        return f"{self.searches(trial.task, trial.method)}, seed {trial.seed}"


def _missing_row(
    trial: TrialRow, tasks: Container[str], environments: Container[str], methods: Container[str]
) -> tuple[Kind, str] | None:
    """What of a trial's task, environment or method is not in the submission; the first of these.

    Args:
        trial: the trial.
        tasks: the keys of the submission's, and so of the others.
        environments: those of environments.
        methods: those of methods.
    """
    if trial.task not in tasks:
        return "task", "its task is not in the submission."
    if trial.environment not in environments:
        return "record", "where it ran is not in the submission."
    if trial.method not in methods:
        return "record", "its method is not in the submission."
    return None


def _is_another(claim: MethodRow) -> bool:
    """Whether it bears the name of a method of here, and is of another version or of anybody."""
    if claim.name not in registry.entries("methods"):
        return False
    try:
        return method_key(claim.name, make_method(claim.name, claim.config)) != claim.key
    except SuiteError:
        return True


# -- tasks -----------------------------------------------------------------------------------------


def _build(claim: TaskRow, load: Callable[[str], Benchmark | OpenBenchmark]) -> Task | Fault:
    """The task of a claim, from the table at hand, or what is wrong with it."""
    config = claim.config
    benchmark = load(str(config.get("benchmark")))
    if config.get("checksum") != benchmark.checksum:
        return Fault(
            "task",
            claim.name,
            f"made on another table called {benchmark.name!r} (its checksum differs from the one "
            f"at hand).",
        )
    if config.get("workers", 1) != 1:
        return Fault(
            "task",
            claim.name,
            "its workers are simulated, and when each of them began cannot be told from a record.",
        )
    try:
        task = _made_again(claim, benchmark)
    except SuiteError as error:
        return Fault("task", claim.name, f"it cannot be built: {error}")
    except _OTHERS_WORD as error:
        return Fault("task", claim.name, f"it cannot be built: {reason(error)}")
    return task if isinstance(task, Fault) else _false_claim(claim, task) or task


def _made_again(claim: TaskRow, benchmark: Benchmark | OpenBenchmark) -> Task | Fault:
    """The task that a claim describes; a fault where its searches see a test figure."""
    config = claim.config
    objectives = [(str(signal), str(judged)) for signal, judged in config["objectives"]]
    signals = [signal for signal, _ in objectives]
    leaking = [name for name in signals if benchmark.metric(name).split == "test"]
    if leaking:
        return Fault("test leakage", claim.name, f"it searches on the test metric {leaking[0]}.")
    (signal, judged_by), *others = objectives
    return make_task(
        benchmark,
        config["dataset"],
        evaluations=config["evaluations"],
        simulated_seconds=config["seconds"],
        signal=signal,
        judged_by=judged_by,
        objectives=[Objective(*pair) for pair in others],
        answers=config["noise"],
        crossfit=config.get("crossfit", False),
        transfer=[f"{table}:{name}" for table, _, name in config.get("transfer", ())],
        continued=config.get("continued", False),
    )


def _false_claim(claim: TaskRow, task: Task) -> Fault | None:
    """The first thing that a claim says of its task and that is not so."""
    truth = task_row(task).model_dump()
    claimed = claim.model_dump()
    if _same(truth["config"], claim.config) and claim.key == config_hash(claim.config):
        truth["key"] = claim.key  # a budget of 12 had another key than one of 12.0 once
    for name, value in truth.items():
        if not _same(value, claimed[name]):
            return Fault(
                "forged" if name in ("optimum", "noise_floor") else "task",
                claim.name,
                f"its {name} is {_short(value)}, not {_short(claimed[name])}.",
            )
    return None


def _short(value: object) -> str:
    return printable(repr(value), _SHOWN)


def _same(one: object, other: object) -> bool:
    """Equal as JSON, numbers to nine digits: the last ones may depend on the machine."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


# -- trials ----------------------------------------------------------------------------------------


def _duplicates(submission: Submission, named: _Names) -> Iterator[Fault]:
    counts = Counter((t.task, t.method, t.seed) for t in submission.trials)
    first = {(t.task, t.method, t.seed): t for t in submission.trials}
    for identity, count in counts.items():
        if count > 1:
            where = named.trial(first[identity])
            yield Fault("duplicate seed", where, f"it is there {count} times.")


def _verify_trial(
    task: Task, trial: TrialRow, where: str
) -> tuple[list[Fault], list[Fault], TrialResult | None]:
    """What of a trial is not so, what is strange of it, and what it comes to."""
    record = _record_of(trial) if trial.seed >= 0 else "its seed is negative."
    if isinstance(record, str):
        return [Fault("record", where, record)], [], None
    try:
        found, result = audit(task, record, trial.seed)
    except SuiteError as error:
        return [Fault("record", where, str(error))], [], None
    doubts: list[Fault] = []
    if isinstance(task.benchmark, OpenBenchmark) and task.benchmark.trains:
        # On another machine the same training differs in the last bits, and then in the others,
        # and takes other seconds: that is no forgery, and what enters is what was trained here.
        doubts = [Fault("trainings", where, _trained_here(one)) for one in found if _own(one, task)]
        found = [one for one in found if not _own(one, task)]
    faults = [Fault(one.kind, where, one.what) for one in found]
    if result is None:
        return faults, doubts, None
    reports = result.incumbents.reports.tolist()
    if not doubts and not _same(reports, trial.reports):
        faults.append(
            Fault(
                "forged",
                where,
                f"it claims {_figure(trial.reports)}, but what it evaluated comes to "
                f"{_figure(reports)}.",
            )
        )
    return faults, doubts, replace(result, wall_seconds=trial.wall_seconds)


def _own(one: Violation, task: Task) -> bool:
    """Whether a violation may come of trainings of another machine."""
    return one.kind == "forged" or (one.kind == "budget" and task.budget.evaluations is None)


def _trained_here(one: Violation) -> str:
    return f"{one.what.removesuffix('.')}, of trainings on this machine: it is judged by those."


def _record_of(trial: TrialRow) -> Record | str:
    """The lists of a trial as arrays, or why they are none; costs are found anew."""
    count = len(trial.architectures)
    if not count:
        return "it evaluates nothing."
    if not 0 <= trial.wall_seconds <= _LONGEST:
        return f"it took {trial.wall_seconds:.4g} seconds."
    if len({count, len(trial.epochs), len(trial.signals), len(trial.recommended)}) > 1:
        return "its lists are of different lengths."
    if len({len(signals) for signals in trial.signals}) > 1:
        return "it has another number of signals at some evaluation."
    try:
        return Record(
            np.array(trial.architectures, dtype=np.int32),
            np.array(trial.epochs, dtype=np.int32),
            np.array(trial.signals, dtype=np.float64).reshape(count, -1),  # None becomes NaN
            np.zeros(count),
            np.zeros(count),
            np.array(trial.recommended, dtype=np.int32),
            None if trial.strings is None else tuple(trial.strings),
        )
    except OverflowError:
        return "a number is too large for an architecture or for epochs."


def _figure(reports: list[float]) -> str:
    return f"{reports[-1]:.10g} in {counted(len(reports), 'step')}" if reports else "nothing"


def _leaks(
    submission: Submission,
    tasks: dict[str, Task],
    results: dict[int, TrialResult],
    named: _Names,
) -> Iterator[Fault]:
    """Methods that always recommend what is best by the test, where validation favours another."""
    favoured: Counter[tuple[str, str]] = Counter()
    telling: Counter[tuple[str, str]] = Counter()
    for place, result in results.items():
        trial = submission.trials[place]
        record = result.record
        whole = tasks[trial.task]
        if record.strings is not None:
            whole = judged_on(whole, record)
        task = whole.for_seed(trial.seed)
        full = np.unique(record.architectures[record.epochs == task.fidelities[-1]])
        if task.available is not None:
            full = full[task.available[full]]
        if (record.recommended < 0).all() or len(full) < 2 or len(task.objectives) > 1:
            continue
        signal, judged_by = task.objectives[0].signal, task.objectives[0].judged_by
        seen = task.orientation(signal) * task.table.values(signal)[full]
        judged = task.orientation(judged_by) * task.table.values(judged_by)[full]
        if judged[seen.argmax()] == judged.max():
            continue
        telling[trial.task, trial.method] += 1
        last = record.recommended[record.recommended >= 0][-1]
        # By the test that judges it, or by that of the whole table, where trainings are divided.
        known = task.orientation(judged_by) * whole.table.values(judged_by)[full]
        found = full[judged.argmax()], full[known.argmax()]
        favoured[trial.task, trial.method] += int(last in found)
    for (key, method), count in telling.items():
        if count >= _TELLING and favoured[key, method] == count:
            yield Fault(
                "test leakage",
                named.searches(key, method),
                f"in all {count} trials where validation and test differ it recommends the best "
                f"by the test.",
            )


# -- running again ---------------------------------------------------------------------------------


def _rerun(
    submission: Submission,
    tasks: dict[str, Task],
    results: dict[int, TrialResult],
    named: _Names,
    wanted: int,
    notes: list[str],
) -> tuple[int, list[Fault]]:
    """Run some trials again; how many, and which gave something else."""
    known = _methods_of_here(submission, notes)
    places: dict[str, list[int]] = {key: [] for key in known}
    for place in results:
        if submission.trials[place].method in known:
            places[submission.trials[place].method].append(place)
    if 0 < wanted < len(places):
        notes.append(
            f"{wanted} of {len(places)} methods were run again: ask for {len(places)} trials or "
            f"more, and some of each are."
        )
    faults = []
    chosen = _spread(list(places.values()), wanted)
    for place in chosen:
        trial = submission.trials[place]
        claim = known[trial.method]
        search = Trial(tasks[trial.task], make_method(claim.name, claim.config), trial.seed)
        if _goes_as_claimed(search, results[place].record):
            continue
        where = named.trial(trial)
        if versions := _other_versions(submission, trial, claim.name):
            what = f"run again, it differs, and so does {versions}."
            faults.append(Fault("versions", where, what))
        else:
            what = "run again, it evaluates other architectures."
            faults.append(Fault("rerun", where, what))
    return len(chosen), faults


def _methods_of_here(submission: Submission, notes: list[str]) -> dict[str, MethodRow]:
    """The methods that are installed here as they are claimed; of the others a note is added."""
    known = {}
    for claim in {method.key: method for method in submission.methods}.values():
        try:
            if claim.name not in registry.entries("methods"):
                raise SuiteError("it is not installed here")
            if method_key(claim.name, make_method(claim.name, claim.config)) != claim.key:
                raise SuiteError("another class of that name, or file that it reads, is here")
            known[claim.key] = claim
        except SuiteError as error:
            notes.append(f"{claim.label} was not run again: {error}.")
    return known


def _goes_as_claimed(search: Trial, claimed: Record) -> bool:
    """Whether a search evaluates and returns what is claimed of it, and nothing more."""
    search.advance(trainings=len(claimed.architectures) + 1)  # a budget may be any number
    found = search.result().record
    same = all(
        np.array_equal(getattr(found, name), getattr(claimed, name), equal_nan=name == "signals")
        for name in ("architectures", "epochs", "signals", "recommended")
    )
    return same and found.strings == claimed.strings


def _spread(groups: Sequence[Sequence[int]], wanted: int) -> list[int]:
    """So many members of groups, as equally many of each as there are, evenly within each."""
    counts = [0] * len(groups)
    while wanted > sum(counts) and any(map(int.__lt__, counts, map(len, groups))):
        for number, group in enumerate(groups):
            counts[number] += counts[number] < len(group) and sum(counts) < wanted
    return sorted(
        group[number * len(group) // count]
        for group, count in zip(groups, counts, strict=True)
        for number in range(count)
    )


def _other_versions(submission: Submission, trial: TrialRow, name: str) -> str:
    """The packages that were there in other versions than here, but for the suite itself."""
    then = next(e for e in submission.environments if e.key == trial.environment).packages
    now = describe_environment([name]).packages
    others = [
        f"{package} {version} \u2192 {now[package]}"
        for package, version in sorted(then.items())
        if package in now and now[package] != version
    ]
    return ", ".join(others[:_MANY]) + and_more(len(others) - _MANY)
