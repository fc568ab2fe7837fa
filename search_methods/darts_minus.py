"""DARTS-: an auxiliary skip connection that fades away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from nasbench_suite.parsing import check_not_negative
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import SearchData
from search_methods.supernet.network import CellOptions, Supernet
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class DartsMinus(DifferentiableSearch):
    """Chu et al., *DARTS-: Robustly Stepping out of Performance Collapse*, ICLR 2021.

    Every edge carries β x besides its mixture (equation 6), whether or not the skip connection is
    among its candidates, and at stride 2 a factorized reduction of its own in place of x, so that a
    skip connection need not win to keep the supernet trainable. β falls linearly from 1 to 0, and
    the auxiliary skip is not derived (code: Meituan-AutoML/DARTS-, ``MixedOp`` of
    src/search/model_search.py and ``DecayScheduler``).

    Attributes:
        auxiliary: β in the first epoch.
    """

    title: ClassVar[str] = "DARTS-"
    summary: ClassVar[str] = "DARTS with an auxiliary skip connection that fades."

    auxiliary: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "auxiliary")

    def make_supernet(self, data: SearchData) -> Supernet:
        """The supernet with an auxiliary skip connection on every edge."""
        return self.family(data, CellOptions(auxiliary=True))

    def relaxation(self) -> list[Mix]:
        """softmax(α), and β on the auxiliary skip connections."""
        beta = self.auxiliary * (1 - self.epoch / self.epochs)
        return [replace(mix, auxiliary=beta) for mix in super().relaxation()]
