"""NAS-Bench-Graph: graph neural networks as trees of four operations.

Source: Qin, Zhang, Wang, Zhang and Zhu, *NAS-Bench-Graph: Benchmarking Graph Neural Architecture
Search*, NeurIPS 2022 (data sets and benchmarks); package ``nas-bench-graph`` on PyPI.

Each of four nodes reads the network's input or an earlier node, and the nodes that nobody reads
make the output. So a network is a rooted tree, of which there are nine, with an operation at each
node. The authors trained one of all encodings that they know to be the same network: a skip that
other nodes read through, or that is alone beside nothing, comes first; nodes that may be
exchanged are in the order of ``OPERATIONS``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces.base import Architecture
from nasbench_suite.spaces.graphs import INPUT, OUTPUT, OperationGraph
from nasbench_suite.spaces.subset import FiniteSubsetSpace

LINKS = (
    *((0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 2), (0, 0, 1, 3)),
    *((0, 1, 1, 1), (0, 1, 1, 2), (0, 1, 2, 2), (0, 1, 2, 3)),
)
"""What each node reads, 0 for the input: the nine trees in NAS-Bench-Graph's order."""
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
PROTEINS_OPERATIONS = ("gcn", "sage", "arma", "fc", "skip")
"""On ``proteins``, the other operations need more memory than the authors had."""
NUM_NODES = 4

_SKIP = OPERATIONS.index("skip")
_STRING = re.compile(r"([0-3]{4}) ([a-z]+(?:-[a-z]+)*)")


class GraphNetworkSpace(FiniteSubsetSpace):
    """NAS-Bench-Graph's 26,206 networks.

    A vector holds the position of the tree in ``LINKS`` and the four operations. Any encoding of
    a network can be read; it stands for the one that the authors trained. Indices follow the
    authors' files: by operations, then by tree.

    >>> space = GraphNetworkSpace()
    >>> space.string("0121 gcn-gin-fc-cheb")
    '0112 gcn-gin-cheb-fc'
    """

    name = "nasbench-graph"
    operations: tuple[str, ...] = OPERATIONS
    choices = (len(LINKS), *(len(OPERATIONS),) * NUM_NODES)

    def list_vectors(self) -> NDArray[np.int8]:
        """See ``FiniteSubsetSpace.list_vectors``."""
        used = [OPERATIONS.index(name) for name in self.operations]
        operations = np.array(list(product(used, repeat=NUM_NODES)))
        kept = np.stack([_are_normal(tree, operations) for tree in range(len(LINKS))], axis=1)
        rows, trees = np.nonzero(kept)
        local = np.searchsorted(used, operations[rows])
        return np.column_stack([trees, local]).astype(np.int8)

    def write(self, vector: Sequence[int]) -> str:
        """What each node reads, and the operations, as in ``Arch([0, 1, 1, 2], ["gcn", ...])``."""
        links = "".join(map(str, LINKS[vector[0]]))
        return f"{links} {'-'.join(self.operations[operation] for operation in vector[1:])}"

    def parse(self, string: str) -> tuple[int, ...]:
        """The network in any of its encodings; see ``SearchSpace.parse``."""
        match = _STRING.fullmatch(string.strip()) if isinstance(string, str) else None
        if match is None:
            raise SuiteError(
                f"Malformed network {string!r}: write what each of {NUM_NODES} nodes reads and "
                f"the operations, such as '0121 gcn-gin-fc-cheb'."
            )
        return self._member(tuple(map(int, match[1])), match[2].split("-"))

    def check(self, value: Any) -> int:
        """See ``SearchSpace.check``; takes the links and operations of ``Arch`` as well."""
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], (list, tuple)):
            links, operations = value
            return self.index_of_vector[self._member(tuple(links), operations)]
        return super().check(value)

    def _member(self, links: tuple[int, ...], operations: Sequence[str]) -> tuple[int, ...]:
        if len(links) != NUM_NODES or not all(
            link in range(node + 1) for node, link in enumerate(links)
        ):
            raise SuiteError(
                f"Links {links} are none of NAS-Bench-Graph: each of {NUM_NODES} nodes reads the "
                f"input (0) or an earlier node, so entry i is at most i."
            )
        if len(operations) != NUM_NODES:
            raise SuiteError(
                f"A network of NAS-Bench-Graph has {NUM_NODES} operations, not {len(operations)}."
            )
        for operation in operations:
            if operation not in self.operations:
                raise SuiteError(
                    choose_from(f"operation of {self.name!r}", operation, list(self.operations))
                )
        numbers = tuple(OPERATIONS.index(operation) for operation in operations)
        tree, *normal = normal_form(links, numbers)
        return (tree, *(self.operations.index(OPERATIONS[number]) for number in normal))

    def represent(self, vector: tuple[int, ...]) -> tuple[int, ...]:
        """See ``FiniteSubsetSpace.represent``."""
        names = [self.operations[operation] for operation in vector[1:]]
        return self._member(LINKS[vector[0]], names)

    def graph(self, architecture: Architecture) -> OperationGraph:
        """The tree, with a vertex for the input, and one for the output that reads its leaves."""
        tree, *operations = self.vector(architecture)
        links = LINKS[tree]
        edges = [(source, node) for node, source in enumerate(links, start=1)]
        leaves = [node for node in range(1, NUM_NODES + 1) if node not in links]
        edges += [(leaf, NUM_NODES + 1) for leaf in leaves]
        names = [self.operations[operation] for operation in operations]
        return OperationGraph((INPUT, *names, OUTPUT), tuple(edges))

    def canonical_key(self, form: Any) -> Hashable:
        """NAS-Bench-Graph's hash, a number of five digits: the tree and the operations."""
        return self.published_hash(form)

    def published_hash(self, architecture: Architecture) -> int:
        """The key of an architecture in the authors' files."""
        tree, *operations = self.vector(architecture)
        digits = [tree, *(OPERATIONS.index(self.operations[number]) for number in operations)]
        return int("".join(map(str, digits)))


