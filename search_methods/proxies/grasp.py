"""GraSP: what pruning would do to the gradients."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import sound, weighted_layers


class Grasp(Proxy):
    """The sum over all weights of minus weight times (Hessian times gradient).

    Wang, Zhang and Grosse, *Picking winning tickets before training by preserving gradient flow*,
    ICLR 2020; as a proxy, and with this sign, Abdelfattah et al., ICLR 2021
    (SamsungLabs/zero-cost-nas).
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = subject.network()
        images, labels = subject.tensors()
        weights = [layer.weight for layer in weighted_layers(network)]
        gradients = torch.autograd.grad(
            F.cross_entropy(network(images), labels), weights, create_graph=True, allow_unused=True
        )
        # The authors take the first factor from a pass of its own, which is this one again: what
        # running statistics move does not enter in training mode.
        product = sum(
            ((one.detach() * one).sum() for one in gradients if one is not None),
            images.new_zeros(()),
        )
        curved = torch.autograd.grad(product, weights, allow_unused=True)
        return sound(
            add_up(
                float((-weight.detach() * one).sum())
                for weight, one in zip(weights, curved, strict=True)
                if one is not None
            )
        )
