"""The size of the gradients."""

from __future__ import annotations

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import loss_gradients, sound


class GradNorm(Proxy):
    """The sum over layers of the norm of the loss's gradient.

    Abdelfattah, Mehrotra, Dudziak and Lane, *Zero-cost proxies for lightweight NAS*, ICLR 2021;
    code: SamsungLabs/zero-cost-nas.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return sound(add_up(float(layer.gradient.norm()) for layer in loss_gradients(subject)))
