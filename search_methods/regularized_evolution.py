"""Regularized (aging) evolution."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.method import Method, Session


@dataclass
class RegularizedEvolution(Method):
    """Mutate the best of a random sample of the population; the oldest member dies.

    Real, Aggarwal, Huang and Le, *Regularized evolution for image classifier architecture
    search*, AAAI 2019, Algorithm 1. The sample is drawn with replacement, as there.

    The defaults are the values that found AmoebaNet-A (P = 100, S = 25). Others in use: 100 and
    10 in the authors' notebook and in NAS-Bench-101's comparison, 10 and 3 in NATS-Bench's
    (AutoDL-Projects, ``exps/NATS-algos``), which suits budgets of a few hundred evaluations.
    A mutation here always changes one decision; the paper's has an identity mutation as well.

    Attributes:
        population_size: number of architectures alive, P.
        sample_size: number of them that compete to be the parent, S.
    """

    title: ClassVar[str] = "Regularized evolution"
    approach: ClassVar[str] = "black box"
    begins_with: ClassVar[str] = "population_size"

    population_size: int = 100
    sample_size: int = 25

    def __post_init__(self) -> None:
        check_sizes(self.population_size, self.sample_size)

    def start(self, session: Session) -> None:
        """Begin with an empty population."""
        # Scores and architectures, oldest first: once full, the oldest leaves as one enters.
        self.population: deque[tuple[float, Any]] = deque(maxlen=self.population_size)

    def step(self, session: Session) -> None:
        """Evaluate one architecture: random until the population is full, then a child."""
        space, rng = session.space, session.rng
        if len(self.population) < self.population_size:
            architecture = space.sample(rng)
        else:
            drawn = rng.integers(self.population_size, size=self.sample_size).tolist()
            sample = [self.population[position] for position in drawn]
            _, parent = max(sample, key=itemgetter(0))
            architecture = space.mutate(parent, rng)
        self.population.append((session.evaluate(architecture), architecture))


def check_sizes(population_size: int, sample_size: int) -> None:
    """Refuse a population without members, and a sample that is empty or larger than it."""
    if population_size < 1:
        raise SuiteError(
            f"A population of {population_size} cannot evolve: "
            f"choose a population_size of at least 1."
        )
    if not 1 <= sample_size <= population_size:
        raise SuiteError(
            f"A sample of {sample_size} does not fit a population of {population_size}: "
            f"choose a sample_size from 1 to {population_size}."
        )
