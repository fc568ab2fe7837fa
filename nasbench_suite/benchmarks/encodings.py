"""How other people number architectures, and write them as integers.

Strings mean the same everywhere; numbers do not. ``--encoding`` takes the names that stand here,
and what is not said is held against the figures (``plausibility``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces import FiniteSpace, PoolSpace
from nasbench_suite.spaces.topology import EDGES, OPERATIONS

Integers = NDArray[np.int64]
OWN = "own"


@dataclass(frozen=True)
class Encoding:
    """One way to write an architecture in integers.

    Attributes:
        name: as ``--encoding`` takes it.
        summary: what it is, so that a reader knows it again.
        decode: from the space and what is written to indices of the space: numbers of shape (n,)
            or vectors of shape (n, decisions). A vector that is none in it becomes -1.
    """

    name: str
    summary: str
    decode: Callable[[FiniteSpace, Integers], Integers]


def vector_encodings(space: FiniteSpace) -> list[Encoding]:
    """How vectors of a space are known to be written, our own way first."""
    own = Encoding(OWN, "each decision's option as the space counts it", _decode_vectors)
    return [own, *_CELLS] if space.name == "nats-tss" else [own]


def numberings(space: FiniteSpace) -> list[Encoding]:
    """How the architectures of a space are known to be numbered, the publisher's way first."""
    own = Encoding(OWN, "the publisher's index", lambda _, numbers: numbers)
    if isinstance(space, PoolSpace):
        return [own]  # its order is that of the table it was read from
    return [own, *(_BY_VECTORS if space.choices else ()), *_ORDERS]


def exchanges(space: FiniteSpace) -> list[tuple[Encoding, Integers]]:
    """What can have been done to figures that stand beside other architectures than their own.

    Returns:
        Each encoding with the architecture, for every index, that its figure then belongs to:
        int64 of shape (size,). Written in that encoding and read as ours, and the other way round;
        of those that come to the same the first.
    """
    own = np.arange(space.size)
    readings = [(one, one.decode(space, own)) for one in numberings(space)[1:]]
    if not isinstance(space, PoolSpace) and space.choices:
        vectors = space.all_vectors.astype(np.int64)
        readings += [(one, one.decode(space, vectors)) for one in vector_encodings(space)[1:]]
    seen = {own.tobytes()}
    found = []
    for encoding, meant in readings:
        for belongs in (meant, np.argsort(meant)):
            if belongs.tobytes() not in seen:
                seen.add(belongs.tobytes())
                found.append((encoding, belongs))
    return found


def find_encoding(space: FiniteSpace, name: str, *, vectors: bool) -> Encoding:
    """The encoding of that name.

    Raises:
        SuiteError: there is none for this space.
    """
    known = vector_encodings(space) if vectors else numberings(space)
    for encoding in known:
        if encoding.name == name:
            return encoding
    what = "vectors" if vectors else "numbers"
    raise SuiteError(
        choose_from(f"encoding of {what} of space {space.name!r}", name, [e.name for e in known])
    )


def check_encoding(space: FiniteSpace, name: str) -> None:
    """Check that a space knows an encoding of that name, of vectors or of numbers.

    Raises:
        SuiteError: there is none.
    """
    known = dict.fromkeys(one.name for one in (*vector_encodings(space), *numberings(space)))
    if name not in known:
        raise SuiteError(choose_from(f"encoding of space {space.name!r}", name, list(known)))


def _decode_vectors(space: FiniteSpace, vectors: Integers) -> Integers:
    choices = np.array(getattr(space, "choices", ()))
    if vectors.shape[1:] != choices.shape:
        return np.full(len(vectors), -1)
    inside = np.all((vectors >= 0) & (vectors < choices), axis=1)
    found = np.full(len(vectors), -1, dtype=np.int64)
    if inside.any():
        found[inside] = space.indices(vectors[inside])
    return found


# -- cells of NAS-Bench-201 ------------------------------------------------------------------------


def _cells(operations: tuple[str, ...], edges: tuple[tuple[int, int], ...]) -> Any:
    """Decodes vectors of a cell that lists its operations and edges in another order."""
    own = np.array([OPERATIONS.index(operation) for operation in operations])
    places = [edges.index(edge) for edge in EDGES]

    def decode(space: FiniteSpace, vectors: Integers) -> Integers:
        if vectors.shape[1:] != (len(EDGES),):
            return np.full(len(vectors), -1)
        inside = np.all((vectors >= 0) & (vectors < len(own)), axis=1)
        ours = own[np.where(inside[:, None], vectors, 0)][:, places]
        return np.where(inside, space.indices(ours), -1)

    return decode


