"""PC-DARTS: a share of the channels is mixed, and edges are weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.parsing import check_counts, check_portions
from nasbench_suite.spaces.cells import Cell
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import Batch, SearchData
from search_methods.supernet.network import CellOptions, Family, Supernet
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class PcDarts(DifferentiableSearch):
    """Xu et al., *PC-DARTS: Partial Channel Connections*, ICLR 2020; code: yuhuixu1993/PC-DARTS.

    The first 1/K of the channels goes through the mixed operation, the others go by it, and all
    are shuffled (equation 1). Edge normalisation weights what reaches a node by a softmax over its
    edges (equation 2). The architecture is held for the first epochs. The authors'
    large rate and batch of the weights, which PC-DARTS's saved memory allows, are not taken over.

    Attributes:
        share: K.
        warm_up: share of the epochs before the architecture takes steps (15 of 50).
        edge_normalisation: whether edges are weighted.
    """

    title: ClassVar[str] = "PC-DARTS"
    summary: ClassVar[str] = "DARTS on a part of the channels, with strengths of edges."

    architecture_learning_rate: float = 6e-4
    share: int = 4
    warm_up: float = 0.3
    edge_normalisation: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "share")
        check_portions(self.title, self, "warm_up")

    def prepare(
        self, data: SearchData, rng: np.random.Generator, family: Family | None = None
    ) -> None:
        """Add the edges' parameters."""
        super().prepare(data, rng, family)
        with self.randomness():
            self.betas = [
                (1e-3 * torch.randn(len(layout.edges))).to(self.device).requires_grad_()
                for layout in self.supernet.layouts
            ]
        if self.edge_normalisation:
            self.architecture_optimizer.param_groups[0]["params"].extend(self.betas)

    def make_supernet(self, data: SearchData) -> Supernet:
        """The supernet with partial channels."""
        return self.family(data, CellOptions(share=self.share))

    def relaxation(self) -> list[Mix]:
        """Softmax over operations, and over the edges of a node."""
        mixes = super().relaxation()
        if not self.edge_normalisation:
            return mixes
        return [
            Mix(mix.operations, normalise_edges(beta, layout))
            for mix, beta, layout in zip(mixes, self.betas, self.supernet.layouts, strict=True)
        ]

    def strengths(self) -> list[Tensor]:
        """softmax(α) times the weight of the edge, by which DARTS's rule chooses edges."""
        strengths = super().strengths()
        if not self.edge_normalisation:
            return strengths
        return [
            strength * normalise_edges(beta.detach(), layout)[:, None]
            for strength, beta, layout in zip(
                strengths, self.betas, self.supernet.layouts, strict=True
            )
        ]

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """A step after the warm-up, in the edges' parameters too."""
        if self.epoch < self.warm_up * self.epochs:
            return None
        loss = self.loss(valid, self.mixes())
        parameters = self.architecture_optimizer.param_groups[0]["params"]
        self.take_step(self.architecture_optimizer, parameters, loss)
        return loss.item()

    def state(self) -> dict[str, Any]:
        """The edges' parameters too."""
        return {**super().state(), "betas": [beta.detach() for beta in self.betas]}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        with torch.no_grad():
            for beta, saved in zip(self.betas, state["betas"], strict=True):
                beta.copy_(saved)


def normalise_edges(beta: Tensor, layout: Cell) -> Tensor:
    """A softmax over the edges that end in the same node, shape (edges,)."""
    targets = [target for _, target in layout.edges]
    sizes = [targets.count(target) for target in range(layout.inputs, layout.nodes)]
    return torch.cat([F.softmax(part, dim=0) for part in torch.split(beta, sizes)])
