"""First queries by design: before a model has learnt anything, architectures unlike each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_POOL = 1000  # candidates drawn, so that two seeds differ


def farthest(
    features: Array,
    seen: NDArray[np.int64],
    candidates: NDArray[np.int64],
    rng: np.random.Generator,
) -> int:
    """Of some candidates drawn at random, the one farthest from all that were seen.

    One after another this is the farthest-first traversal (Gonzalez, *Clustering to minimize the
    maximum intercluster distance*, Theoretical Computer Science 1985); the first is random.

    Args:
        features: of all architectures, shape (size, d).
        seen: those evaluated.
        candidates: those that may be.
        rng: draws the candidates compared.
    """
    drawn = candidates[rng.permutation(len(candidates))[:_POOL]]
    if not len(seen):
        return int(drawn[0])
    points, known = features[drawn], features[seen]
    products = points @ known.T
    squares = (known**2).sum(axis=1) - 2 * products + (points**2).sum(axis=1)[:, None]
    return int(drawn[squares.min(axis=1).argmax()])
