"""R-DARTS's early stopping: DARTS ended when the loss grows sharp in the architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.tasks import Session
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class RDartsEarlyStop(DifferentiableSearch):
    """Zela et al., *Understanding and Robustifying DARTS*, ICLR 2020 (arXiv 1909.09656), DARTS-ES.

    The largest eigenvalue of the Hessian of the validation loss in α is followed over the search.
    When its moving average has grown by ``factor`` within ``delay`` readings, the search stops
    and returns the architecture from before the growth (section 5; code: automl/RobustDARTS,
    ``EVLocalAvg``). Their further variants regularise: set ``weight_decay``.

    Attributes:
        window: readings in the centred moving average.
        delay: readings between the averages that are compared.
        factor: how much the later may exceed the earlier.
        first: the earliest epoch that may be returned.
    """

    title: ClassVar[str] = "R-DARTS (ES)"
    summary: ClassVar[str] = "DARTS that stops once the dominant eigenvalue rises."

    eigenvalue_every: int = 2
    window: int = 5
    delay: int = 4
    factor: float = 1.3
    first: int = 10

    eigenvalues: list[float] = field(default_factory=list, init=False, repr=False)
    derived: list[Sequence[int]] = field(default_factory=list, init=False, repr=False)
    stopped: bool = field(default=False, init=False, repr=False)

    def start(self, session: Session) -> None:
        """No readings yet."""
        self.eigenvalues, self.derived, self.stopped = [], [], False
        super().start(session)

    def step(self, session: Session) -> None:
        """An epoch; after it perhaps the end, with an earlier architecture."""
        super().step(session)
        self.derived.append(self.derive())
        if self.epoch % self.eigenvalue_every:
            return
        self.eigenvalues.append(session.diagnostics[-1].value.item())
        if (returned := self.stop_epoch()) is not None:
            self.stopped = True
            session.recommend(self.derived[returned - 1])

    def stop_epoch(self) -> int | None:
        """The epoch whose architecture is returned, if the criterion is met."""
        averages = [
            np.mean(self.eigenvalues[max(0, end - self.window) : end])
            for end in range(3, len(self.eigenvalues) + 1)
        ]
        if len(averages) <= self.delay:
            return None
        centre = self.epoch - self.eigenvalue_every * (self.window // 2)
        earlier = centre - self.eigenvalue_every * self.delay
        grown = averages[-1] > self.factor * averages[-1 - self.delay]
        return earlier if earlier >= self.first and grown else None

    @property
    def finished(self) -> bool:
        """Stopped early, or all epochs over."""
        return self.stopped or super().finished

    def state(self) -> dict[str, Any]:
        """The readings too."""
        return {
            **super().state(),
            "eigenvalues": self.eigenvalues,
            "derived": self.derived,
            "stopped": self.stopped,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.eigenvalues, self.derived = state["eigenvalues"], state["derived"]
        self.stopped = state["stopped"]
