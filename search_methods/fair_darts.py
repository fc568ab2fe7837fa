"""FairDARTS: operations that do not compete, pushed towards zero or one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from search_methods.supernet.data import SearchData
from search_methods.supernet.network import Family
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class FairDarts(DifferentiableSearch):
    """Chu, Zhou, Zhang and Li, *Fair DARTS: Eliminating Unfair Advantages*, ECCV 2020.

    Candidates are weighted by σ(α), each for itself (equation 5), and the architecture's loss has
    −w · mean (σ(α) − ½)² more (equation 6), which drives the weights to 0 or 1. α begins at 0 and
    takes larger steps, the weights smaller ones from larger batches (code: xiaomi-automl/FairDARTS,
    fairdarts/train_search.py). ``none`` is no candidate of theirs: here it carries nothing and is
    not derived. They derive at most two edges a node, and of these only operations above a
    threshold of 0.85; cells of our spaces have all their edges, so the strongest operations are
    derived whatever their weight.

    Attributes:
        zero_one: w.
    """

    title: ClassVar[str] = "FairDARTS"
    summary: ClassVar[str] = "DARTS with sigmoids, so that operations do not compete."

    learning_rate: float = 0.005
    batch_size: int = 128
    architecture_learning_rate: float = 3e-3
    allow_none: bool = False
    zero_one: float = 10.0

    def prepare(
        self, data: SearchData, rng: np.random.Generator, family: Family | None = None
    ) -> None:
        """As ever, with every σ(α) at one half, and Adam as the authors set it."""
        super().prepare(data, rng, family)
        with torch.no_grad():
            for alpha in self.alphas:
                alpha.zero_()
        self.architecture_optimizer.param_groups[0]["betas"] = (0.9, 0.999)

    def relax(self, alpha: Tensor) -> Tensor:
        """σ(α)."""
        return torch.sigmoid(alpha)

    def strengths(self) -> list[Tensor]:
        """σ(α)."""
        return [torch.sigmoid(alpha.detach()) for alpha in self.alphas]

    def penalty(self) -> Tensor:
        """The zero-one loss."""
        weights = torch.cat([torch.sigmoid(alpha).flatten() for alpha in self.alphas])
        return -self.zero_one * (weights - 0.5).square().mean()
