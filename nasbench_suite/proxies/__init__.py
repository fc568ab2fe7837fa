"""Zero-cost proxies: scores of architectures that were not trained.

A further proxy is one file with a subclass of ``Proxy``, and one line under the entry point group
``nasbench_suite.proxies``.
"""

from __future__ import annotations

from nasbench_suite.proxies.assembling import assemble
from nasbench_suite.proxies.batch import Batch, make_batch
from nasbench_suite.proxies.proxy import Proxy, score
from nasbench_suite.proxies.subject import Subject

__all__ = ["Batch", "Proxy", "Subject", "assemble", "make_batch", "score"]
