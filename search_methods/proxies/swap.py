"""SWAP-score."""

from __future__ import annotations

import numpy as np

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import rectifier_patterns


class Swap(Proxy):
    """How many different patterns over the images the rectifiers have.

    Peng, Song, Fayek, Ciesielski and Chang, *SWAP-NAS: Sample-wise activation patterns for
    ultra-fast NAS*, ICLR 2024 (pym1024/SWAP): every rectified unit lets some of the images through;
    the number of different such sets, without the regularisation by size.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        images, _ = subject.tensors()
        patterns = rectifier_patterns(subject.network(), images).cpu().numpy()
        packed = np.packbits(patterns, axis=0).T  # a row a unit
        rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1])))
        return float(len(np.unique(rows)))
