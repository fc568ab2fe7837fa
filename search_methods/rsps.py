"""Random search with parameter sharing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from nasbench_suite.parsing import check_counts
from search_methods.supernet.cell import Mix, discretise, single_path
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Rsps(DifferentiableSearch):
    """Li and Talwalkar, *Random Search and Reproducibility for NAS*, UAI 2019 (arXiv 1902.07638).

    Each step trains one architecture drawn uniformly. At the end the best of ``candidates`` drawn
    architectures is returned, by validation accuracy with inherited weights; NAS-Bench-201
    (section 4; code: D-X-Y/AutoDL-Projects, RANDOM-NAS.py) draws 100, and scores each on one
    batch, here on the whole validation half.

    Attributes:
        candidates: architectures compared at the end.
        interim: architectures compared after the other epochs, for the trajectory.
    """

    title: ClassVar[str] = "RSPS"
    approach: ClassVar[str] = "one-shot"
    summary: ClassVar[str] = (
        "Train a supernet on random paths; evaluate random ones with its weights."
    )

    candidates: int = 100
    interim: int = 10

    relaxes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "candidates interim")

    def relaxation(self) -> list[Mix]:
        """One architecture drawn uniformly."""
        return self.discrete_mixes(self.draw())

    def draw(self) -> list[list[int]]:
        """A candidate of every edge, uniformly; a list for each kind of cell."""
        return [
            discretise(torch.rand(layout.shape), layout, self.allow_none)
            for layout in self.supernet.layouts
        ]

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """There are no architecture parameters."""
        return None

    def choices(self) -> list[list[int]]:
        """The best of architectures drawn anew, by inherited accuracy."""
        count = self.candidates if self.finished else self.interim
        return self.best([self.draw() for _ in range(count)])

    def best(self, architectures: list[list[list[int]]]) -> list[list[int]]:
        """The one of the highest inherited accuracy; the first of equals."""
        return max(architectures, key=self.inherited_accuracy)

    def inherited_accuracy(self, architecture: list[list[int]]) -> float:
        """Validation accuracy in percent with the weights of the supernet."""
        return self.accuracy(
            [single_path(c, a) for c, a in zip(architecture, self.alphas, strict=True)]
        )
