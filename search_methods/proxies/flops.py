"""The number of operations."""

from __future__ import annotations

from nasbench_suite.proxies import Proxy, Subject


class Flops(Proxy):
    """The number of multiply-adds of the network as it is written, for one image."""

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return subject.count()[1]
