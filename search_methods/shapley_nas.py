"""Shapley-NAS: α follow what operations contribute to validation accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasbench_suite.parsing import check_counts, check_not_negative, check_portions
from search_methods.supernet.cell import Mix
from search_methods.supernet.data import Batch, endless
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class ShapleyNas(DifferentiableSearch):
    """Xiao, Wang, Zhu, Zhou and Lu, *Shapley-NAS*, CVPR 2022 (arXiv 2206.09811).

    In the first half of the epochs the weights alone are trained. Before each of the others the
    Shapley value of every operation on every edge is estimated: operations are taken out of the
    supernet in random order, and what validation accuracy loses with each, on one batch an order,
    is its contribution; an order ends when less than ``truncation`` of the accuracy is left
    (section 3.2). The estimate is the mean less the standard deviation over orders, scaled to mean
    0 and standard deviation 1, and α moves along its moving average (section 3.3; code:
    Euphoria16/Shapley-NAS, ``shap_estimation`` and ``change_alpha`` of train_search.py). Their code
    knows the DARTS space alone, with partial channels; here all channels are mixed. ``none`` is not
    derived, as there: no accuracy is ever lost with it, so that its value is 0 whatever is drawn,
    above every operation whose contribution is less than its standard deviation.

    Attributes:
        allow_none: off, see above.
        orders: random orders an estimate.
        valid_batch: images an order.
        shapley_momentum: of the moving average.
        shapley_step: what it is multiplied by.
        truncation: share of the accuracy below which an order ends.
        warm_up: share of the epochs before the first estimate.
    """

    title: ClassVar[str] = "Shapley-NAS"
    summary: ClassVar[str] = "DARTS whose parameters follow the Shapley values of operations."

    allow_none: bool = False
    orders: int = 10
    valid_batch: int = 1024
    shapley_momentum: float = 0.8
    shapley_step: float = 0.1
    truncation: float = 0.5
    warm_up: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "orders valid_batch")
        check_not_negative(self.title, self, "shapley_step")
        check_portions(self.title, self, "shapley_momentum truncation warm_up")

    def prepare(self, *given: Any, **named: Any) -> None:
        """As ever, with moving averages that begin with a little noise."""
        super().prepare(*given, **named)
        with self.randomness():
            self.averages = [1e-3 * torch.randn(alpha.shape) for alpha in self.alphas]

    def train_epoch(self) -> dict[str, float]:
        """An epoch; before it, behind the warm-up, a step in α."""
        if self.epoch >= self.warm_up * self.epochs:
            self.follow(self.shapley_values())
        return super().train_epoch()

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """α takes no gradient steps."""
        return None

    def shapley_values(self) -> list[Tensor]:
        """Mean less standard deviation of the contributions, a tensor for each kind of cell."""
        with torch.no_grad():
            whole = [mix.operations for mix in self.mixes()]
        sizes = [weights.numel() for weights in whole]
        found = torch.zeros(self.orders, sum(sizes), dtype=torch.double)
        images = endless(self.images.valid, min(self.valid_batch, len(self.images.valid[1])))
        for contributions in found:
            batch = next(images)
            flat = torch.cat([weights.flatten() for weights in whole])
            first = accuracy = self.accuracy(self.mixed(flat, whole), batch)
            for player in torch.randperm(len(flat)).tolist():
                flat[player] = 0.0
                before, accuracy = accuracy, self.accuracy(self.mixed(flat, whole), batch)
                contributions[player] = before - accuracy
                if accuracy < self.truncation * first:
                    break
        values = found.mean(0) - found.std(0, correction=0)
        parts = torch.split(values, sizes)
        return [part.view(weights.shape) for part, weights in zip(parts, whole, strict=True)]

    def mixed(self, flat: Tensor, like: list[Tensor]) -> list[Mix]:
        """The mixes of flattened weights."""
        parts = torch.split(flat, [weights.numel() for weights in like])
        return [Mix(part.view(weights.shape)) for part, weights in zip(parts, like, strict=True)]

    def follow(self, values: list[Tensor]) -> None:
        """Move α along the moving average of scaled Shapley values."""
        for alpha, average, value in zip(self.alphas, self.averages, values, strict=True):
            spread = value.std()
            scaled = (value - value.mean()) / spread if spread > 0 else torch.zeros_like(value)
            average.mul_(self.shapley_momentum).add_((1 - self.shapley_momentum) * scaled.float())
            with torch.no_grad():
                alpha.add_((self.shapley_step * average).to(alpha))

    def state(self) -> dict[str, Any]:
        """The moving averages too."""
        return {**super().state(), "averages": self.averages}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.averages = [average.cpu() for average in state["averages"]]
