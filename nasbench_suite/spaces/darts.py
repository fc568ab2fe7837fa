"""The DARTS space and its subspaces S1 to S4: a normal and a reduction cell, two edges a node.

Sources: Liu, Simonyan and Yang, *DARTS*, ICLR 2019 (code: quark0/darts); Zela, Elsken, Saikia,
Marrakchi, Brox and Hutter, *Understanding and Robustifying DARTS*, ICLR 2020 (code:
automl/RobustDARTS, src/spaces.py).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Iterator, Sequence
from functools import cache, cached_property
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces.base import Architecture, ProductSpace
from nasbench_suite.spaces.cells import Cell, TwoEdges, canonical_graph
from nasbench_suite.spaces.graphs import OperationGraph, line_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INPUTS, STEPS, KEPT = 2, 4, 2
EDGES = STEPS * INPUTS + STEPS * (STEPS - 1) // 2
SKELETON = 8
"""Cells of the network that is searched."""

Genotype = tuple[tuple[tuple[str, int], ...], ...]
"""For the normal and the reduction cell: operation and source of every edge, two a node."""

_DARTS = (
    *("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)
_SHORT = {
    "skip": "skip_connect",
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "sep3": "sep_conv_3x3",
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
}
_S1_NORMAL = (
    "skip dil3, skip dil5, skip dil5, skip sep3, skip dil3, max skip, skip sep3, skip sep3, "
    "skip dil3, skip sep3, max skip, skip dil3, dil3 dil5, dil3 dil5"
)
_S1_REDUCE = (
    "max avg, max dil3, max avg, max avg, skip dil5, max avg, max sep3, skip dil3, skip dil5, "
    "max avg, max avg, skip dil5, skip dil5, skip dil5"
)
_GENOTYPE = re.compile(r"\s*(\w+\s*=\s*)?(?=(\w+\.)*Genotype\s*\(|\{)")
_CELLS = ("normal", "reduce")
_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
_LONGEST = (
    10_000  # characters; a genotype has some hundreds, a configuration of NAS-Bench-301 2,000
)
# NAS-Bench-301 (automl/nasbench301, configspace.json) names the edges of a cell by their number.
_CONFIGURED = re.compile(r"NetworkSelectorDatasetInfo:darts:edge_(normal|reduce)_(\d{1,2})")
# Its surrogates read configurations as ConfigSpace 0.4.12 makes arrays of them: hyper-parameters
# without a condition by name, then those with one; categories by number, numbers within their
# range, -1 where there is nothing. What is no part of an architecture is always the same (api.py).
CONFIGURED_EDGES = tuple(
    (
        10 + 2 * cell,
        11 + 2 * cell,
        *range(36 + 12 * cell, 44 + 12 * cell),
        *range(32 + 12 * cell, 36 + 12 * cell),
    )
    for cell in range(2)
)
"""Where the operation of every edge of both cells stands in the encoding ``nasbench301``."""
CONFIGURED_PAIRS = ((15, 16, 17), (18, 19, 20))
"""Where the two nodes stand that each node but the first reads, of both cells."""
_FIXED = np.zeros(56)
_FIXED[[0, 4, 5]] = 0.5863451791322545, 0.16666444442962952, 0.3099999239999697  # images
_FIXED[[14, 21]] = 0.003149999006299998, 0.000749999001499998  # 32 channels, 8 cells
_FIXED[24:29] = (
    *(-3.6888794541139363, 0.8988764044943821, -8.111728083308073),  # the optimizer
    *(0.009949999019899998, 1e-12),  # its schedule
)
_FIXED[31] = 0.7051278400653053  # mixup


def reductions(cells: int) -> tuple[int, int]:
    """Which of a network's cells reduce: those at a third and at two thirds."""
    return cells // 3, 2 * cells // 3


