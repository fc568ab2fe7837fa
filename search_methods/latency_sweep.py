"""A sweep over λ: VS-DARTS under ever stronger latency constraints, as a search for a front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks import Session
from search_methods.vs_darts import VsDarts


@dataclass
class LatencySweep(VsDarts):
    """One search of VS-DARTS for every weight of the latency; what each derives is evaluated.

    The scalarised baseline of a multi-objective search: a front of n points costs n searches.
    Weights go from ``smallest`` to ``largest`` in equal ratios. With VS-DARTS's parts switched
    off it sweeps DARTS.

    Attributes:
        searches: number of weights, each with a supernet of its own.
        smallest: the first λ.
        largest: the last λ.
        architecture_learning_rate: ten times DARTS's, at which α moves far enough on the embedded
            images for the weights to order what is derived.
        allow_none: off, since ``none`` costs no time: with it the larger weights derive
            disconnected cells.
    """

    title: ClassVar[str] = "Latency sweep"
    summary: ClassVar[str] = (
        "One search of VS-DARTS for every weight of the latency; what each derives is evaluated."
    )

    searches: int = 8
    smallest: float = 0.001
    largest: float = 0.3
    architecture_learning_rate: float = 3e-3
    allow_none: bool = False

    multi_objective: ClassVar[bool] = True

    def start(self, session: Session) -> None:
        """Begin with the smallest weight."""
        if self.searches < 1 or not 0 < self.smallest <= self.largest:
            raise SuiteError(
                "A sweep needs at least 1 search, and weights above 0: 0 < smallest <= largest."
            )
        self.done = 0
        self.latency_weight = self.smallest
        super().start(session)

    def step(self, session: Session) -> None:
        """Train for one epoch; after the last, evaluate what is derived and take the next λ."""
        with self.randomness():
            losses = self.train_epoch()
        self.epoch += 1
        session.log(self.done * self.epochs + self.epoch, **losses)
        if self.epoch < self.epochs:
            return
        session.evaluate(self.derive())
        session.log(self.done * self.epochs + self.epoch, latency_weight=self.latency_weight)
        self.done += 1
        if not self.finished:
            self._weigh()
            self.prepare(self.images, session.rng, self.family)

    @property
    def finished(self) -> bool:
        """Whether every weight had its search."""
        return bool(self.done >= self.searches)

    def state(self) -> dict[str, Any]:
        """The current search, and how many there were before."""
        return super().state() | {"done": self.done}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.done = int(state["done"])
        self._weigh()

    def _weigh(self) -> None:
        ladder = np.geomspace(self.smallest, self.largest, self.searches)
        self.latency_weight = float(ladder[self.done])
