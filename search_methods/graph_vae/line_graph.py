"""Cells with operations on nodes: how arch2vec and D-VAE see NAS-Bench-201.

Every edge of the cell becomes a vertex whose type is its operation, between a vertex for the
input and one for the output. Skips and zeros being types like others, all cells have one and the
same adjacency; a decoder that emits another has not decoded a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nasbench_suite.errors import SuiteError
from search_methods.graph_vae.grammar import CellGrammar


@dataclass(frozen=True)
class LineGraph:
    """The vertices and edges of a grammar's cells.

    Attributes:
        num_vertices: one an edge of the cell, and two more.
        num_types: operations, then the types of the input and of the output.
        adjacency: 1 where an edge goes from row to column, shape (vertices, vertices).
    """

    num_vertices: int
    num_types: int
    adjacency: Tensor

    @property
    def input_type(self) -> int:
        """Type of the first vertex."""
        return self.num_types - 2

    @property
    def output_type(self) -> int:
        """Type of the last vertex."""
        return self.num_types - 1

    def types(self, cells: Tensor) -> Tensor:
        """Types of all vertices, shape (n, vertices), of cells of shape (n, edges)."""
        first = torch.full_like(cells[:, :1], self.input_type)
        return torch.cat([first, cells, torch.full_like(first, self.output_type)], dim=1)

    def cells(self, types: Tensor, adjacency: Tensor | None = None) -> Tensor:
        """The cells of graphs, rows of -1 where one is none.

        Args:
            types: shape (n, vertices).
            adjacency: shape (n, vertices, vertices); not looked at if it is left out.
        """
        inner = types[:, 1:-1]
        valid = (types[:, 0] == self.input_type) & (types[:, -1] == self.output_type)
        valid &= (inner < self.input_type).all(dim=1)
        if adjacency is not None:
            valid &= (adjacency == self.adjacency).all(dim=2).all(dim=1)
        return torch.where(valid[:, None], inner, -1)


def make_line_graph(grammar: CellGrammar) -> LineGraph:
    """The line graph of a grammar.

    Raises:
        SuiteError: cells of this kind differ in their wiring.
    """
    if grammar.cell.kept is not None or grammar.cell.inputs != 1:
        raise SuiteError(
            f"Cells of kind {grammar.name!r} differ in their wiring, and the baselines here are "
            f"for one wiring alone: choose the graph VAE or the sequence VAE."
        )
    edges = grammar.cell.edges
    adjacency = torch.zeros(len(edges) + 2, len(edges) + 2)
    for vertex, (source, target) in enumerate(edges, start=1):
        if source == 0:
            adjacency[0, vertex] = 1
        if target == grammar.cell.nodes - 1:
            adjacency[vertex, -1] = 1
        for other, (begin, _) in enumerate(edges, start=1):
            if begin == target:
                adjacency[vertex, other] = 1
    return LineGraph(len(edges) + 2, len(grammar.cell.operations) + 2, adjacency)
