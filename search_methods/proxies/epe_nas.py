"""EPE-NAS."""

from __future__ import annotations

import numpy as np

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import input_jacobian, sound

_SMALL = 1e-5
_MANY = 100  # classes


class EpeNas(Proxy):
    """How the gradients with respect to images of one class correlate.

    Lopes, Alirezazadeh and Alexandre, *EPE-NAS: Efficient performance estimation without training
    for neural architecture search*, ICANN 2021 (VascoLopes/EPE-NAS): the sum over classes of the
    size of the sum of the logarithms of all correlations within the class; with more than 100
    classes the mean over classes, and the differences between classes are summed.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        labels, jacobian = subject.images.labels, input_jacobian(subject)
        many = subject.images.num_classes > _MANY
        sums = []
        with np.errstate(all="ignore"):
            for label in dict.fromkeys(labels.tolist()):
                correlations = np.atleast_1d(np.corrcoef(jacobian[labels == label]))
                total = float(np.log(np.abs(correlations) + _SMALL).sum())
                sums.append(total / len(correlations) if many else total)
        if many:
            differences = np.abs(np.subtract.outer(sums, sums)).sum()
            return sound(float(differences) / len(sums))
        return sound(float(np.abs(sums).sum()))
