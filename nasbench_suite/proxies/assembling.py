"""One score of several proxies, by ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError


def assemble(scores: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """The sum over proxies of the logarithm of the rank among m architectures, over m.

    Lee and Ham, *AZ-NAS*, CVPR 2024: an architecture that any proxy thinks bad is bad. Ties share
    their mean rank; of a single proxy the order stays.

    Args:
        scores: of each proxy, larger predicts better, shape (m,); -inf is the worst.

    Returns:
        Shape (m,), larger predicts better.

    Raises:
        SuiteError: no proxy, scores of different architectures, or not a number among them.
    """
    from scipy.stats import rankdata

    columns = [np.asarray(one, dtype=np.float64) for one in scores]
    if not columns or len({column.shape for column in columns}) > 1:
        raise SuiteError("Scores to assemble are of one proxy or more, of the same architectures.")
    if any(np.isnan(column).any() for column in columns):
        raise SuiteError("A score to assemble is not a number: leave that architecture out.")
    ranks = [rankdata(column) / len(column) for column in columns]
    total: NDArray[np.float64] = np.log(ranks).sum(axis=0)
    return total
