"""What a search is judged by, found from its record and its task alone, after it has ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Diagnostic, Front, Incumbents, Record, TrialResult
from nasbench_suite.tasks.task import Task


def judge(
    task: Task, record: Record, wall_seconds: float, diagnostics: Sequence[Diagnostic] = ()
) -> TrialResult:
    """What a search with that record is judged by."""
    if record.strings is not None:
        task = judged_on(task, record)
    if len(task.objectives) > 1:
        incumbents, front = find_fronts(task, record)
        return TrialResult(record, incumbents, wall_seconds, front, tuple(diagnostics))
    incumbents = find_incumbents(task, record)
    return TrialResult(record, incumbents, wall_seconds, None, tuple(diagnostics))


def judged_on(task: Task, record: Record) -> Task:
    """The task on a table of what a search on an open benchmark asked for.

    Where an answer takes a training the table has the figures of those trainings which the search
    itself made, and in full that of the architecture which it returned, so that what it is judged
    by does not depend on what others trained.

    Raises:
        SuiteError: the task's benchmark is not open.
    """
    assert record.strings is not None
    if not getattr(task.benchmark, "trains", False):
        return task.on(record.strings)
    trained = [0] * len(record.strings)
    for place, epochs in zip(record.architectures.tolist(), record.epochs.tolist(), strict=True):
        trained[place] = max(trained[place], epochs)
    scores = record.signals[:, 0] * task.orientation(task.objectives[0].signal)
    changes = _changes(record, scores, None)
    if changes:
        trained[changes[-1][1]] = task.fidelities[-1]
    return task.on(record.strings, trained)


def find_incumbents(task: Task, record: Record) -> Incumbents:
    """The architectures a search would have returned, from its record.

    What a method recommended counts; before and without that, the best signal of the first
    objective among the evaluations at the most epochs so far, the earliest of equals. An
    architecture without figures is no incumbent.

    Raises:
        SuiteError: nothing that was evaluated or recommended has figures.
    """
    available = None if task.available is None else task.available.tolist()
    scores = record.signals[:, 0] * task.orientation(task.objectives[0].signal)
    changes = _changes(record, scores, available)
    if not changes:
        raise SuiteError(
            f"No architecture that was evaluated, of {len(record.architectures)}, has "
            f"figures on task {task.name!r}: give the search a larger budget."
        )
    at = np.array([position for position, _ in changes], dtype=np.int64)
    architectures = np.array([architecture for _, architecture in changes], dtype=np.int64)
    benchmark, objective = task.table, task.objectives[0]
    return Incumbents(
        trainings=at + 1,
        evaluations=record.evaluations[at],
        seconds=record.seconds[at],
        architectures=architectures,
        signals=benchmark.query_batch(architectures, objective.signal),
        reports=benchmark.query_batch(architectures, objective.judged_by),
    )


def _changes(
    record: Record, scores: NDArray[np.float64], available: Sequence[bool] | None
) -> list[tuple[int, int]]:
    """When what a search would return changed: positions in the record, and what it came to be."""
    current, best_epochs, best_score = -1, -1, -np.inf
    changes: list[tuple[int, int]] = []
    recommends = False
    rows = zip(
        record.architectures.tolist(),
        record.epochs.tolist(),
        scores.tolist(),
        record.recommended.tolist(),
        strict=True,
    )
    for position, (architecture, epochs, score, recommended) in enumerate(rows):
        if recommended >= 0 and (available is None or available[recommended]):
            recommends = True
            if recommended != current:
                current = recommended
                changes.append((position, recommended))
        elif score == score and not recommends and (epochs, score) > (best_epochs, best_score):
            if available is not None and not available[architecture]:
                continue
            best_epochs, best_score = epochs, score
            if architecture != current:
                current = architecture
                changes.append((position, architecture))
    return changes


def find_fronts(task: Task, record: Record) -> tuple[Incumbents, Front]:
    """The fronts a search for several objectives would have returned, and the last of them.

    Recommendations count for nothing here: what is to be on the front must be evaluated, so
    that its signals are known.

    Raises:
        SuiteError: nothing was evaluated.
    """
    measure = task.measure
    told = record.signals * [-task.orientation(o.signal) for o in task.objectives]
    changes = measure.history(record.architectures, told, record.epochs)
    if not changes:
        raise SuiteError(
            "The method recommended architectures without evaluating any: with several objectives "
            "it has to evaluate what it would return."
        )
    at = np.array([position for position, _ in changes], dtype=np.int64)
    fronts = [record.architectures[members] for _, members in changes]
    incumbents = Incumbents(
        trainings=at + 1,
        evaluations=record.evaluations[at],
        seconds=record.seconds[at],
        architectures=record.architectures[at].astype(np.int64),
        signals=record.signals[at, 0],
        reports=np.array([measure.hypervolume(front) for front in fronts]),
    )
    members = np.unique(fronts[-1]).astype(np.int64)
    evaluated = record.architectures[record.epochs > 0]
    indicators = measure.indicators(members, evaluated)
    return incumbents, Front(members, task.reported(members), indicators)
