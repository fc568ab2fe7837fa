"""Hyperband."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.successive_halving import check_eta, halve, hints_of_one_rung, spaced


@dataclass
class Hyperband(Method):
    """Successive halving from many brief trainings to few full ones, bracket after bracket.

    Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, *Hyperband: a novel bandit-based approach
    to hyperparameter optimization*, JMLR 2018, Algorithm 1, repeated until the budget is spent.
    The paper takes ``eta`` 3 or 4; so does NATS-Bench's BOHB (3, from 1 to 12 epochs).

    The rungs are epochs at which the task has a signal (see ``spaced``), and the numbers of
    architectures follow from them: with epochs 1, 3, 9, 27, 81 they are those of the paper's
    table. Where there is a signal at one number of epochs alone there is one bracket without
    rungs to climb, which is random search.

    Attributes:
        eta: least factor between the epochs of one rung and the next.
    """

    title: ClassVar[str] = "Hyperband"
    approach: ClassVar[str] = "multi-fidelity"

    eta: float = 3.0

    def __post_init__(self) -> None:
        check_eta(self.eta)

    def hints(self, task: Task) -> Sequence[str]:
        """With a signal at one number of epochs alone, nothing can be halved."""
        return hints_of_one_rung(task, self.eta)

    def start(self, session: Session) -> None:
        """Begin with the bracket of the most architectures."""
        self.rungs = spaced(session.fidelities, self.eta)
        self.s = self.s_max = len(self.rungs) - 1

    def step(self, session: Session) -> None:
        """Run bracket ``s``; the next step runs the one below it, and after 0 the first again."""
        rungs = self.rungs[self.s_max - self.s :]
        # ceil(B / R * eta**s / (s + 1)) in the paper, with B = (s_max + 1) R and r = R / eta**s.
        n = math.ceil((self.s_max + 1) * rungs[-1] / ((self.s + 1) * rungs[0]))
        halve(session, [session.space.sample(session.rng) for _ in range(n)], rungs)
        self.s = self.s - 1 if self.s else self.s_max
