"""The modules of NAS-Bench-101: directed acyclic graphs with an operation at each vertex.

Source: Ying, Klein, Real, Christiansen, Murphy and Hutter, *NAS-Bench-101: Towards Reproducible
Neural Architecture Search*, ICML 2019; code at github.com/google-research/nasbench.

A module has an input, an output and up to five vertices between them, and up to nine edges. Parts
that no path from input to output passes do not count: they are pruned before a module is judged.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import md5
from itertools import combinations, permutations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces.base import Architecture, SearchSpace, as_vector
from nasbench_suite.spaces.graphs import OperationGraph

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""In NAS-Bench-101's order, which the graph hash depends on."""
INPUT, OUTPUT = "input", "output"
MAX_VERTICES, MAX_EDGES = 7, 9
NUM_MODULES = 423_624
"""Distinct modules, as published."""

_FILLED = -3
_REMEMBERED = 1 << 16  # matrices; all modules of NAS-Bench-101 have far fewer
_LATELY_HASHED = 1 << 12  # modules; neighbours are hashed again by who looks them up
_MATRIX = re.compile(r"[01]+")
_HASH = re.compile(r"[0-9a-f]{32}")
_PREFIX = 4  # digits of a hash
_SIDE = 3  # bits for a number of vertices


class NASBench101Space(SearchSpace):
    """NAS-Bench-101's space: modules of up to seven vertices and nine edges, 423,624 different.

    An architecture is a ``Module``, pruned or not; its string is the matrix row by row and the
    operations. Architectures with one graph hash are the same row of a table. ``read`` also takes
    a pair of matrix and operations. The methods draw and change modules as NASBench's own example
    does, so small modules are as rare in a sample as there.

    >>> space = NASBench101Space()
    >>> space.canonical("011001000 input,maxpool3x3,output")
    '6f6257bc3b12d87b8736e81cd4b7ed8b'
    """

    name = "nasbench101"
    aliases = ("nb101",)
    one_row_a_class = True

    @property
    def size(self) -> int:
        """Number of different modules."""
        return NUM_MODULES

    def parse(self, string: str) -> Module:
        """See ``parse_module``; also the first module with a graph hash.

        Raises:
            SuiteError: as ``parse_module``, or no module has the hash.
        """
        if not isinstance(string, str) or not is_hash(string):
            return parse_module(string)
        if (found := modules_with([string]).get(string)) is None:
            raise SuiteError(f"No module of NAS-Bench-101 has the hash {string}.")
        return found

    def format(self, form: Module) -> str:
        """See ``format_module``."""
        return format_module(form)

    def check(self, value: Any) -> Module:
        """See ``SearchSpace.check``; takes a module, or a pair of matrix and operations."""
        if isinstance(value, Module):
            if not all(operation in range(len(OPERATIONS)) for operation in value.operations):
                self.refuse(value)
            check_module(value)
            return value
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            self.refuse(value)
        return make_module(*value)

    @property
    def parameters(self) -> tuple[int, ...]:
        """The 21 edges there may be, there or not, and the operations of five vertices.

        Ying et al. set the same for the tuners that they compare (section 5.1).
        """
        return (2,) * len(_pairs(MAX_VERTICES)) + (len(OPERATIONS),) * (MAX_VERTICES - 2)

    def closest(self, vector: Sequence[int] | NDArray[np.integer]) -> Module:
        """See ``closest_module``."""
        given = as_vector(np.asarray(vector), self.parameters)
        if given is None:
            raise SuiteError(
                f"{vector!r} are no parameters of a module: give 21 edges, each 0 or 1, and five "
                f"operations from 0 to {len(OPERATIONS) - 1}."
            )
        count = len(_pairs(MAX_VERTICES))
        edges = sum(edge << place for place, edge in enumerate(given[:count]))
        return closest_module(Module(edges, given[count:]))

    def canonical_key(self, form: Module) -> Hashable:
        """The graph hash."""
        return graph_hash(form)

    def is_hash(self, text: str) -> bool:
        """See ``SearchSpace.is_hash``."""
        return is_hash(text)

    def find_hashes(self, hashes: Collection[str]) -> dict[str, Module]:
        """See ``SearchSpace.find_hashes``."""
        return modules_with(hashes)

    def normal_form(self, architecture: Architecture) -> Module:
        """See ``normal_form``."""
        return normal_form(self.read(architecture))

    def sample(self, rng: np.random.Generator) -> Module:
        """See ``random_module``."""
        return random_module(rng)

    def mutate(self, architecture: Module, rng: np.random.Generator) -> Module:
        """See ``mutate_module``."""
        return mutate_module(architecture, rng)

    def neighbours(self, architecture: Architecture) -> list[Module]:
        """See ``module_neighbours``."""
        return module_neighbours(self.read(architecture))

    def crossover(self, one: Module, other: Module, rng: np.random.Generator) -> Module:
        """See ``cross_modules``."""
        return cross_modules(one, other, rng)

    @property
    def encodings(self) -> tuple[str, ...]:
        """See ``SearchSpace.encodings``."""
        return ("adjacency", "path")

    def encode(
        self, architectures: Sequence[Any] | NDArray[np.integer], encoding: str
    ) -> NDArray[np.float64]:
        """See ``SearchSpace.encode``."""
        modules = [self.read(architecture) for architecture in architectures]
        return path_features(modules) if encoding == "path" else adjacency_features(modules)

    def graph(self, architecture: Architecture) -> OperationGraph:
        """The pruned module."""
        module = prune(self.read(architecture))
        assert module is not None
        labels = (INPUT, *(OPERATIONS[operation] for operation in module.operations), OUTPUT)
        return OperationGraph(labels, tuple(edges_of(module)))

    def dot(self, architecture: Architecture) -> str:
        """The pruned module as a Graphviz DOT graph, an operation a vertex."""
        module = prune(self.read(architecture))
        assert module is not None
        labels = [INPUT, *(OPERATIONS[operation] for operation in module.operations), OUTPUT]
        lines = ["digraph module {", "  rankdir=LR;"]
        lines += [f'  {vertex} [label="{label}"];' for vertex, label in enumerate(labels)]
        lines += [f"  {source} -> {target};" for source, target in edges_of(module)]
        return "\n".join([*lines, "}"]) + "\n"


