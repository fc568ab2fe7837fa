"""What a search space is: a finite product of choices, in its publisher's order.

A space file names its choices and says how an architecture is written; everything else
(conversions, neighbours, sampling) follows from the choices and stands here once.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Architecture: TypeAlias = "str | int | Sequence[int] | NDArray[np.integer]"
"""An architecture in any of its three forms: string, index, or vector of choices."""


class SearchSpace(ABC):
    """A finite search space whose architectures are vectors of categorical choices.

    An architecture has three forms, and every public method takes any of them:

    * its *string*, as its publisher writes it;
    * its *index*, from 0 to ``size - 1`` in its publisher's order;
    * its *vector*, ``len(choices)`` integers, entry ``i`` from 0 to ``choices[i] - 1``.

    Attributes:
        name: the name ``load_space`` finds it by.
        choices: number of options of each decision.
    """

    name: ClassVar[str]
    choices: ClassVar[tuple[int, ...]]

    @abstractmethod
    def format(self, vector: Sequence[int]) -> str:
        """The string of the architecture with these choices."""

    @abstractmethod
    def parse(self, string: str) -> tuple[int, ...]:
        """The choices written in ``string``.

        Raises:
            SuiteError: the string is malformed or names an architecture outside the space.
        """

    def _published_order(self) -> NDArray[np.int64]:
        """Lexicographic ranks in the publisher's index order; lexicographic unless overridden."""
        return np.arange(self.size)

    def _canonical_key(self, vector: tuple[int, ...]) -> Hashable:
        """The canonical key of one vector; by default each architecture is its own class."""
        return self.format(vector)

    def _canonical_keys(self) -> Iterable[Hashable]:
        """The canonical keys of all architectures in index order; override it to be faster."""
        return (self._canonical_key(tuple(vector)) for vector in self.all_vectors.tolist())

    @cached_property
    def size(self) -> int:
        """Number of architectures."""
        return math.prod(self.choices)

    def __len__(self) -> int:
        return self.size

    def __reduce__(self) -> tuple[type[SearchSpace], tuple[()]]:
        return type(self), ()  # what was cached stays behind

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.size:,} architectures>"

    # -- the three forms ---------------------------------------------------------------------

    @cached_property
    def all_vectors(self) -> NDArray[np.int8]:
        """The vectors of all architectures in index order, shape (size, len(choices))."""
        digits = np.unravel_index(self._rank_of_index, self.choices)
        vectors = np.stack(digits, axis=1).astype(np.int8)
        vectors.setflags(write=False)
        return vectors

    @cached_property
    def all_strings(self) -> tuple[str, ...]:
        """The strings of all architectures in index order."""
        return tuple(self.format(vector) for vector in self.all_vectors.tolist())

    @cached_property
    def _rank_of_index(self) -> NDArray[np.int64]:
        return self._published_order().astype(np.int64)

    @cached_property
    def _index_of_rank(self) -> NDArray[np.int64]:
        index_of_rank = np.empty(self.size, dtype=np.int64)
        index_of_rank[self._rank_of_index] = np.arange(self.size)
        return index_of_rank

    # A look-up costs a tenth of parsing a string or of checking a vector through NumPy.

    @cached_property
    def _index_of_string(self) -> dict[str, int]:
        return {string: index for index, string in enumerate(self.all_strings)}

    @cached_property
    def _index_of_vector(self) -> dict[tuple[int, ...], int]:
        return {tuple(vector): index for index, vector in enumerate(self.all_vectors.tolist())}

    def index(self, architecture: Architecture) -> int:
        """The index of an architecture given in any form.

        Raises:
            SuiteError: it is malformed or outside the space.
        """
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

    def _checked_index(self, architecture: object) -> int:
        if isinstance(architecture, str):
            return self._index_of_vector[tuple(self.parse(architecture))]
        if isinstance(architecture, numbers.Integral) and not isinstance(architecture, bool):
            self._check_range(int(architecture))
            return int(architecture)
        if isinstance(architecture, (Sequence, np.ndarray)):
            vector = _to_array(architecture)
            if vector is not None and vector.ndim == 1 and vector.dtype.kind in "iu":
                known = self._index_of_vector.get(tuple(vector.tolist()))
                return int(self.indices(vector[None])[0]) if known is None else known
        raise SuiteError(
            f"{architecture!r} is no architecture of space {self.name!r}: give its string, "
            f"its index or its {len(self.choices)} choices."
        )

    def _check_range(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise SuiteError(
                f"Architecture index {index} is outside space {self.name!r}: "
                f"it has indices 0 to {self.size - 1}."
            )

    def string(self, architecture: Architecture) -> str:
        """The string of an architecture given in any form."""
        return self.format(self.vector(architecture))

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """The vector of choices of an architecture given in any form."""
        return tuple(self.all_vectors[self.index(architecture)].tolist())

    def indices(self, architectures: ArrayLike | Iterable[str]) -> NDArray[np.int64]:
        """The indices of many architectures at once.

        Args:
            architectures: vectors of shape (n, len(choices)), indices of shape (n,), or strings.

        Returns:
            int64 array of shape (n,).

        Raises:
            SuiteError: any of them is malformed or outside the space; the first is named.
        """
        array = _to_array(
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
        if array.ndim != 2 or array.shape[1] != len(self.choices):
            raise SuiteError(
                f"Vectors of space {self.name!r} have {len(self.choices)} choices each; "
                f"got an array of shape {array.shape}."
            )
        unlisted = np.any((array < 0) | (array >= np.array(self.choices)), axis=1)
        if np.any(unlisted):
            raise SuiteError(
                f"Vector {array[unlisted][0].tolist()} is outside space {self.name!r}: its choices "
                f"run from 0 to {[options - 1 for options in self.choices]}."
            )
        ranks = np.ravel_multi_index(tuple(array.T.astype(np.int64)), self.choices)
        found: NDArray[np.int64] = self._index_of_rank[ranks]
        return found

    # -- neighbours and sampling ---------------------------------------------------------------

    @cached_property
    def neighbour_table(self) -> NDArray[np.int32]:
        """Indices of all architectures one choice away, shape (size, sum(choices) - len(choices)).

        Columns go decision by decision, alternatives in cyclic order after the present option.
        """
        ranks = self._rank_of_index
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

    # ``rng.random()`` takes a quarter of the time of ``rng.integers``. Scaled and floored it is
    # uniform over n options to within n / 2**53, far below what any number of draws can show.

    def sample(self, rng: np.random.Generator) -> int:
        """The index of an architecture drawn uniformly."""
        return int(rng.random() * self.size)

    def mutate(self, index: int, rng: np.random.Generator) -> int:
        """The index of a neighbour: one decision drawn uniformly, then another of its options.

        Where decisions differ in their number of options, neighbours thus differ in probability.
        """
        columns = self._mutation_columns
        drawn = rng.random() * len(columns)
        decision = int(drawn)
        first, alternatives = columns[decision]
        neighbour: int = self.neighbour_table.item(
            index, first + int((drawn - decision) * alternatives)
        )
        return neighbour

    @cached_property
    def _mutation_columns(self) -> list[tuple[int, int]]:
        """For each decision: its first column in ``neighbour_table``, and how many it has."""
        alternatives = [options - 1 for options in self.choices]
        firsts = np.cumsum([0, *alternatives[:-1]])
        return list(zip(firsts.tolist(), alternatives, strict=True))

    # -- isomorphism -----------------------------------------------------------------------------

    def canonical(self, architecture: Architecture) -> Hashable:
        """A key that is equal for architectures known to compute the same function."""
        return self._canonical_key(self.vector(architecture))

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The isomorphism class of every architecture, shape (size,).

        Classes are numbered from 0 in the order of their first member's index.
        """
        seen: dict[Hashable, int] = {}
        labels = np.fromiter(
            (seen.setdefault(key, len(seen)) for key in self._canonical_keys()),
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

    def is_connected(self, architecture: Architecture) -> bool:
        """Whether the output depends on the input; true of every architecture in most spaces."""
        self.index(architecture)
        return True

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """``is_connected`` of every architecture, shape (size,)."""
        found = np.array([self.is_connected(index) for index in range(self.size)])
        found.setflags(write=False)
        return found

    # -- pictures --------------------------------------------------------------------------------

    def dot(self, architecture: Architecture) -> str:
        """The architecture as a Graphviz DOT graph.

        Raises:
            SuiteError: architectures of this space have no drawing.
        """
        raise SuiteError(f"Architectures of space {self.name!r} have no drawing.")

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """Draw the architecture with matplotlib and return the axes.

        Raises:
            SuiteError: architectures of this space have no drawing.
        """
        raise SuiteError(f"Architectures of space {self.name!r} have no drawing.")


def _to_array(values: ArrayLike | Iterable[str]) -> NDArray[Any] | None:
    """``values`` as an array, or None where they are nested lists of unequal lengths."""
    try:
        return np.asarray(values)
    except ValueError:
        return None
