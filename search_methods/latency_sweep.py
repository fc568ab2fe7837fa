"""A sweep over λ: VS-DARTS under ever stronger latency constraints, as a search for a front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nasbench_suite.errors import SuiteError
from search_methods.supernet.succession import Succession
from search_methods.vs_darts import VsDarts


@dataclass
class LatencySweep(VsDarts, Succession):
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.searches < 1 or not 0 < self.smallest <= self.largest < float("inf"):
            raise SuiteError(
                "A sweep needs at least 1 search, and weights above 0: 0 < smallest <= largest."
            )

    @property
    def constrained(self) -> bool:
        """Always."""
        return True

    @property
    def total(self) -> int:
        """One search for each weight."""
        return self.searches

    def vary(self) -> None:
        """Set λ."""
        ladder = np.geomspace(self.smallest, self.largest, self.searches)
        self.latency_weight = float(ladder[self.done])

    def varied(self) -> dict[str, float]:
        """λ."""
        return {"latency_weight": self.latency_weight}
