"""First queries by design: before a model has learnt anything, architectures unlike each other."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import SearchSpace

Array = NDArray[np.float64]

_POOL = 1000  # candidates drawn, so that two seeds differ


Design = Literal["random", "diverse"]


def check_design(design: str, *further: str) -> None:
    """Raise unless first queries can be chosen so; ``further`` are a method's own ways."""
    known = [*further, "random", "diverse"]
    if design not in known:
        raise SuiteError(
            f"Unknown initial queries {design!r}: choose "
            f"{', '.join(map(repr, known[:-1]))} or {known[-1]!r}."
        )


def diverse(space: SearchSpace, count: int, rng: np.random.Generator) -> list[Any]:
    """Architectures of which each is the farthest from those before, of some drawn at random.

    Works in any space with features, whether it can be listed or not.

    Args:
        space: the space.
        count: how many; fewer in a space that has fewer.
        rng: draws those that are compared.
    """
    pool = list(dict.fromkeys(space.sample(rng) for _ in range(_POOL)))
    features = Examples(space, pool).features()
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        left = np.setdiff1d(np.arange(len(pool)), chosen)
        chosen.append(farthest(features, np.array(chosen, dtype=np.int64), left, rng))
    return [pool[place] for place in chosen]


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
