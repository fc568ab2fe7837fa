"""The topology space of NAS-Bench-201 and NATS-Bench: cells of 4 nodes, 6 edges, 5 operations.

Sources: Dong and Yang, *NAS-Bench-201*, ICLR 2020; Dong, Liu, Musial and Gabrys,
*NATS-Bench*, TPAMI 2021 (the topology search space).
"""

from __future__ import annotations

import random
import re
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture, encode_one_hot
from nasbench_suite.spaces.cell_space import CellSpace
from nasbench_suite.spaces.cells import Cell

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NUM_NODES = 4
CELL = Cell(1, NUM_NODES, (OPERATIONS,) * (NUM_NODES * (NUM_NODES - 1) // 2))
EDGES = CELL.edges  # in the order of the string: by target node, then by source node

_NONE, _SKIP = OPERATIONS.index("none"), OPERATIONS.index("skip_connect")
_INPUT, _ZERO = "0", "#"  # in canonical keys, as the authors write them
# The authors enumerate all cells in lexicographic order and shuffle them with this seed.
_PUBLISHED_SHUFFLE_SEED = 88
_TEMPLATE = "+".join(
    "|" + "".join(f"%s~{source}|" for source in range(target)) for target in range(1, NUM_NODES)
)
_STRING = re.compile(re.escape(_TEMPLATE).replace("%s", r"([a-z0-9_]+)"))


class TopologySpace(CellSpace):
    """NATS-Bench's topology space: 15,625 cells, 6,466 computation graphs.

    A vector holds the operation (position in ``OPERATIONS``) of each edge in ``EDGES``.

    >>> space = TopologySpace()
    >>> space.string(0)
    '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'
    >>> space.canonical(0)
    '(0)@avg_pool_3x3+(0)@avg_pool_3x3+(0)@nor_conv_1x1+(0)@nor_conv_1x1'
    """

    name = "nats-tss"
    aliases = ("nasbench201", "nb201", "nats-bench-tss", "tss", "topology", "hw-nas-bench-201")
    cell = CELL
    choices = tuple(map(len, CELL.candidates))

    def format(self, vector: Sequence[int]) -> str:
        """NAS-Bench-201's string, such as ``|a~0|+|b~0|c~1|+|d~0|e~1|f~2|``."""
        return _TEMPLATE % tuple([OPERATIONS[operation] for operation in vector])

    def parse(self, string: str) -> tuple[int, ...]:
        """The operations written in ``string``; see ``SearchSpace.parse``."""
        match = _STRING.fullmatch(string) if isinstance(string, str) else None
        if match is None:
            raise SuiteError(
                f"Malformed cell {string!r}: write it as |op~0|+|op~0|op~1|+|op~0|op~1|op~2| "
                f"with op one of {', '.join(OPERATIONS)}."
            )
        for operation in match.groups():
            if operation not in OPERATIONS:
                raise SuiteError(
                    f"Unknown operation {operation!r} in cell {string!r}: "
                    f"choose from {', '.join(OPERATIONS)}."
                )
        return tuple(OPERATIONS.index(operation) for operation in match.groups())

    def published_order(self) -> NDArray[np.int64]:
        """The authors' order: all cells, shuffled with their seed."""
        ranks = list(range(self.size))
        random.Random(_PUBLISHED_SHUFFLE_SEED).shuffle(ranks)
        return np.array(ranks)

    def canonical_key(self, vector: tuple[int, ...]) -> Hashable:
        """NAS-Bench-201's unique string of the computation graph (its section 3).

        A node is the sorted sum of what reaches it: ``skip_connect`` passes its source on,
        ``none``, and anything read from a node that is ``#``, is zero (``#``), and the other
        operations are applied to their source. Zeros stay in the sum, as in the authors' code,
        so that the classes are exactly theirs: 6,466.
        """
        nodes: tuple[str, ...] = (_INPUT,)
        operations = iter(vector)
        for _ in range(1, NUM_NODES):
            nodes = (*nodes, _sum(_terms(source)[next(operations)] for source in nodes))
        return nodes[-1]

    def canonical_keys(self) -> list[Hashable]:
        """The same of all cells, in a fraction of the time."""
        # In lexicographic order the cells that agree on their first edges stand together and
        # share the nodes behind them: a tree whose last level has the cells.
        cells: list[tuple[str, ...]] = [(_INPUT,)]
        for _ in range(1, NUM_NODES):
            cells = [
                (*nodes, _sum(terms)) for nodes in cells for terms in product(*map(_terms, nodes))
            ]
        return [cells[rank][-1] for rank in self.rank_of_index.tolist()]

    def is_connected(self, architecture: Architecture) -> bool:
        """Whether any path leads from the cell's input to its output; in 341 cells none does."""
        return any(live_edges(self.vector(architecture)))

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """``is_connected`` of every cell, shape (15625,)."""
        reached = np.zeros((self.size, NUM_NODES), dtype=np.bool_)
        reached[:, 0] = True
        for (source, target), operations in zip(EDGES, self.all_vectors.T, strict=True):
            reached[:, target] |= reached[:, source] & (operations != _NONE)
        found = reached[:, -1].copy()
        found.setflags(write=False)
        return found

    @property
    def encodings(self) -> tuple[str, ...]:
        """All three; see ``SearchSpace.features``."""
        return ("one-hot", "path", "adjacency")

    def encode(
        self, architectures: Sequence[int] | NDArray[np.integer], encoding: str
    ) -> NDArray[np.float64]:
        """See ``SearchSpace.features``; paths as in ``encode_paths``.

        The adjacency encoding has a feature for each edge, whether there is one, and then for
        each edge one for every operation but ``none``.
        """
        vectors = self.vectors(architectures)
        if encoding == "path":
            return encode_paths(vectors)
        one_hot = encode_one_hot(vectors, self.choices)
        if encoding == "one-hot":
            return one_hot
        operations = np.delete(one_hot, range(_NONE, one_hot.shape[1], len(OPERATIONS)), axis=1)
        return np.concatenate([vectors != _NONE, operations], axis=1)


def _terms(source: str) -> list[str]:
    """What each operation makes of the node ``source``, in the order of ``OPERATIONS``."""
    if source == _ZERO:
        return [_ZERO] * len(OPERATIONS)
    special = {_NONE: _ZERO, _SKIP: source}
    return [special.get(i, f"({source})@{name}") for i, name in enumerate(OPERATIONS)]


def _sum(terms: Iterable[str]) -> str:
    return "+".join(sorted(terms))


def live_edges(vector: Sequence[int]) -> list[int]:
    """The operations of a cell with every edge that cannot matter set to ``none``.

    An edge matters if it lies on a path from the cell's input to its output. A cell without
    any such path becomes all ``none``.
    """
    alive = CELL.live([OPERATIONS[operation] for operation in vector])
    return [operation if lives else _NONE for operation, lives in zip(vector, alive, strict=True)]


def encode_paths(
    vectors: NDArray[np.integer], longest_path: int = NUM_NODES - 1
) -> NDArray[np.float64]:
    """The path encoding of cells: which sequences of operations lead from input to output.

    Features stand by the length of the path, then in lexicographic order of its operations. As
    in the authors' code, ``none`` counts as an operation, and two ways through a cell that have
    the same operations share a feature.

    Args:
        vectors: cells of the topology space, shape (n, 6).
        longest_path: number of edges of the longest paths encoded.

    Returns:
        Zeros and ones, shape (n, 5 + 5**2 + ...), up to the power ``longest_path``.
    """
    lengths = range(1, longest_path + 1)
    sizes = [len(OPERATIONS) ** length for length in lengths]
    encoded = np.zeros((len(vectors), sum(sizes)))
    for path in _paths_to_output(0):
        if len(path) <= longest_path:
            operations = tuple(vectors[:, path].astype(np.int64).T)
            shape = (len(OPERATIONS),) * len(path)
            columns = sum(sizes[: len(path) - 1]) + np.ravel_multi_index(operations, shape)
            encoded[np.arange(len(vectors)), columns] = 1.0
    return encoded


def _paths_to_output(node: int) -> list[list[int]]:
    """The paths from a node of a cell to its output, as lists of positions in ``EDGES``."""
    if node == NUM_NODES - 1:
        return [[]]
    return [
        [edge, *rest]
        for edge, (source, target) in enumerate(EDGES)
        if source == node
        for rest in _paths_to_output(target)
    ]
