"""DrNAS: mixture weights drawn from a Dirichlet distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.distributions import Dirichlet
from torch.nn import functional as F

from search_methods.supernet.cell import Mix
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class DrNas(DifferentiableSearch):
    """Chen, Wang, Cheng, Tang and Hsieh, *DrNAS: Dirichlet NAS*, ICLR 2021 (arXiv 2006.10355).

    The weights of an edge are a sample of Dirichlet(β), β = elu(α) + 1, with gradients through
    the sample (equation 4). The distance to Dirichlet(1) is held down by weight decay on α, the
    authors' setting for NAS-Bench-201 (code: xiangning-chen/DrNAS, 201-space/train_search.py).
    Derivation goes by the mean of the distribution. The progressive variant with partial channels
    is left out, as in the authors' table.
    """

    title: ClassVar[str] = "DrNAS"
    summary: ClassVar[str] = (
        "DARTS with strengths drawn from Dirichlet distributions that are learned."
    )

    def concentrations(self) -> list[Tensor]:
        """β of each kind of cell."""
        return [F.elu(alpha) + 1 for alpha in self.alphas]

    def relaxation(self) -> list[Mix]:
        """A sample, the same in all cells."""
        return [Mix(Dirichlet(beta).rsample()) for beta in self.concentrations()]

    def strengths(self) -> list[Tensor]:
        """The mean of the distribution."""
        return [(b / b.sum(-1, keepdim=True)).detach() for b in self.concentrations()]
