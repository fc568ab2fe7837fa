"""What a cell is, for a generative model: labelled edges in topological order, as tokens.

A cell is a vector with one label an edge of a DAG. Written as tokens it is the labels of the
edges into the first node, ``NEXT``, those into the second, ``NEXT``, ... and ``END``. A decoder
that emits tokens freely can thus go wrong, which is what validity is about; ``allowed`` is the
mask under which it cannot.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces import FiniteSpace, topology
from nasbench_suite.spaces.cells import Cell
from nasbench_suite.spaces.darts import DartsSpace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FINGERPRINT_SEED = 201


@dataclass(frozen=True)
class CellGrammar:
    """The sentences of one kind of cell.

    Attributes:
        name: of the kind.
        cell: its nodes, edges and operations; equally many operations may stand on every edge,
            the first of which means that nothing flows.
    """

    name: str
    cell: Cell

    # -- tokens ----------------------------------------------------------------------------------

    @property
    def next_token(self) -> int:
        """Closes a node that is not the last."""
        return len(self.cell.operations)

    @property
    def end_token(self) -> int:
        """Closes the last node, and the cell."""
        return len(self.cell.operations) + 1

    @property
    def num_tokens(self) -> int:
        """Number of different tokens."""
        return len(self.cell.operations) + 2

    @cached_property
    def layout(self) -> tuple[int, ...]:
        """For each position of a sentence: its edge, or -1 where a node is closed."""
        layout: list[int] = []
        for target in range(self.cell.inputs, self.cell.nodes):
            layout += self.cell.into(target)
            layout.append(-1)
        return tuple(layout)

    def to_tokens(self, cells: NDArray[np.integer]) -> Ints:
        """Sentences of cells, shape (n, len(layout))."""
        tokens = np.full((len(cells), len(self.layout)), self.next_token, dtype=np.int64)
        for position, edge in enumerate(self.layout):
            if edge >= 0:
                tokens[:, position] = cells[:, edge]
        tokens[:, -1] = self.end_token
        return tokens

    def from_tokens(self, tokens: NDArray[np.integer]) -> Ints:
        """The cells that sentences say, shape (n, edges); rows of -1 where one is no cell."""
        tokens = np.asarray(tokens, dtype=np.int64)
        places = [position for position, edge in enumerate(self.layout) if edge >= 0]
        cells = tokens[:, places]
        closings = [position for position, edge in enumerate(self.layout) if edge < 0]
        wanted = np.array([self.next_token] * (len(closings) - 1) + [self.end_token])
        valid = (cells < len(self.cell.operations)).all(axis=1)
        valid &= (tokens[:, closings] == wanted).all(axis=1)
        if self.cell.kept is not None:
            for target in range(self.cell.inputs, self.cell.nodes):
                into = self.cell.into(target)
                valid &= (cells[:, into] > 0).sum(axis=1) == self.cell.kept
        return np.where(valid[:, None], cells, -1)

    def allowed(self, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which tokens may come next, after sentences begun with ``tokens``.

        Args:
            tokens: the beginnings, each of them valid, shape (n, length so far).

        Returns:
            Shape (n, num_tokens).
        """
        count, position = tokens.shape
        mask = np.zeros((count, self.num_tokens), dtype=bool)
        edge = self.layout[position]
        if edge < 0:
            last = position == len(self.layout) - 1
            mask[:, self.end_token if last else self.next_token] = True
            return mask
        mask[:, : len(self.cell.operations)] = True
        if self.cell.kept is not None:
            target = self.cell.edges[edge][1]
            into = [
                p for p, e in enumerate(self.layout) if e >= 0 and self.cell.edges[e][1] == target
            ]
            before = [p for p in into if p < position]
            used = (tokens[:, before] > 0).sum(axis=1)
            left_after = len(into) - len(before) - 1
            mask[:, 0] = used + left_after >= self.cell.kept
            mask[:, 1 : len(self.cell.operations)] = (used < self.cell.kept)[:, None]
        return mask

    # -- cells -----------------------------------------------------------------------------------

    @property
    def choices(self) -> tuple[int, ...]:
        """Number of labels of each edge, as a ``FiniteSpace`` says it."""
        return (len(self.cell.operations),) * len(self.cell.edges)

    def sample(self, count: int, rng: np.random.Generator) -> Ints:
        """Cells drawn uniformly, shape (count, edges)."""
        if self.cell.kept is None:
            return rng.integers(len(self.cell.operations), size=(count, len(self.cell.edges)))
        cells = np.zeros((count, len(self.cell.edges)), dtype=np.int64)
        for target in range(self.cell.inputs, self.cell.nodes):
            into = self.cell.into(target)
            keys = rng.random((count, len(into)))
            chosen = keys.argsort(axis=1)[:, : self.cell.kept]
            labels = rng.integers(1, len(self.cell.operations), size=chosen.shape)
            np.put_along_axis(cells[:, into[0] : into[-1] + 1], chosen, labels, axis=1)
        return cells

    def vector(self, cell: Any) -> tuple[int, ...]:
        """The labels of a cell, checked; see ``nasbench_suite.analysis.generative.CellSpace``."""
        vector = tuple(int(label) for label in cell)
        row = np.array([vector])
        valid = row.shape == (1, len(self.cell.edges)) and (row >= 0).all()
        if not valid or (self.from_tokens(self.to_tokens(row)) < 0).any():
            raise SuiteError(f"{vector} is no cell of kind {self.name!r}.")
        return vector

    def canonical(self, cell: Any) -> Hashable:
        """A key that is equal for cells whose expressions are equal up to the order of sums.

        It joins some of NAS-Bench-201's classes, whose keys keep the zeros of a sum: use the
        ``FiniteSpace`` for its 6,466.
        """
        terms: list[tuple[Any, ...]] = [(("input", node),) for node in range(self.cell.inputs)]
        for target in range(self.cell.inputs, self.cell.nodes):
            found: list[Any] = []
            for edge, (source, node) in enumerate(self.cell.edges):
                if node == target and cell[edge] and terms[source]:
                    if self.cell.operations[cell[edge]] == "skip_connect":
                        found += terms[source]
                    else:
                        found.append((terms[source], int(cell[edge])))
            terms.append(tuple(sorted(found, key=repr)))
        return tuple(terms[node] for node in self.cell.outputs)

    def fingerprint(self, cells: ArrayLike, size: int = 32) -> Floats:
        """What the cell would put out if each operation were a fixed random rotation.

        Nothing flows through the first operation, ``skip_connect`` is the identity, a node is
        the sum of what comes in, as in the cell itself. Cells that compute the same function
        have the same fingerprint. Being a sum over the paths through the cell, it says how many
        paths there are of each kind, and no more: rotations being linear, it does not tell
        ``c(a + b)`` from ``c(a) + c(b)``. Our derivation.

        Args:
            cells: shape (n, edges).
            size: dimensions of the rotations.

        Returns:
            Shape (n, size * len(outputs)).
        """
        labels = np.asarray(cells)
        rng = np.random.default_rng(_FINGERPRINT_SEED)
        maps = np.stack(
            [np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in self.cell.operations]
        )
        maps[0] = 0.0
        if "skip_connect" in self.cell.operations:
            maps[self.cell.operations.index("skip_connect")] = np.eye(size)
        inputs = rng.standard_normal((self.cell.inputs, size))
        inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
        values = [np.broadcast_to(value, (len(labels), size)) for value in inputs]
        for target in range(self.cell.inputs, self.cell.nodes):
            total = np.zeros((len(labels), size))
            for edge, (source, node) in enumerate(self.cell.edges):
                if node == target:
                    for label in range(1, len(self.cell.operations)):
                        rows = labels[:, edge] == label
                        total[rows] += values[source][rows] @ maps[label]
            values.append(total)
        return np.concatenate([values[node] for node in self.cell.outputs], axis=1)

    def live_counts(self, cells: ArrayLike) -> Floats:
        """How many edges of each operation lie on a path from an input to an output.

        Args:
            cells: shape (n, edges).

        Returns:
            Shape (n, operations - 1): the first operation lies on no path.
        """
        labels = np.asarray(cells)
        reached = np.zeros((len(labels), self.cell.nodes), dtype=bool)
        needed = np.zeros_like(reached)
        reached[:, : self.cell.inputs] = True
        needed[:, list(self.cell.outputs)] = True
        for edge, (source, target) in enumerate(self.cell.edges):
            reached[:, target] |= (labels[:, edge] > 0) & reached[:, source]
        for edge, (source, target) in reversed(list(enumerate(self.cell.edges))):
            needed[:, source] |= (labels[:, edge] > 0) & needed[:, target]
        sources, targets = np.array(self.cell.edges).T
        live = reached[:, sources] & needed[:, targets]
        counts = [
            (live & (labels == label)).sum(axis=1) for label in range(1, len(self.cell.operations))
        ]
        return np.stack(counts, axis=1).astype(np.float64)


