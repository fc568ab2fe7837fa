"""The architectures of any space that a partial table measured, as a space of their own."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture, SearchSpace
from nasbench_suite.spaces.finite import FiniteSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nasbench_suite.spaces.graphs import OperationGraph

_NEIGHBOURS = 8  # at least so many, so that a walk can leave a small cluster of the pool


class PoolSpace(FiniteSpace):
    """Some architectures of another space; index ``i`` is the ``i``-th of them.

    A neighbour is a member that is a neighbour in the base space. A sample of a large space has
    few of these or none, so the nearest other members are added up to eight: by the number of
    different choices, or by the distance of their features where the base has no choices; of
    equally near ones the lower index.

    Args:
        base: the space they are architectures of.
        strings: their strings, in the order of the table's rows, each architecture once.
        keys: the ``SearchSpace.row_key`` of each, if that was kept in the table; strings are then
            taken as they are, and read one by one when they are asked for.

    Raises:
        SuiteError: a string is no architecture of the base space, or one is there twice.
    """

    def __init__(
        self, base: SearchSpace, strings: Sequence[str], keys: Sequence[Hashable] | None = None
    ) -> None:
        self.base = base
        self._given = strings
        self._given_keys = keys
        if not len(strings):
            raise SuiteError(f"A pool of space {base.name!r} needs at least one architecture.")
        self.name = f"{base.name}[{len(strings)}]"
        self.choices = base.choices
        self._around: dict[int, NDArray[np.int64]] = {}
        self._read: dict[int, Any] = {}
        if keys is None:
            _ = self.index_of_key  # reads all

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.base, self._given, self._given_keys)

    @property
    def parameters(self) -> tuple[int, ...]:
        """See ``SearchSpace.parameters``."""
        return self.base.parameters

    @property
    def size(self) -> int:
        """Number of members."""
        return len(self._given)

    @property
    def rows(self) -> Sequence[str]:
        """As ``strings``, without keeping all those of a large table."""
        return self._given

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """The string of each member, as the table has it."""
        return tuple(self._given)

    @cached_property
    def members(self) -> tuple[Any, ...]:
        """Each member as the base space's own value."""
        return tuple([self.base.read(string) for string in self.strings])

    def member(self, index: int) -> Any:
        """One of ``members``, read by itself where not all of them were."""
        if "members" in self.__dict__:
            return self.members[index]
        if index not in self._read:
            self._read[index] = self.base.read(self.strings[index])
        return self._read[index]

    @cached_property
    def keys(self) -> tuple[Hashable, ...]:
        """What tells rows apart; see ``SearchSpace.row_key``."""
        if self._given_keys is not None:
            return tuple(self._given_keys)
        return tuple([self.base.row_key(member) for member in self.members])

    @cached_property
    def index_of_key(self) -> dict[Hashable, int]:
        """The row of each member, by its ``SearchSpace.row_key``."""
        found: dict[Hashable, int] = {}
        for index, key in enumerate(self.keys):
            first = found.setdefault(key, index)
            if first != index:
                raise SuiteError(
                    f"Architecture {self.strings[index]} is in the pool twice (rows {first} and "
                    f"{index}): keep one row."
                )
        return found

    # -- forms -----------------------------------------------------------------------------------

    def format(self, index: int) -> str:
        """The string of a member, as the table has it."""
        return self.strings[index]

    def index(self, architecture: Architecture) -> int:
        """The index of a member given in any form, or by the hash of its publisher."""
        if type(architecture) is str and self.base.one_row_a_class:
            known = self.index_of_key.get(architecture)
            if known is not None:
                return known
        return super().index(architecture)

    def parse(self, string: str) -> int:
        """The index of a member; see ``SearchSpace.parse``."""
        if self.base.is_hash(string):
            if string in self.index_of_key:
                return self.index_of_key[string]
            self._refuse_stranger(f"with hash {string}")
        known = self._index_of_string.get(string) if self._given_keys is None else None
        return self._index_of(self.base.read(string)) if known is None else known

    def check(self, value: Any) -> int:
        """See ``SearchSpace.check``; a whole number is a row of the pool, not of the base."""
        if isinstance(value, numbers.Integral) and not isinstance(value, bool):
            return super().check(value)
        return self._index_of(self.base.read(value))

    def _index_of(self, member: Any) -> int:
        known = self.index_of_key.get(self.base.row_key(member))
        if known is None:
            self._refuse_stranger(self.base.string(member))
        return known

    def _refuse_stranger(self, said: str) -> NoReturn:
        raise SuiteError(
            f"Architecture {said} of space {self.base.name!r} is not among the {self.size:,} that "
            f"the table has: choose one of those."
        )

    @cached_property
    def all_vectors(self) -> NDArray[np.int64]:
        """The vectors of all members, shape (size, len(choices))."""
        if not self.choices:
            self.refuse_vectors()
        vectors = self.base.vectors(self.members)
        vectors.setflags(write=False)
        return vectors

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """See ``SearchSpace.vector``."""
        return tuple(self.all_vectors[self.index(architecture)].tolist())

    def vectors(self, architectures: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
        """The vectors of many members, shape (n, len(choices))."""
        return self.all_vectors[np.asarray(architectures, dtype=np.int64)]

    def closest(self, vector: Sequence[int] | NDArray[np.integer]) -> int:
        """The member with the most of these choices; of equals the lowest index.

        Where the base has no choices, the nearest to what the base makes of its parameters.
        """
        if not self.choices:
            return self._nearest(self.base.closest(vector))
        return int(np.argmin((self.all_vectors != np.asarray(vector)).sum(axis=1)))

    # -- as in the base space ----------------------------------------------------------------------

    def canonical(self, architecture: Architecture) -> Hashable:
        """See ``SearchSpace.canonical``."""
        index = self.index(architecture)
        if self.base.one_row_a_class:
            return self.keys[index]
        return self.base.canonical(self.member(index))

    def canonical_keys(self) -> Iterable[Hashable]:
        """See ``FiniteSpace.canonical_keys``."""
        return self.keys if self.base.one_row_a_class else super().canonical_keys()

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """See ``FiniteSpace.connected``."""
        if type(self.base).is_connected is SearchSpace.is_connected:
            return np.ones(self.size, dtype=np.bool_)
        return super().connected

    def is_connected(self, architecture: Architecture) -> bool:
        """See ``SearchSpace.is_connected``."""
        return self.base.is_connected(self.member(self.index(architecture)))

    @property
    def encodings(self) -> tuple[str, ...]:
        """See ``SearchSpace.encodings``."""
        return self.base.encodings

    def encode(
        self, architectures: Sequence[int] | NDArray[np.integer], encoding: str
    ) -> NDArray[np.float64]:
        """See ``SearchSpace.encode``."""
        return self.base.encode([self.member(index) for index in architectures], encoding)

    def graph(self, architecture: Architecture) -> OperationGraph:
        """See ``SearchSpace.graph``."""
        return self.base.graph(self.members[self.index(architecture)])

    def dot(self, architecture: Architecture) -> str:
        """See ``SearchSpace.dot``."""
        return self.base.dot(self.member(self.index(architecture)))

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """See ``SearchSpace.draw``."""
        return self.base.draw(self.member(self.index(architecture)), ax)

    # -- neighbours --------------------------------------------------------------------------------

    def neighbours(self, architecture: Architecture) -> NDArray[np.int64]:
        """Members one change away in the base space, then the nearest others up to eight."""
        index = self.index(architecture)
        if index not in self._around:
            member = self.member(index)
            around = _values(self.base.neighbours(member))
            places = (self.index_of_key.get(self.base.row_key(value)) for value in around)
            found = dict.fromkeys(place for place in places if place is not None)
            found.pop(index, None)
            if len(found) < _NEIGHBOURS:
                nearest = np.argsort(self._distances(member), kind="stable").tolist()
                for other in nearest:
                    if len(found) == min(_NEIGHBOURS, self.size - 1):
                        break
                    if other != index:
                        found.setdefault(other)
            self._around[index] = np.array(list(found), dtype=np.int64)
        return self._around[index]

    def mutate(self, architecture: int, rng: np.random.Generator) -> int:
        """A neighbour drawn uniformly; a pool of one has no other member."""
        return super().mutate(architecture, rng) if self.size > 1 else architecture

    def crossover(self, one: int, other: int, rng: np.random.Generator) -> int:
        """The member nearest to a child that the base space makes of the two."""
        return self._nearest(self.base.crossover(self.member(one), self.member(other), rng))

    def _nearest(self, member: Any) -> int:
        """An architecture of the base space if it is here, otherwise the nearest that is."""
        known = self.index_of_key.get(self.base.row_key(member))
        return int(np.argmin(self._distances(member))) if known is None else known

    def _distances(self, member: Any) -> NDArray[np.float64]:
        """How far each member is from an architecture of the base space, shape (size,)."""
        if self.choices:
            differ: NDArray[np.bool_] = self.all_vectors != np.array(self.base.vector(member))
            counts: NDArray[np.float64] = differ.sum(axis=1, dtype=np.float64)
            return counts
        if self.encodings:
            features = self.base.features([member], self.encodings[0])
            if self._bits is None or not _are_bits(features):
                from scipy.spatial.distance import cdist

                distances: NDArray[np.float64] = cdist(self._features, features, "cityblock")[:, 0]
                return distances
            # |x − y| = x + y − 2xy of bits, whole numbers that single precision holds.
            rows, ones = self._bits
            given = features[0].astype(np.float32)
            apart: NDArray[np.float32] = rows @ (-2 * given)
            apart += ones
            apart += given.sum()
            return apart.astype(np.float64)
        # Nothing tells how alike two are: those that follow in the table stand in.
        place = self.index_of_key.get(self.base.row_key(member), 0)
        return ((np.arange(self.size) - place) % self.size).astype(np.float64)

    @cached_property
    def _features(self) -> NDArray[np.float64]:
        return self.features(range(self.size), self.encodings[0])

    @cached_property
    def _bits(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """The features, and how many each member has, where they are there or not."""
        if not _are_bits(self._features):
            return None
        rows = self._features.astype(np.float32)
        return rows, rows.sum(axis=1)


def _are_bits(features: NDArray[np.float64]) -> bool:
    return bool(((features == 0) | (features == 1)).all())


def _values(neighbours: Any) -> list[Any]:
    return neighbours.tolist() if isinstance(neighbours, np.ndarray) else list(neighbours)
