"""Λ-DARTS: the cells of a supernet made to agree on what they want of the architecture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nasbench_suite.parsing import check_not_negative, check_positive
from search_methods.supernet.cell import cells_of
from search_methods.supernet.data import Batch
from search_methods.supernet.search import DifferentiableSearch


@dataclass
class LambdaDarts(DifferentiableSearch):
    """Movahedi et al., *Λ-DARTS: Mitigating Performance Collapse*, ICLR 2023 (arXiv 2210.07998).

    All cells share α, and those near the output decide it. Λ is the mean cosine of the gradients
    that any two cells have in the weights of the mixture, and the supernet's weights follow the
    training loss less λ Λ, with λ growing linearly from zero (sections 4 and 5). The gradient of Λ
    is a central difference of the loss's: with g_l that of cell l, u_l = g_l / ‖g_l‖, and P cells,

        p_l = 2 / (P (P − 1)) · (I − u_l u_lᵀ) Σ u / ‖g_l‖,

    the mixtures of all cells are moved by ∓ ε p_l (code: dr-faustus/Lambda-DARTS,
    NAS-Bench201/lib/models/cell_searchs/search_model_darts_v1.py). The weights step before the
    architecture. The settings are those of its NAS-Bench-201 script, but for epochs (100) and batch
    (64).

    Attributes:
        strength: λ in the last epoch.
        difference: ε is this, divided by the norm of all p together.
    """

    title: ClassVar[str] = "Λ-DARTS"
    summary: ClassVar[str] = "DARTS whose cells are made to agree on the architecture."

    architecture_learning_rate: float = 1e-4
    weights_first: bool = True
    strength: float = 0.25
    difference: float = 1e-4

    topology_alone: ClassVar[str] = "is here for cells of one kind"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "strength")
        check_positive(self.title, self, "difference")

    def update_weights(self, train: Batch) -> float:
        """A step down the training loss and up λ Λ."""
        with torch.no_grad():
            mixes = self.mixes()
        shifts = [torch.zeros_like(mixes[0].operations) for _ in cells_of(self.supernet)]
        for shift in shifts:
            shift.requires_grad_()
        with shifted(self.supernet, shifts):
            loss = self.loss(train, mixes)
            gradients = torch.autograd.grad(loss, [*self.weights, *shifts], materialize_grads=True)
        weight_gradients = list(gradients[: len(self.weights)])
        strength = self.annealed(0.0, self.strength)
        if strength:
            moves, size = alignment_moves(gradients[len(self.weights) :], self.difference)
            ahead, behind = (
                self.gradients(train, mixes, [sign * move for move in moves]) for sign in (-1, 1)
            )
            for gradient, one, other in zip(weight_gradients, ahead, behind, strict=True):
                gradient += strength * (one - other) / (2 * size)
        for weight, gradient in zip(self.weights, weight_gradients, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.weights, self.clip, foreach=True)
        self.weight_optimizer.step()
        return loss.item()

    def gradients(self, train: Batch, mixes: Any, shifts: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The gradient of the training loss in the weights, with moved mixtures."""
        with shifted(self.supernet, shifts):
            loss = self.loss(train, mixes)
            return torch.autograd.grad(loss, self.weights, materialize_grads=True)


@contextmanager
def shifted(network: nn.Module, shifts: Sequence[Tensor]) -> Iterator[None]:
    """Have every cell add something of its own to the weights of its mixture."""

    def hook(shift: Tensor) -> Any:
        def move(cell: nn.Module, given: tuple[Any, Any]) -> tuple[Any, Any]:
            inputs, mix = given
            return inputs, replace(mix, operations=mix.operations + shift)

        return move

    handles = [
        cell.register_forward_pre_hook(hook(shift))
        for cell, shift in zip(cells_of(network), shifts, strict=True)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def alignment_moves(gradients: Sequence[Tensor], difference: float) -> tuple[list[Tensor], float]:
    """ε p_l of every cell, and ε.

    Args:
        gradients: g_l of every cell, shape (edges, candidates).
        difference: ε times the norm of all p together.
    """
    directions = [gradient / gradient.norm() for gradient in gradients]
    total = torch.stack(directions).sum(0)
    pairs = len(gradients) * (len(gradients) - 1) / 2
    moves = [
        (total - direction * (direction * total).sum()) / gradient.norm() / pairs
        for gradient, direction in zip(gradients, directions, strict=True)
    ]
    size = difference / float(torch.stack(moves).norm())
    return [size * move for move in moves], size
