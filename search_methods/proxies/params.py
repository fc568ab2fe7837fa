"""The number of parameters."""

from __future__ import annotations

from nasbench_suite.proxies import Proxy, Subject


class Params(Proxy):
    """The number of parameters of the network as it is written."""

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        return subject.count()[0]
