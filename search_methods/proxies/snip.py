"""SNIP: what the loss would lose with each weight."""

from __future__ import annotations

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import loss_gradients, sound


class Snip(Proxy):
    """The sum over all weights of the size of weight times gradient of the loss.

    Lee, Ajanthan and Torr, *SNIP: Single-shot network pruning based on connection sensitivity*,
    ICLR 2019; as a proxy Abdelfattah et al., ICLR 2021 (SamsungLabs/zero-cost-nas). The authors
    take the gradient of a mask of ones on the weights, which is that product.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        layers = loss_gradients(subject)
        return sound(sum(float((one.gradient * one.weight).abs().sum()) for one in layers))
