"""One trial: one method on one task with one seed, from start to the figures it is judged by."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.tasks import BudgetSpent, Diagnostic, Method, Record, Session, Task

_IDLE_STEPS = 10_000  # a method that steps this often without evaluating is taken to hang


@dataclass(frozen=True)
class Incumbents:
    """When what a search would return changed, one entry a change.

    With several objectives a search returns a front. An entry is then a change of its members,
    and what it is judged by is the front's normalised hypervolume (see ``ParetoMeasure``).

    Attributes:
        trainings: number of the evaluation after which it changed, from 1, shape (n,).
        evaluations: budget spent then, in full evaluations, shape (n,).
        seconds: simulated seconds spent then, shape (n,).
        architectures: its index, shape (n,); of a front, that of the member which entered.
        signals: its signal of the first objective, in the metric's own unit, shape (n,).
        reports: what it is judged by, shape (n,).
    """

    trainings: NDArray[np.int64]
    evaluations: NDArray[np.float64]
    seconds: NDArray[np.float64]
    architectures: NDArray[np.int64]
    signals: NDArray[np.float64]
    reports: NDArray[np.float64]


@dataclass(frozen=True)
class Front:
    """What a search for several objectives returns in the end.

    Attributes:
        architectures: its members, ascending, each once, shape (n,).
        reports: their reported figures, in the metrics' own units, shape (n, objectives).
        indicators: what it is judged by; see ``ParetoMeasure.indicators``.
    """

    architectures: NDArray[np.int64]
    reports: NDArray[np.float64]
    indicators: Mapping[str, float]


@dataclass(frozen=True)
class TrialResult:
    """What a finished trial leaves: the record, the incumbents, and the time it took.

    With several objectives it also leaves its front, and with a method that tells of itself what
    it told.
    """

    record: Record
    incumbents: Incumbents
    wall_seconds: float
    front: Front | None = None
    diagnostics: Sequence[Diagnostic] = ()


class Trial:
    """A search that advances step by step, can be left after any step and gone on with."""

    def __init__(self, task: Task, method: Method, seed: int) -> None:
        if len(task.objectives) > 1 and not method.multi_objective:
            raise SuiteError(
                f"{type(method).__name__} searches one objective, but task {task.name!r} has "
                f"{len(task.objectives)}: choose a multi-objective method."
            )
        self.task = task
        self.method = method
        self.session = Session(task, seed)
        self.finished = False
        self._started = False
        self._wall_seconds = 0.0

    def advance(self, steps: int | None = None) -> None:
        """Take that many steps of the method, or all that are left."""
        begin = time.perf_counter()
        session, method = self.session, self.method
        taken = idle = 0
        try:
            self._start()
            while steps is None or taken < steps:
                if method.finished or session.exhausted:
                    self.finished = True
                    break
                before = session.trainings
                method.step(session)
                taken += 1
                idle = idle + 1 if session.trainings == before else 0
                if idle >= _IDLE_STEPS:
                    raise SuiteError(
                        f"{type(method).__name__} took {idle} steps without evaluating anything: "
                        f"let it evaluate, or say that it has finished."
                    )
        except BudgetSpent:
            self.finished = True
        finally:
            self._wall_seconds += time.perf_counter() - begin

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.method.start(self.session)

    def save(self, path: Path) -> bool:
        """Write a checkpoint, in one step; False if the method gives none."""
        state = self.method.checkpoint()
        if state is None:
            return False
        session = self.session.state()
        arrays = {name: value for name, value in session.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in session.items() if name not in arrays}
        header = json.dumps(
            {"task": self.task.key, "session": rest, "wall_seconds": self._wall_seconds}
        )
        partial = path.with_name(path.name + ".partial")
        arrays["header"] = np.array(header)
        arrays["method"] = np.frombuffer(state, dtype=np.uint8)
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        partial.replace(path)
        return True

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same task, method and seed; only before any step.

        Raises:
            SuiteError: it is damaged or of another task.
        """
        # What a method makes of bytes that are not its own is not ours to foresee.
        with refused(f"Checkpoint {path} is damaged ({{reason}}): delete it.", Exception):
            with np.load(path, allow_pickle=False) as archive:
                content = {name: archive[name] for name in archive.files}
            header = json.loads(str(content.pop("header")))
            state = content.pop("method").tobytes()
            if header["task"] != self.task.key:
                raise SuiteError(f"Checkpoint {path} belongs to another task: delete it.")
            self._start()
            self.session.restore({**content, **header["session"]})
            self.method.restore(state)
            self._wall_seconds = float(header["wall_seconds"])

    def result(self) -> TrialResult:
        """The record so far and the figures it is judged by.

        Raises:
            SuiteError: the method ended without a single evaluation.
        """
        record = self.session.record()
        if not len(record.architectures):
            raise SuiteError(
                f"{type(self.method).__name__} ended without a single evaluation: the budget is "
                f"smaller than its first one, or it never called session.evaluate."
            )
        return judge(self.task, record, self._wall_seconds, self.session.diagnostics)


def judge(
    task: Task, record: Record, wall_seconds: float, diagnostics: Sequence[Diagnostic] = ()
) -> TrialResult:
    """What a search with that record is judged by."""
    if len(task.objectives) > 1:
        incumbents, front = find_fronts(task, record)
        return TrialResult(record, incumbents, wall_seconds, front, tuple(diagnostics))
    incumbents = find_incumbents(task, record)
    return TrialResult(record, incumbents, wall_seconds, None, tuple(diagnostics))


def find_incumbents(task: Task, record: Record) -> Incumbents:
    """The architectures a search would have returned, from its record.

    What a method recommended counts; before and without that, the best signal of the first
    objective among the evaluations at the most epochs so far, the earliest of equals.
    """
    scores = record.signals[:, 0] * task.orientation(task.objectives[0].signal)
    current, best_epochs, best_score = -1, -1, -np.inf
    changes: list[tuple[int, int]] = []  # position in the record, and the one it points to
    recommends = False
    rows = zip(
        record.architectures.tolist(),
        record.epochs.tolist(),
        scores.tolist(),
        record.recommended.tolist(),
        strict=True,
    )
    for position, (architecture, epochs, score, recommended) in enumerate(rows):
        if recommended >= 0:
            recommends = True
            if recommended != current:
                current = recommended
                changes.append((position, recommended))
        elif not recommends and (epochs, score) > (best_epochs, best_score):
            best_epochs, best_score = epochs, score
            if architecture != current:
                current = architecture
                changes.append((position, architecture))
    at = np.array([position for position, _ in changes], dtype=np.int64)
    architectures = np.array([architecture for _, architecture in changes], dtype=np.int64)
    benchmark, objective = task.benchmark, task.objectives[0]
    return Incumbents(
        trainings=at + 1,
        evaluations=record.evaluations[at],
        seconds=record.seconds[at],
        architectures=architectures,
        signals=benchmark.query_batch(architectures, objective.signal),
        reports=benchmark.query_batch(architectures, objective.report),
    )


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