TOPOLOGY = CellGrammar("nats-tss", topology.CELL)

# One vector is one cell, normal or reduction: both have the same candidates in DARTS's space.
DARTS = CellGrammar("darts-cell", DartsSpace.cells[0])

GRAMMARS = {grammar.name: grammar for grammar in (TOPOLOGY, DARTS)}


def find_grammar(space: FiniteSpace | str) -> CellGrammar:
    """The grammar of a space's cells.

    Raises:
        SuiteError: the space has no cells that a graph VAE could encode.
    """
    name = space if isinstance(space, str) else space.name
    if name not in GRAMMARS:
        raise SuiteError(choose_from("cell space", name, list(GRAMMARS)))
    return GRAMMARS[name]


def genotype_to_cell(genotype: Sequence[tuple[str, int]], grammar: CellGrammar = DARTS) -> Ints:
    """The vector of one DARTS cell, written as (operation, source) pairs, two a node.

    Raises:
        SuiteError: an unknown operation, a source that does not come before, or one source twice.
    """
    vector = np.zeros(len(grammar.cell.edges), dtype=np.int64)
    for position, (operation, source) in enumerate(genotype):
        edge = (source, grammar.cell.inputs + position // 2)
        if operation not in grammar.cell.operations[1:] or edge not in grammar.cell.edges:
            raise SuiteError(
                f"{(operation, source)} is no input of node {edge[1]} of a DARTS cell."
            )
        vector[grammar.cell.edges.index(edge)] = grammar.cell.operations.index(operation)
    grammar.vector(vector)
    return vector
