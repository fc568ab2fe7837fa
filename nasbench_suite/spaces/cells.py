"""What a cell is: nodes, the edges between them, and what may stand on each edge.

One description from which all else follows: the search space of its architectures, the layout of
its supernet, the grammar of its graph VAE, the network that is trained, and its picture. NAS-Bench-
201's cell is ``topology.CELL``, the pairs of DARTS's and of its subspaces are in ``darts``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

NONE = "none"
"""The candidate through which nothing flows."""


@dataclass(frozen=True)
class Cell:
    """Which nodes and edges a kind of cell has, and which operations may stand on each edge.

    Attributes:
        inputs: nodes that are given from outside; they come first.
        nodes: all nodes, the inputs among them; every node may read all earlier ones, save that
            inputs read nothing.
        candidates: for every edge the names of its candidate operations, equally many on all.
            Edges are in order of target, then source, as in NAS-Bench-201's strings and DARTS's
            genotypes.
        kept: how many edges into a node an architecture has, each with an operation other than
            ``none``; None for all, of which ``none`` may be the operation.
        joined: whether the cell puts out all nodes behind the inputs, joined by channel, and not
            the last one alone.
    """

    inputs: int
    nodes: int
    candidates: tuple[tuple[str, ...], ...]
    kept: int | None = None
    joined: bool = False

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Source and target of every edge."""
        return tuple((s, t) for t in range(self.inputs, self.nodes) for s in range(t))

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the architecture parameters of a supernet: edges, candidates."""
        return len(self.candidates), len(self.candidates[0])

    @property
    def outputs(self) -> tuple[int, ...]:
        """Nodes whose values the cell puts out."""
        return tuple(range(self.inputs, self.nodes)) if self.joined else (self.nodes - 1,)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """All that may be written on an edge: ``none``, then the other candidates of all edges."""
        names = dict.fromkeys(name for names in self.candidates for name in names)
        names.pop(NONE, None)
        return (NONE, *names)

    @cached_property
    def derivable(self) -> tuple[tuple[str, ...], ...]:
        """For every edge the candidates that an architecture may have there."""
        if self.kept is None:
            return self.candidates
        return tuple(tuple(n for n in names if n != NONE) for names in self.candidates)

    def into(self, node: int) -> tuple[int, ...]:
        """The edges that end in a node, by source."""
        return tuple(edge for edge, (_, target) in enumerate(self.edges) if target == node)

    def live(self, labels: Sequence[str | None], given: Sequence[int] | None = None) -> list[bool]:
        """Which edges lie on a path from an input to an output.

        Args:
            labels: what stands on each edge; None for nothing.
            given: the inputs that count, by default all.
        """
        flows = [label not in (None, NONE, "noise") for label in labels]
        reached = set(range(self.inputs) if given is None else given)
        needed = set(self.outputs)
        edges = list(zip(self.edges, flows, strict=True))
        for (source, target), flow in edges:
            if flow and source in reached:
                reached.add(target)
        for (source, target), flow in reversed(edges):
            if flow and target in needed:
                needed.add(source)
        return [flow and s in reached and t in needed for (s, t), flow in edges]

    def node_labels(self) -> list[str]:
        """What nodes are called in a picture."""
        inner = [str(node) for node in range(self.inputs, self.nodes)]
        if self.inputs == 1:
            return ["in", *inner[:-1], "out"]
        return [f"in {node}" for node in range(self.inputs)] + inner


TwoEdges = tuple[str, int, str, int]
"""The two edges of a node: a letter for the operation, and the source counted from 1, of each."""


def canonical_graph(inputs: int, nodes: Sequence[TwoEdges]) -> Hashable:
    """A key that is equal for cells whose nodes behind the inputs differ in their order alone.

    A node's expression says its operations and the expressions of what they read, whichever comes
    first. Where all expressions differ they name the nodes, and the expressions are the graph.
    Nodes of the same expression still are several, with weights of their own, and where they are
    read more than once it matters which of them is read: there the smallest of all orders of the
    nodes is the key.

    Args:
        inputs: number of inputs.
        nodes: for every node behind the inputs its two edges. Source 0 is none: the operation
            does not depend on what it reads.
    """
    known = _GIVEN[: inputs + 1]
    for first, one, second, other in nodes:
        left, right = first + known[one], second + known[other]
        known.append(f"({left}{right})" if left < right else f"({right}{left})")
    expressions = sorted(known[inputs + 1 :])
    if len(set(expressions)) < len(expressions):
        repeated = {text for text in expressions if expressions.count(text) > 1}
        sources = [source for _, one, _, other in nodes for source in (one, other)]
        if sum(known[source] in repeated for source in sources) > 1:
            return _smallest_order(inputs, nodes)
    return "".join(expressions)


_GIVEN = ["", *"0123456789"]  # expressions of nothing and of the inputs


def _smallest_order(inputs: int, nodes: Sequence[TwoEdges]) -> Hashable:
    orders = []
    for order in permutations(range(len(nodes))):
        place = {old + inputs + 1: new + inputs + 1 for new, old in enumerate(order)}
        moved = []
        for first, one, second, other in (nodes[old] for old in order):
            edges = (first, place.get(one, one)), (second, place.get(other, other))
            moved.append(tuple(sorted(edges)))
        if all(source <= inputs + new for new, two in enumerate(moved) for _, source in two):
            orders.append(tuple(moved))
    return min(orders)
