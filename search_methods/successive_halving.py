"""Successive halving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task


@dataclass
class SuccessiveHalving(Method):
    """Train many architectures briefly, and the better ones of them longer, over and over.

    Jamieson and Talwalkar, *Non-stochastic best arm identification and hyperparameter
    optimization*, AISTATS 2016, which halves at every rung (``eta`` 2); the general ``eta`` is
    that of Li et al., JMLR 2018. The rungs are epochs at which the task has a signal: see
    ``spaced``. Where there is but one such number of epochs this is random search. NATS-Bench
    compares BOHB in its place, at ``eta`` 3.

    Attributes:
        eta: least factor between the epochs of one rung and the next.
        configurations: number of architectures that begin; if left out, the full number of
            epochs over those of the first rung, so that one of them is trained in full.
    """

    title: ClassVar[str] = "Successive halving"
    approach: ClassVar[str] = "multi-fidelity"

    eta: float = 2.0
    configurations: int | None = None

    def __post_init__(self) -> None:
        check_eta(self.eta)
        if self.configurations is not None and self.configurations < 1:
            raise SuiteError(
                f"Successive halving cannot begin with {self.configurations} architectures: "
                f"choose a number of configurations of at least 1, or leave it out."
            )

    def hints(self, task: Task) -> Sequence[str]:
        """With a signal at one number of epochs alone, nothing can be halved."""
        return hints_of_one_rung(task, self.eta) or super().hints(task)

    def beginning(self, task: Task) -> tuple[float, str]:
        """The lowest rung."""
        rungs = spaced(task.fidelities, self.eta)
        return self._count(rungs) * rungs[0] / rungs[-1], "configurations"

    def _count(self, rungs: Sequence[int]) -> int:
        return self.configurations or math.ceil(rungs[-1] / rungs[0])

    def start(self, session: Session) -> None:
        """Choose the rungs."""
        self.rungs = spaced(session.fidelities, self.eta)

    def step(self, session: Session) -> None:
        """One run of successive halving, on new random architectures."""
        drawn = [session.space.sample(session.rng) for _ in range(self._count(self.rungs))]
        halve(session, drawn, self.rungs)


def halve(session: Session, architectures: Sequence[Any], rungs: Sequence[int]) -> None:
    """One run of successive halving: the inner loop of Hyperband's algorithm.

    Rung ``i`` trains the best ``n * rungs[0] // rungs[i]`` of the ``n`` that began, so that every
    rung costs the same: with rungs a factor ``eta`` apart, the best ``n_i = n // eta**i``. At
    least one goes on to the last rung. Of equals, the earlier goes on.

    Args:
        session: where they are evaluated.
        architectures: those that begin.
        rungs: epochs of each rung, ascending.
    """
    survivors = list(architectures)
    for epochs in rungs:
        survivors = survivors[: max(1, len(architectures) * rungs[0] // epochs)]
        scores = session.evaluate_batch(survivors, epochs)
        best_first = np.argsort(np.negative(scores), kind="stable")
        survivors = [survivors[position] for position in best_first]


def spaced(fidelities: Sequence[int], eta: float) -> tuple[int, ...]:
    """The rungs: from the full number of epochs down, each at least a factor ``eta`` lower.

    A table has a signal at few numbers of epochs, so the paper's rungs ``R / eta**i`` can only be
    had where they are among them; elsewhere the next lower one is taken.

    Args:
        fidelities: epochs at which there is a signal, ascending.
        eta: least factor between neighbouring rungs, above 1.

    Returns:
        The rungs, ascending; the last is the full number of epochs.
    """
    rungs = [fidelities[-1]]
    for epochs in reversed(fidelities[:-1]):
        if epochs * eta <= rungs[-1]:
            rungs.append(epochs)
    return tuple(reversed(rungs))


def hints_of_one_rung(task: Task, eta: float) -> Sequence[str]:
    """What is said where all signals lie in one rung; see ``Method.hints``."""
    if len(spaced(task.fidelities, eta)) > 1:
        return []
    epochs = task.fidelities[-1]
    return [f"there is no signal far enough below that of epoch {epochs}, so this is random search"]


def check_eta(eta: float) -> None:
    """Raise a SuiteError if a rung would not be smaller than the one before."""
    if not 1 < eta < math.inf:
        raise SuiteError(f"An eta of {eta} halves nothing: choose an eta above 1.")
