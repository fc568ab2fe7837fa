"""Architectures as directed graphs with an operation at each vertex.

Where a space puts operations on edges, each operation becomes a vertex (the line graph); zeros and
what no path from input to output passes are left out, since they compute nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasbench_suite.spaces.cells import Cell

INPUT, OUTPUT = "input", "output"


@dataclass(frozen=True)
class OperationGraph:
    """A directed graph with labelled vertices.

    Attributes:
        labels: what stands at each vertex.
        edges: source and target of every edge.
    """

    labels: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def beside(self, other: OperationGraph) -> OperationGraph:
        """Both graphs as one, without an edge between them."""
        shift = len(self.labels)
        moved = tuple((source + shift, target + shift) for source, target in other.edges)
        return OperationGraph(self.labels + other.labels, self.edges + moved)


def line_graph(cell: Cell, operations: Sequence[str | None]) -> OperationGraph:
    """The graph of a cell whose operations stand on edges.

    Args:
        cell: its edges.
        operations: what stands on each edge; None for nothing.

    Returns:
        A vertex for each input, for each live operation in the order of the cell's edges, and for
        the output.
    """
    alive = [
        (edge, str(operation))
        for edge, operation, lives in zip(
            cell.edges, operations, cell.live(operations), strict=True
        )
        if lives
    ]
    inputs = [INPUT if cell.inputs == 1 else f"{INPUT} {n}" for n in range(cell.inputs)]
    labels = (*inputs, *(operation for _, operation in alive), OUTPUT)
    edges = []
    for vertex, ((source, target), _) in enumerate(alive, start=cell.inputs):
        if source < cell.inputs:
            edges.append((source, vertex))
        edges += [
            (vertex, reader)
            for reader, ((begin, _), _) in enumerate(alive, start=cell.inputs)
            if begin == target
        ]
        if target in cell.outputs:
            edges.append((vertex, len(labels) - 1))
    return OperationGraph(labels, tuple(edges))


def chain(labels: Sequence[str]) -> OperationGraph:
    """Vertices that follow one another."""
    return OperationGraph(tuple(labels), tuple((n, n + 1) for n in range(len(labels) - 1)))
