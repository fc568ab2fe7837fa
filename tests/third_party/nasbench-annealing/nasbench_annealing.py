"""Simulated annealing, for nasbench."""

import math
from dataclasses import dataclass
from typing import ClassVar

from nasbench_suite.tasks import Method, Session


@dataclass
class Annealing(Method):
    """Move to a random neighbour if it is better, or by chance while it is hot.

    Kirkpatrick, Gelatt and Vecchi, *Optimization by simulated annealing*, Science 1983.

    Attributes:
        hot: temperature at the start, in the unit of the signal.
        cold: temperature at the end; between them it falls at equal ratios.
    """

    title: ClassVar[str] = "Simulated annealing"

    hot: float = 2.0
    cold: float = 0.05

    def start(self, session: Session) -> None:
        self.here = session.space.sample(session.rng)
        self.worth = session.evaluate(self.here)

    def step(self, session: Session) -> None:
        temperature = self.cold * (self.hot / self.cold) ** session.remaining
        neighbour = session.space.mutate(self.here, session.rng)
        worth = session.evaluate(neighbour)
        if session.rng.random() < math.exp(min(0.0, (worth - self.worth) / temperature)):
            self.here, self.worth = neighbour, worth
