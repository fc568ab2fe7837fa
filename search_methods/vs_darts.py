"""VS-DARTS: differentiable search whose activations keep their variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_not_negative
from nasbench_suite.spaces import SearchSpace, listed
from nasbench_suite.spaces.darts import DartsSpace
from nasbench_suite.spaces.topology import OPERATIONS
from nasbench_suite.tasks import Session, Task
from nasbench_suite.tasks.method import later
from search_methods.supernet.darts_space import darts_family
from search_methods.supernet.data import SearchData
from search_methods.supernet.larc import Larc
from search_methods.supernet.latency import LatencyModel, read_latency
from search_methods.supernet.network import CellOptions, Family, Supernet
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class VsDarts(DifferentiableSearch):
    """Choe, Na, Mok and Yoon, *Variance-stationary Differentiable NAS*, BMVC 2021, paper 0549.

    Facts are those of the authors' code, genesis1104/VS-DARTS: DARTS of the first order with

    - the relaxation Σ_o √β_o o(x), β = softmax(α), which keeps unit variance for every α if the
      operations' outputs have unit variance and are uncorrelated;
    - batch normalisation without parameters on every node's sum;
    - LARC on the supernet's weights, by default off there and on here (the paper's third part);
    - weight decay 5e-3 on the weights, for DARTS's 3e-4;
    - in the DARTS space a stem of as many channels as the first cells (DARTS: three times as many)
      and factorized reductions that end in their ReLU.

    Their code knows the DARTS space alone. Ours are ``normalised_nodes=inner``, which leaves
    out the output node, ``normalised_pooling``, and the latency objective

        L = L_val + λ softplus(s x) / s,    x = E_β[latency] / T − 1,    s = 10,

    which with λ = 0 takes the very steps of VS-DARTS without it.

    Attributes:
        sqrt_relaxation: √β in place of β.
        normalised_nodes: ``all``, ``inner`` or ``none``.
        local_rate: LARC in place of plain SGD.
        normalised_pooling: average pooling ends in batch normalisation, as in DARTS's space.
        own_skeleton: in the DARTS space the authors' stem and reductions, otherwise DARTS's.
        latency_weight: λ.
        latency_target: T in ms.
        latency_table: a benchmark, or a file of measured architectures or of operations; see
            ``read_latency``.
        latency_column: which metric or column of it.
    """

    title: ClassVar[str] = "VS-DARTS"
    summary: ClassVar[str] = (
        "DARTS with node variances held constant, ending edges and rates of their own."
    )

    weight_decay: float = 5e-3
    sqrt_relaxation: bool = True
    normalised_nodes: Literal["none", "inner", "all"] = "all"
    local_rate: bool = True
    normalised_pooling: bool = False
    latency_weight: float = 0.0
    latency_target: float = 0.0
    latency_table: str = ""
    latency_column: str = "ms"
    own_skeleton: bool = later(True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "latency_weight latency_target")
        self.latency: LatencyModel | None = None

    @property
    def constrained(self) -> bool:
        """Whether latencies have a part in the search."""
        return self.latency_weight > 0

    def refuse(self, task: Task) -> None:
        """Also where there are no latencies of the space."""
        super().refuse(task)
        self.read_latencies(task.benchmark.space)

    def start(self, session: Session) -> None:
        """Read the latencies, if they have a part, and build the supernet."""
        self.latency = self.read_latencies(session.space)
        super().start(session)

    def read_latencies(self, space: SearchSpace) -> LatencyModel | None:
        """What operations take of time, by the table."""
        if not self.constrained:
            return None
        if not (self.latency_table and self.latency_target):
            raise SuiteError(
                "A latency_weight needs a latency_table and a latency_target above 0 ms."
            )
        return read_latency(self.latency_table, self.latency_column, listed(space))

    def family_of(self, space: SearchSpace) -> Family:
        """As ever, but for the stem in a DARTS space."""
        if isinstance(space, DartsSpace) and self.own_skeleton:
            return darts_family(space, channels=self.width, cells=self.cells, stem=1)
        return super().family_of(space)

    def make_supernet(self, data: SearchData) -> Supernet:
        """The supernet with normalised nodes."""
        options = CellOptions(
            self.normalised_nodes, self.normalised_pooling, relu_last=self.own_skeleton
        )
        return self.family(data, options)

    def relax(self, alpha: Tensor) -> Tensor:
        """√softmax(α)."""
        beta = F.softmax(alpha, dim=-1)
        return beta.sqrt() if self.sqrt_relaxation else beta

    def make_weight_optimizer(self) -> torch.optim.Optimizer:
        """SGD under LARC."""
        if not self.local_rate:
            return super().make_weight_optimizer()
        return Larc(
            self.weights,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

    def penalty(self) -> Tensor | float:
        """λ softplus(s x) / s, over the operations that may be derived."""
        if self.latency is None:
            return 0.0
        (alpha,) = self.alphas
        if not self.allow_none:  # it takes no time: mass there would meet T and change no cell
            is_none = torch.arange(alpha.shape[-1]) == OPERATIONS.index("none")
            alpha = alpha.masked_fill(is_none.to(alpha.device), -torch.inf)
        probabilities = F.softmax(alpha, dim=-1)
        return self.latency_weight * self.latency.penalty(probabilities, self.latency_target)