class ProteinsGraphNetworkSpace(GraphNetworkSpace):
    """NAS-Bench-Graph's 2,021 networks for the data set ``proteins``, of five operations."""

    name = "nasbench-graph-proteins"
    operations = PROTEINS_OPERATIONS
    choices = (len(LINKS), *(len(PROTEINS_OPERATIONS),) * NUM_NODES)


def normal_form(links: Sequence[int], operations: Sequence[int]) -> tuple[int, ...]:
    """The encoding that NAS-Bench-Graph trained of a network: the tree and four operations.

    Raises:
        SuiteError: the network is nothing but skips, which the authors excluded.
    """
    if all(operation == _SKIP for operation in operations):
        raise SuiteError(
            "A network of nothing but skips is excluded from NAS-Bench-Graph: use another "
            "operation at one node at least."
        )
    parents = dict(enumerate(links, start=1))
    labels = dict(enumerate(operations, start=1))
    leading = 0
    while (node := _movable_skip(parents, labels)) is not None:
        above = parents.pop(node)
        parents = {other: above if up == node else up for other, up in parents.items()}
        leading += 1
    # The skips taken out come first, one after another, and all else hangs on the last of them.
    order = list(parents)
    place = {node: leading + position for position, node in enumerate(order, start=1)}
    place[0] = leading
    whole = [*range(leading), *(place[parents[node]] for node in order)]
    named = [*(_SKIP,) * leading, *(labels[node] for node in order)]
    return min(
        (tree, *(named[old] for old in old_order)) for tree, old_order in _orders(tuple(whole))
    )


def _movable_skip(parents: dict[int, int], labels: dict[int, int]) -> int | None:
    """A skip that is read, alone under what it reads, or reads the input through skips alone."""
    for node, above in parents.items():
        if labels[node] != _SKIP:
            continue
        is_read = node in parents.values()
        is_alone = sum(up == above for up in parents.values()) == 1
        on_input = above
        while on_input and labels[on_input] == _SKIP:
            on_input = parents[on_input]
        if is_read or is_alone or on_input == 0:
            return node
    return None


@cache
def _orders(links: tuple[int, ...]) -> list[tuple[int, tuple[int, ...]]]:
    """How nodes can be ordered so that their links are one of ``LINKS``.

    Returns:
        The position in ``LINKS``, and for each new node the old one, both counted from 0.
    """
    found = []
    for order in permutations(range(NUM_NODES)):
        place = {0: 0, **{old + 1: new + 1 for new, old in enumerate(order)}}
        reordered = tuple(place[links[old]] for old in order)
        if reordered in LINKS:
            found.append((LINKS.index(reordered), order))
    return found


def _are_normal(tree: int, operations: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which operations make an encoding of a tree that is its own normal form, shape (n,)."""
    links = LINKS[tree]
    skips = operations == _SKIP
    normal: NDArray[np.bool_] = ~skips.all(axis=1)
    leading = np.ones(len(operations), dtype=np.bool_)  # all nodes before are skips in a chain
    through = np.zeros_like(skips)  # the node reads the input through skips alone
    for node, link in enumerate(links):
        on_input = np.ones(len(operations), bool) if link == 0 else through[:, link - 1]
        through[:, node] = on_input & skips[:, node]
        may_stay = ~on_input & ((node + 1 not in links) and links.count(link) > 1)
        leading &= skips[:, node] & (link == node) & (links.count(link) == 1)
        normal &= ~skips[:, node] | may_stay | leading
    values = len(OPERATIONS) ** np.arange(NUM_NODES)[::-1]
    rank = operations @ values
    for _, order in _orders(links):
        normal &= rank <= operations[:, list(order)] @ values
    return normal
