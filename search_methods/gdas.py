"""GDAS: one sampled operation an edge, with gradients through the Gumbel softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.parsing import check_positive
from search_methods.supernet.cell import Mix
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Gdas(DifferentiableSearch):
    """Dong and Yang, *Searching for a Robust Neural Architecture in Four GPU Hours*, CVPR 2019.

    Each forward pass draws one operation an edge, argmax_o (log softmax(α)_o + g_o) / τ with g
    Gumbel noise, and computes that one alone (equations 3 and 4). The backward pass takes the
    gradient of the softened sample; τ falls linearly (code: D-X-Y/AutoDL-Projects,
    xautodl/models/cell_searchs). An edge carries Σ_o h_o o(x) with h one-hot. In the code by which
    the figures of NAS-Bench-201 and NATS-Bench were made (``forward_gdas``) the terms not drawn
    are the bare h_o = 0, whose gradients reach their α (``sum``); in the variant of 2022
    (``forward_gdas_v1``) the drawn term alone stands there (``drawn``). The gradients in α are
    different ones: with these networks at initialisation their cosine is about 0.7.

    Attributes:
        temperature: τ in the first epoch.
        temperature_min: τ in the last.
        gradient: ``sum`` or ``drawn``.
    """

    title: ClassVar[str] = "GDAS"
    summary: ClassVar[str] = "DARTS with one operation an edge, drawn by Gumbel-softmax."

    temperature: float = 10.0
    temperature_min: float = 0.1
    gradient: Literal["sum", "drawn"] = "sum"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.title, self, "temperature temperature_min")

    @property
    def tau(self) -> float:
        """The temperature of this epoch."""
        return self.annealed(self.temperature, self.temperature_min)

    def relaxation(self) -> list[Mix]:
        """A sampled operation an edge, the same in all cells."""
        return [self.sample(alpha) for alpha in self.alphas]

    def sample(self, alpha: Tensor) -> Mix:
        """One-hot forward, softened backward."""
        gumbel = -torch.empty_like(alpha).exponential_().log()
        soft = F.softmax((F.log_softmax(alpha, dim=-1) + gumbel) / self.tau, dim=-1)
        drawn = soft.argmax(dim=-1, keepdim=True)
        hard = torch.zeros_like(soft).scatter_(-1, drawn, 1.0)
        weights = hard - soft.detach() + soft
        others = (weights * (1 - hard)).sum(-1) if self.gradient == "sum" else None
        return Mix(weights, active=hard.numpy(force=True) > 0, constants=others)
