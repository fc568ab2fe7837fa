"""DARTS cells as a space: counts, published cells, changes, isomorphism by brute force."""

from __future__ import annotations

import ast
import time
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pytest

from nasbench_suite import load_space
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.cells import Cell
from nasbench_suite.spaces.darts import DartsSpace
from nasbench_suite.spaces.topology import CELL, EDGES

NAMES = ("darts", "darts-s1", "darts-s2", "darts-s3", "darts-s4")
# DARTS_V2 as quark0/darts, cnn/genotypes.py, prints it.
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)


class Small(DartsSpace):
    """Three nodes and two operations: 18 x 64 cells of each kind, which can be listed."""

    name = "small"
    cells = (Cell(2, 5, (("skip_connect", "sep_conv_3x3"),) * 9, kept=2, joined=True),) * 2


class SmallNoise(Small):
    name = "small-noise"
    cells = (Cell(2, 5, (("none", "noise", "sep_conv_3x3"),) * 9, kept=2, joined=True),) * 2


def cells_of(space: DartsSpace) -> list[tuple[tuple[str, int], ...]]:
    """Every first cell, made from what a cell is and not from vectors."""
    nodes = []
    for node in range(2, space.cells[0].nodes):
        options = []
        for sources in combinations(range(node), 2):
            names = [
                space.cells[0].derivable[space.cells[0].edges.index((s, node))] for s in sources
            ]
            for pair in product(*names):
                options.append(tuple(zip(pair, sources, strict=True)))
        nodes.append(options)
    return [sum(chosen, ()) for chosen in product(*nodes)]


@pytest.mark.parametrize("space", [Small(), SmallNoise()])
def test_vectors_are_the_cells_one_to_one(space: DartsSpace) -> None:
    cells = cells_of(space)
    assert space.size == len(cells) ** 2
    vectors = {space.from_genotype([cell, cells[0]]) for cell in cells}
    assert len(vectors) == len(cells)
    for cell in cells[::7]:
        vector = space.read(space.from_genotype([cell, cells[3]]))
        assert space.genotype(vector) == (cell, cells[3])


def test_sizes_are_the_published_ones() -> None:
    """DARTS, section 2.4: (k + 1) k / 2 x 7^2 a node; in S1 to S4 two operations."""
    sizes = [load_space(name).size for name in NAMES]
    assert sizes == [(1 * 3 * 6 * 10 * 7**8) ** 2, *[(1 * 3 * 6 * 10 * 2**8) ** 2] * 4]


def smallest(cell: tuple[tuple[str, int], ...]) -> object:
    """The least form of a cell over all orders of its nodes: isomorphism by definition."""
    nodes = [cell[i : i + 2] for i in range(0, len(cell), 2)]
    forms = []
    for order in permutations(range(len(nodes))):
        place = {0: 0, 1: 1, **{old + 2: new + 2 for new, old in enumerate(order)}}
        moved = [
            tuple(sorted((o, -1 if o == "noise" else place[s]) for o, s in nodes[old]))
            for old in order
        ]
        if all(s < 2 + number for number, pairs in enumerate(moved) for _, s in pairs):
            forms.append(tuple(moved))
    return min(forms)


@pytest.mark.parametrize("space", [Small(), SmallNoise()])
def test_canonical_forms_are_the_isomorphism_classes(space: DartsSpace) -> None:
    cells = cells_of(space)
    fixed = cells[5]
    keys = [space.canonical(space.from_genotype([cell, fixed])) for cell in cells]
    wanted = [smallest(cell) for cell in cells]
    pairs = set(zip(keys, wanted, strict=True))
    assert len(pairs) == len(set(keys)) == len(set(wanted)) < len(cells)
    assert keys[0] == space.canonical(space.from_genotype([cells[0], fixed]))
    assert keys[0] != space.canonical(space.from_genotype([fixed, cells[0]]))


@pytest.mark.parametrize("seed", range(3))
def test_canonical_forms_of_darts_agree_with_brute_force(seed: int) -> None:
    space, rng = load_space("darts-s2"), np.random.default_rng(seed)
    drawn = [space.genotype(space.sample(rng))[0] for _ in range(600)]
    keys = [space.canonical(space.from_genotype([cell, drawn[0]])) for cell in drawn]
    wanted = [smallest(cell) for cell in drawn]
    assert len(set(zip(keys, wanted, strict=True))) == len(set(keys)) == len(set(wanted))


@pytest.mark.parametrize("name", NAMES)
def test_changes_stay_in_the_space_and_keep_two_edges_a_node(name: str) -> None:
    space, rng = load_space(name), np.random.default_rng(0)
    one, other = space.sample(rng), space.sample(rng)
    neighbours = space.neighbours(one)
    options = 7 if name == "darts" else 2
    # 16 edges change their operation; those of later nodes read one of 1, 2, 3 other nodes.
    assert len(set(neighbours)) == len(neighbours) == 16 * (options - 1) + 2 * 2 * (0 + 1 + 2 + 3)
    for neighbour in neighbours:
        assert space.read(space.string(neighbour)) == neighbour
        assert one in space.neighbours(neighbour)
        changed = sum(
            len(set(mine) ^ set(theirs))
            for mine, theirs in zip(by_node(space, one), by_node(space, neighbour), strict=True)
        )
        assert changed == 2 or name == "darts-s1"  # there the candidates differ by edge
    reached = {space.mutate(one, rng) for _ in range(4000)}
    assert reached == set(neighbours)
    for _ in range(50):
        child = space.crossover(one, other, rng)
        for mine, first, second in zip(
            *(by_node(space, each) for each in (child, one, other)), strict=True
        ):
            assert mine in (first, second)


