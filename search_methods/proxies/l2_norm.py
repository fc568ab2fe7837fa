"""The size of the initial weights."""

from __future__ import annotations

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import weighted_layers


class L2Norm(Proxy):
    """The sum over layers of the norm of their initial weights.

    Abdelfattah, Mehrotra, Dudziak and Lane, *Zero-cost proxies for lightweight NAS*, ICLR 2021;
    code: SamsungLabs/zero-cost-nas.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return add_up(
            float(layer.weight.detach().norm()) for layer in weighted_layers(subject.network())
        )
