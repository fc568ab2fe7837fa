"""AZ-NAS's three indicators: expressivity, progressivity and trainability.

Lee and Ham, *AZ-NAS: Assembling zero-cost proxies for network architecture search*, CVPR 2024
(cvlab-yonsei/AZ-NAS, NB201). They are assembled with the number of operations by the sum of the
logarithms of ranks: ``nasbench_suite.proxies.assemble``.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import sound

_SMALL = 1e-8


class Indicators(NamedTuple):
    """What AZ-NAS computes of one network."""

    expressivity: float
    progressivity: float
    trainability: float


def indicators(subject: Subject) -> Indicators:
    """All three, from one pass of normal noise through the network of normal weights.

    Raises:
        SuiteError: networks of the space do not say where their cells end.
    """
    return subject.once("az-nas", lambda: _indicators(subject))


def need_blocks(subject: Subject) -> None:
    """See that the network says where its cells end.

    Raises:
        SuiteError: it does not.
    """
    if len(subject.describe().blocks) < 2:
        raise SuiteError(
            f"AZ-NAS compares what cells put out, and networks of space {subject.space.name!r} do "
            f"not say where cells end: choose another proxy."
        )


def _indicators(subject: Subject) -> Indicators:
    need_blocks(subject)
    generator = subject.generator("az-nas")
    network = subject.network()
    draw_fan_in_weights(network, generator)
    images = torch.randn(subject.images.images.shape, generator=generator).to(subject.device)
    outputs: dict[int, Tensor] = {}
    blocks = list(dict.fromkeys(network.network.blocks))  # an identity is the block before it
    for number in blocks:
        network.layers[number].register_forward_hook(
            lambda _, __, output, number=number: outputs.__setitem__(number, output)
        )
    network(images)
    return measure_features([outputs[number] for number in blocks], generator)


def measure_features(features: list[Tensor], generator: torch.Generator) -> Indicators:
    """All three, of what the stem and every cell put out."""
    scores = np.array([entropy(one.detach()) for one in features])
    trained = [
        _trainability(before, after, generator)
        for before, after in reversed(list(pairwise(features)))
    ]
    return Indicators(
        _or_worst(scores.sum()),
        _or_worst(np.diff(scores).min()),
        _or_worst(float(np.mean(trained))),
    )


def entropy(features: Tensor) -> float:
    """Of the shares of the principal components of features (n, channels, height, width).

    Not a number where the features do not vary at all.
    """
    # In double precision, and none below 0: a component that is not there has a share of 0, and
    # single precision finds one so negative that it has no logarithm.
    rows = features.movedim(1, 3).reshape(-1, features.shape[1]).double()
    rows = rows - rows.mean(dim=0, keepdim=True)
    values = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
    shares = values / values.sum()
    return float((-shares * torch.log(shares + _SMALL)).sum())


def _trainability(before: Tensor, after: Tensor, generator: torch.Generator) -> float:
    """How near the largest singular value is to 1 of what the cell does to gradients.

    The worst, as the authors have it, for a cell that passes gradients on as they are; and for one
    that passes none, of which theirs is a large negative number that beats the former.
    """
    signs = torch.bernoulli(torch.full(after.shape, 0.5), generator=generator) * 2 - 1
    outward = signs.to(after.device)
    (inward,) = torch.autograd.grad(after, before, outward, retain_graph=True, allow_unused=True)
    if inward is None or not bool(inward.any()):
        return -math.inf
    if outward.shape == inward.shape and bool((inward == outward).all()):
        return -math.inf
    if outward.shape[2:] != inward.shape[2:]:
        inward = nn.functional.pixel_unshuffle(inward, inward.shape[2] // outward.shape[2])
    rows, columns = (one.movedim(1, 3).reshape(-1, one.shape[1]) for one in (inward, outward))
    largest = float(torch.linalg.svdvals(rows.T @ columns / len(columns)).max())
    return -largest - 1 / (largest + 1e-6) + 2


def draw_fan_in_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights of variance 2 / fan-in for convolutions and linear layers, and no biases."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                deviation = math.sqrt(2 / layer.weight[0].numel())
                drawn = torch.randn(layer.weight.shape, generator=generator) * deviation
                layer.weight.copy_(drawn)
                if layer.bias is not None:
                    layer.bias.zero_()


def _or_worst(value: float) -> float:
    return sound(float(value))


class AzExpressivity(Proxy):
    """How many directions features use: the sum of the entropies of their principal components.

    Lee and Ham, *AZ-NAS*, CVPR 2024 (cvlab-yonsei/AZ-NAS).
    """

    packages = ("torch",)

    def need(self, subject: Subject) -> None:
        """See ``Proxy``."""
        need_blocks(subject)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return indicators(subject).expressivity


class AzProgressivity(Proxy):
    """The least growth of that entropy from one cell to the next.

    Lee and Ham, *AZ-NAS*, CVPR 2024 (cvlab-yonsei/AZ-NAS).
    """

    packages = ("torch",)

    def need(self, subject: Subject) -> None:
        """See ``Proxy``."""
        need_blocks(subject)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return indicators(subject).progressivity


class AzTrainability(Proxy):
    """How little cells scale gradients: the mean over cells of 2 - s - 1/s, s the spectral norm.

    Lee and Ham, *AZ-NAS*, CVPR 2024 (cvlab-yonsei/AZ-NAS).
    """

    packages = ("torch",)

    def need(self, subject: Subject) -> None:
        """See ``Proxy``."""
        need_blocks(subject)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return indicators(subject).trainability
