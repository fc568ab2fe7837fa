"""TE-NAS's two indicators: trainability and expressivity."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import torch

from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import rectifier_patterns, sound

_REGION_IMAGES = 3000
_SIDES = (4, 8, 16, 32)


class TeNtk(Proxy):
    """Minus the condition number of the neural tangent kernel.

    Chen, Gong and Wang, *Neural architecture search on ImageNet in four GPU hours: a theoretically
    inspired perspective* (TE-NAS), ICLR 2021 (VITA-Group/TENAS): of the gradients, with respect to
    all weights, of the sum of class scores of every image; in training mode.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = subject.network()
        images, _ = subject.tensors()
        weights = [p for name, p in network.named_parameters() if "weight" in name]
        scores = network(images)
        rows = []
        for number in range(len(images)):
            found = torch.autograd.grad(
                scores[number].sum(), weights, retain_graph=True, allow_unused=True
            )
            rows.append(torch.cat([one.flatten() for one in found if one is not None]))
        gradients = torch.stack(rows)
        values = torch.linalg.eigvalsh(gradients @ gradients.T)  # ascending
        return sound(-float(values[-1] / values[0])) if values[-1] > 0 else -math.inf


class TeRegions(Proxy):
    """How many linear regions small images fall into, in a network of one channel.

    Chen, Gong and Wang (TE-NAS), ICLR 2021 (VITA-Group/TENAS): 3,000 crops of one colour through
    the network with one channel and one cell a stage; images that every rectifier treats alike
    share a region. Crops are of the fewest pixels, of 4x4, 8x8 and so on, that the network can
    halve; the authors' have 3x3.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network, side = self._network(subject)
        crops = self._crops(subject, side)
        # In training mode, a thousand at a time, as the authors do.
        patterns = torch.cat(
            [rectifier_patterns(network, part) for part in torch.split(crops, 1000)]
        )
        return float(len(torch.unique(patterns, dim=0)))

    def _network(self, subject: Subject) -> tuple[torch.nn.Module, int]:
        """The network, and the side of the images that it reads."""
        narrow: dict[str, Any] = {"channels": 1, "cells": 1}
        for side in _SIDES:
            with suppress(SuiteError):
                return subject.network(**narrow, image=(1, side, side)), side
        # What it refuses is not the size.
        return subject.network(**narrow, image=(1, _SIDES[-1], _SIDES[-1])), _SIDES[-1]

    def _crops(self, subject: Subject, side: int) -> torch.Tensor:
        images = torch.from_numpy(subject.images.images)
        count, colours, height, width = images.shape
        if min(height, width) < side:
            raise SuiteError(
                f"te-regions looks at crops of {side} pixels a side in space "
                f"{subject.space.name!r}, and images have {height}x{width}: give larger ones."
            )
        most = (count, colours, height - side + 1, width - side + 1)
        draws = zip(
            *(subject.rng.integers(one, size=_REGION_IMAGES).tolist() for one in most),
            strict=True,
        )
        crops = [images[n, c, y : y + side, x : x + side] for n, c, y, x in draws]
        return torch.stack(crops)[:, None].to(subject.device)
