"""Local search, or hill climbing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.method import Method, Session


@dataclass
class LocalSearch(Method):
    """Move to the best neighbour until none is better; then climb again from elsewhere.

    White, Nolen and Savani, *Exploring the loss landscape in neural architecture search*,
    UAI 2021 (arXiv 2005.02960, first named *Local search is state of the art for NAS
    benchmarks*), Algorithm 1. The defaults are those of the authors' ``local_search`` code: each
    climb begins at the best of 10 random architectures, and the whole neighbourhood is evaluated
    before a move. Its successor ``naszilla`` moves to the first better neighbour by default:
    ``query_until_lower``. NATS-Bench has no local search.

    An architecture is evaluated once; where a climb meets it again, its score is remembered.

    Attributes:
        num_initial: number of new random architectures, the best of which begins a climb.
        query_until_lower: move as soon as a neighbour has a lower loss, before all are known.
    """

    title: ClassVar[str] = "Local search"
    approach: ClassVar[str] = "black box"
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    query_until_lower: bool = False

    def __post_init__(self) -> None:
        if self.num_initial < 1:
            raise SuiteError(
                f"A climb cannot begin at the best of {self.num_initial} architectures: "
                f"choose a num_initial of at least 1."
            )

    def start(self, session: Session) -> None:
        """Begin with nothing evaluated and no current architecture."""
        self.scores: dict[Any, float] = {}
        self.current: Any = None
        self.size = session.space.size

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.scores) == self.size

    def step(self, session: Session) -> None:
        """Move once; at a local optimum, end the climb, so that the next step begins another."""
        if self.current is None:
            self.current = self._random_start(session)
        here = self.scores[self.current]
        # In random order, so that no decision is preferred when only some are evaluated.
        neighbours = shuffled(session.space.neighbours(self.current), session.rng)
        better = (each for each in neighbours if self._score(session, each) > here)
        if self.query_until_lower:
            self.current = next(better, None)
        else:
            self.current = max(better, key=self.scores.__getitem__, default=None)

    def _random_start(self, session: Session) -> Any:
        drawn: list[Any] = []
        while len(drawn) < self.num_initial and not self.finished:
            architecture = session.space.sample(session.rng)
            if architecture not in self.scores:
                self._score(session, architecture)
                drawn.append(architecture)
        return max(drawn, key=self.scores.__getitem__)

    def _score(self, session: Session, architecture: Any) -> float:
        if architecture not in self.scores:
            self.scores[architecture] = session.evaluate(architecture)
        return self.scores[architecture]


def shuffled(
    architectures: Sequence[Any] | NDArray[np.integer], rng: np.random.Generator
) -> list[Any]:
    """The neighbours that a space gives, in random order."""
    if isinstance(architectures, np.ndarray):
        found: list[Any] = rng.permutation(architectures).tolist()
        return found
    return [architectures[place] for place in rng.permutation(len(architectures)).tolist()]
