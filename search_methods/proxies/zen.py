"""Zen-score."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nasbench_suite.networks.module import GlobalPool
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import hooked, sound

_STEP = 1e-2


class Zen(Proxy):
    """How far noise moves the features before the global pooling, batch scaling restored.

    Lin et al., *Zen-NAS: A zero-shot NAS for high-performance image recognition*, ICCV 2021
    (idstcv/ZenNAS): weights and images are standard normal, images are moved by 0.01 of other such
    images, and the logarithm of the mean move is added to those of the deviations by which batch
    normalisations divide, as their running statistics have them after both passes. Only the shape
    of the images matters.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        generator = subject.generator("zen")
        network = subject.network()
        draw_gaussian_weights(network, generator)
        shape = subject.images.images.shape
        images, others = (torch.randn(shape, generator=generator) for _ in range(2))
        features: list[Tensor] = []

        def see(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
            features.append(inputs[0])

        hooked(network, lambda layer: isinstance(layer, GlobalPool), see)
        with torch.no_grad():
            network(images.to(subject.device))
            network((images + _STEP * others).to(subject.device))
            moved = (features[0] - features[1]).abs().sum(dim=(1, 2, 3)).mean().log()
            for layer in network.modules():
                if isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None:
                    moved = moved + layer.running_var.mean().sqrt().log()
        return sound(float(moved))


def draw_gaussian_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Standard normal weights of convolutions and linear layers, and no biases."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
                if layer.bias is not None:
                    layer.bias.zero_()
