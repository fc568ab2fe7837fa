"""TransNAS-Bench-101: cells (micro) and skeletons (macro) for seven vision tasks.

Source: Duan, Chen, Xu, Chen, Liang, Zhang and Li, *TransNAS-Bench-101: Improving Transferability
and Generalizability of Cross-Task Neural Architecture Search*, CVPR 2021; code at
github.com/yawen-d/TransNASBench.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture
from nasbench_suite.spaces.cell_space import CellSpace
from nasbench_suite.spaces.cells import Cell
from nasbench_suite.spaces.subset import FiniteSubsetSpace

OPERATIONS = ("none", "skip_connect", "conv_1x1", "conv_3x3")
"""What the digits 0 to 3 of a cell stand for."""
NUM_NODES = 4
CELL = Cell(1, NUM_NODES, (OPERATIONS,) * (NUM_NODES * (NUM_NODES - 1) // 2))
EDGES = CELL.edges  # in the order of the string: by target node, then by source node
MODULES = ("normal", "channels x 2", "resolution / 2", "channels x 2, resolution / 2")
"""What the digits 1 to 4 of a skeleton stand for."""
MIN_MODULES, MAX_MODULES = 4, 6
MOST_DOUBLINGS, MOST_HALVINGS = 3, 4

_NONE, _SKIP = 0, 1
_CELL = re.compile(r"64-41414-([0-3])_([0-3]{2})_([0-3]{3})")
_SKELETON = re.compile(r"64-([1-4]{4,6})-basic")
# NASLib's tables write the digits alone, as a tuple.
_DIGITS = re.compile(r"[(\[]?\s*(\d(?:\s*,\s*\d)*)\s*,?\s*[)\]]?")


class TransNASMicroSpace(CellSpace):
    """TransNAS-Bench-101's 4,096 cells of 4 nodes, 6 edges and 4 operations.

    A vector holds the operation (position in ``OPERATIONS``) of each edge in ``EDGES``, in the
    order of the string. Indices are lexicographic.

    >>> space = TransNASMicroSpace()
    >>> space.vector("64-41414-1_02_333")
    (1, 0, 2, 3, 3, 3)
    """

    name = "transnas101-micro"
    aliases = ("transbench101_micro", "transnas-micro", "transnas-bench-101-micro")
    cell = CELL
    choices = tuple(map(len, CELL.candidates))

    def format(self, vector: Sequence[int]) -> str:
        """TransNAS-Bench-101's string: base channels, skeleton, and the cell node by node."""
        digits = "".join(map(str, vector))
        return f"64-41414-{digits[0]}_{digits[1:3]}_{digits[3:]}"

    def parse(self, string: str) -> tuple[int, ...]:
        """The operations in TransNAS-Bench-101's string, or in NASLib's tuple of digits."""
        text = string.strip() if isinstance(string, str) else ""
        digits = "".join(match.groups()) if (match := _CELL.fullmatch(text)) else _digits(text)
        if len(digits) != len(EDGES) or max(digits) > "3":
            raise SuiteError(
                f"Malformed cell {string!r}: write it as 64-41414-a_bc_def, one digit an edge: "
                f"{_legend(OPERATIONS, 0)}."
            )
        return tuple(map(int, digits))

    def canonical_key(self, vector: tuple[int, ...]) -> Hashable:
        """What the output sums, with zeros left out and skips between inner nodes followed.

        A skip from the cell's input stays an operation of its own: in cells that change the
        resolution it is a factorised reduction, not an identity.
        """
        nodes: list[tuple[str, ...]] = [("0",)]
        operations = iter(vector)
        for target in range(1, NUM_NODES):
            terms: list[str] = []
            for source in range(target):
                operation = next(operations)
                if operation == _NONE or not nodes[source]:
                    continue
                if operation == _SKIP and source > 0:
                    terms.extend(nodes[source])
                else:
                    terms.append(f"({'+'.join(nodes[source])}){operation}")
            nodes.append(tuple(sorted(terms)))
        return "+".join(nodes[-1])

    def is_connected(self, architecture: Architecture) -> bool:
        """Whether any path leads from the cell's input to its output."""
        return bool(self.canonical(architecture))


