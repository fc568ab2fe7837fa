"""What models learn of architectures that have no figure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def filled(losses: Array) -> Array:
    """Losses in which what is not available stands as bad as the worst that is.

    A session answers for such an architecture by a loss of infinity, which sorts as it should but
    spoils means, distances and volumes.

    Args:
        losses: shape (n,) or (n, objectives), smaller is better.

    Returns:
        The same array where all of it is finite; else a copy in which infinities are the largest
        finite loss of their column, or 0 where there is none.
    """
    finite = np.isfinite(losses)
    if finite.all():
        return losses
    worst = np.where(finite, losses, -np.inf).max(axis=0)
    return np.where(finite, losses, np.where(np.isfinite(worst), worst, 0.0))
