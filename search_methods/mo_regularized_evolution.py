"""Regularized (aging) evolution for several objectives."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.tasks.method import Method, Session
from search_methods.nsga2 import rank_and_crowding
from search_methods.regularized_evolution import check_sizes


@dataclass
class MultiObjectiveRegularizedEvolution(Method):
    """Mutate a member of the sample's first front; the oldest member of the population dies.

    Real, Aggarwal, Huang and Le, *Regularized evolution for image classifier architecture
    search*, AAAI 2019, Algorithm 1, with one change: the best of the sample is its least crowded
    member that no other dominates, by NSGA-II's ranks and crowding distances over the whole
    population (Deb et al., IEEE TEC 2002). That change is ours; Algorithm 1 has one objective.

    The defaults are NATS-Bench's (10 and 3), which suit budgets of a few hundred evaluations;
    the paper's are 100 and 25.

    Attributes:
        population_size: number of architectures alive, P.
        sample_size: number of them that compete to be the parent, S.
    """

    title: ClassVar[str] = "MO regularized evolution"
    approach: ClassVar[str] = "Pareto"

    multi_objective: ClassVar[bool] = True
    begins_with: ClassVar[str] = "population_size"

    population_size: int = 10
    sample_size: int = 3

    def __post_init__(self) -> None:
        check_sizes(self.population_size, self.sample_size)

    def start(self, session: Session) -> None:
        """Begin with an empty population."""
        # Losses and architectures, oldest first: once full, the oldest leaves as one enters.
        self.population: deque[tuple[NDArray[np.float64], int]] = deque(maxlen=self.population_size)

    def step(self, session: Session) -> None:
        """Evaluate one architecture: random until the population is full, then a child."""
        space, rng = session.space, session.rng
        if len(self.population) < self.population_size:
            architecture = space.sample(rng)
        else:
            drawn = rng.integers(self.population_size, size=self.sample_size)
            ranks, distances = rank_and_crowding(np.array([loss for loss, _ in self.population]))
            best = drawn[np.lexsort((-distances[drawn], ranks[drawn]))[0]]
            architecture = space.mutate(self.population[best][1], rng)
        self.population.append((-session.evaluate_all(architecture), architecture))
