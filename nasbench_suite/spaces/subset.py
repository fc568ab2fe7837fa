"""Listed spaces that hold some vectors of a product of choices and not others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.spaces.base import Architecture, as_vector
from nasbench_suite.spaces.finite import FiniteSpace


class FiniteSubsetSpace(FiniteSpace):
    """A listed space whose architectures are vectors of choices, but not all vectors are in it.

    A neighbour is a member that differs in one choice. A subclass names its ``choices`` and
    implements ``list_vectors``, and ``write`` and ``parse`` of a vector; where several vectors
    say the same architecture, ``represent`` names the one that is a member.
    """

    @abstractmethod
    def list_vectors(self) -> NDArray[np.int8]:
        """The vectors of all architectures in the publisher's order, shape (size, choices)."""

    @abstractmethod
    def write(self, vector: Sequence[int]) -> str:
        """The string of the architecture with these choices."""

    @abstractmethod
    def parse(self, string: str) -> Any:
        """The choices written in ``string``, or an index; see ``SearchSpace.parse``."""

    def represent(self, vector: tuple[int, ...]) -> tuple[int, ...]:
        """The member that is the same architecture as a vector of choices; by default itself.

        Raises:
            SuiteError: its publisher excludes it.
        """
        return vector

    @cached_property
    def size(self) -> int:
        """Number of architectures."""
        return len(self.all_vectors)

    @cached_property
    def all_vectors(self) -> NDArray[np.int8]:
        """The vectors of all architectures in index order, shape (size, len(choices))."""
        vectors = self.list_vectors()
        vectors.setflags(write=False)
        return vectors

    @cached_property
    def index_of_vector(self) -> dict[tuple[int, ...], int]:
        """The index of every member by its vector."""
        return {tuple(vector): index for index, vector in enumerate(self.all_vectors.tolist())}

    def format(self, index: int) -> str:
        """The string of an architecture; see ``SearchSpace.format``."""
        return self.write(self.all_vectors[index].tolist())

    def index(self, architecture: Architecture) -> int:
        """The index of an architecture given in any form; see ``FiniteSpace.index``."""
        if isinstance(architecture, str):
            known = self._index_of_string.get(architecture)
            return self.check(self.parse(architecture)) if known is None else known
        return self.check(architecture)

    def check(self, value: Any) -> int:
        """See ``SearchSpace.check``; takes vectors of choices as well."""
        vector = as_vector(value, self.choices)
        if vector is None:
            return super().check(value)
        known = self.index_of_vector.get(vector)
        if known is None:
            known = self.index_of_vector.get(self.represent(vector))
        if known is None:
            self.refuse(value)
        return known

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """See ``SearchSpace.vector``."""
        return tuple(self.all_vectors[self.index(architecture)].tolist())

    def vectors(self, architectures: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
        """The vectors of many architectures given by index, shape (n, len(choices))."""
        return self.all_vectors[np.asarray(architectures, dtype=np.int64)].astype(np.int64)

    def closest(self, vector: Sequence[int] | NDArray[np.integer]) -> int:
        """The member with the most of these choices; of equals the lowest index."""
        known = self.index_of_vector.get(tuple(np.asarray(vector).tolist()))
        if known is not None:
            return known
        return int(np.argmin((self.all_vectors != np.asarray(vector)).sum(axis=1)))

    def neighbours(self, architecture: Architecture) -> NDArray[np.int64]:
        """Indices of the members that differ in exactly one choice, ascending."""
        index = self.index(architecture)
        if index not in self._around:
            differ = (self.all_vectors != self.all_vectors[index]).sum(axis=1)
            self._around[index] = np.flatnonzero(differ == 1)
        return self._around[index]

    @cached_property
    def _around(self) -> dict[int, NDArray[np.int64]]:
        return {}
