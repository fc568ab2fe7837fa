"""ParEGO: efficient global optimization of one random scalarization after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import SearchSpace, listed
from nasbench_suite.statistics.pareto import scaled, simplex_lattice
from nasbench_suite.tasks.method import Method, Session, later
from nasbench_suite.tasks.task import Task
from search_methods.gaps import filled
from search_methods.initial_designs import check_design, diverse
from search_methods.predictors.hamming_process import HammingProcess

Array = NDArray[np.float64]


@dataclass
class ParEGO(Method):
    """Evaluate the architecture of most expected improvement on a random scalarization.

    Knowles, *ParEGO: a hybrid algorithm with on-line landscape approximation for expensive
    multiobjective optimization problems*, IEEE TEC 2006, Algorithm 1: losses are brought to
    [0, 1] by what was seen, a weight vector is drawn from a lattice, the augmented Chebyshev
    function makes one loss of all, a Gaussian process learns it, and the candidate of largest
    expected improvement is evaluated. Defaults are the paper's: 11 d - 1 initial designs for d
    decisions, rho = 0.05, and from the 25th iteration on the process learns from 11 d + 23 designs
    alone, half of them the best on the present scalarization and half drawn at random.

    Where this deviates: decisions are categorical, so the process sees the number of decisions in
    which two architectures differ; it allows for noise, as validation accuracies have some; the
    initial designs are random, not a Latin hypercube; and the improvement is maximised over random
    architectures and the neighbours of the best designs instead of by an evolutionary algorithm.

    Attributes:
        num_initial: random architectures at the beginning; 0 for 11 d - 1.
        rho: weight of the sum in the augmented Chebyshev function.
        num_candidates: random architectures among which the improvement is maximised.
        initial: ``random`` architectures at the beginning, or ``diverse`` ones (see
            ``initial_designs``).
    """

    title: ClassVar[str] = "ParEGO"
    approach: ClassVar[str] = "Pareto"

    multi_objective: ClassVar[bool] = True
    lists_space: ClassVar[bool] = True
    needs_choices: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 0
    rho: float = 0.05
    num_candidates: int = 1000
    initial: str = later("random")

    def __post_init__(self) -> None:
        if self.num_initial < 0 or self.num_initial == 1:
            raise SuiteError(
                f"{self.num_initial} initial architectures teach a Gaussian process nothing: "
                f"choose a num_initial of at least 2, or 0 for the paper's 11 d - 1."
            )
        if self.num_candidates < 1:
            raise SuiteError(
                f"ParEGO cannot choose among {self.num_candidates} candidates: "
                f"choose a num_candidates of at least 1."
            )
        if not 0 <= self.rho < np.inf:
            raise SuiteError(f"A rho of {self.rho} is impossible: choose one of at least 0.")
        check_design(self.initial)

    def beginning(self, task: Task) -> tuple[float, str]:
        """The initial designs."""
        return self._count(task.benchmark.space), self.begins_with

    def _count(self, space: SearchSpace) -> int:
        return self.num_initial or 11 * len(space.choices) - 1

    def start(self, session: Session) -> None:
        """Lay out the lattice of weights: 11 vectors of two objectives, 15 or more of others."""
        import scipy.linalg  # noqa: F401 (its library is to be among those found next)
        from threadpoolctl import ThreadpoolController

        self.libraries = ThreadpoolController()
        self.losses: dict[int, Array] = {}
        self.size = listed(session.space).size
        decisions = len(session.space.choices)
        self.count = self._count(session.space)
        self.first: list[int] = []
        if self.initial == "diverse":
            self.first = diverse(session.space, self.count, session.rng)
        self.designs = 11 * decisions + 23
        self.weights = simplex_lattice(
            session.objectives, at_least=11 if session.objectives == 2 else 15
        )

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.losses) == self.size

    def step(self, session: Session) -> None:
        """Evaluate one architecture: random at first, then of most expected improvement."""
        if self.first:
            chosen = self.first.pop(0)
        elif len(self.losses) < self.count:
            chosen = self._unseen(session, 1)[0]
        else:
            scalars = self._scalarized(self.weights[session.rng.integers(len(self.weights))])
            chosen = self._most_promising(session, scalars)
        self.losses[chosen] = -session.evaluate_all(chosen)

    def _scalarized(self, weights: Array) -> Array:
        """The augmented Chebyshev function of all that was evaluated, shape (n,)."""
        weighted = weights * scaled(filled(np.array(list(self.losses.values()))))
        scalars: Array = weighted.max(axis=1) + self.rho * weighted.sum(axis=1)
        return scalars

    def _most_promising(self, session: Session, scalars: Array) -> int:
        rng, space = session.rng, listed(session.space)
        known = np.array(list(self.losses))
        order = np.argsort(scalars, kind="stable")
        learned = order
        # There is nothing to leave out while no more is known than is learned from.
        if len(known) >= max(self.count + 25, self.designs + 1):
            half = self.designs // 2
            learned = np.concatenate([order[:half], rng.choice(order[half:], self.designs - half)])
        around = [space.neighbours(best) for best in known[order[:5]].tolist()]
        near = np.setdiff1d(np.concatenate(around), known)
        candidates = np.unique(
            np.concatenate([self._unseen(session, self.num_candidates), near]).astype(np.int64)
        )
        # One thread: another number could add in another order and change the last bits.
        with self.libraries.limit(limits=1):
            process = HammingProcess()
            process.fit(Examples(space, known[learned]), scalars[learned], rng)
            mean, deviation = process.predict(Examples(space, candidates))
        improvement = expected_improvement(mean, deviation, float(scalars.min()))
        return int(candidates[improvement.argmax()])

    def _unseen(self, session: Session, count: int) -> list[int]:
        """Random architectures that were not evaluated, each once."""
        drawn: dict[int, None] = {}  # a set that keeps its order
        while len(drawn) < min(count, self.size - len(self.losses)):
            architecture = session.space.sample(session.rng)
            if architecture not in self.losses:
                drawn[architecture] = None
        return list(drawn)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """By how much a Gaussian value is expected to fall below ``best``, shape (n,)."""
    from scipy.stats import norm

    gain = best - mean
    ratio = np.divide(gain, deviation, out=np.zeros_like(gain), where=deviation > 0)
    smooth = gain * norm.cdf(ratio) + deviation * norm.pdf(ratio)
    expected: Array = np.where(deviation > 0, smooth, np.maximum(gain, 0.0))
    return expected
