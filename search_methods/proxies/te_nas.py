"""TE-NAS's two indicators: trainability and expressivity."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import product
from typing import Any

import torch

from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import rectifier_patterns, sound

_ROUNDING = 1e-10  # of eigenvalues beside the largest, from gradients of single precision
_REGION_IMAGES = 3000
_SIDES = (4, 8, 16, 32, 64)
_CHANNELS = range(1, 9)


class TeNtk(Proxy):
    """Minus the condition number of the neural tangent kernel.

    Chen, Gong and Wang, *Neural architecture search on ImageNet in four GPU hours: a theoretically
    inspired perspective* (TE-NAS), ICLR 2021 (VITA-Group/TENAS): of the gradients, with respect to
    all weights, of the sum of class scores of every image; in training mode. The kernel is made in
    double precision, without which its smallest eigenvalue may be below 0, and the score be larger
    than that of any network that can be trained. It is -inf where the kernel is singular: where
    nothing flows, and where the classifier reads means of batch normalisations, which add up to 0
    over the images, as in TransNAS-Bench-101.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = subject.network()
        images, _ = subject.tensors()
        weights = [p for name, p in network.named_parameters() if "weight" in name]
        scores = network(images)
        rows = [
            torch.autograd.grad(score, weights, retain_graph=True, allow_unused=True)
            for score in scores.sum(dim=1)
        ]
        kernel = images.new_zeros((len(images), len(images)), dtype=torch.float64)
        for of_weight in zip(*rows, strict=True):  # one at a time: all in double would be large
            if of_weight[0] is not None:
                gradients = torch.stack([one.flatten() for one in of_weight]).double()
                kernel += gradients @ gradients.T
        values = torch.linalg.eigvalsh(kernel)  # ascending
        singular = bool(values[0] <= _ROUNDING * values[-1])
        return -math.inf if singular else sound(-float(values[-1] / values[0]))


class TeRegions(Proxy):
    """How many linear regions small images fall into, in a network of one channel.

    Chen, Gong and Wang (TE-NAS), ICLR 2021 (VITA-Group/TENAS): 3,000 crops of one colour through
    the network with one channel and one cell a stage; images that every rectifier treats alike
    share a region. Crops are of the fewest pixels, of 4x4, 8x8 and so on, that the network can
    halve; the authors' have 3x3. Where a space has no network of one channel, it has the fewest
    that there are; where it fixes the number of cells, it has those.
    """

    packages = ("torch",)

    def need(self, subject: Subject) -> None:
        """See ``Proxy``."""
        *_, side = _narrow(subject)["image"]
        if min(subject.images.shape[1:]) < side:
            _, height, width = subject.images.shape
            raise SuiteError(
                f"te-regions looks at crops of {side} pixels a side in space "
                f"{subject.space.name!r}, and images have {height}x{width}: give larger ones."
            )

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        self.need(subject)
        narrow = _narrow(subject)
        network = subject.network(**narrow)
        crops = self._crops(subject, narrow["image"][-1])
        # In training mode, a thousand at a time, as the authors do.
        patterns = torch.cat(
            [rectifier_patterns(network, part) for part in torch.split(crops, 1000)]
        )
        return float(len(torch.unique(patterns, dim=0)))

    def _crops(self, subject: Subject, side: int) -> torch.Tensor:
        images = torch.from_numpy(subject.images.images)
        count, colours, height, width = images.shape
        most = (count, colours, height - side + 1, width - side + 1)
        draws = zip(
            *(subject.rng.integers(one, size=_REGION_IMAGES).tolist() for one in most),
            strict=True,
        )
        crops = [images[n, c, y : y + side, x : x + side] for n, c, y, x in draws]
        return torch.stack(crops)[:, None].to(subject.device)


def _narrow(subject: Subject) -> dict[str, Any]:
    """The smallest network of the architecture, as arguments of ``Subject.network``.

    Raises:
        SuiteError: it has a number of channels of its own.
    """
    for side, channels, cells in product(_SIDES, _CHANNELS, (1, None)):
        narrow = {"image": (1, side, side), "channels": channels, "cells": cells}
        with suppress(SuiteError):
            subject.describe(**narrow)
            return narrow
    raise SuiteError(
        f"te-regions looks at a network of a channel or a few, and those of space "
        f"{subject.space.name!r} have numbers of their own: choose another proxy."
    )
