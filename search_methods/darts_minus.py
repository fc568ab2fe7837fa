"""DARTS-: an auxiliary skip connection that fades away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nasbench_suite.spaces.cells import Cell
from search_methods.supernet.cell import Mix
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class DartsMinus(DifferentiableSearch):
    """Chu et al., *DARTS-: Robustly Stepping out of Performance Collapse*, ICLR 2021.

    Every edge carries β x besides its mixture (equation 6), so that a skip connection need not
    win to keep the supernet trainable; β falls linearly from 1 to 0 (code:
    Meituan-AutoML/DARTS-, ``DecayScheduler``) and the auxiliary skip is not derived.

    Attributes:
        auxiliary: β in the first epoch.
    """

    title: ClassVar[str] = "DARTS-"
    summary: ClassVar[str] = "DARTS with an auxiliary skip connection that fades."

    auxiliary: float = 1.0

    def mixes(self) -> list[Mix]:
        """softmax(α), and β more on the skip connection, which sums to the same."""
        beta = self.auxiliary * (1 - self.epoch / self.epochs)
        return [
            Mix(mix.operations + beta * skips(layout, mix.operations))
            for mix, layout in zip(super().mixes(), self.supernet.layouts, strict=True)
        ]


def skips(layout: Cell, like: Tensor) -> Tensor:
    """1 where the candidate is the skip connection, shape (edges, candidates)."""
    marks = [[name == "skip_connect" for name in names] for names in layout.candidates]
    return torch.tensor(marks, dtype=like.dtype, device=like.device)
