"""Random search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nasbench_suite.tasks.method import Method, Session


@dataclass
class RandomSearch(Method):
    """Evaluate architectures drawn uniformly, with replacement.

    The baseline that any search has to beat (Li and Talwalkar, *Random search and
    reproducibility for neural architecture search*, UAI 2019).
    """

    title: ClassVar[str] = "Random search"
    approach: ClassVar[str] = "baseline"

    multi_objective: ClassVar[bool] = True

    def step(self, session: Session) -> None:
        """Draw one architecture and evaluate it."""
        session.evaluate(session.space.sample(session.rng))
