"""Merging submissions into one results file, the same whatever their order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import TrialResult
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.rows import EnvironmentRow, MethodRow, TaskRow, TrialRow
from nasbench_suite.runner.environment import with_own_key
from nasbench_suite.store.maintenance import new_store
from nasbench_suite.submissions.files import DENSE, SUFFIX
from nasbench_suite.submissions.verifying import (
    Level,
    Verification,
    check_rerun,
    load_by_name,
    verify_submission,
)
from nasbench_suite.tasks.task import config_hash

_TELLING = 5  # different architectures that two searches do not draw alike by chance


@dataclass(frozen=True)
class Entry:
    """What a submission that entered says of itself, in its own words.

    Attributes:
        author: whom to ask; it may be empty.
        note: anything a reader must know.
        trials: how many it has.
    """

    author: str
    note: str
    trials: int


@dataclass
class Merge:
    """What was merged.

    Attributes:
        accepted: names of the files that entered, in order.
        entries: what each says of itself.
        levels: how far each was confirmed, see ``Verification.level``.
        doubts: what is strange in those that entered, by name of the file.
        rejected: why others did not, by name of the file.
        trials: number of trials in the results file.
    """

    accepted: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    rejected: dict[str, list[str]] = field(default_factory=dict)
    trials: int = 0


def merge_submissions(
    folder: str | Path,
    store: str | Path,
    *,
    rerun: int = 0,
    load: Callable[[str], Benchmark | OpenBenchmark] = load_by_name,
    tell: Callable[[str], object] = lambda said: None,
) -> Merge:
    """Verify every submission of a folder and write the sound ones into a new results file.

    A trial that several submissions have alike enters once. Where submissions have one trial
    differently, all enter, each under its author's name, and are marked; files of one author, as
    anybody may sign with any name, under the beginning of their hash as well. The result depends on
    the files alone, not on their names or the order in which the folder lists them.

    Args:
        folder: a folder; files that end in ``.nasbench.json.gz`` or ``.xz`` count, at any depth.
        store: the results file to make.
        rerun: run so many trials of each again, see ``verify_submission``.
        load: what finds benchmarks by name.
        tell: called with what is done next, in a few words, since large files take minutes.

    Raises:
        SuiteError: the folder does not exist or has no submission, none is sound, or the
            results file exists already; or an impossible number of trials.
    """
    check_rerun(rerun)
    folder, store = Path(folder), Path(store)
    if not folder.is_dir():
        raise SuiteError(f"There is no folder {folder} with submissions.")
    if store.exists():
        raise SuiteError(f"{store} exists already: name a new file for what is merged.")
    paths = sorted([*folder.rglob(f"*{SUFFIX}"), *folder.rglob(f"*{DENSE}")])
    if not paths:
        raise SuiteError(f"{folder} holds no submission: their names end in {SUFFIX} or {DENSE}.")
    merge = Merge()
    sound: dict[str, Verification] = {}
    for number, path in enumerate(paths, start=1):
        name = path.relative_to(folder).as_posix()
        tell(f"Verifying {shown_name(name)} ({number} of {len(paths)})")
        try:
            found = verify_submission(path, rerun=rerun, load=load)
        except SuiteError as error:
            merge.rejected[name] = [str(error)]
            continue
        if found.faults:
            merge.rejected[name] = [str(fault) for fault in found.faults]
        else:
            sound[name] = found
    contested = _contradictions(sound, merge)
    if not sound:
        first = next(iter(merge.rejected.items()))
        raise SuiteError(f"No submission of {folder} is sound; {first[0]}: {first[1][0]}")
    for name, found in sound.items():
        merge.accepted.append(name)
        said = found.submission
        merge.entries[name] = Entry(said.author.strip(), said.note.strip(), len(said.trials))
        merge.levels[name] = found.level
        if found.doubts:
            merge.doubts.setdefault(name, []).extend(map(str, found.doubts))
    merge.trials = _write(sound, contested, store)
    return merge


def submitter_of(name: str, found: Verification) -> str:
    """Whom a submission is of: its author, or where it names none, its file."""
    return found.submission.author.strip() or name


def _contradictions(sound: dict[str, Verification], merge: Merge) -> dict[str, set[str]]:
    """Files by methods that they have otherwise than others; what is said of these is noted."""
    claims: dict[tuple[str, str, int], dict[str, list[Any]]] = defaultdict(dict)
    copied: dict[tuple[Any, ...], tuple[str, str]] = {}
    contested: dict[str, set[str]] = defaultdict(set)
    for name, found in sound.items():
        for trial in found.submission.trials:
            content = [trial.architectures, trial.epochs, trial.recommended, trial.strings]
            claims[trial.task, trial.method, trial.seed][name] = content
            whole = (trial.task, *map(str, content))
            other, method = copied.setdefault(whole, (name, trial.method))
            if method != trial.method and len(set(trial.architectures)) >= _TELLING:
                for one, two in ((name, other), (other, name)):
                    said = (
                        f"copied: {shown_name(two)} has searches of its under another method's "
                        f"name."
                    )
                    if said not in merge.doubts.setdefault(one, []):
                        merge.doubts[one].append(said)
    for (_, method, seed), files in claims.items():
        if all(content == next(iter(files.values())) for content in files.values()):
            continue
        contested[method].update(files)
        for name in files:
            others = ", ".join(shown_name(other) for other in files if other != name)
            said = (
                f"duplicate seed: seed {seed} of the same task and method has other evaluations in "
                f"{others}."
            )
            merge.doubts.setdefault(name, []).append(said)
    return contested


def _signatures(sound: dict[str, Verification], files: set[str]) -> dict[str, str]:
    """What tells contradicting files: their authors, and their hashes where these are the same."""
    authors = {name: submitter_of(name, sound[name]) for name in files}
    several = Counter(authors.values())
    return {
        name: author
        if several[author] == 1
        else f"{author}, {config_hash(sound[name].submission.model_dump())[:6]}"
        for name, author in authors.items()
    }


def _write(sound: dict[str, Verification], contested: dict[str, set[str]], path: Path) -> int:
    """All trials in the order of their tasks' names, methods and seeds; how many there are."""
    tasks: dict[str, TaskRow] = {}
    methods: dict[str, MethodRow] = {}
    environments: dict[str, EnvironmentRow] = {}
    trials: dict[tuple[str, str, int], tuple[TrialRow, TrialResult]] = {}
    signed = {
        method: {name: submitter_of(name, found) for name, found in sound.items()}
        | _signatures(sound, files)
        for method, files in contested.items()
    }
    for name, found in sorted(sound.items(), key=lambda item: _content_order(*item)):
        submission = found.submission
        for task in submission.tasks:
            tasks.setdefault(task.key, task)
        own = {}
        for method in submission.methods:
            row = method
            if method.key in signed:
                author = signed[method.key][name]
                key = config_hash({"method": method.key, "submitter": author})
                row = method.model_copy(update={"key": key, "label": f"{method.label} ({author})"})
            own[method.key] = row.key
            methods.setdefault(row.key, row)
        where = {}
        for environment in submission.environments:  # a claimed key could be that of another's
            where[environment.key] = with_own_key(environment)
            environments[where[environment.key].key] = where[environment.key]
        for place, result in found.results.items():
            trial = submission.trials[place]
            trial = trial.model_copy(update={"environment": where[trial.environment].key})
            identity = (trial.task, own[trial.method], trial.seed)
            trials.setdefault(identity, (trial, result))
    with new_store(path) as store:
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
            ran = environment_ids[trial.environment]
            store.add_trial(task_ids[task_key], method_ids[method_key], ran, seed, result)
    return len(trials)


def _content_order(name: str, found: Verification) -> tuple[str, str]:
    """By author, so that no file comes first by its name."""
    return submitter_of(name, found), name