def by_node(space: DartsSpace, architecture: object) -> list[tuple[tuple[str, int], ...]]:
    return [
        cell[place : place + 2]
        for cell in space.genotype(architecture)
        for place in range(0, len(cell), 2)
    ]


def test_genotypes_are_read_as_darts_prints_them() -> None:
    space = load_space("darts")
    vector = space.read(DARTS_V2)
    assert space.string(vector) == (
        "sep_conv_3x3~0|sep_conv_3x3~1|sep_conv_3x3~0|sep_conv_3x3~1|skip_connect~0|"
        "sep_conv_3x3~1|skip_connect~0|dil_conv_3x3~2 / max_pool_3x3~0|max_pool_3x3~1|"
        "max_pool_3x3~1|skip_connect~2|max_pool_3x3~0|skip_connect~2|max_pool_3x3~1|skip_connect~2"
    )
    assert space.read(space.string(vector)) == vector
    assert space.read(DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 6)")) == vector
    # The edges of a node may come in either order.
    assert space.read(" / ".join(reversed_pairs(c) for c in space.string(vector).split(" / ")))


def reversed_pairs(cell: str) -> str:
    parts = cell.split("|")
    return "|".join(part for i in range(0, 8, 2) for part in (parts[i + 1], parts[i]))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("sep_conv_3x3~0", "not 1 cells"),
        ("sep_conv_3x3~0 / sep_conv_3x3~0", "not 1"),
        (DARTS_V2.replace("('skip_connect', 2)", "('skip_connect', 7)"), "reads two different"),
        (DARTS_V2.replace("('sep_conv_3x3', 1)", "('sep_conv_3x3', 0)", 1), "reads two different"),
        (DARTS_V2.replace("sep_conv_3x3", "none"), "operation on edge"),
        (DARTS_V2.replace("sep_conv_3x3", "sep_conv_3x4", 1), "did you mean"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "[2, 3, 4]", 1), "no genotype"),
        (DARTS_V2.replace("('sep_conv_3x3', 0)", "__import__('os')", 1), "no genotype"),
        (DARTS_V2[:80], "no genotype"),
    ],
)
def test_malformed_genotypes_are_refused(text: str, word: str) -> None:
    with pytest.raises(SuiteError, match=word):
        load_space("darts").read(text)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_supernet_derives_is_an_architecture(name: str) -> None:
    space, rng = load_space(name), np.random.default_rng(1)
    for _ in range(20):
        vector = space.sample(rng)
        choices = space.edge_choices(vector)
        assert [sum(c >= 0 for c in cell) for cell in choices] == [8, 8]
        assert space.from_edge_choices(choices) == vector
    choices[0][0] = -1 if choices[0][0] >= 0 else 0
    with pytest.raises(SuiteError, match="two edges"):
        space.from_edge_choices(choices)


def test_only_noise_disconnects() -> None:
    space = load_space("darts-s4")
    names = ("sep_conv_3x3", "noise")
    whole, cut = (tuple((name, s) for _ in range(4) for s in (0, 1)) for name in names)
    assert space.is_connected(space.from_genotype([whole, whole]))
    assert not space.is_connected(space.from_genotype([cut, whole]))
    # A reduction cell that is cut is passed by, where normal cells read the cell before the last.
    assert space.is_connected(space.from_genotype([whole, cut]))
    last_alone = tuple((names[s == 0], s) for _ in range(4) for s in (0, 1))
    assert not space.is_connected(space.from_genotype([last_alone, cut]))
    rng = np.random.default_rng(0)
    assert all(load_space("darts").is_connected(load_space("darts").sample(rng)) for _ in range(9))


@pytest.mark.parametrize("name", NAMES)
def test_features_tell_architectures_apart(name: str) -> None:
    space, rng = load_space(name), np.random.default_rng(0)
    drawn = list({space.sample(rng) for _ in range(50)})
    for encoding in space.encodings:
        features = space.features(drawn, encoding)
        assert len(np.unique(features, axis=0)) == len(drawn)
    one_hot, adjacency = (space.features(drawn, each) for each in ("one-hot", "adjacency"))
    assert (one_hot.sum(axis=1) == 28).all()  # a label an edge
    assert (adjacency.sum(axis=1) == 16 + 16).all()  # 16 edges there are, 16 operations


def test_the_sample_of_nas_bench_301_is_read(shared_data: Path) -> None:
    import pandas as pd

    operations = load_space("darts").cells[0].operations[1:]
    frame = pd.read_parquet(shared_data / "darts" / "nasbench301_sample.parquet")
    space = load_space("darts")
    vectors = []
    for text in frame["genotype"]:  # pairs of node and operation, as NASLib has them
        cells = [[(operations[o], s) for s, o in cell] for cell in ast.literal_eval(text)]
        vectors.append(space.from_genotype(cells))
    assert len(set(vectors)) == len(set(frame["genotype"]))


def test_pictures_have_every_edge() -> None:
    space = load_space("darts")
    vector = space.read(DARTS_V2)
    assert space.dot(vector).count("->") == 16
    texts = [text.get_text() for child in space.draw(vector).child_axes for text in child.texts]
    assert texts.count("skip") == 5
    assert CELL.edges == EDGES
    assert CELL.outputs == (3,)


def test_speed() -> None:
    """100,000 samples and mutations with canonical form: under 2 s on an idle core."""
    space, rng = load_space("darts"), np.random.default_rng(0)
    space.canonical_key(space.sample(rng))
    start = time.process_time()
    for _ in range(10_000):
        space.canonical_key(space.mutate(space.sample(rng), rng))
    assert time.process_time() - start < 0.6  # a tenth of them, three times the time
