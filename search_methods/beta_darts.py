"""β-DARTS: a regulariser on the softmax of the architecture parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nasbench_suite.parsing import check_not_negative
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class BetaDarts(DifferentiableSearch):
    """Ye et al., *β-DARTS: Beta-Decay Regularization for DARTS*, CVPR 2022 (arXiv 2203.01665).

    The architecture's loss has λ · mean over edges of log Σ_o exp α_o more, which pulls β =
    softmax(α) of an edge together; λ grows linearly over the search (section 3; code:
    Sunshine-Ye/Beta-DARTS, ``mlc_loss``).

    Attributes:
        regularisation: λ at the end.
    """

    title: ClassVar[str] = "β-DARTS"
    summary: ClassVar[str] = "DARTS with a decay of the softmaxed strengths."

    regularisation: float = 50.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "regularisation")

    def penalty(self) -> Tensor:
        """λ · mean logsumexp(α)."""
        weight = self.regularisation * self.epoch / self.epochs
        sums = torch.cat([torch.logsumexp(alpha, dim=-1) for alpha in self.alphas])
        return weight * sums.mean()
