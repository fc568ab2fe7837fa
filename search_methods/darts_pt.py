"""DARTS-PT: operations chosen by what the supernet loses without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from nasbench_suite.tasks.method import later
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class DartsPt(DifferentiableSearch):
    """Wang et al., *Rethinking Architecture Selection in Differentiable NAS*, ICLR 2021.

    After DARTS, edges are decided one at a time in random order. On the edge at hand each
    operation is taken out of the supernet, and the one whose loss hurts validation accuracy most
    is the edge's (algorithm 1); the supernet is tuned for ``tuning`` epochs before the next
    (code: ruocwang/darts-pt, nasbench201/projection.py). The epochs of tuning come
    on top of ``epochs``, at a tenth of the weights' rate. Any other method that mixes operations
    is decided likewise with ``selection=perturbation``.

    Attributes:
        tuning: epochs between decisions.
    """

    title: ClassVar[str] = "DARTS-PT"
    summary: ClassVar[str] = (
        "DARTS that keeps the operations without which the supernet loses most."
    )

    tuning: int = 5
    selection: Literal["strength", "perturbation"] = later("perturbation")
