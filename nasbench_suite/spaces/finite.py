"""Spaces small enough to list: their architectures have indices, and arrays by index."""

from __future__ import annotations

import math
import numbers
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture, SearchSpace, as_vector, to_array


class FiniteSpace(SearchSpace):
    """A space that is listed; the space's own value of an architecture is its index.

    Indices go from 0 to ``size - 1`` in the publisher's order. A subclass implements ``size``,
    ``neighbours`` and ``format``, which takes an index; ``parse`` by default looks the string up
    among all of them.
    """

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of architectures."""

    def __len__(self) -> int:
        return self.size

    def parse(self, string: str) -> Any:
        """The index of the architecture written in ``string``; see ``SearchSpace.parse``."""
        try:
            return self._index_of_string[string]
        except (KeyError, TypeError):
            self.refuse(string)

    @cached_property
    def all_strings(self) -> tuple[str, ...]:
        """The strings of all architectures in index order."""
        return tuple(self.format(index) for index in range(self.size))

    @property
    def all_vectors(self) -> NDArray[np.integer]:
        """The vectors of all architectures in index order, shape (size, len(choices)).

        Raises:
            SuiteError: the space has no independent choices.
        """
        self.refuse_vectors()

    @cached_property
    def _index_of_string(self) -> dict[str, int]:
        return {string: index for index, string in enumerate(self.all_strings)}

    # -- forms -----------------------------------------------------------------------------------

    def check(self, value: Any) -> int:
        """See ``SearchSpace.check``."""
        if not isinstance(value, numbers.Integral) or isinstance(value, bool):
            self.refuse(value)
        self._check_range(int(value))
        return int(value)

    def read(self, architecture: Architecture) -> int:
        """The index of an architecture given in any form; see ``SearchSpace.read``."""
        return self.index(architecture)

    def index(self, architecture: Architecture) -> int:
        """The index of an architecture given in any form.

        Raises:
            SuiteError: it is malformed or outside the space.
        """
        if type(architecture) is int and 0 <= architecture < self.size:
            return architecture
        index: int = super().read(architecture)
        return index

    def _check_range(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise SuiteError(
                f"Architecture index {index} is outside space {self.name!r}: "
                f"it has indices 0 to {self.size - 1}."
            )

    def indices(self, architectures: ArrayLike | Iterable[Architecture]) -> NDArray[np.int64]:
        """The indices of many architectures at once.

        Args:
            architectures: vectors of shape (n, len(choices)), indices of shape (n,), or strings.

        Returns:
            int64 array of shape (n,).

        Raises:
            SuiteError: any of them is malformed or outside the space; the first is named.
        """
        array = to_array(
            architectures if hasattr(architectures, "__len__") else list(architectures)  # type: ignore[arg-type]
        )
        if array is None:
            raise SuiteError(
                f"Vectors of space {self.name!r} have {len(self.choices)} choices each; "
                f"got lists of unequal lengths."
            )
        if array.ndim == 1 and (array.dtype.kind in "UO" or not len(array)):
            return np.array([self.index(one) for one in array.tolist()], dtype=np.int64)
        if array.dtype.kind not in "iu":
            raise SuiteError(
                f"Architectures of space {self.name!r} are strings, indices or vectors of "
                f"integers, not {array.dtype} of shape {array.shape}."
            )
        if array.ndim == 1:
            outside = (array < 0) | (array >= self.size)
            if outside.any():
                self._check_range(int(array[outside][0]))
            return array.astype(np.int64)
        return self._indices_of_vectors(array)

    def _indices_of_vectors(self, vectors: NDArray[np.integer]) -> NDArray[np.int64]:
        return np.array([self.index(vector) for vector in vectors], dtype=np.int64)

    def refuse(self, architecture: object) -> NoReturn:
        """Say that something is no architecture of this space."""
        choices = f"its index or its {len(self.choices)} choices" if self.choices else "its index"
        between = ", " if self.choices else " or "
        raise SuiteError(
            f"{architecture!r} is no architecture of space {self.name!r}: "
            f"give its string{between}{choices}."
        )

    # -- neighbours and sampling -----------------------------------------------------------------

    # ``rng.random()`` takes a quarter of the time of ``rng.integers``. Scaled and floored it is
    # uniform over n options to within n / 2**53, far below what any number of draws can show.

    def sample(self, rng: np.random.Generator) -> int:
        """The index of an architecture drawn uniformly."""
        return int(rng.random() * self.size)

    @abstractmethod
    def neighbours(self, architecture: Architecture) -> NDArray[np.integer]:
        """The indices of the architectures one change away."""

    def mutate(self, architecture: int, rng: np.random.Generator) -> int:
        """The index of a neighbour drawn uniformly."""
        around = self.neighbours(architecture)
        return int(around[int(rng.random() * len(around))])

    # -- isomorphism -----------------------------------------------------------------------------

    def canonical_keys(self) -> Iterable[Hashable]:
        """The canonical keys of all architectures in index order; override it to be faster."""
        return (self.canonical(index) for index in range(self.size))

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The isomorphism class of every architecture, shape (size,).

        Classes are numbered from 0 in the order of their first member's index.
        """
        seen: dict[Hashable, int] = {}
        labels = np.fromiter(
            (seen.setdefault(key, len(seen)) for key in self.canonical_keys()),
            dtype=np.int64,
            count=self.size,
        )
        labels.setflags(write=False)
        return labels

    @cached_property
    def representatives(self) -> NDArray[np.int64]:
        """The lowest index in each isomorphism class, shape (number of classes,)."""
        _, first = np.unique(self.classes, return_index=True)
        return first.astype(np.int64)

    def normal_form(self, architecture: Architecture) -> int:
        """The lowest index of those known to compute the same."""
        return int(self.representatives[self.classes[self.index(architecture)]])

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """``is_connected`` of every architecture, shape (size,)."""
        found = np.array([self.is_connected(index) for index in range(self.size)])
        found.setflags(write=False)
        return found


