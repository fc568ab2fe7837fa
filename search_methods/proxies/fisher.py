"""Fisher: what the loss would lose with each channel."""

from __future__ import annotations

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import loss_gradients, sound


class Fisher(Proxy):
    """The sum over channels of the squared output times gradient, by the channel's weights.

    Theis, Korshunova, Tejani and Huszár, *Faster gaze prediction with dense networks and Fisher
    pruning*, 2018; Turner et al., *BlockSwap*, ICLR 2020; as a proxy Abdelfattah et al., ICLR
    2021 (SamsungLabs/zero-cost-nas), who count every channel as often as it has weights.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        layers = loss_gradients(subject)
        return sound(add_up(float(one.fisher.sum()) * one.weight[0].numel() for one in layers))
