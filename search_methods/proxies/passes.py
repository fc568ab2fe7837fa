"""What several proxies read: one pass through the network, computed once for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.proxies import Subject

Array = NDArray[np.float64]
Weighted: TypeAlias = nn.Conv2d | nn.Linear


def weighted_layers(network: nn.Module) -> list[Weighted]:
    """The convolutions and linear layers, whose weights proxies look at."""
    return [layer for layer in network.modules() if isinstance(layer, Weighted)]


def sound(value: float) -> float:
    """A score, or -inf where the network computes nothing that could be scored."""
    return value if math.isfinite(value) else -math.inf


@dataclass(frozen=True)
class LayerGradient:
    """What the loss of one batch says of a layer.

    Attributes:
        weight: the weights.
        gradient: of the loss with respect to them; zeros where it does not depend on them.
        fisher: per output channel the mean over images of the squared sum over positions of
            output times gradient, halved.
    """

    weight: Tensor
    gradient: Tensor
    fisher: Tensor


def loss_gradients(subject: Subject) -> list[LayerGradient]:
    """One backward pass of the cross-entropy of the batch, in training mode."""
    return subject.once("loss gradients", lambda: _loss_gradients(subject))


def _loss_gradients(subject: Subject) -> list[LayerGradient]:
    network = subject.network()
    images, labels = subject.tensors()
    layers = weighted_layers(network)
    fisher = {layer: torch.zeros(len(layer.weight), device=images.device) for layer in layers}
    with ExitStack() as hooks:

        def keep(layer: Weighted) -> Callable[..., None]:
            def hook(_: Any, __: Any, output: Tensor) -> None:
                # What receives must not hold the output: it would hold itself, out of reach of
                # the garbage collector, and with it all that the pass computed.
                activations = output.detach()

                def receive(gradient: Tensor) -> None:
                    products = activations * gradient
                    sums = products.flatten(2).sum(dim=2) if products.dim() > 2 else products
                    fisher[layer] = fisher[layer] + sums.square().mean(dim=0) / 2

                if output.requires_grad:
                    output.register_hook(receive)  # type: ignore[no-untyped-call]

            return hook

        for layer in layers:
            handle = layer.register_forward_hook(keep(layer))
            hooks.callback(handle.remove)
        torch.autograd.backward(F.cross_entropy(network(images), labels))
    return [
        LayerGradient(
            layer.weight.detach(),
            torch.zeros_like(layer.weight) if layer.weight.grad is None else layer.weight.grad,
            fisher[layer],
        )
        for layer in layers
    ]


def input_jacobian(subject: Subject) -> Array:
    """The gradient of the sum of all class scores with respect to every image, shape (n, pixels).

    In training mode, so that through batch normalisation images depend on one another; as the
    proxies' authors compute it.
    """
    return subject.once("input jacobian", lambda: _input_jacobian(subject))


def _input_jacobian(subject: Subject) -> Array:
    images, _ = subject.tensors()
    images.requires_grad_()
    scores = subject.network()(images)
    (gradient,) = torch.autograd.grad(scores.sum(), images, allow_unused=True)
    if gradient is None:
        gradient = torch.zeros_like(images)
    return gradient.flatten(1).cpu().numpy().astype(np.float64)


def hooked(
    network: nn.Module, wanted: Callable[[nn.Module], bool], see: Callable[..., None]
) -> None:
    """Have ``see`` called with module, inputs and output of every layer that is wanted."""
    for layer in network.modules():
        if wanted(layer):
            layer.register_forward_hook(see)


def rectifier_patterns(network: nn.Module, images: Tensor) -> Tensor:
    """Which rectifiers of feature maps let each image through, shape (images, units)."""
    found: list[Tensor] = []

    def see(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if inputs[0].dim() == 4:
            found.append((output > 0).flatten(1))

    hooked(network, lambda layer: isinstance(layer, nn.ReLU), see)
    with torch.no_grad():
        network(images)
    return torch.cat(found, dim=1) if found else images.new_zeros((len(images), 0)).bool()
