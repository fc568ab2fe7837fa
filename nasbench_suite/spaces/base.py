"""What a search space is, whether it can be listed or not.

``SearchSpace`` is never listed: it draws, changes, reads and writes architectures. Below it

* ``ProductSpace`` is a product of choices too large to list (DARTS cells, MnasNet);
* ``FiniteSpace`` (in ``finite``) is listed, and its architectures are numbered from 0;
* ``FiniteProductSpace`` (there too) is a listed product of choices, as NATS-Bench's spaces;
* ``PoolSpace`` (in ``pool``) holds the architectures of any space that a partial table measured.

A space file says how an architecture is written and what may be changed in it; everything that
follows from that stands here once.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nasbench_suite.spaces.graphs import OperationGraph

Architecture: TypeAlias = Any
"""An architecture in any form its space reads: its string, its index where the space is listed,
its vector of choices where it has choices, or the space's own hashable value."""


class SearchSpace(ABC):
    """Architectures that can be drawn, changed, read and written, but perhaps never listed.

    Every public method takes an architecture in any form that ``read`` takes, except those that
    a search calls at every step: ``mutate``, ``crossover`` and ``neighbours`` of a product take
    what ``sample`` returns.

    A new space implements ``sample``, ``mutate``, ``neighbours``, ``parse`` and ``format``, and
    overrides what else it knows better. It holds no state beyond caches and is made without
    arguments, so that a worker process makes it anew.

    Attributes:
        name: the name ``load_space`` finds it by.
        aliases: further names it is found by.
        choices: number of options of each decision, where an architecture can be said by a vector
            of independent choices (``vector``, ``closest``); empty elsewhere.
        one_row_a_class: whether its publisher's tables have one row for all architectures of one
            canonical key, as those of NAS-Bench-101 for its graph hash.
    """

    name: str
    aliases: tuple[str, ...] = ()
    choices: tuple[int, ...] = ()
    one_row_a_class: bool = False

    # -- what a space must say -------------------------------------------------------------------

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Any:
        """An architecture drawn at random, uniformly where the space can."""

    @abstractmethod
    def mutate(self, architecture: Any, rng: np.random.Generator) -> Any:
        """A neighbour of an architecture, drawn at random."""

    @abstractmethod
    def neighbours(self, architecture: Any) -> Sequence[Any] | NDArray[np.integer]:
        """The architectures one change away."""

    @abstractmethod
    def parse(self, string: str) -> Any:
        """The architecture written in ``string``, in the form that ``format`` takes.

        What it returns is checked by ``read``, which is what callers use.

        Raises:
            SuiteError: the string is malformed or names an architecture outside the space.
        """

    @abstractmethod
    def format(self, form: Any) -> str:
        """The string of an architecture in the form that ``parse`` returns."""

    # -- what a space may know better ------------------------------------------------------------

    @property
    def parameters(self) -> tuple[int, ...]:
        """Number of options of each parameter that a tuner sets; ``closest`` reads what it sets.

        These are the ``choices``, unless a space without independent ones has parameters of which
        not every vector is an architecture.
        """
        return self.choices

    @property
    def size(self) -> int | float | None:
        """Number of architectures: whole, infinite, or None where nobody has counted them."""
        return None

    def check(self, value: Any) -> Any:
        """The architecture that ``value`` is, as the space's own hashable value.

        By default a value is one of the space if it can be written and is read back the same.

        Raises:
            SuiteError: it is none.
        """
        try:
            hash(value)
            same = bool(self.parse(self.format(value)) == value)
        except Exception:  # what a space's own functions make of a stranger is not ours to foresee
            same = False
        if not same:
            self.refuse(value)
        return value

    def crossover(self, one: Any, other: Any, rng: np.random.Generator) -> Any:
        """A child of two architectures.

        Each choice comes from either parent with equal probability. In a space without choices
        the child is one of the two, so that breeding is by mutation alone unless overridden.
        """
        if not self.choices:
            return one if rng.random() < 0.5 else other
        from_one = rng.random(len(self.choices)) < 0.5
        return self.closest(np.where(from_one, self.vector(one), self.vector(other)))

    def canonical_key(self, form: Any) -> Hashable:
        """The canonical key of an architecture in the form that ``parse`` returns.

        By default each architecture computes a function of its own.
        """
        return self.format(form)

    def row_key(self, form: Any) -> Hashable:
        """What is equal for architectures that are one row of a table; see ``one_row_a_class``."""
        return self.canonical_key(form) if self.one_row_a_class else form

    def is_hash(self, text: str) -> bool:
        """Whether a text has the form of a hash by which publishers name rows of their tables."""
        return False

    def find_hashes(self, hashes: Collection[str]) -> dict[str, Any]:
        """Of these hashes those of an architecture of the space, with it; see ``is_hash``."""
        return {}

    def is_connected(self, architecture: Architecture) -> bool:
        """Whether the output depends on the input; true of every architecture in most spaces."""
        self.read(architecture)
        return True

    @property
    def encodings(self) -> tuple[str, ...]:
        """The encodings that ``features`` knows: ``one-hot``, ``path`` or ``adjacency``."""
        return ("one-hot",) if self.choices else ()

    def encode(
        self, architectures: Sequence[Any] | NDArray[np.integer], encoding: str
    ) -> NDArray[np.float64]:
        """As ``features``, for an encoding that is among ``encodings``."""
        return encode_one_hot(self.vectors(architectures), self.choices)

    # -- forms -----------------------------------------------------------------------------------

    def read(self, architecture: Architecture) -> Any:
        """An architecture given in any form, as the space's own hashable value.

        Raises:
            SuiteError: it is malformed or outside the space.
        """
        if not isinstance(architecture, str):
            return self.check(architecture)
        value = self.parse(architecture)
        try:
            return self.check(value)
        except SuiteError:
            self.blame_parse(architecture, value)

    def form(self, architecture: Architecture) -> Any:
        """What ``parse`` returns and ``format`` takes of an architecture given in any form."""
        return self.read(architecture)

    def string(self, architecture: Architecture) -> str:
        """The string of an architecture given in any form."""
        return self.format(self.form(architecture))

    def canonical(self, architecture: Architecture) -> Hashable:
        """A key that is equal for architectures known to compute the same function."""
        return self.canonical_key(self.form(architecture))

    def normal_form(self, architecture: Architecture) -> Any:
        """The architecture that stands for those known to compute the same, as ``read`` gives it.

        Architectures of one normal form have one canonical key. By default each is its own.
        """
        return self.read(architecture)

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """The vector of choices of an architecture given in any form.

        Raises:
            SuiteError: the space has no independent choices, or it is outside the space.
        """
        self.refuse_vectors()

    def vectors(self, architectures: Sequence[Any] | NDArray[np.integer]) -> NDArray[np.int64]:
        """The vectors of many architectures, shape (n, len(choices))."""
        vectors = [self.vector(architecture) for architecture in architectures]
        return np.array(vectors, dtype=np.int64).reshape(-1, len(self.choices))

    def closest(self, vector: Sequence[int] | NDArray[np.integer]) -> Any:
        """The architecture with these parameters, or with the nearest where none has them.

        Raises:
            SuiteError: the space has no ``parameters``, or no such options.
        """
        return self.read(vector)

    def features(
        self, architectures: Sequence[Any] | NDArray[np.integer], encoding: str = "one-hot"
    ) -> NDArray[np.float64]:
        """Numbers that describe architectures to a predictor, shape (n, d).

        Args:
            architectures: as ``sample`` returns them.
            encoding: ``one-hot``, one feature for each option of each decision; ``path``, one for
                each sequence of operations from the cell's input to its output (White et al.,
                BANANAS, AAAI 2021); ``adjacency``, the edges there are and their operations
                (White et al., *A study on encodings for NAS*, NeurIPS 2020).

        Raises:
            SuiteError: the space does not have that encoding.
        """
        if encoding not in self.encodings:
            if not self.encodings:
                raise SuiteError(f"Architectures of space {self.name!r} have no features.")
            raise SuiteError(
                choose_from(f"encoding of space {self.name!r}", encoding, list(self.encodings))
            )
        return self.encode(architectures, encoding)

    def graph(self, architecture: Architecture) -> OperationGraph:
        """The architecture as a graph of operations; by default a chain of its decisions.

        Raises:
            SuiteError: the space says nothing of graphs and has no independent choices.
        """
        from nasbench_suite.spaces.graphs import chain

        if not self.choices:
            raise SuiteError(
                f"Architectures of space {self.name!r} are no graphs that are known: choose what "
                f"learns from features."
            )
        return chain(
            [f"{place}: {option}" for place, option in enumerate(self.vector(architecture))]
        )

    # -- refusals --------------------------------------------------------------------------------

    def refuse(self, architecture: object) -> NoReturn:
        """Say that something is no architecture of this space."""
        forms = f"its string or its {len(self.choices)} choices" if self.choices else "its string"
        raise SuiteError(
            f"{architecture!r} is no architecture of space {self.name!r}: give {forms}."
        )

    def blame_parse(self, string: str, value: object) -> NoReturn:
        """Say that ``parse`` returned what is no architecture of this space."""
        raise SuiteError(
            f"The function parse of space {self.name!r} makes {value!r} of {string!r}, which is no "
            f"architecture of that space: correct {type(self).__qualname__}.parse."
        )

    def refuse_vectors(self) -> NoReturn:
        """Say that architectures of this space are no vectors."""
        raise SuiteError(
            f"Architectures of space {self.name!r} are no vectors of independent choices."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()  # what was cached stays behind

    def __repr__(self) -> str:
        size = self.size
        count = "unknown number of" if size is None else f"{size:,}"
        return f"<{type(self).__name__} {self.name!r}: {count} architectures>"

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


class ProductSpace(SearchSpace):
    """All vectors of categorical choices, too many to list.

    The space's own value is the vector, a tuple of ``len(choices)`` integers, entry ``i`` from 0
    to ``choices[i] - 1``. A subclass names its ``choices`` and implements ``format`` and
    ``parse``, which take and return that vector.
    """

    @property
    def size(self) -> int:
        """Number of vectors."""
        return math.prod(self.choices)

    def check(self, value: Any) -> tuple[int, ...]:
        """See ``SearchSpace.check``; takes any sequence of whole numbers."""
        vector = as_vector(value, self.choices)
        if vector is None:
            self.refuse(value)
        return vector

    def vector(self, architecture: Architecture) -> tuple[int, ...]:
        """See ``SearchSpace.vector``."""
        vector: tuple[int, ...] = self.read(architecture)
        return vector

    def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
        """A vector drawn uniformly."""
        drawn = rng.random(len(self.choices)) * self._options
        return tuple(drawn.astype(np.int64).tolist())

    @cached_property
    def _options(self) -> NDArray[np.float64]:
        return np.array(self.choices, dtype=np.float64)

    def mutate(self, architecture: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        """A neighbour: one decision drawn uniformly, then another of its options."""
        drawn = rng.random() * len(self.choices)
        decision = int(drawn)
        options = self.choices[decision]
        step = 1 + int((drawn - decision) * (options - 1))
        option = (architecture[decision] + step) % options
        return (*architecture[:decision], option, *architecture[decision + 1 :])

    def neighbours(self, architecture: Architecture) -> list[tuple[int, ...]]:
        """The vectors that differ in exactly one choice.

        They go decision by decision, alternatives in cyclic order after the present option.
        """
        vector = self.vector(architecture)
        return [
            (*vector[:position], (vector[position] + step) % options, *vector[position + 1 :])
            for position, options in enumerate(self.choices)
            for step in range(1, options)
        ]


def as_vector(value: object, choices: Sequence[int]) -> tuple[int, ...] | None:
    """``value`` as a tuple of whole numbers, one of each decision's options; None if it is none."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.ndim == 1 else None
    if not isinstance(value, Sequence) or len(value) != len(choices):
        return None
    for option, options in zip(value, choices, strict=True):
        # A look at the type takes a tenth of the time of asking what it is an instance of.
        if type(option) is not int and (
            not isinstance(option, numbers.Integral) or isinstance(option, bool)
        ):
            return None
        if not 0 <= int(option) < options:
            return None
    return tuple([int(option) for option in value])


def encode_one_hot(vectors: NDArray[np.integer], choices: Sequence[int]) -> NDArray[np.float64]:
    """One feature for each option of each decision, shape (n, sum(choices))."""
    columns = [
        vectors[:, [position]] == np.arange(options) for position, options in enumerate(choices)
    ]
    return np.concatenate(columns, axis=1).astype(np.float64)


def to_array(values: ArrayLike) -> NDArray[Any] | None:
    """``values`` as an array, or None where they are nested lists of unequal lengths."""
    try:
        return np.asarray(values)
    except ValueError:
        return None
