"""ZiCo."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import sound, weighted_layers

_PARTS = 2


class ZiCo(Proxy):
    """How large gradients are beside how they vary between batches, layer by layer.

    Li, Yang, Bhardwaj and Marculescu, *ZiCo: Zero-shot NAS via inverse coefficient of variation on
    gradients*, ICLR 2023 (SLDGroup/ZiCo): the sum over layers of the logarithm of the sum over
    weights of mean size of the gradient over its deviation. The batches are the two halves of the
    images.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = subject.network()
        layers = weighted_layers(network)
        gradients: list[list[np.ndarray]] = [[] for _ in layers]
        images, labels = subject.tensors()
        for part, answers in zip(images.chunk(_PARTS), labels.chunk(_PARTS), strict=True):
            found = torch.autograd.grad(
                F.cross_entropy(network(part), answers),
                [layer.weight for layer in layers],
                allow_unused=True,
            )
            for kept, gradient in zip(gradients, found, strict=True):
                if gradient is not None:
                    kept.append(gradient.flatten().cpu().numpy())
        total, counted = 0.0, 0
        for one in gradients:
            if one:
                deviations = np.std(one, axis=0)
                varies = deviations > 0
                ratio = np.sum(np.mean(np.abs(one), axis=0)[varies] / deviations[varies])
                if ratio > 0:
                    total, counted = total + float(np.log(ratio)), counted + 1
        return sound(total) if counted else -np.inf