_BY_SOURCE = tuple(sorted(EDGES))
# NASLib: naslib/search_spaces/nasbench201/conversions.py, OP_NAMES_NB201 and EDGE_LIST.
_NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
# Naszilla's Cell201, which lists the operations by the alphabet but for ``none``.
_NASZILLA = ("avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "none", "skip_connect")
_CELLS = (
    Encoding(
        "naslib",
        "NASLib's: operations skip, none, 3x3, 1x1, pool; edges 01 02 03 12 13 23",
        _cells(_NASLIB, _BY_SOURCE),
    ),
    Encoding(
        "naslib-edges",
        "operations as NAS-Bench-201 counts them, edges 01 02 03 12 13 23",
        _cells(OPERATIONS, _BY_SOURCE),
    ),
    Encoding(
        "naslib-operations",
        "NASLib's operations skip, none, 3x3, 1x1, pool; edges 01 02 12 03 13 23",
        _cells(_NASLIB, EDGES),
    ),
    Encoding(
        "naszilla",
        "Naszilla's: operations pool, 1x1, 3x3, none, skip; edges 01 02 12 03 13 23",
        _cells(_NASZILLA, EDGES),
    ),
    Encoding(
        "alphabetical",
        "operations by the alphabet: pool, none, 1x1, 3x3, skip; edges 01 02 12 03 13 23",
        _cells(tuple(sorted(OPERATIONS)), EDGES),
    ),
    Encoding(
        "reversed",
        "operations as NAS-Bench-201 counts them, its edges from the last: 23 13 03 12 02 01",
        _cells(OPERATIONS, EDGES[::-1]),
    ),
)


# -- orders of rows --------------------------------------------------------------------------------


def _order(listed: Callable[[FiniteSpace], Integers]) -> Any:
    """Decodes numbers by the indices in the order in which somebody lists the architectures."""

    def decode(space: FiniteSpace, numbers: Integers) -> Integers:
        return listed(space)[numbers]

    return decode


def _by_text(space: FiniteSpace) -> Integers:
    return np.array(sorted(range(space.size), key=str))


def _naslib_product(space: FiniteSpace) -> Integers:
    """As ``itertools.product`` lists NASLib's vectors."""
    if space.name != "nats-tss":
        return np.arange(space.size)
    digits = np.indices((len(_NASLIB),) * len(EDGES)).reshape(len(EDGES), -1).T
    return np.asarray(_CELLS[0].decode(space, digits))


def _by_processes(count: int) -> Encoding:
    """The order of what several processes wrote, each every so-many-th row, put together."""

    def listed(space: FiniteSpace) -> Integers:
        return np.concatenate([np.arange(first, space.size, count) for first in range(count)])

    return Encoding(f"every-{count}", f"every {count}th row first, then the next", _order(listed))


_BY_VECTORS = (
    Encoding(
        "lexicographic",
        "as itertools.product lists the vectors",
        _order(lambda space: np.lexsort(space.all_vectors.T[::-1])),
    ),
    Encoding(
        "lexicographic-reversed",
        "as itertools.product lists them with the first decision varying fastest",
        _order(lambda space: np.lexsort(space.all_vectors.T)),
    ),
    Encoding("lexicographic-naslib", "NASLib's vectors in their order", _order(_naslib_product)),
)
_ORDERS = (
    Encoding(
        "alphabetical",
        "sorted by their strings",
        _order(lambda space: np.argsort(np.array(space.all_strings), kind="stable")),
    ),
    Encoding("sorted-as-text", "sorted by their index as text: 0, 1, 10, 100", _order(_by_text)),
    Encoding("from-the-last", "the last first", _order(lambda space: np.arange(space.size)[::-1])),
    Encoding(
        "one-late",
        "one row late, the last first",
        _order(lambda space: np.roll(np.arange(space.size), 1)),
    ),
    Encoding(
        "one-early",
        "one row early, the first last",
        _order(lambda space: np.roll(np.arange(space.size), -1)),
    ),
    *map(_by_processes, (2, 4, 8)),
)
