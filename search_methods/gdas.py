"""GDAS: one sampled operation an edge, with gradients through the Gumbel softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from search_methods.supernet.cell import Mix
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Gdas(DifferentiableSearch):
    """Dong and Yang, *Searching for a Robust Neural Architecture in Four GPU Hours*, CVPR 2019.

    Each forward pass draws one operation an edge, argmax_o (log softmax(α)_o + g_o) / τ with g
    Gumbel noise, and computes that one alone (equations 3 and 4). The backward pass takes the
    gradient of the softened sample; τ falls linearly (code: D-X-Y/AutoDL-Projects). The authors'
    later code also lets gradients reach the operations not drawn, as a sum over the node; this
    follows the paper.

    Attributes:
        temperature: τ in the first epoch.
        temperature_min: τ in the last.
    """

    title: ClassVar[str] = "GDAS"
    summary: ClassVar[str] = "DARTS with one operation an edge, drawn by Gumbel-softmax."

    temperature: float = 10.0
    temperature_min: float = 0.1

    @property
    def tau(self) -> float:
        """The temperature of this epoch."""
        return self.annealed(self.temperature, self.temperature_min)

    def mixes(self) -> list[Mix]:
        """A sampled operation an edge, the same in all cells."""
        return [self.sample(alpha) for alpha in self.alphas]

    def sample(self, alpha: Tensor) -> Mix:
        """One-hot forward, softened backward."""
        gumbel = -torch.empty_like(alpha).exponential_().log()
        soft = F.softmax((F.log_softmax(alpha, dim=-1) + gumbel) / self.tau, dim=-1)
        drawn = soft.argmax(dim=-1, keepdim=True)
        hard = torch.zeros_like(soft).scatter_(-1, drawn, 1.0)
        return Mix(hard - soft.detach() + soft, active=hard.numpy(force=True) > 0)
