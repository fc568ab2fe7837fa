"""DARTS: differentiable architecture search by continuous relaxation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class Darts(DifferentiableSearch):
    """Liu, Simonyan and Yang, *DARTS*, ICLR 2019 (arXiv 1806.09055); code: quark0/darts.

    With ``order`` 1 the architecture follows ∇_α L_val(w, α); with ``order`` 2 it follows
    ∇_α L_val(w − ξ ∇_w L_train(w, α), α), ξ the weights' learning rate (equation 6). The authors
    approximate the second derivative by finite differences (equation 8); here it is exact, by
    differentiating through the unrolled step. As in their code that step has momentum and weight
    decay.

    Attributes:
        order: 1 or 2.
    """

    title: ClassVar[str] = "DARTS"
    summary: ClassVar[str] = (
        "Descend the validation loss in strengths of operations, mixed on every edge."
    )

    order: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order not in (1, 2):
            raise SuiteError(f"DARTS has no order {self.order}: choose 1 or 2.")

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """Of the second order: on the loss after one more step in the weights."""
        if self.order == 1:
            return super().update_architecture(train, valid)
        loss = self.unrolled_loss(train, valid)
        self.take_step(self.architecture_optimizer, self.alphas, loss + self.penalty())
        return loss.item()

    def unrolled_loss(self, train: Batch, valid: Batch) -> Tensor:
        """L_val(w − ξ (∇_w L_train + momentum + decay), α), differentiable in α."""
        group = self.weight_optimizer.param_groups[0]
        gradients = torch.autograd.grad(
            self.loss(train, self.mixes(), twice=True),
            self.weights,
            create_graph=True,
            materialize_grads=True,
        )
        unrolled = {}
        for (name, weight), gradient in zip(
            self.supernet.named_parameters(), gradients, strict=True
        ):
            buffer = self.weight_optimizer.state[weight].get("momentum_buffer")
            direction = gradient + group["weight_decay"] * weight.detach()
            if buffer is not None:
                direction = direction + group["momentum"] * buffer
            unrolled[name] = weight.detach() - group["lr"] * direction
        images, labels = valid
        images = images.contiguous(memory_format=torch.channels_last)
        scores = functional_call(self.supernet, unrolled, (images, self.mixes()))
        return F.cross_entropy(scores, labels)
