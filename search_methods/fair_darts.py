"""FairDARTS: operations that do not compete, pushed towards zero or one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_not_negative, check_portions
from nasbench_suite.spaces import SearchSpace
from nasbench_suite.spaces.cells import NONE, Cell
from nasbench_suite.spaces.darts import DartsSpace
from nasbench_suite.tasks.method import later
from search_methods.supernet.data import SearchData
from search_methods.supernet.network import Family
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class FairDarts(DifferentiableSearch):
    """Chu, Zhou, Zhang and Li, *Fair DARTS: Eliminating Unfair Advantages*, ECCV 2020.

    Candidates are weighted by σ(α), each for itself (equation 5), and the architecture's loss has
    −w · mean (σ(α) − ½)² more (equation 6), which drives the weights to 0 or 1. α begins at 0 and
    takes larger steps, the weights smaller ones from larger batches (code: xiaomi-automl/FairDARTS,
    fairdarts/train_search.py and ``ConvSeparateLoss`` of separate_loss.py).

    Their code has the DARTS space alone, where ``none`` is no candidate: here it carries nothing,
    has no part in the mean, and is not derived for its own sake. Of each node's two strongest edges
    they derive those whose strongest operation weighs 0.85 or more (``threshold_sparse`` of
    utils.py). Cells of our DARTS spaces have two edges a node whatever these weigh, and those of
    NAS-Bench-201 have all edges, of which a ``threshold`` turns the weak ones into ``none``.

    Attributes:
        zero_one: w.
        threshold: of NAS-Bench-201's edges, ``none`` is derived where the strongest operation
            weighs less; theirs is 0.85.
    """

    title: ClassVar[str] = "FairDARTS"
    summary: ClassVar[str] = "DARTS with sigmoids, so that operations do not compete."

    learning_rate: float = 0.005
    batch_size: int = 128
    architecture_learning_rate: float = 3e-3
    allow_none: bool = False
    zero_one: float = 10.0
    threshold: float = later(0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "zero_one")
        check_portions(self.title, self, "threshold")

    def family_of(self, space: SearchSpace) -> Family:
        """As ever, but without a threshold where a node has two edges whatever they weigh."""
        if isinstance(space, DartsSpace) and self.threshold:
            raise SuiteError("A DARTS cell has two edges a node: leave threshold at 0.")
        return super().family_of(space)

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

    def choices(self) -> list[list[int]]:
        """The strongest operation of every edge, or ``none`` below the threshold."""
        chosen = super().choices()
        if self.threshold:
            ((choice,), (strength,)) = chosen, self.strengths()
            for edge, names in enumerate(self.supernet.layouts[0].candidates):
                if float(strength[edge, choice[edge]]) < self.threshold:
                    choice[edge] = names.index(NONE)
        return chosen

    def penalty(self) -> Tensor:
        """The zero-one loss, over all candidates but ``none``."""
        weights = torch.cat(
            [
                torch.sigmoid(alpha)[some_operation(layout).to(alpha.device)]
                for alpha, layout in zip(self.alphas, self.supernet.layouts, strict=True)
            ]
        )
        return -self.zero_one * (weights - 0.5).square().mean()


def some_operation(layout: Cell) -> Tensor:
    """Which candidates are not ``none``, shape (edges, candidates)."""
    return torch.tensor([[name != NONE for name in names] for names in layout.candidates])
