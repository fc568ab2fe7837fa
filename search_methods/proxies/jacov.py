"""Jacobian covariance."""

from __future__ import annotations

import numpy as np

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import input_jacobian, sound

_SMALL = 1e-5


class Jacov(Proxy):
    """How little the gradients with respect to different images correlate.

    Mellor, Turner, Storkey and Crowley, *Neural architecture search without training*, first
    version, arXiv:2006.04647v1 (BayesWatch/nas-without-training): minus the sum over eigenvalues v
    of the correlation matrix of log(v + k) + 1 / (v + k).
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        with np.errstate(all="ignore"):
            correlations = np.corrcoef(input_jacobian(subject))
            if not np.isfinite(correlations).all():
                return -np.inf
            values = np.linalg.eigvalsh(correlations) + _SMALL
            return sound(-float(np.sum(np.log(values) + 1 / values)))
