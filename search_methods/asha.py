"""Asynchronous successive halving (ASHA)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.successive_halving import check_eta, hints_of_one_rung, spaced


@dataclass
class Asha(Method):
    """Promote an architecture as soon as it is among the best of its rung, without waiting.

    Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar, *A System for Massively
    Parallel Hyperparameter Tuning*, MLSys 2020, Algorithm 2 (ASHA), with its ``eta`` 4. Whenever a
    worker is free it trains the best architecture that can be promoted, from the highest rung
    down, or else a new random one in the lowest. With simulated workers (``nasbench run
    --workers``) no worker ever waits for others; with one it is the same rule, step by step.

    The rungs are epochs at which the task has a signal, see ``spaced``.

    Attributes:
        eta: the best of how many in a rung go on, and least factor between rungs.
    """

    title: ClassVar[str] = "ASHA"
    approach: ClassVar[str] = "multi-fidelity"

    eta: float = 4.0

    def __post_init__(self) -> None:
        check_eta(self.eta)

    def hints(self, task: Task) -> Sequence[str]:
        """With a signal at one number of epochs alone, nothing can be promoted."""
        return hints_of_one_rung(task, self.eta)

    def start(self, session: Session) -> None:
        """Begin with empty rungs."""
        self.rungs = spaced(session.fidelities, self.eta)
        self.scores: list[list[tuple[float, Any]]] = [[] for _ in self.rungs]
        self.promoted: list[set[int]] = [set() for _ in self.rungs]

    def step(self, session: Session) -> None:
        """Give every free worker a job, and take the result of the one that ends next."""
        while session.free_workers:
            architecture, rung = self.get_job(session)
            session.begin(architecture, self.rungs[rung])
        finished = session.collect()
        rung = self.rungs.index(finished.epochs)
        self.scores[rung].append((finished.signal, finished.architecture))

    def get_job(self, session: Session) -> tuple[Any, int]:
        """The paper's ``get_job``: an architecture, and the rung that it is to be trained in."""
        for rung in reversed(range(len(self.rungs) - 1)):
            scores, promoted = self.scores[rung], self.promoted[rung]
            best_first = sorted(range(len(scores)), key=lambda place: -scores[place][0])
            for place in best_first[: math.floor(len(scores) / self.eta)]:
                if place not in promoted:
                    promoted.add(place)
                    return scores[place][1], rung + 1
        return session.space.sample(session.rng), 0
