"""DARTS-PT: operations chosen by what the supernet loses without them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.cells import NONE
from nasbench_suite.tasks import Session
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import SearchData
from search_methods.supernet.network import Supernet
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class DartsPt(DifferentiableSearch):
    """Wang et al., *Rethinking Architecture Selection in Differentiable NAS*, ICLR 2021.

    After DARTS, edges are decided one at a time in random order. On the edge at hand each
    operation is taken out of the supernet, and the one whose loss hurts validation accuracy most
    is the edge's (algorithm 1); the supernet is tuned for ``tuning`` epochs before the next
    (code: ruocwang/darts-pt, nasbench201/projection.py). The epochs of tuning come
    on top of ``epochs``, at a tenth of the weights' rate.

    Attributes:
        tuning: epochs between decisions.
    """

    title: ClassVar[str] = "DARTS-PT"
    summary: ClassVar[str] = (
        "DARTS that keeps the operations without which the supernet loses most."
    )

    tuning: int = 5

    decided: list[int] = field(default_factory=list, init=False, repr=False)

    def start(self, session: Session) -> None:
        """No edge is decided yet."""
        self.decided = []
        super().start(session)

    @property
    def finished(self) -> bool:
        """Searched, and all edges decided: one at once, the last after the last tuning."""
        return self.epoch >= self.epochs + self.tuning * (self.edges - 1)

    def make_supernet(self, data: SearchData) -> Supernet:
        """A supernet in which every edge of one kind of cell is to be decided."""
        supernet = super().make_supernet(data)
        if len(supernet.layouts) > 1:
            raise SuiteError("DARTS-PT chooses operations here, not edges: it has no DARTS space.")
        return supernet

    @property
    def edges(self) -> int:
        """Number of edges to decide."""
        return self.supernet.layouts[0].shape[0]

    def train_epoch(self) -> dict[str, float]:
        """An epoch; an edge is decided before every so many, the last one at the end."""
        tuned = self.epoch - self.epochs
        if not self.decided and tuned >= 0:
            self.decided = [-1] * self.edges
        if tuned >= 0 and tuned % self.tuning == 0:
            self.decide()
        losses = super().train_epoch()
        if tuned == self.tuning * (self.edges - 1) - 1:
            self.decide()
        return losses

    def set_learning_rate(self) -> None:
        """A tenth of the first rate while tuning."""
        if self.epoch < self.epochs:
            super().set_learning_rate()
        else:
            self.weight_optimizer.param_groups[0]["lr"] = self.learning_rate / 10

    def decide(self) -> None:
        """Give one undecided edge, drawn at random, its operation."""
        undecided = [edge for edge, choice in enumerate(self.decided) if choice < 0]
        edge = undecided[int(torch.randint(len(undecided), ()))]
        with torch.no_grad():
            (mix,) = self.mixes()
        accuracies = {}
        for operation, name in enumerate(self.supernet.layouts[0].candidates[edge]):
            if name == NONE and not self.allow_none:
                continue
            without = mix.operations.clone()
            without[edge, operation] = 0.0
            accuracies[operation] = self.accuracy([Mix(without)])
        self.decided[edge] = min(accuracies, key=accuracies.__getitem__)  # the first of equals

    def relax(self, alpha: Tensor) -> Tensor:
        """softmax(α), and one-hot on the decided edges."""
        return self.with_decided(super().relax(alpha))

    def strengths(self) -> list[Tensor]:
        """softmax(α), and one-hot on the decided edges."""
        return [self.with_decided(strength) for strength in super().strengths()]

    def with_decided(self, weights: Tensor) -> Tensor:
        """Rows of decided edges replaced by their operation."""
        rows = list(weights.unbind())
        for edge, choice in enumerate(self.decided):
            if choice >= 0:
                rows[edge] = torch.zeros_like(rows[edge])
                rows[edge][choice] = 1.0
        return torch.stack(rows)

    def state(self) -> dict[str, Any]:
        """The decided edges too."""
        return {**super().state(), "decided": self.decided}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.decided = state["decided"]
