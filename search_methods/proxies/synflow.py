"""SynFlow."""

from __future__ import annotations

import math

import torch
from torch import nn

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import weighted_layers


class SynFlow(Proxy):
    """The logarithm of the sum over all weights of |weight x gradient|, by an image of ones.

    Tanaka, Kunin, Yamins and Ganguli, *Pruning neural networks without any data by iteratively
    conserving synaptic flow*, NeurIPS 2020; as a proxy Abdelfattah et al., ICLR 2021
    (SamsungLabs/zero-cost-nas): all weights are made positive, batch normalisations are left out,
    and the output is summed. Only the shape of the images matters. The logarithm is NASLib's; it
    ranks alike.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = without_norms(subject.network()).double()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.abs_()
        shape = (1, *subject.images.shape)
        ones = torch.ones(shape, dtype=torch.float64, device=subject.device)
        layers = weighted_layers(network)
        gradients = torch.autograd.grad(
            network(ones).sum(), [layer.weight for layer in layers], allow_unused=True
        )
        flow = add_up(
            float((layer.weight.detach() * gradient).abs().sum())
            for layer, gradient in zip(layers, gradients, strict=True)
            if gradient is not None
        )
        return math.log(flow) if flow > 0 else -math.inf


def without_norms(network: nn.Module) -> nn.Module:
    """The network with every batch normalisation passing on what it reads."""
    for layer in network.modules():
        for name, child in layer.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(layer, name, nn.Identity())
    return network
