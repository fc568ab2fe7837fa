"""Any space's architectures as vectors of categorical choices, and back: what a decoder writes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import SearchSpace
from nasbench_suite.spaces.nasbench101 import (
    MAX_VERTICES,
    OPERATIONS,
    Module,
    NASBench101Space,
    adjacency_features,
    edges_of,
    is_valid,
)

Ints = NDArray[np.int64]

_EDGES = MAX_VERTICES * (MAX_VERTICES - 1) // 2


@dataclass(frozen=True)
class Wording:
    """Architectures as vectors of their own choices.

    Attributes:
        space: the space.
        options: number of options of each choice.
    """

    space: SearchSpace
    options: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", self.space.choices)

    @property
    def name(self) -> str:
        """That of the space."""
        return self.space.name

    def write(self, architectures: Sequence[Any]) -> Ints:
        """The vectors of architectures, shape (n, len(options))."""
        return self.space.vectors(architectures)

    def read(self, vector: Sequence[int]) -> Any | None:
        """The architecture with these choices; None where it is none."""
        try:
            return self.space.read(tuple(vector))
        except SuiteError:
            return None

    # -- as ``nasbench_suite.analysis.generative`` asks a space -----------------------------------

    def vector(self, architecture: Any) -> tuple[int, ...]:
        """A vector, checked.

        Raises:
            SuiteError: it is no architecture.
        """
        vector = tuple(int(choice) for choice in architecture)
        if len(vector) != len(self.options) or self.read(vector) is None:
            raise SuiteError(f"{vector} is no architecture of space {self.name!r}.")
        return vector

    def canonical(self, architecture: Any) -> Hashable:
        """A key that is equal for vectors of architectures that compute the same function."""
        return self.space.canonical(self.read(architecture))

    def sample(self, count: int, rng: np.random.Generator) -> Ints:
        """Vectors of architectures drawn at random, each once, shape (at most count, options)."""
        drawn = self.write([self.space.sample(rng) for _ in range(count)])
        return np.unique(drawn, axis=0)


@dataclass(frozen=True)
class ModuleWording(Wording):
    """Modules of NAS-Bench-101: 21 edges there or not, then the operation of five vertices.

    Modules are pruned first. Operation 0 says that there is no such vertex, so that smaller ones
    are vectors too. A vector is no module where no path leads from the input to the output or
    there are more than nine edges.
    """

    def __post_init__(self) -> None:
        inner = MAX_VERTICES - 2
        options = (2,) * _EDGES + (1 + len(OPERATIONS),) * inner
        object.__setattr__(self, "options", options)

    def write(self, architectures: Sequence[Any]) -> Ints:
        """See ``Wording``."""
        features = adjacency_features([self.space.read(one) for one in architectures])
        hot = features[:, _EDGES:].reshape(len(features), -1, len(OPERATIONS))
        operations = np.where(hot.any(axis=2), 1 + hot.argmax(axis=2), 0)
        return np.hstack([features[:, :_EDGES], operations]).astype(np.int64)

    def read(self, vector: Sequence[int]) -> Any | None:
        """See ``Wording``."""
        bits = sum(1 << place for place, edge in enumerate(vector[:_EDGES]) if edge)
        operations = tuple(int(one) - 1 for one in vector[_EDGES:])
        module = Module(bits, tuple(max(one, 0) for one in operations))
        absent = {place for place, one in enumerate(operations, 1) if one < 0}
        if any(absent & set(edge) for edge in edges_of(module)) or not is_valid(module):
            return None
        return module


def wording(space: SearchSpace) -> Wording:
    """How the architectures of a space are written for a decoder.

    Raises:
        SuiteError: they are no vectors of choices, nor modules.
    """
    if isinstance(space, NASBench101Space):
        return ModuleWording(space)
    if not space.choices:
        raise SuiteError(
            f"Architectures of space {space.name!r} are no vectors of choices that a decoder could "
            f"write: choose another method, such as regularized-evolution."
        )
    return Wording(space)
