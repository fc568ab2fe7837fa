"""The path encoding as BANANAS truncates it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import PoolSpace
from nasbench_suite.spaces.topology import NUM_NODES, OPERATIONS, TopologySpace

Array = NDArray[np.float64]


def check_longest_path(longest_path: int) -> None:
    """Raise unless a cell of NAS-Bench-201 has paths of so many edges."""
    if not 1 <= longest_path < NUM_NODES:
        raise SuiteError(
            f"Paths through a cell have 1 to {NUM_NODES - 1} edges: "
            f"a longest_path of {longest_path} is impossible."
        )


def encode(examples: Examples, encoding: str, longest_path: int = NUM_NODES - 1) -> Array:
    """Features of architectures, ``auto`` for paths where the space has them.

    Args:
        examples: n architectures.
        encoding: see ``SearchSpace.features``.
        longest_path: number of edges of the longest paths that count in NAS-Bench-201's cells.

    Returns:
        Shape (n, d).
    """
    if encoding == "auto" and "path" in examples.space.encodings:
        encoding = "path"
    features = examples.features(encoding)
    space = examples.space.base if isinstance(examples.space, PoolSpace) else examples.space
    if encoding != "path" or not isinstance(space, TopologySpace):
        return features
    # Features stand by the length of their path, so the short ones are the first.
    paths = sum(len(OPERATIONS) ** length for length in range(1, NUM_NODES))
    short = sum(len(OPERATIONS) ** length for length in range(1, longest_path + 1))
    return np.delete(features, range(short, paths), axis=1)
