"""Merging submissions into one results file, the same whatever their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import TrialResult
from nasbench_suite.rows import EnvironmentRow, MethodRow, TaskRow, TrialRow
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions.files import SUFFIX
from nasbench_suite.submissions.verifying import Verification, verify_submission


@dataclass
class Merge:
    """What was merged.

    Attributes:
        accepted: names of the files that entered, in order.
        rejected: why others did not, by name of the file.
        trials: number of trials in the results file.
    """

    accepted: list[str] = field(default_factory=list)
    rejected: dict[str, list[str]] = field(default_factory=dict)
    trials: int = 0


def merge_submissions(
    folder: str | Path,
    store: str | Path,
    *,
    load: Callable[[str], Benchmark] = load_benchmark,
) -> Merge:
    """Verify every submission of a folder and write the sound ones into a new results file.

    A trial that several submissions have alike enters once; where they differ, the file whose
    name comes later is rejected. The result depends on the files alone, not on the order in
    which the folder lists them.

    Args:
        folder: a folder; files that end in ``.nasbench.json.gz`` count, also in its folders.
        store: the results file to make.
        load: what finds benchmarks by name.

    Raises:
        SuiteError: the folder does not exist or has no submission, none is sound, or the
            results file exists already.
    """
    folder, store = Path(folder), Path(store)
    if not folder.is_dir():
        raise SuiteError(f"There is no folder {folder} with submissions.")
    if store.exists():
        raise SuiteError(f"{store} exists already: name a new file for what is merged.")
    paths = sorted(folder.rglob(f"*{SUFFIX}"))
    if not paths:
        raise SuiteError(f"{folder} holds no submission: their names end in {SUFFIX}.")
    merge = Merge()
    sound: list[tuple[str, Verification]] = []
    claims: dict[tuple[str, str, int], tuple[list[int], str]] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            found = verify_submission(path, load=load)
        except SuiteError as error:
            merge.rejected[name] = [str(error)]
            continue
        reasons = [str(fault) for fault in found.faults] or _conflicts(found, claims, name)
        if reasons:
            merge.rejected[name] = reasons
            continue
        merge.accepted.append(name)
        sound.append((name, found))
    if not sound:
        first = next(iter(merge.rejected.items()))
        raise SuiteError(f"No submission of {folder} is sound; {first[0]}: {first[1][0]}")
    _write(sound, store)
    merge.trials = len(claims)
    return merge


def _conflicts(
    found: Verification, claims: dict[tuple[str, str, int], tuple[list[int], str]], name: str
) -> list[str]:
    """Trials that an earlier file has with another record; if there are none, all are noted."""
    fresh: dict[tuple[str, str, int], tuple[list[int], str]] = {}
    reasons = []
    for trial in found.submission.trials:
        identity = (trial.task, trial.method, trial.seed)
        content = [*trial.architectures, *trial.epochs, *trial.recommended]
        if identity in claims and claims[identity][0] != content:
            reasons.append(
                f"duplicate seed: {claims[identity][1]} has seed {trial.seed} of the same task and "
                f"method with other evaluations."
            )
        fresh.setdefault(identity, (content, name))
    if not reasons:
        for identity, entry in fresh.items():
            claims.setdefault(identity, entry)
    return reasons


def _write(sound: list[tuple[str, Verification]], path: Path) -> None:
    """All trials in the order of their tasks' names, methods and seeds."""
    tasks: dict[str, TaskRow] = {}
    methods: dict[str, MethodRow] = {}
    environments: dict[str, EnvironmentRow] = {}
    trials: dict[tuple[str, str, int], tuple[TrialRow, TrialResult]] = {}
    for _, found in sound:
        submission = found.submission
        for task in submission.tasks:
            tasks.setdefault(task.key, task)
        for method in submission.methods:
            methods.setdefault(method.key, method)
        for environment in submission.environments:
            environments.setdefault(environment.key, environment)
        for place, result in found.results.items():
            trial = submission.trials[place]
            trials.setdefault((trial.task, trial.method, trial.seed), (trial, result))
    with ResultStore(path) as store:
        task_ids = {
            task.key: store.add_task(task)
            for task in sorted(tasks.values(), key=lambda task: (task.name, task.key))
        }
        method_ids = {key: store.add_method(methods[key]) for key in sorted(methods)}
        environment_ids = {
            key: store.add_environment(environments[key]) for key in sorted(environments)
        }
        for (task_key, method_key, seed), (trial, result) in sorted(
            trials.items(), key=lambda item: (task_ids[item[0][0]], *item[0][1:])
        ):
            where = environment_ids[trial.environment]
            store.add_trial(task_ids[task_key], method_ids[method_key], where, seed, result)