def _genotype_fields(string: str) -> dict[str, Any]:
    """What a genotype says by name, read without running it.

    Raises:
        ValueError: it is none; or SyntaxError, TypeError, RecursionError.
    """
    if len(string) > _LONGEST:
        raise ValueError("too long")
    tree = ast.parse(string.strip(), mode="eval").body
    if isinstance(tree, ast.Call):
        named = {str(one.arg): _literal(one.value) for one in tree.keywords}
        return dict(zip(_FIELDS, map(_literal, tree.args), strict=False)) | named
    said = ast.literal_eval(tree)
    edges = {m.groups(): said[key] for key in said if (m := _CONFIGURED.fullmatch(key))}
    if not edges:
        return dict(said)
    numbered = {(kind, int(number)): operation for (kind, number), operation in edges.items()}
    sources = [source for node in range(INPUTS, INPUTS + STEPS) for source in range(node)]
    return {
        name: [(numbered[name, n], s) for n, s in enumerate(sources) if (name, n) in numbered]
        for name in _CELLS
    }


def _literal(node: ast.expr) -> Any:
    """The value of a literal, or of a range of few numbers."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id == "range":
            return list(range(*map(ast.literal_eval, node.args))[:EDGES])
        if node.func.id in ("list", "tuple") and len(node.args) == 1:
            return _literal(node.args[0])
    return ast.literal_eval(node)


def _pairs_of(entry: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Operation and source of an edge, or of each edge of a node."""
    if isinstance(entry[0], str):
        operation, source = entry[:2]  # GDAS writes the weight of an edge behind
        assert all(isinstance(one, float) for one in entry[2:])
        return [(operation, source)]
    return [pair for one in entry for pair in _pairs_of(one)]


def _spelled(text: str) -> Cell:
    return _cell(tuple(tuple(_SHORT[word] for word in edge.split()) for edge in text.split(", ")))


def _everywhere(*names: str) -> tuple[Cell, Cell]:
    return (_cell((names,) * EDGES),) * 2


def _cell(candidates: tuple[tuple[str, ...], ...]) -> Cell:
    return Cell(INPUTS, INPUTS + STEPS, candidates, kept=KEPT, joined=True)


