"""SDARTS: weights trained under perturbed mixtures, at random or by an adversary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from nasbench_suite.parsing import check_counts, check_not_negative
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class SdartsRandom(DifferentiableSearch):
    """Chen and Hsieh, *Stabilizing DARTS via Perturbation-based Regularization*, ICML 2020.

    SDARTS-RS: the weights take their step under softmax(α) + δ, δ uniform in [−ε, ε], clipped
    and normalised to a mixture again; ε grows linearly over the search (equation 4, algorithm 1;
    code: xiangning-chen/SmoothDARTS, perturb.py).

    Attributes:
        epsilon: largest perturbation in the last epoch.
        epsilon_start: in the first.
    """

    title: ClassVar[str] = "SDARTS-RS"
    summary: ClassVar[str] = (
        "DARTS whose weights learn under random perturbations of the strengths."
    )

    epsilon: float = 0.3
    epsilon_start: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "epsilon epsilon_start")

    @property
    def radius(self) -> float:
        """The largest perturbation of this epoch."""
        return self.epsilon_start + (self.epsilon - self.epsilon_start) * self.epoch / self.epochs

    def update_weights(self, train: Batch) -> float:
        """A step under the perturbed mixture."""
        with torch.no_grad():
            mixes = self.mixes()
        loss = self.loss(train, self.perturb(mixes, train))
        self.take_step(self.weight_optimizer, self.weights, loss)
        return loss.item()

    def perturb(self, mixes: list[Mix], train: Batch) -> list[Mix]:
        """Uniform noise."""
        return [replace(mix, operations=self.noisy(mix.operations)) for mix in mixes]

    def noisy(self, weights: Tensor) -> Tensor:
        """Weights with uniform noise, as a mixture."""
        noise = torch.empty_like(weights).uniform_(-self.radius, self.radius)
        return as_mixture(weights + noise)


@dataclass
class SdartsAdversarial(SdartsRandom):
    """Chen and Hsieh, *Stabilizing DARTS via Perturbation-based Regularization*, ICML 2020.

    SDARTS-ADV: as SDARTS-RS, with δ the worst in the box that projected gradient ascent on the
    training loss finds from a random start (equation 5; code: xiangning-chen/SmoothDARTS,
    attacker/perturb.py). If the loss ends below that of the unperturbed mixture, the mixture stays
    unperturbed. There the ascent runs in evaluation mode, by running statistics; here, as
    everywhere in these supernets, by those of the batch.

    Attributes:
        ascent_steps: steps of the ascent, each 2 ε / steps long.
    """

    title: ClassVar[str] = "SDARTS-ADV"
    summary: ClassVar[str] = (
        "DARTS whose weights learn under the worst perturbations of the strengths."
    )

    ascent_steps: int = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "ascent_steps")

    def perturb(self, mixes: list[Mix], train: Batch) -> list[Mix]:
        """The worst of a few steps."""
        clean = [mix.operations for mix in mixes]
        step = 2 * self.radius / self.ascent_steps
        with torch.no_grad():
            before = self.loss(train, mixes).item()
        current = [self.noisy(weights) for weights in clean]
        for _ in range(self.ascent_steps):
            leaves = [weights.requires_grad_() for weights in current]
            loss = self.loss(train, [Mix(weights) for weights in leaves])
            gradients = torch.autograd.grad(loss, leaves)
            with torch.no_grad():
                current = [
                    as_mixture(
                        start + (now + step * slope.sign() - start).clamp(-self.radius, self.radius)
                    )
                    for start, now, slope in zip(clean, leaves, gradients, strict=True)
                ]
        perturbed = [Mix(weights) for weights in current]
        with torch.no_grad():
            after = self.loss(train, perturbed).item()
        return mixes if before > after else perturbed


def as_mixture(weights: Tensor) -> Tensor:
    """Clipped to [0, 1] and scaled to a sum of one on every edge."""
    clipped = weights.clamp(0, 1)
    total = clipped.sum(-1, keepdim=True)
    strongest = torch.zeros_like(clipped).scatter_(-1, weights.argmax(-1, keepdim=True), 1.0)
    return torch.where(total > 0, clipped / total, strongest)