class Module(NamedTuple):
    """A module, valid or not, pruned or not.

    Attributes:
        edges: bit ``source + target * (target - 1) // 2`` is set where an edge leads from vertex
            ``source`` to a later vertex ``target``: NASBench's ``gen_is_edge_fn``.
        operations: of the vertices between input and output, positions in ``OPERATIONS``.
    """

    edges: int
    operations: tuple[int, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.operations) + 2

    @property
    def matrix(self) -> NDArray[np.int8]:
        """The adjacency matrix, upper triangular, shape (vertices, vertices)."""
        found = np.zeros((self.vertices, self.vertices), dtype=np.int8)
        for source, target in edges_of(self):
            found[source, target] = 1
        return found


def edge_bit(source: int, target: int) -> int:
    """The bit of the edge between two vertices, ``source < target``."""
    return 1 << (source + target * (target - 1) // 2)


@cache
def _pairs(vertices: int) -> tuple[tuple[int, int, int], ...]:
    """Source, target and bit of every edge there may be."""
    return tuple(
        (source, target, edge_bit(source, target))
        for target in range(1, vertices)
        for source in range(target)
    )


def edges_of(module: Module) -> list[tuple[int, int]]:
    """The edges as pairs of source and target."""
    return [(s, t) for s, t, bit in _pairs(module.vertices) if module.edges & bit]


@lru_cache(_REMEMBERED)
def _kept_vertices(edges: int, vertices: int) -> tuple[int, ...]:
    """The vertices on a path from input to output, ascending; empty if there is no path."""
    present = [(s, t) for s, t, bit in _pairs(vertices) if edges & bit]
    from_input, to_output = {0}, {vertices - 1}
    for source, target in present:  # by target: a source was settled before
        if source in from_input:
            from_input.add(target)
    for source, target in reversed(present):
        if target in to_output:
            to_output.add(source)
    kept = from_input & to_output
    return tuple(sorted(kept)) if 0 in kept and vertices - 1 in kept else ()


def prune(module: Module) -> Module | None:
    """The module without the vertices that no path from input to output passes.

    Returns:
        The module of the remaining vertices in their order, or None where there is no path.
    """
    kept = _kept_vertices(module.edges, module.vertices)
    if not kept:
        return None
    if len(kept) == module.vertices:
        return module
    place = {vertex: position for position, vertex in enumerate(kept)}
    edges = 0
    for source, target in edges_of(module):
        if source in place and target in place:
            edges |= edge_bit(place[source], place[target])
    return Module(edges, tuple(module.operations[vertex - 1] for vertex in kept[1:-1]))


def normal_form(module: Module) -> Module:
    """The smallest of all modules that are isomorphic to a module once it is pruned.

    Raises:
        SuiteError: no path leads from input to output.
    """
    pruned = prune(module)
    if pruned is None:
        check_module(module)  # raises
        return module
    last = pruned.vertices - 1
    edges = edges_of(pruned)
    found = []
    for order in permutations(range(1, last)):
        place = {0: 0, last: last} | {old: new for new, old in enumerate(order, 1)}
        if all(place[source] < place[target] for source, target in edges):
            bits = sum(edge_bit(place[source], place[target]) for source, target in edges)
            found.append(Module(bits, tuple(pruned.operations[old - 1] for old in order)))
    return min(found)


def is_valid(module: Module) -> bool:
    """Whether NAS-Bench-101 holds the module: once pruned, it has a path and at most 9 edges."""
    if module.vertices > MAX_VERTICES:
        return False
    pruned = prune(module)
    return pruned is not None and pruned.edges.bit_count() <= MAX_EDGES


def graph_hash(module: Module) -> str:
    """NAS-Bench-101's hash of the pruned module, equal for isomorphic modules and only for them.

    Each vertex starts with the hash of its out-degree, in-degree and operation, and then takes in,
    as often as there are vertices, the sorted hashes of its sources and of its targets.

    Raises:
        SuiteError: no path leads from input to output.
    """
    pruned = prune(module)
    if pruned is None:
        raise SuiteError(
            f"Module {format_module(module)!r} has no path from input to output, so no hash: "
            f"give one that has."
        )
    return _hash_of_pruned(pruned)


@lru_cache(_LATELY_HASHED)
def _hash_of_pruned(pruned: Module) -> str:
    sources, targets = _neighbours(pruned.edges, pruned.vertices)
    labels = (-1, *pruned.operations, -2)
    hashes = [
        _md5(f"({len(after)}, {len(before)}, {label})")
        for before, after, label in zip(sources, targets, labels, strict=True)
    ]
    for _ in labels:
        hashes = [
            _md5(
                "".join(sorted([hashes[s] for s in before]))
                + "|"
                + "".join(sorted([hashes[t] for t in after]))
                + "|"
                + own
            )
            for before, after, own in zip(sources, targets, hashes, strict=True)
        ]
    return _md5(str(sorted(hashes)))


@lru_cache(_REMEMBERED)
def _neighbours(
    edges: int, vertices: int
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """The sources and the targets of every vertex."""
    present = [(s, t) for s, t, bit in _pairs(vertices) if edges & bit]
    return (
        tuple(tuple(s for s, t in present if t == vertex) for vertex in range(vertices)),
        tuple(tuple(t for s, t in present if s == vertex) for vertex in range(vertices)),
    )


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def is_hash(text: str) -> bool:
    """Whether a text has the form of a graph hash."""
    return _HASH.fullmatch(text) is not None


# -- reading and writing -----------------------------------------------------------------------


def format_module(module: Module) -> str:
    """The matrix row by row and the operations, as NAS-Bench-101's records write both.

    >>> format_module(Module(0b111, (2,)))
    '011001000 input,maxpool3x3,output'
    """
    matrix = "".join(map(str, module.matrix.reshape(-1).tolist()))
    names = [OPERATIONS[operation] for operation in module.operations]
    return f"{matrix} {','.join([INPUT, *names, OUTPUT])}"


def parse_module(text: str) -> Module:
    """The module that ``format_module`` wrote.

    Raises:
        SuiteError: the text is malformed, or no module of NAS-Bench-101.
    """
    matrix, space, operations = text.strip().partition(" ") if isinstance(text, str) else ("",) * 3
    if not space or not _MATRIX.fullmatch(matrix):
        raise SuiteError(
            f"Malformed module {text!r}: write the matrix row by row and the operations, such as "
            f"'011001000 input,maxpool3x3,output'."
        )
    edges, vertices = _read_matrix(matrix)
    names = operations.strip().split(",")
    if len(names) != vertices or names[0] != INPUT or names[-1] != OUTPUT:
        make_module(Module(edges, (0,) * (vertices - 2)).matrix, names)  # says what is wrong
    module = Module(edges, tuple([_operation(name) for name in names[1:-1]]))
    check_module(module)
    return module


@lru_cache(_REMEMBERED)
def _read_matrix(text: str) -> tuple[int, int]:
    """The edges and the number of vertices of a matrix written row by row."""
    side = round(len(text) ** 0.5)
    if side * side != len(text):
        raise SuiteError(
            f"The matrix {text!r} of a module has {len(text)} entries, which is no square: write "
            f"one row a vertex."
        )
    return _edges(np.array(list(map(int, text))).reshape(side, side)), side


def make_module(matrix: Any, operations: Sequence[str | int]) -> Module:
    """A module from a matrix and the operation of each vertex.

    Args:
        matrix: square, upper triangular, of zeros and ones.
        operations: ``input``, names of ``OPERATIONS``, ``output``; or NAS-Bench-101's labels -1,
            positions in ``OPERATIONS``, -2. Vertices labelled -3, after the output, fill smaller
            modules up in some published lists and are taken away.

    Raises:
        SuiteError: the module is not one of NAS-Bench-101.
    """
    try:
        array = np.asarray(matrix)
    except ValueError:
        array = np.empty(0)
    filled = sum(label == _FILLED for label in operations)
    if filled and array.shape == (len(operations),) * 2 and not array[-filled:].any():
        array, operations = array[:-filled, :-filled], operations[:-filled]
    edges = _edges(array)
    vertices = len(array)
    if len(operations) != vertices:
        raise SuiteError(
            f"A module of {vertices} vertices has as many operations, input and output among "
            f"them; got {len(operations)}."
        )
    if operations[0] not in (INPUT, -1) or operations[-1] not in (OUTPUT, -2):
        raise SuiteError(
            f"A module's operations begin with {INPUT!r} and end with {OUTPUT!r}, not with "
            f"{operations[0]!r} and {operations[-1]!r}."
        )
    module = Module(edges, tuple(_operation(one) for one in operations[1:-1]))
    check_module(module)
    return module


def _edges(array: NDArray[Any]) -> int:
    """The edges in a matrix, checked."""
    if array.ndim != 2 or array.shape[0] != array.shape[1] or len(array) < 2:
        raise SuiteError(
            f"A module's matrix is square, one row a vertex, not of shape {array.shape}."
        )
    vertices = len(array)
    if vertices > MAX_VERTICES:
        raise SuiteError(
            f"A module of NAS-Bench-101 has at most {MAX_VERTICES} vertices, this one {vertices}: "
            f"take vertices away."
        )
    if array.dtype.kind not in "biu" or not np.isin(array, (0, 1)).all():
        raise SuiteError("A module's matrix holds zeros and ones alone.")
    if np.tril(array).any():
        raise SuiteError(
            "A module's matrix is upper triangular: edges lead from a vertex to a later one."
        )
    return sum(bit for source, target, bit in _pairs(vertices) if array[source, target])


def _operation(given: str | int) -> int:
    if isinstance(given, str) and given in OPERATIONS:
        return OPERATIONS.index(given)
    if not isinstance(given, (str, bool)) and given in range(len(OPERATIONS)):
        return int(given)
    raise SuiteError(choose_from("operation of NAS-Bench-101", str(given), list(OPERATIONS)))


def check_module(module: Module) -> None:
    """Refuse a module that NAS-Bench-101 does not hold.

    Raises:
        SuiteError: it has too many vertices or edges, or no path from input to output.
    """
    if is_valid(module):
        return
    pruned = prune(module)
    if pruned is None:
        raise SuiteError(
            f"Module {format_module(module)!r} has no path from input to output: connect them."
        )
    raise SuiteError(
        f"Module {format_module(module)!r} has {pruned.edges.bit_count()} edges on paths from "
        f"input to output and {pruned.vertices} vertices: NAS-Bench-101 has at most {MAX_EDGES} "
        f"and {MAX_VERTICES}."
    )


# -- drawing modules at random, and changing them ------------------------------------------------


def random_module(rng: np.random.Generator) -> Module:
    """As NASBench's ``random_spec``: every edge and operation by chance, until it is valid."""
    count = len(_pairs(MAX_VERTICES))
    while True:
        edges = int(rng.integers(1 << count))
        operations = rng.integers(len(OPERATIONS), size=MAX_VERTICES - 2)
        module = Module(edges, tuple(operations.tolist()))
        if is_valid(module):
            return module


def mutate_module(module: Module, rng: np.random.Generator, rate: float = 1.0) -> Module:
    """As NASBench's ``mutate_spec``: edges flipped and operations replaced, until it is valid.

    Each edge is flipped with probability rate / 7, each operation replaced by another with rate /
    5. A module of fewer vertices first gets unconnected ones with operations drawn at random.
    """
    module = _padded(module, rng)
    pairs = _pairs(MAX_VERTICES)
    places = MAX_VERTICES - 2
    while True:
        flips = rng.random(len(pairs)) < rate / MAX_VERTICES
        edges = module.edges
        for (_, _, bit), flip in zip(pairs, flips.tolist(), strict=True):
            if flip:
                edges ^= bit
        replaced = (rng.random(places) < rate / places).tolist()
        operations = tuple(
            (old + 1 + int(rng.random() * (len(OPERATIONS) - 1))) % len(OPERATIONS) if new else old
            for old, new in zip(module.operations, replaced, strict=True)
        )
        mutated = Module(edges, operations)
        if is_valid(mutated):
            return mutated


def _padded(module: Module, rng: np.random.Generator) -> Module:
    missing = MAX_VERTICES - module.vertices
    if not missing:
        return module
    last = module.vertices - 1
    edges = 0
    for source, target in edges_of(module):
        edges |= edge_bit(source, MAX_VERTICES - 1 if target == last else target)
    drawn = rng.integers(len(OPERATIONS), size=missing).tolist()
    return Module(edges, (*module.operations, *drawn))


def module_neighbours(module: Module) -> list[Module]:
    """The valid modules one step away, each computation graph once, itself left out.

    A step changes an operation, adds or takes away an edge, or, while there are fewer than seven
    vertices, puts a vertex with one source and one target between two vertices. (NASBench does
    not define a neighbourhood; without the last step a module could never gain a vertex, since
    one that no edge reaches is pruned.)
    """
    pruned = prune(module)
    if pruned is None:
        return []
    edges, operations = pruned
    found: list[Module] = []
    for place, old in enumerate(operations):
        for new in range(len(OPERATIONS)):
            if new != old:
                found.append(Module(edges, (*operations[:place], new, *operations[place + 1 :])))
    found += [Module(edges ^ bit, operations) for _, _, bit in _pairs(pruned.vertices)]
    if pruned.vertices < MAX_VERTICES:
        for source, target, _ in _pairs(pruned.vertices):
            found += _with_vertex_between(pruned, source, target)
    distinct = {graph_hash(pruned): pruned}
    for candidate in found:
        if is_valid(candidate):
            distinct.setdefault(graph_hash(candidate), candidate)
    return list(distinct.values())[1:]


def _with_vertex_between(module: Module, source: int, target: int) -> list[Module]:
    """The module with a further vertex just before ``target``, for each operation."""
    edges = edge_bit(source, target) | edge_bit(target, target + 1)
    for s, t in edges_of(module):
        edges |= edge_bit(s + (s >= target), t + (t >= target))
    before, after = module.operations[: target - 1], module.operations[target - 1 :]
    return [Module(edges, (*before, new, *after)) for new in range(len(OPERATIONS))]


def cross_modules(one: Module, other: Module, rng: np.random.Generator) -> Module:
    """A module that takes each edge and each operation from either parent, until it is valid."""
    parents = (_padded(one, rng), _padded(other, rng))
    count = len(_pairs(MAX_VERTICES))
    while True:
        mask = int(rng.integers(1 << count))
        chosen = (rng.random(MAX_VERTICES - 2) < 0.5).tolist()
        child = Module(
            (parents[0].edges & mask) | (parents[1].edges & ~mask),
            tuple(
                parents[second].operations[place] for place, second in enumerate(map(int, chosen))
            ),
        )
        if is_valid(child):
            return child


def closest_module(module: Module) -> Module:
    """The module itself, or the first valid one with the fewest edges flipped.

    Three flips are enough: what has no path gets an edge from input to output, and of all 21 edges
    no three more than this need be taken away until nine are on paths.
    """
    bits = [bit for _, _, bit in _pairs(module.vertices)]
    for flips in range(len(bits) + 1):
        for chosen in combinations(bits, flips):
            changed = module._replace(edges=module.edges ^ sum(chosen))
            if is_valid(changed):
                return changed
    raise AssertionError  # the edge from input to output alone is a module


def all_modules(max_vertices: int = MAX_VERTICES) -> Iterator[tuple[str, Module]]:
    """Every distinct module with its hash, in the order of NASBench's ``generate_graphs``.

    All 423,624 take one to two minutes; up to six vertices, 64,542, some seconds. The file that
    ``modules_with`` reads is ``np.savez_compressed`` of ``pack_modules(dict(all_modules()))``.
    """
    seen: set[str] = set()
    for vertices in range(2, max_vertices + 1):
        plain = (0,) * (vertices - 2)
        shapes: set[str] = set()
        for edges in _whole_graphs(vertices):
            # Another matrix of a graph seen before has no module that the first has not.
            shape = graph_hash(Module(edges, plain))
            if shape in shapes:
                continue
            shapes.add(shape)
            for operations in product(range(len(OPERATIONS)), repeat=vertices - 2):
                module = Module(edges, operations)
                fingerprint = graph_hash(module)
                if fingerprint not in seen:
                    seen.add(fingerprint)
                    yield fingerprint, module


def _whole_graphs(vertices: int) -> list[int]:
    """The edges of every matrix with at most nine of them and each vertex on a path, ascending."""
    pairs = _pairs(vertices)
    matrices = np.arange(1 << len(pairs))
    matrices = matrices[sum((matrices & bit) > 0 for _, _, bit in pairs) <= MAX_EDGES]
    for vertex in range(vertices):
        arriving = sum(bit for _, target, bit in pairs if target == vertex)
        leaving = sum(bit for source, _, bit in pairs if source == vertex)
        for bits in filter(None, (arriving, leaving)):
            matrices = matrices[(matrices & bits) > 0]
    return [int(matrix) for matrix in matrices]


# -- modules by their hashes ---------------------------------------------------------------------


def modules_with(hashes: Collection[str]) -> dict[str, Module]:
    """Of these graph hashes those that a module has, each with the first in ``all_modules``.

    The file beside this one has all modules in the order of their hashes, and how many hashes begin
    with each four digits: about six, of which some are computed.
    """
    shapes, operations, starts = _modules_by_hash()

    def module_at(place: int) -> Module:
        return _unpacked(int(shapes[place]), int(operations[place]))

    def hash_at(place: int) -> str:
        return _hash_of_pruned(module_at(place))

    found: dict[str, Module] = {}
    for text in sorted(hashes):  # so that those of four digits are computed once
        prefix = int(text[:_PREFIX], 16)
        first, end = starts[prefix], starts[prefix + 1]
        place = bisect_left(range(end), text, first, key=hash_at)
        if place < end and hash_at(place) == text:
            found[text] = module_at(place)
    return found


@cache
def _modules_by_hash() -> tuple[NDArray[np.uint32], NDArray[np.uint8], list[int]]:
    """Of every module the packed shape and operations; where the hashes of each prefix start."""
    with np.load(Path(__file__).with_suffix(".npz")) as file:
        starts = np.concatenate([[0], np.cumsum(file["counts"], dtype=np.int64)])
        return file["shapes"][file["shape"]], file["operations"], starts.tolist()


def pack_modules(modules: Mapping[str, Module]) -> dict[str, NDArray[Any]]:
    """The arrays of the file that ``modules_with`` reads, of all modules by hash."""
    ordered = [modules[text] for text in sorted(modules)]
    edges = [module.edges << _SIDE | module.vertices for module in ordered]
    shapes, shape = np.unique(np.array(edges, dtype=np.uint32), return_inverse=True)
    weights = [len(OPERATIONS) ** place for place in range(MAX_VERTICES - 2)]
    labels = [np.dot(one.operations, weights[: len(one.operations)]) for one in ordered]
    prefixes = [int(text[:_PREFIX], 16) for text in modules]
    return {
        "shapes": shapes,
        "shape": shape.astype(np.uint16),
        "operations": np.array(labels, dtype=np.uint8),
        "counts": np.bincount(prefixes, minlength=16**_PREFIX).astype(np.uint8),
    }


def _unpacked(shape: int, operations: int) -> Module:
    vertices = shape & ((1 << _SIDE) - 1)
    labels = [operations // len(OPERATIONS) ** place for place in range(vertices - 2)]
    return Module(shape >> _SIDE, tuple(label % len(OPERATIONS) for label in labels))


# -- numbers for predictors --------------------------------------------------------------------


def adjacency_features(modules: Sequence[Module]) -> NDArray[np.float64]:
    """Every edge there may be (21) and each operation one-hot (5 of 3), pruned, shape (n, 36)."""
    pairs = _pairs(MAX_VERTICES)
    found = np.zeros((len(modules), len(pairs) + (MAX_VERTICES - 2) * len(OPERATIONS)))
    for row, module in zip(found, modules, strict=True):
        pruned = prune(module) or module
        last = pruned.vertices - 1
        for source, target in edges_of(pruned):
            bit = edge_bit(source, MAX_VERTICES - 1 if target == last else target)
            row[bit.bit_length() - 1] = 1
        for place, operation in enumerate(pruned.operations):
            row[len(pairs) + place * len(OPERATIONS) + operation] = 1
    return found


def path_features(modules: Sequence[Module]) -> NDArray[np.float64]:
    """Which sequences of operations lead from input to output, shape (n, 364).

    Source: White, Neiswanger and Savani, *BANANAS*, AAAI 2021: a path of ``k`` operations, read in
    base three, stands at its value after all shorter ones.
    """
    sizes = [len(OPERATIONS) ** length for length in range(MAX_VERTICES - 1)]
    firsts = [sum(sizes[:length]) for length in range(len(sizes))]
    found = np.zeros((len(modules), sum(sizes)))
    for row, module in zip(found, modules, strict=True):
        pruned = prune(module)
        if pruned is None:
            continue
        _, targets = _neighbours(pruned.edges, pruned.vertices)
        ends: list[tuple[int, int, int]] = [(0, 0, 0)]  # vertex, length, value
        while ends:
            vertex, length, value = ends.pop()
            for target in targets[vertex]:
                if target == pruned.vertices - 1:
                    row[firsts[length] + value] = 1
                else:
                    step = value * len(OPERATIONS) + pruned.operations[target - 1]
                    ends.append((target, length + 1, step))
    return found
