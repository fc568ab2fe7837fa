"""SETN: a template network that learns which candidates are worth evaluating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from search_methods.rsps import Rsps
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Setn(Rsps):
    """Dong and Yang, *One-Shot NAS via Self-Evaluated Template Network*, ICCV 2019.

    The weights train one architecture drawn uniformly in every step, and then α takes its step
    under the whole mixture softmax(α). At the end the most probable architectures under softmax(α)
    are compared by validation accuracy with inherited weights (code: D-X-Y/AutoDL-Projects,
    exps/NAS-Bench-201-algos/SETN.py, ``dync_genotype`` and ``return_topK``), each on one batch
    there and on the whole validation half here.
    """

    title: ClassVar[str] = "SETN"
    summary: ClassVar[str] = "One-shot search among the most probable of learnt architectures."

    weights_first: bool = True

    relaxes: ClassVar[bool] = True
    topology_alone: ClassVar[str] = "ranks operations here, not edges"

    def relaxation(self) -> list[Mix]:
        """softmax(α)."""
        return DifferentiableSearch.relaxation(self)

    def update_weights(self, train: Batch) -> float:
        """A step of one architecture drawn uniformly."""
        loss = self.loss(train, self.discrete_mixes(self.draw()))
        self.take_step(self.weight_optimizer, self.weights, loss)
        return loss.item()

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """A step in α under the whole mixture."""
        return DifferentiableSearch.update_architecture(self, train, valid)

    def choices(self) -> list[list[int]]:
        """The best of the most probable architectures, by inherited accuracy."""
        count = self.candidates if self.finished else self.interim
        (strength,) = self.strengths()
        return self.best([[choice] for choice in most_probable(strength.log(), count)])


def most_probable(log_probabilities: torch.Tensor, count: int) -> list[list[int]]:
    """The choices of largest total log probability, the largest first.

    Args:
        log_probabilities: of each candidate on each edge, shape (edges, candidates).
        count: how many; all if there are fewer.
    """
    totals = torch.zeros(1, dtype=torch.double)
    choices: list[list[int]] = [[]]
    for row in log_probabilities.double().cpu():
        extended = (totals[:, None] + row).flatten()
        order = torch.sort(extended, descending=True, stable=True).indices[:count].tolist()
        choices = [[*choices[place // len(row)], place % len(row)] for place in order]
        totals = extended[order]
    return choices
