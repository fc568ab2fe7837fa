"""IS-DARTS: operations pruned by what their outputs tell, without architecture parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasbench_suite.parsing import check_counts
from nasbench_suite.spaces.cells import NONE
from search_methods.supernet.cell import Mix, MixedOperations, Source
from search_methods.supernet.data import Batch, SearchData, batches
from search_methods.supernet.hooks import forward_hooks
from search_methods.supernet.network import Supernet
from search_methods.supernet.operations import Operation
from search_methods.supernet.search import EVALUATION_BATCH, DifferentiableSearch


@dataclass
class IsDarts(DifferentiableSearch):
    """He et al., *IS-DARTS: Precise Measurement on Candidate Importance*, AAAI 2024.

    The supernet, in which every candidate counts 1 / (their number), is trained on all training
    images. In the last epochs the supernet shrinks: on every edge the operation whose outputs are
    least informative is taken out, by the measure

        mean over pixels and images of 3 (y − m)² / s⁶,

    m and s the mean and the standard deviation of an output over its channels, averaged over cells;
    the largest goes, and ``none``, which puts out nothing, first (code: HY-HE/IS-DARTS, ISDARTS.py
    and shrink_metric.py). 94.36 and 46.34 % on CIFAR-10 and ImageNet16-120 in NAS-Bench-201, as
    a list of benchmarks on hyper.ai gives it (arXiv 2312.12648), with Nesterov momentum there.

    Attributes:
        interval: epochs between two shrinkings, and behind the last one.
    """

    title: ClassVar[str] = "IS-DARTS"
    summary: ClassVar[str] = "A supernet pruned by what the outputs of operations tell."

    epochs: int = 30
    nesterov: bool = True
    allow_none: bool = False
    interval: int = 2

    relaxes: ClassVar[bool] = False
    topology_alone: ClassVar[str] = "prunes operations here, not edges"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "interval")

    def make_supernet(self, data: SearchData) -> Supernet:
        """A supernet in which every edge keeps one operation."""
        supernet = super().make_supernet(data)
        self.alive = torch.ones(supernet.layouts[0].shape, device=data.train[0].device)
        return supernet

    def train_epoch(self) -> dict[str, float]:
        """An epoch on all images, and perhaps a shrinking behind it."""
        self.set_learning_rate()
        both = zip(self.images.train, self.images.valid, strict=True)
        images, labels = (torch.cat(parts) for parts in both)
        losses = [
            self.update_weights(self.augment(batch))
            for batch in batches((images, labels), self.batch_size)
        ]
        left = self.epochs - (self.epoch + 1)
        steps = self.supernet.layouts[0].shape[1] - 1
        if left % self.interval == 0 and 1 <= left // self.interval <= steps:
            self.shrink((images, labels))
        return {"train_loss": float(torch.tensor(losses).mean())}

    def relaxation(self) -> list[Mix]:
        """All that is alive, each with the same weight as at the beginning."""
        return [Mix(self.alive / self.alive.shape[1])]

    def strengths(self) -> list[Tensor]:
        """What is alive; of several the first is derived."""
        return [self.alive]

    def shrink(self, data: Batch) -> None:
        """Take the least informative operation off every edge."""
        with torch.no_grad(), measured(self.supernet) as measure:
            for images in torch.split(data[0], EVALUATION_BATCH):
                self.supernet(images.contiguous(memory_format=torch.channels_last), self.mixes())
        worst = (measure.mean() * self.alive.cpu()).nan_to_num(nan=0.0, posinf=torch.inf).argmax(1)
        self.alive[torch.arange(len(worst)), worst] = 0.0

    def state(self) -> dict[str, Any]:
        """What is alive too."""
        return {**super().state(), "alive": self.alive}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.alive = state["alive"].to(self.device)


def information(outputs: Tensor) -> Tensor:
    """3 (y − m)² / s⁶, averaged over all but the images; infinite where s is zero.

    Args:
        outputs: shape (batch, channels, height, width).

    Returns:
        Shape (batch,).
    """
    mean = outputs.mean(1, keepdim=True)
    deviation = outputs.std(1, keepdim=True)
    values = 3 * (outputs - mean).square() / deviation**6
    return values.masked_fill(values.isnan(), torch.inf).mean((1, 2, 3))


class Measure:
    """Sums of ``information`` by cell, edge and operation."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.sums: dict[MixedOperations, Tensor] = {}
        self.counts: dict[MixedOperations, int] = {}

    def mean(self) -> Tensor:
        """The mean over images and cells, shape (edges, candidates)."""
        total = torch.zeros(self.shape)
        cells = torch.zeros(self.shape[0], 1)
        for mixed, sums in self.sums.items():
            total[mixed.edges] += sums / self.counts[mixed]
            cells[mixed.edges] += 1
        return total / cells


@contextmanager
def measured(network: Supernet) -> Iterator[Measure]:
    """Measure the output of every operation on every edge in all forward passes inside."""
    layout = network.layouts[0]
    measure = Measure(layout.shape)

    def note(mixed: MixedOperations, given: tuple[Tensor, Mix], carried: Any) -> None:
        source = Source(given[0])
        found = torch.zeros(len(mixed.edges), layout.shape[1])
        for name, operation in mixed.operations.items():
            places = mixed.places(name)
            if isinstance(operation, Operation):
                reads = source.rectified() if operation.rectifies else source.node
                ones = torch.ones(len(places), dtype=reads.dtype, device=reads.device)
                outputs = operation(reads, ones, range(len(places))).unbind(1)
            else:
                outputs = (operation(source.node),) * len(places)
            for (place, candidate), output in zip(places, outputs, strict=True):
                found[place, candidate] = information(output).sum().cpu()
        for place, edge in enumerate(mixed.edges):
            for candidate, name in enumerate(layout.candidates[edge]):
                if name == NONE:
                    found[place, candidate] = torch.inf
        measure.sums[mixed] = measure.sums.get(mixed, torch.zeros_like(found)) + found
        measure.counts[mixed] = measure.counts.get(mixed, 0) + len(given[0])

    mixed = [module for module in network.modules() if isinstance(module, MixedOperations)]
    with forward_hooks((module, note) for module in mixed):
        yield measure
