"""The space of all cells of one kind, and what its cells have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasbench_suite.spaces.base import Architecture
from nasbench_suite.spaces.cells import NONE, Cell
from nasbench_suite.spaces.finite import FiniteProductSpace
from nasbench_suite.spaces.graphs import OperationGraph, line_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CellSpace(FiniteProductSpace):
    """All cells of one kind, with any candidate on any edge.

    A vector holds the operation on each edge, by its position among the edge's candidates.

    Attributes:
        cell: its nodes, edges and candidates.
    """

    cell: ClassVar[Cell]

    def labels(self, architecture: Architecture) -> list[str]:
        """The operation on each edge."""
        vector = self.vector(architecture)
        return [names[one] for names, one in zip(self.cell.candidates, vector, strict=True)]

    def graph(self, architecture: Architecture) -> OperationGraph:
        """The line graph of what lives in the cell."""
        return line_graph(self.cell, self.labels(architecture))

    def dot(self, architecture: Architecture) -> str:
        """The cell as a Graphviz DOT graph, operations on the edges, ``none`` left out."""
        from nasbench_suite.spaces.drawing import dot_cell

        return dot_cell(self.cell.node_labels(), self._drawn(architecture))

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """Draw the cell: nodes on a line, an arc an edge; dead edges are dashed."""
        from nasbench_suite.spaces.drawing import draw_cell

        return draw_cell(self.cell.node_labels(), self._drawn(architecture), ax)

    def _drawn(self, architecture: Architecture) -> list[tuple[int, int, str, bool]]:
        """The edges of a picture: source, target, operation, and whether it can matter."""
        labels = self.labels(architecture)
        edges = zip(self.cell.edges, labels, self.cell.live(labels), strict=True)
        return [(*edge, label, alive) for edge, label, alive in edges if label != NONE]