class FiniteProductSpace(FiniteSpace):
    """A listed space whose architectures are all vectors of categorical choices.

    An architecture has three forms, and every public method takes any of them:

    * its *string*, as its publisher writes it;
    * its *index*, from 0 to ``size - 1`` in its publisher's order;
    * its *vector*, ``len(choices)`` integers, entry ``i`` from 0 to ``choices[i] - 1``.

    A subclass names its ``choices`` and implements ``format`` and ``parse``, which take and
    return a vector; where the publisher's order is not lexicographic, also ``published_order``.
    """

    def published_order(self) -> NDArray[np.int64]:
        """Lexicographic ranks in the publisher's index order; lexicographic unless overridden."""
        return np.arange(self.size)

    @cached_property
    def size(self) -> int:
        """Number of architectures."""
        return math.prod(self.choices)

    # -- the three forms -------------------------------------------------------------------------

    @cached_property
    def all_vectors(self) -> NDArray[np.int8]:
        """The vectors of all architectures in index order, shape (size, len(choices))."""
        digits = np.unravel_index(self.rank_of_index, self.choices)
        vectors = np.stack(digits, axis=1).astype(np.int8)
        vectors.setflags(write=False)
        return vectors

    @cached_property
    def all_strings(self) -> tuple[str, ...]:
        """The strings of all architectures in index order."""
        return tuple(self.format(vector) for vector in self.all_vectors.tolist())

    @cached_property
    def rank_of_index(self) -> NDArray[np.int64]:
        """The lexicographic rank of each architecture in index order, shape (size,)."""
        return self.published_order().astype(np.int64)

    @cached_property
    def _index_of_rank(self) -> NDArray[np.int64]:
        index_of_rank = np.empty(self.size, dtype=np.int64)
        index_of_rank[self.rank_of_index] = np.arange(self.size)
        return index_of_rank

    # A look-up costs a tenth of parsing a string or of checking a vector through NumPy.

    @cached_property
    def _index_of_vector(self) -> dict[tuple[int, ...], int]:
        return {tuple(vector): index for index, vector in enumerate(self.all_vectors.tolist())}

    def index(self, architecture: Architecture) -> int:
        """The index of an architecture given in any form; see ``FiniteSpace.index``."""
        # The three forms as they usually come; whatever else there is goes the careful way.
        if type(architecture) is int:
            if 0 <= architecture < self.size:
                return architecture
        elif type(architecture) is str:
            known = self._index_of_string.get(architecture)
            if known is not None:
                return known
        elif type(architecture) is tuple:
            try:
                return self._index_of_vector[architecture]
            except (KeyError, TypeError):
                pass
        return self._checked_index(architecture)

    def _checked_index(self, architecture: Architecture) -> int:
        if isinstance(architecture, str):
            parsed = self.parse(architecture)
            vector = as_vector(parsed, self.choices)
            if vector is None:
                self.blame_parse(architecture, parsed)
            return self._index_of_vector[vector]
        if isinstance(architecture, (Sequence, np.ndarray)):
            array = to_array(architecture)
            if array is not None and array.ndim == 1 and array.dtype.kind in "iu":
                known = self._index_of_vector.get(tuple(array.tolist()))
                return int(self.indices(array[None])[0]) if known is None else known
        return self.check(architecture)

    def form(self, architecture: Architecture) -> tuple[int, ...]:
        """The vector of an architecture: what ``parse`` returns and ``format`` takes."""
        return self.vector(architecture)

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """The vector of choices of an architecture given in any form."""
        return tuple(self.all_vectors[self.index(architecture)].tolist())

    def vectors(self, architectures: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
        """The vectors of many architectures given by index, shape (n, len(choices))."""
        return self.all_vectors[np.asarray(architectures, dtype=np.int64)].astype(np.int64)

    def _indices_of_vectors(self, vectors: NDArray[np.integer]) -> NDArray[np.int64]:
        if vectors.ndim != 2 or vectors.shape[1] != len(self.choices):
            raise SuiteError(
                f"Vectors of space {self.name!r} have {len(self.choices)} choices each; "
                f"got an array of shape {vectors.shape}."
            )
        unlisted = np.any((vectors < 0) | (vectors >= np.array(self.choices)), axis=1)
        if np.any(unlisted):
            raise SuiteError(
                f"Vector {vectors[unlisted][0].tolist()} is outside space {self.name!r}: its "
                f"choices run from 0 to {[options - 1 for options in self.choices]}."
            )
        ranks = np.ravel_multi_index(tuple(vectors.T.astype(np.int64)), self.choices)
        found: NDArray[np.int64] = self._index_of_rank[ranks]
        return found

    # -- neighbours and isomorphism ----------------------------------------------------------------

    @cached_property
    def neighbour_table(self) -> NDArray[np.int32]:
        """Indices of all architectures one choice away, shape (size, sum(choices) - len(choices)).

        Columns go decision by decision, alternatives in cyclic order after the present option.
        """
        ranks = self.rank_of_index
        columns = []
        for position, options in enumerate(self.choices):
            present = self.all_vectors[:, position].astype(np.int64)
            stride = math.prod(self.choices[position + 1 :])
            for step in range(1, options):
                change = (present + step) % options - present
                columns.append(self._index_of_rank[ranks + change * stride])
        table = np.stack(columns, axis=1).astype(np.int32)
        table.setflags(write=False)
        return table

    def neighbours(self, architecture: Architecture) -> NDArray[np.int32]:
        """Indices of the architectures that differ in exactly one choice."""
        row: NDArray[np.int32] = self.neighbour_table[self.index(architecture)]
        return row

    def mutate(self, architecture: int, rng: np.random.Generator) -> int:
        """The index of a neighbour: one decision drawn uniformly, then another of its options.

        Where decisions differ in their number of options, neighbours thus differ in probability.
        """
        columns = self._mutation_columns
        drawn = rng.random() * len(columns)
        decision = int(drawn)
        first, alternatives = columns[decision]
        neighbour: int = self.neighbour_table.item(
            architecture, first + int((drawn - decision) * alternatives)
        )
        return neighbour

    @cached_property
    def _mutation_columns(self) -> list[tuple[int, int]]:
        """For each decision: its first column in ``neighbour_table``, and how many it has."""
        alternatives = [options - 1 for options in self.choices]
        firsts = np.cumsum([0, *alternatives[:-1]])
        return list(zip(firsts.tolist(), alternatives, strict=True))

    def canonical_keys(self) -> Iterable[Hashable]:
        """See ``FiniteSpace.canonical_keys``."""
        return (self.canonical_key(tuple(vector)) for vector in self.all_vectors.tolist())


def listed(space: SearchSpace) -> FiniteSpace:
    """The space, where it can be listed.

    Raises:
        SuiteError: it cannot.
    """
    if not isinstance(space, FiniteSpace):
        size = space.size
        why = "nobody knows how many" if size is None else f"{size:.3g}"
        raise SuiteError(
            f"Space {space.name!r} is too large to list ({why} architectures): what is asked "
            f"needs a space such as 'nats-tss', whose architectures have indices."
        )
    return space
