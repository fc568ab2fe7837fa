"""Pareto local search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.pareto import nondominated
from nasbench_suite.tasks.method import Method, Session
from search_methods.gaps import filled
from search_methods.local_search import shuffled


@dataclass
class ParetoLocalSearch(Method):
    """Evaluate all neighbours of an unexplored member of the archive, until all are explored.

    Paquete, Chiarandini and Stuetzle, *Pareto local optimum sets in the biobjective traveling
    salesman problem: an experimental study*, in *Metaheuristics for Multiobjective Optimisation*,
    2004, Algorithm 1. The archive holds what is non-dominated among all evaluated since the
    beginning. The paper begins with one random solution and ends once all of the archive is
    explored; here a search begins with a few, as the single-objective local search does, and
    then begins anew with as many other random architectures and an empty archive.

    An architecture is evaluated once.

    Attributes:
        num_initial: number of random architectures at every beginning.
    """

    title: ClassVar[str] = "Pareto local search"
    approach: ClassVar[str] = "Pareto"

    multi_objective: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10

    def __post_init__(self) -> None:
        if self.num_initial < 1:
            raise SuiteError(
                f"A search cannot begin at {self.num_initial} architectures: "
                f"choose a num_initial of at least 1."
            )

    def start(self, session: Session) -> None:
        """Begin with an empty archive, and with nothing evaluated or explored."""
        self.losses: dict[Any, np.ndarray] = {}
        self.archive: list[Any] = []
        self.explored: set[Any] = set()
        self.size = session.space.size or np.inf

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.losses) == self.size

    def step(self, session: Session) -> None:
        """Explore one member of the archive, drawn at random, or begin anew."""
        unexplored = [member for member in self.archive if member not in self.explored]
        if unexplored:
            member = unexplored[int(session.rng.integers(len(unexplored)))]
            self.explored.add(member)
            # In random order, so that no decision is preferred when the budget ends between.
            chosen = shuffled(session.space.neighbours(member), session.rng)
        else:
            chosen = self._random(session)
        entrants = [each for each in chosen if each not in self.losses]
        for architecture in entrants:
            self.losses[architecture] = -session.evaluate_all(architecture)
        # At a new beginning the old archive is left behind, which would dominate the new one.
        candidates = [*self.archive, *entrants] if unexplored else entrants
        keeps = nondominated(filled(np.array([self.losses[each] for each in candidates])))
        self.archive = [each for each, keep in zip(candidates, keeps, strict=True) if keep]

    def _random(self, session: Session) -> list[Any]:
        drawn: dict[Any, None] = {}  # a set that keeps its order
        while len(drawn) < min(self.num_initial, self.size - len(self.losses)):
            architecture = session.space.sample(session.rng)
            if architecture not in self.losses:
                drawn[architecture] = None
        return list(drawn)
