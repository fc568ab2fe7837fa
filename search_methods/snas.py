"""SNAS: a relaxed sample of the architecture, trained on one loss with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch.nn import functional as F

from nasbench_suite.parsing import check_positive
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Snas(DifferentiableSearch):
    """Xie, Zheng, Liu and Lin, *SNAS: Stochastic Neural Architecture Search*, ICLR 2019.

    The mixture is a sample of the concrete distribution, softmax((α + g) / τ) with g Gumbel noise
    (equation 4), with a new sample in every forward pass. Architecture and weights follow the
    training loss together: there is no second level (section 2.2; code: SNAS-Series,
    SNAS/train_search.py). There τ falls linearly from 1 to 0.03 over 150 epochs, its first step
    before the first epoch. The figures that are usually given for it on NAS-Bench-201 are DrNAS's
    (92.77 / 69.34 / 43.16), whose code trains on two levels and lets τ fall from 10 towards 1, its
    first step behind the first epoch: ``joint=False,temperature=10,temperature_min=1``, which
    ``protocol=drnas`` sets.

    Attributes:
        joint: whether the architecture too is trained on the training half.
        temperature: τ from which it falls.
        temperature_min: τ to which it falls.
    """

    title: ClassVar[str] = "SNAS"
    summary: ClassVar[str] = "DARTS with strengths drawn from a concrete distribution that cools."

    joint: bool = True
    temperature: float = 1.0
    temperature_min: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.title, self, "temperature temperature_min")

    @property
    def tau(self) -> float:
        """The temperature of this epoch."""
        steps = self.epoch + 1 if self.joint else self.epoch
        progress = min(steps / self.epochs, 1.0)
        return self.temperature + (self.temperature_min - self.temperature) * progress

    def relaxation(self) -> list[Mix]:
        """A relaxed sample, the same in all cells."""
        return [Mix(F.gumbel_softmax(alpha, self.tau)) for alpha in self.alphas]

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """A step on validation images, unless training is joint."""
        return None if self.joint else super().update_architecture(train, valid)

    def update_weights(self, train: Batch) -> float:
        """A step in the weights and, if training is joint, in α on the same loss."""
        if not self.joint:
            return super().update_weights(train)
        loss = self.loss(train, self.mixes())
        self.architecture_optimizer.zero_grad()
        self.take_step(self.weight_optimizer, [*self.weights, *self.alphas], loss)
        self.architecture_optimizer.step()
        return loss.item()
