"""Weight times gradient."""

from __future__ import annotations

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import loss_gradients, sound


class Plain(Proxy):
    """The sum over all weights of weight times gradient of the loss.

    Abdelfattah, Mehrotra, Dudziak and Lane, *Zero-cost proxies for lightweight NAS*, ICLR 2021;
    code: SamsungLabs/zero-cost-nas.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return sound(
            sum(float((layer.gradient * layer.weight).sum()) for layer in loss_gradients(subject))
        )