class TransNASMacroSpace(FiniteSubsetSpace):
    """TransNAS-Bench-101's 3,256 skeletons of four to six modules.

    A module leaves the resolution and the channels as they are, doubles the channels, halves the
    resolution, or both. Channels are doubled one to three times, the resolution is halved one to
    four times.

    A vector holds, for each of six places, the module there: 0 to 3 for the digits 1 to 4 at the
    first four places; at the last two 0 for no module and 1 to 4 for the digits. Indices are
    lexicographic in the strings of digits.

    >>> space = TransNASMacroSpace()
    >>> space.string(0), space.vector("64-1234-basic")
    ('64-111114-basic', (0, 1, 2, 3, 0, 0))
    """

    name = "transnas101-macro"
    aliases = ("transbench101_macro", "transnas-macro", "transnas-bench-101-macro")
    choices = (len(MODULES),) * MIN_MODULES + (len(MODULES) + 1,) * (MAX_MODULES - MIN_MODULES)

    def list_vectors(self) -> NDArray[np.int8]:
        """See ``FiniteSubsetSpace.list_vectors``."""
        skeletons = sorted(
            digits
            for length in range(MIN_MODULES, MAX_MODULES + 1)
            for digits in product((1, 2, 3, 4), repeat=length)
            if 1 <= sum(digit in (2, 4) for digit in digits) <= MOST_DOUBLINGS
            and 1 <= sum(digit in (3, 4) for digit in digits) <= MOST_HALVINGS
        )
        return np.array([_places(digits) for digits in skeletons], dtype=np.int8)

    def write(self, vector: Sequence[int]) -> str:
        """TransNAS-Bench-101's string: base channels, skeleton, and the cell ``basic``."""
        digits = [place + 1 for place in vector[:MIN_MODULES]]
        digits += [place for place in vector[MIN_MODULES:] if place]
        return f"64-{''.join(map(str, digits))}-basic"

    def parse(self, string: str) -> tuple[int, ...]:
        """The modules in TransNAS-Bench-101's string, or in NASLib's tuple of digits."""
        text = string.strip() if isinstance(string, str) else ""
        digits = match[1] if (match := _SKELETON.fullmatch(text)) else _digits(text).rstrip("0")
        if not MIN_MODULES <= len(digits) <= MAX_MODULES or set(digits) - set("1234"):
            raise SuiteError(
                f"Malformed skeleton {string!r}: write it as 64-1234-basic, {MIN_MODULES} to "
                f"{MAX_MODULES} digits, one a module: {_legend(MODULES, 1)}."
            )
        vector = _places(tuple(map(int, digits)))
        if vector not in self.index_of_vector:
            raise SuiteError(
                f"Skeleton {string!r} is outside space {self.name!r}: double the channels 1 to "
                f"{MOST_DOUBLINGS} times and halve the resolution 1 to {MOST_HALVINGS} times."
            )
        return vector

    def represent(self, vector: tuple[int, ...]) -> tuple[int, ...]:
        """A gap before the last place is closed."""
        *first, fifth, sixth = vector
        return (*first, sixth, 0) if fifth == 0 else vector

    def dot(self, architecture: Architecture) -> str:
        """The network as a Graphviz DOT graph, a chain of modules."""
        from nasbench_suite.spaces.drawing import dot_chain

        digits = self.string(architecture).split("-")[1]
        return dot_chain(["in", *(MODULES[int(digit) - 1] for digit in digits), "out"])


def _places(digits: tuple[int, ...]) -> tuple[int, ...]:
    last = digits[MIN_MODULES:] + (0,) * (MAX_MODULES - len(digits))
    return (*(digit - 1 for digit in digits[:MIN_MODULES]), *last)


def _digits(text: str) -> str:
    match = _DIGITS.fullmatch(text)
    return re.sub(r"\D", "", match[1]) if match else ""


def _legend(names: Sequence[str], first: int) -> str:
    return ", ".join(f"{digit} {name}" for digit, name in enumerate(names, first))