class DartsSpace(ProductSpace):
    """Pairs of DARTS cells: 1.08e18 architectures.

    A vector holds, cell by cell and node by node, which two of the earlier nodes are read
    (position among the pairs in lexicographic order), then the operation on the edge from the
    first and from the second of them (position among the edge's candidates without ``none``).
    Every vector is a pair of cells and every pair of cells is one vector.

    >>> space = DartsSpace()
    >>> space.size == 1037664180**2
    True
    """

    name = "darts"
    aliases: tuple[str, ...] = ("nasbench301", "nb301")
    cells: tuple[Cell, Cell] = _everywhere(*_DARTS)

    @cached_property
    def choices(self) -> tuple[int, ...]:  # type: ignore[override]
        """Number of options of each decision."""
        found: list[int] = []
        for cell in self.cells:
            operations = len(cell.derivable[0])
            for node in range(cell.inputs, cell.nodes):
                found += [len(_pairs(node)), operations, operations]
        return tuple(found)

    # -- changing --------------------------------------------------------------------------------

    def mutate(self, architecture: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        """A neighbour: of an edge drawn uniformly the operation or, as likely, the source changes.

        So do Real et al., *Regularized Evolution*, AAAI 2019. The first node of a cell reads both
        inputs, so that of its edges the operation alone can change.
        """
        drawn = rng.random() * (2 * len(self._nodes))
        edge = int(drawn)
        kind = 2 * (drawn - edge)
        place, (first, node, operations) = edge % 2, self._nodes[edge // 2]
        changed = list(architecture)
        moves = _moves(node)[architecture[first]][place]
        if moves and (kind < 1 or operations == 1):
            changed[first], swapped = moves[int(kind % 1 * len(moves))]
            if swapped:
                changed[first + 1], changed[first + 2] = changed[first + 2], changed[first + 1]
        else:
            step = 1 + int(kind % 1 * (operations - 1))
            changed[first + 1 + place] = (architecture[first + 1 + place] + step) % operations
        return tuple(changed)

    def neighbours(self, architecture: Architecture) -> list[tuple[int, ...]]:
        """The pairs of cells that differ in the operation or in the source of one edge."""
        vector = self.vector(architecture)
        found = []
        for first, node, operations in self._nodes:
            pair, *labels = vector[first : first + 3]
            changes: list[tuple[int, int, int]] = []
            for place in range(2):
                for step in range(1, operations):
                    other = list(labels)
                    other[place] = (labels[place] + step) % operations
                    changes.append((pair, other[0], other[1]))
                for moved, swapped in _moves(node)[pair][place]:
                    one, two = reversed(labels) if swapped else labels
                    changes.append((moved, one, two))
            found += [(*vector[:first], *change, *vector[first + 3 :]) for change in changes]
        return found

    def crossover(
        self, one: tuple[int, ...], other: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, ...]:
        """A child that has each node, with both its edges, from either parent."""
        from_one = (rng.random(len(self._nodes)) < 0.5).tolist()
        child: list[int] = []
        for (first, _, _), mine in zip(self._nodes, from_one, strict=True):
            child += (one if mine else other)[first : first + 3]
        return tuple(child)

    @cached_property
    def _nodes(self) -> list[tuple[int, int, int]]:
        """Of every node of both cells: its first decision, its number, operations on an edge."""
        nodes = [
            (node, len(cell.derivable[0]))
            for cell in self.cells
            for node in range(cell.inputs, cell.nodes)
        ]
        return [(3 * place, node, operations) for place, (node, operations) in enumerate(nodes)]

    # -- reading and writing ---------------------------------------------------------------------

    def genotype(self, architecture: Architecture) -> Genotype:
        """Operation and source of every edge, for both cells."""
        return tuple(
            tuple(
                (cell.derivable[edge][operation], cell.edges[edge][0])
                for edge, operation in enumerate(chosen)
                if operation >= 0
            )
            for cell, chosen in zip(self.cells, self._edge_operations(architecture), strict=True)
        )

    def from_genotype(self, genotype: Sequence[Sequence[tuple[str, int]]]) -> tuple[int, ...]:
        """The vector of two cells; the edges of a node come one after the other, in any order.

        Raises:
            SuiteError: not two cells, not two edges a node, a source that does not come before or
                is read twice, or an operation that the edge does not have.
        """
        if len(genotype) != len(self.cells):
            raise SuiteError(
                f"A genotype of space {self.name!r} has a normal and a reduction cell, not "
                f"{len(genotype)} cells: split them by /."
            )
        vector: list[int] = []
        for cell, pairs in zip(self.cells, genotype, strict=True):
            if len(pairs) != KEPT * (cell.nodes - cell.inputs):
                raise SuiteError(
                    f"A cell of space {self.name!r} has {KEPT * (cell.nodes - cell.inputs)} edges, "
                    f"two a node, not {len(pairs)}."
                )
            for node in range(cell.inputs, cell.nodes):
                place = KEPT * (node - cell.inputs)
                two = sorted(pairs[place : place + KEPT], key=lambda pair: pair[1])
                sources = tuple(source for _, source in two)
                if sources not in _pairs(node):
                    raise SuiteError(
                        f"Node {node} of a cell of space {self.name!r} reads two different nodes "
                        f"before it, not {sources[0]} and {sources[1]}."
                    )
                vector.append(_pairs(node).index(sources))
                for operation, source in two:
                    edge = (source, node)
                    names = cell.derivable[cell.edges.index(edge)]
                    if operation not in names:
                        raise SuiteError(choose_from(f"operation on edge {edge}", operation, names))
                    vector.append(names.index(operation))
        return tuple(vector)

    def format(self, vector: Sequence[int]) -> str:
        """Such as ``sep_conv_3x3~0|skip_connect~1|... / ...``: two edges a node, normal first."""
        return " / ".join(
            "|".join(f"{operation}~{source}" for operation, source in cell)
            for cell in self.genotype(tuple(vector))
        )

    def parse(self, string: str) -> tuple[int, ...]:
        """What ``format`` writes, or a genotype as other codes write it.

        That is ``Genotype(normal=[...], ...)`` as quark0/darts and what was made of it print it
        (PC-DARTS, P-DARTS, DrNAS: with ``range(2, 6)`` or ``[2, 3, 4, 5]``, with or without blanks,
        with pairs one after the other or by node), the same as a dictionary, or a configuration
        of NAS-Bench-301.
        """
        if not isinstance(string, str):
            self.refuse(string)
        if (before := _GENOTYPE.match(string)) is not None:
            return self.from_genotype(self._parse_genotype(string[before.end() :]))
        genotype = []
        for cell in string.split("/"):
            pairs = []
            for part in cell.strip().split("|"):
                match = re.fullmatch(r"(\w+)~(\d{1,4})", part)
                if match is None:
                    raise SuiteError(f"Genotype edge {part!r} is not of the form operation~node.")
                pairs.append((match[1], int(match[2])))
            genotype.append(pairs)
        return self.from_genotype(genotype)

    def _parse_genotype(self, string: str) -> list[list[tuple[str, int]]]:
        cells: list[list[tuple[str, int]]] = []
        try:
            said = _genotype_fields(string)
            for cell, name in zip(self.cells, _CELLS, strict=True):
                joined = said.get(f"{name}_concat", cell.outputs)
                assert list(joined) == list(cell.outputs)
                pairs = [pair for entry in said[name] for pair in _pairs_of(entry)]
                assert all(type(o) is str and type(s) is int for o, s in pairs)
                cells.append(pairs)
        except (AssertionError, LookupError, ValueError, TypeError, SyntaxError, RecursionError):
            raise SuiteError(
                f"{string[:200]!r} is no genotype of space {self.name!r}: write Genotype(normal="
                f"[('operation', node), ...], normal_concat=range(2, 6), reduce=[...], "
                f"reduce_concat=range(2, 6)), or operation~node|... / operation~node|..."
            ) from None
        return cells

    # -- as a supernet has it --------------------------------------------------------------------

    def edge_choices(self, architecture: Architecture) -> list[list[int]]:
        """For both cells the candidate (position in ``Cell.candidates``) of every edge, or -1."""
        return [
            [
                -1 if operation < 0 else names.index(kept[operation])
                for operation, names, kept in zip(
                    chosen, cell.candidates, cell.derivable, strict=True
                )
            ]
            for cell, chosen in zip(self.cells, self._edge_operations(architecture), strict=True)
        ]

    def from_edge_choices(self, choices: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """The vector of what ``edge_choices`` gives.

        Raises:
            SuiteError: some node does not have two edges.
        """
        genotype = [
            [
                (names[choice], source)
                for choice, names, (source, _) in zip(
                    chosen, cell.candidates, cell.edges, strict=True
                )
                if choice >= 0
            ]
            for cell, chosen in zip(self.cells, choices, strict=True)
        ]
        for cell, chosen in zip(self.cells, choices, strict=True):
            for node in range(cell.inputs, cell.nodes):
                if sum(chosen[edge] >= 0 for edge in cell.into(node)) != KEPT:
                    raise SuiteError(f"Node {node} of a derived cell does not have two edges.")
        return self.from_genotype(genotype)

    def _edge_operations(self, architecture: Architecture) -> list[list[int]]:
        """For both cells the operation (position in ``Cell.derivable``) of every edge, or -1."""
        vector = self.vector(architecture)
        found, decision = [], 0
        for cell in self.cells:
            chosen = [-1] * len(cell.edges)
            for node in range(cell.inputs, cell.nodes):
                into = cell.into(node)
                sources = _pairs(node)[vector[decision]]
                for place, source in enumerate(sources, start=1):
                    chosen[into[source]] = vector[decision + place]
                decision += 3
            found.append(chosen)
        return found

    def graph(self, architecture: Architecture) -> OperationGraph:
        """The line graphs of both cells beside each other, those of the reduction cell marked."""
        normal, reduction = (
            line_graph(
                cell,
                [
                    None if operation < 0 else names[operation]
                    for operation, names in zip(chosen, cell.derivable, strict=True)
                ],
            )
            for cell, chosen in zip(self.cells, self._edge_operations(architecture), strict=True)
        )
        marked = tuple(f"reduce {label}" for label in reduction.labels)
        return normal.beside(OperationGraph(marked, reduction.edges))

    # -- what an architecture computes -----------------------------------------------------------

    def canonical_key(self, form: Sequence[int]) -> Hashable:
        """The graphs of both cells, whatever the order of their nodes; see ``canonical_graph``."""
        decisions = tuple(form)
        edges = [table[decisions[first : first + 3]] for first, table in self._edges_of_nodes]
        nodes = len(edges) // 2
        return canonical_graph(INPUTS, edges[:nodes]), canonical_graph(INPUTS, edges[nodes:])

    def normal_form(self, architecture: Architecture) -> tuple[int, ...]:
        """The smallest of all orders of the nodes in both cells."""
        return self.from_genotype(
            [
                min(self._orders(cell, place))
                for place, cell in enumerate(self.genotype(self.read(architecture)))
            ]
        )

    def _orders(
        self, pairs: Sequence[tuple[str, int]], place: int
    ) -> Iterator[tuple[tuple[str, int], ...]]:
        """A cell with its nodes in every order in which it is one of the space."""
        cell = self.cells[place]
        inner = range(cell.inputs, cell.nodes)
        for order in permutations(inner):
            new = {old: node for node, old in enumerate(order, cell.inputs)}
            moved: list[tuple[str, int]] = []
            for node, old in enumerate(order, cell.inputs):
                first = KEPT * (old - cell.inputs)
                two = [(new.get(s, s), name) for name, s in pairs[first : first + KEPT]]
                moved += [(name, source) for source, name in sorted(two)]
                if any(
                    source >= node or name not in cell.derivable[cell.edges.index((source, node))]
                    for source, name in two
                ):
                    break
            else:
                yield tuple(moved)

    @cached_property
    def _edges_of_nodes(self) -> list[tuple[int, dict[tuple[int, ...], TwoEdges]]]:
        """Of every node of both cells: its first decision, and its edges by its three decisions."""

        def code(cell: Cell, edge: int, operation: int) -> tuple[str, int]:
            name = cell.derivable[edge][operation]
            # Noise does not depend on what it replaces.
            source = 0 if name == "noise" else cell.edges[edge][0] + 1
            return chr(ord("a") + cell.operations.index(name)), source

        tables: list[dict[tuple[int, ...], TwoEdges]] = []
        for cell in self.cells:
            options = range(len(cell.derivable[0]))
            for node in range(cell.inputs, cell.nodes):
                into = cell.into(node)
                tables.append(
                    {
                        (pair, a, b): (*code(cell, into[s], a), *code(cell, into[t], b))
                        for pair, (s, t) in enumerate(_pairs(node))
                        for a in options
                        for b in options
                    }
                )
        return [(3 * node, table) for node, table in enumerate(tables)]

    def is_connected(self, architecture: Architecture) -> bool:
        """Whether the classes depend on the image; in a network of 8 cells, as it is searched."""
        labels = self._labels(architecture)
        before, last = True, True
        for number in range(SKELETON):
            kind = int(number in reductions(SKELETON))
            given = [node for node, depends in enumerate((before, last)) if depends]
            before, last = last, any(self.cells[kind].live(labels[kind], given))
        return last

    @property
    def encodings(self) -> tuple[str, ...]:
        """``one-hot`` and ``adjacency``; of the space without bounds ``nasbench301`` too."""
        known = ("one-hot", "adjacency")
        return (*known, "nasbench301") if self.cells == DartsSpace.cells else known

    def encode(
        self, architectures: Sequence[Any] | NDArray[np.integer], encoding: str
    ) -> NDArray[np.float64]:
        """As ``features``.

        One-hot has, for every edge of both cells, a feature for each of ``Cell.operations``, of
        which the first says that there is no edge. Adjacency has a feature for every edge, 1
        where there is one, and then a feature for each operation of every node's two edges.
        ``nasbench301`` has the 56 features of NAS-Bench-301's surrogates.
        """
        if encoding == "nasbench301":
            return self._configured(architectures)
        rows = []
        for architecture in architectures:
            parts: list[NDArray[np.float64]] = []
            for cell, labels in zip(self.cells, self._labels(architecture), strict=True):
                places = [cell.operations.index(label or cell.operations[0]) for label in labels]
                table = np.eye(len(cell.operations))
                if encoding == "one-hot":
                    parts.append(table[places].ravel())
                else:
                    kept = [place for place in places if place]
                    parts.append(np.array([place > 0 for place in places], dtype=np.float64))
                    parts.append(table[kept][:, 1:].ravel())
            rows.append(np.concatenate(parts))
        return np.array(rows, dtype=np.float64)

    def _configured(
        self, architectures: Sequence[Any] | NDArray[np.integer]
    ) -> NDArray[np.float64]:
        rows = np.tile(_FIXED, (len(architectures), 1))
        for row, architecture in zip(rows, architectures, strict=True):
            vector = self.vector(architecture)
            for cell, chosen in enumerate(self._edge_operations(architecture)):
                row[list(CONFIGURED_EDGES[cell])] = chosen
                first = 3 * STEPS * cell + 3  # of the second node, as the first reads both inputs
                row[list(CONFIGURED_PAIRS[cell])] = vector[first : first + 3 * (STEPS - 1) : 3]
        return rows

    def _labels(self, architecture: Architecture) -> list[list[str | None]]:
        return [
            [None if o < 0 else cell.derivable[edge][o] for edge, o in enumerate(chosen)]
            for cell, chosen in zip(self.cells, self._edge_operations(architecture), strict=True)
        ]

    # -- pictures --------------------------------------------------------------------------------

    def dot(self, architecture: Architecture) -> str:
        """Both cells as one Graphviz DOT graph, operations on the edges."""
        lines = ["digraph cells {", "  rankdir=LR;", "  node [shape=circle];"]
        for kind, cell, labels in zip(
            ("normal", "reduction"), self.cells, self._labels(architecture), strict=True
        ):
            lines += [f"  subgraph cluster_{kind} {{", f'    label="{kind}";']
            lines += [
                f'    {kind}{node} [label="{label}"];'
                for node, label in enumerate(cell.node_labels())
            ]
            lines += [
                f'    {kind}{source} -> {kind}{target} [label="{label}"];'
                for (source, target), label in zip(cell.edges, labels, strict=True)
                if label is not None
            ]
            lines.append("  }")
        return "\n".join([*lines, "}"]) + "\n"

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """Draw the normal cell above the reduction cell: nodes on a line, an arc an edge."""
        from nasbench_suite.spaces.drawing import draw_cells

        return draw_cells(
            [
                (kind, cell.node_labels(), _drawn(cell, labels))
                for kind, cell, labels in zip(
                    ("normal", "reduction"), self.cells, self._labels(architecture), strict=True
                )
            ],
            ax,
        )


def _drawn(cell: Cell, labels: Sequence[str | None]) -> list[tuple[int, int, str, bool]]:
    """Source, target, operation of every edge there is, and whether it matters."""
    return [
        (source, target, label, alive)
        for (source, target), label, alive in zip(
            cell.edges, labels, cell.live(labels), strict=True
        )
        if label is not None
    ]


class DartsS1(DartsSpace):
    """S1: the two operations of each edge that DARTS itself found strongest, edge by edge."""

    name = "darts-s1"
    aliases = ()
    cells = (_spelled(_S1_NORMAL), _spelled(_S1_REDUCE))


class DartsS2(DartsSpace):
    """S2: skip connection or 3x3 separable convolution."""

    name = "darts-s2"
    aliases = ()
    cells = _everywhere("skip_connect", "sep_conv_3x3")


class DartsS3(DartsSpace):
    """S3: as S2, but the supernet also has ``none``, which is never derived."""

    name = "darts-s3"
    aliases = ()
    cells = _everywhere("none", "skip_connect", "sep_conv_3x3")


class DartsS4(DartsSpace):
    """S4: Gaussian noise in place of the input, or 3x3 separable convolution."""

    name = "darts-s4"
    aliases = ()
    cells = _everywhere("noise", "sep_conv_3x3")


@cache
def _pairs(node: int) -> list[tuple[int, int]]:
    """The pairs of nodes that a node may read, in lexicographic order."""
    return [(one, other) for one, other in combinations(range(node), KEPT)]


@cache
def _moves(node: int) -> list[list[list[tuple[int, bool]]]]:
    """By pair and place in it: the pairs with another source there, and whether sides swap."""

    def moved(stays: int, source: int, place: int) -> tuple[int, bool]:
        pair = min(stays, source), max(stays, source)
        return _pairs(node).index(pair), (source > stays) != (place == 1)

    return [
        [
            [moved(pair[1 - place], s, place) for s in range(node) if s not in pair]
            for place in range(KEPT)
        ]
        for pair in _pairs(node)
    ]
