"""NAS-Bench-101's modules against the hashes of its authors."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import PoolSpace, load_space, nasbench101
from nasbench_suite.spaces.nasbench101 import Module, graph_hash, make_module

# NASBench's own tests: a diamond with its labels exchanged, and one graph in three orders.
DIAMOND = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_hashes_of_published_graphs(shared_data):
    table = pd.read_parquet(shared_data / "nasbench101/partial.parquet").dropna()
    assert len(table) == 1000
    for row in table.itertuples():
        module = make_module(ast.literal_eval(row.adjacency), ast.literal_eval(row.operations))
        assert graph_hash(module) == row.key
        assert nasbench101.parse_module(nasbench101.format_module(module)) == module


def test_hashes_of_published_adjacency_lists(shared_data):
    table = pd.read_parquet(shared_data / "nasbench101/energy_4v5v.parquet")
    for row in table.itertuples():
        module = make_module(ast.literal_eval(row.adjacency), ast.literal_eval(row.labels))
        assert graph_hash(module) == row.hash
    assert set(table.hash) <= {fingerprint for fingerprint, _ in nasbench101.all_modules(5)}


def test_hash_does_not_depend_on_the_order_of_vertices():
    one, other = make_module(DIAMOND, [-1, 1, 2, -2]), make_module(DIAMOND, [-1, 2, 1, -2])
    assert one != other
    assert graph_hash(one) == graph_hash(other)
    assert graph_hash(one) != graph_hash(make_module(DIAMOND, [-1, 1, 1, -2]))


def test_counts_of_distinct_modules():
    """Up to five vertices: 2,532, as EC-NAS-Bench says of its space of five."""
    assert sum(1 for _ in nasbench101.all_modules(2)) == 1
    found = dict(nasbench101.all_modules(5))
    sizes = [module.vertices for module in found.values()]
    assert [sum(size <= most for size in sizes) for most in (2, 3, 4, 5)] == [1, 7, 91, 2532]


def test_brute_force_agrees_that_equal_hashes_are_isomorphic_graphs():
    """Up to four vertices: equal hashes if and only if a permutation maps one to the other."""

    def canonical(module):
        matrix = module.matrix
        labels = np.array([-1, *module.operations, -2])
        inner = range(1, module.vertices - 1)
        return min(
            (matrix[np.ix_(order, order)].tobytes(), labels[list(order)].tobytes())
            for middle in itertools.permutations(inner)
            for order in [[0, *middle, module.vertices - 1]]
        )

    groups: dict[str, set] = {}
    for vertices in (2, 3, 4):
        for edges in range(1 << (vertices * (vertices - 1) // 2)):
            for operations in itertools.product(range(3), repeat=vertices - 2):
                module = Module(edges, operations)
                pruned = nasbench101.prune(module)
                if pruned is not None:
                    groups.setdefault(graph_hash(module), set()).add(canonical(pruned))
    assert len(groups) == 91
    assert all(len(forms) == 1 for forms in groups.values())
    assert len(set().union(*groups.values())) == 91


def test_pruning_takes_away_what_no_path_passes():
    # 0 -> 1 -> 3, and 2 that reads the input and feeds nothing.
    module = make_module([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]], [-1, 2, 0, -2])
    assert nasbench101.prune(module) == Module(0b101, (2,))
    assert graph_hash(module) == graph_hash(Module(0b101, (2,)))


def test_edges_that_are_pruned_do_not_count():
    dense = np.triu(np.ones((7, 7), dtype=int), 1)
    dense[:, 6] = 0
    dense[0, 6] = 1  # all else leads nowhere
    assert nasbench101.prune(make_module(dense, [-1, 0, 0, 0, 0, 0, -2])) == Module(1, ())


@pytest.mark.parametrize(
    ("matrix", "operations", "sentence"),
    [
        ([[0, 0], [0, 0]], [-1, -2], "no path from input to output"),
        (np.triu(np.ones((7, 7), int), 1), [-1, 0, 0, 0, 0, 0, -2], "21 edges"),
        (np.triu(np.ones((8, 8), int), 1), [-1, 0, 0, 0, 0, 0, 0, -2], "at most 7 vertices"),
        ([[0, 1], [1, 0]], [-1, -2], "upper triangular"),
        ([[0, 2], [0, 0]], [-1, -2], "zeros and ones"),
        ([[0, 1, 0], [0, 0, 1]], [-1, 0, -2], "square"),
        ([[0, 1], [0]], [-1, -2], "square"),
        ([[0, 1], [0, 0]], [-1, 0, -2], "as many operations"),
        ([[0, 1], [0, 0]], ["output", "input"], "begin with 'input'"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [-1, 7, -2], "operation"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "conv3x3", "output"], "conv3x3-bn-relu"),
    ],
)
def test_what_is_no_module_is_refused(matrix, operations, sentence):
    with pytest.raises(SuiteError, match=sentence):
        make_module(matrix, operations)


@pytest.mark.parametrize("text", ["", "0110", "01a0 input,output", "011 input,output", "x y", 3])
def test_malformed_strings_are_refused(text):
    with pytest.raises(SuiteError):
        nasbench101.parse_module(text)


def test_a_module_is_found_by_its_hash_and_what_is_no_hash_is_refused_at_once():
    known = dict(nasbench101.all_modules(5))
    others = ["0" * 32, "f" * 32, *(text[:-1] + "x" for text in list(known)[:9])]
    assert nasbench101.modules_with([*known, *others[:2]]) == known
    space = load_space("nasbench101")
    text, module = next(iter(known.items()))
    assert space.read(text) == module
    for other in others:
        with pytest.raises(SuiteError, match=f"has the hash {other}|Malformed module '{other}'"):
            space.read(other)


@pytest.mark.slow
def test_the_file_of_modules_has_all_of_them_by_their_hashes():
    found = dict(nasbench101.all_modules())
    assert len(found) == nasbench101.NUM_MODULES
    with np.load(Path(nasbench101.__file__).with_suffix(".npz")) as file:
        for name, array in nasbench101.pack_modules(found).items():
            np.testing.assert_array_equal(file[name], array)


def test_random_and_mutated_modules_are_valid_and_reproducible():
    def chain(seed):
        rng = np.random.default_rng(seed)
        modules = [nasbench101.random_module(rng)]
        for _ in range(300):
            modules.append(nasbench101.mutate_module(modules[-1], rng))
        modules += [nasbench101.cross_modules(a, b, rng) for a, b in itertools.pairwise(modules)]
        return modules

    modules = chain(0)
    assert all(map(nasbench101.is_valid, modules))
    assert len({graph_hash(module) for module in modules}) > 200
    assert modules == chain(0) != chain(1)


def test_mutation_flips_as_often_as_nasbench():
    """Of a valid module with all mutants valid: edges at 1/7, operations at 1/5 each."""
    rng = np.random.default_rng(1)
    module = Module(1, (0, 1, 2, 0, 1))  # input to the first vertex alone: invalid without more
    chain = Module(sum(nasbench101.edge_bit(v, v + 1) for v in range(6)), (0, 1, 2, 0, 1))
    assert not nasbench101.is_valid(module)
    replaced = [
        sum(a != b for a, b in zip(chain.operations, mutant.operations, strict=True))
        for mutant in (nasbench101.mutate_module(chain, rng) for _ in range(4000))
    ]
    assert np.mean(replaced) == pytest.approx(1.0, abs=0.05)


def test_neighbours_are_symmetric_but_for_pruning():
    rng = np.random.default_rng(2)
    for module in (nasbench101.random_module(rng) for _ in range(6)):
        pruned = nasbench101.prune(module)
        near = nasbench101.module_neighbours(module)
        hashes = [graph_hash(one) for one in near]
        assert len(set(hashes)) == len(hashes)
        assert graph_hash(module) not in hashes
        for one in near:
            if nasbench101.prune(one).vertices == pruned.vertices:
                back = map(graph_hash, nasbench101.module_neighbours(one))
                assert graph_hash(module) in set(back)


def test_neighbours_of_the_smallest_module_are_those_with_one_vertex():
    near = nasbench101.module_neighbours(Module(1, ()))
    assert sorted(near) == [Module(0b111, (operation,)) for operation in range(3)]


def test_path_features_by_hand():
    """Input to output directly, and through a 1x1 convolution: paths () and (1,)."""
    row = nasbench101.path_features([Module(0b111, (1,))])[0]
    assert row.sum() == 2
    assert np.flatnonzero(row).tolist() == [0, 1 + 1]
    assert len(row) == 364


def test_adjacency_features_tell_modules_apart():
    modules = [module for _, module in nasbench101.all_modules(4)]
    rows = nasbench101.adjacency_features(modules)
    assert rows.shape == (91, 36)
    assert len(np.unique(rows, axis=0)) == 91


def test_any_edges_and_operations_stand_for_the_nearest_module():
    space, rng = load_space("nasbench101"), np.random.default_rng(0)
    assert len(space.parameters) == 26
    flips = []
    for _ in range(300):
        vector = [int(rng.integers(options)) for options in space.parameters]
        given = Module(
            sum(edge << place for place, edge in enumerate(vector[:21])), (*vector[21:],)
        )
        found = space.closest(vector)
        assert nasbench101.is_valid(found)
        assert found.operations == given.operations
        flips.append((found.edges ^ given.edges).bit_count())
        assert (flips[-1] == 0) == nasbench101.is_valid(given)
        if flips[-1] == 2:  # no single flip is enough
            singles = [given._replace(edges=given.edges ^ 1 << place) for place in range(21)]
            assert not any(map(nasbench101.is_valid, singles))
    assert set(flips) == {0, 1, 2}
    complete = space.closest([1] * 21 + [0] * 5)
    assert complete.edges.bit_count() == 18
    assert space.closest([0] * 26).matrix.sum() == 1
    with pytest.raises(SuiteError, match="21 edges"):
        space.closest([2] * 26)


def test_a_pool_of_modules_answers_parameters_by_its_nearest_member():
    space, rng = load_space("nasbench101"), np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(50)]
    named = {space.canonical(module): module for module in drawn}
    pool = PoolSpace(space, [space.string(module) for module in named.values()])
    members = space.features(pool.members, "adjacency")
    for _ in range(20):
        vector = [*rng.integers(2, size=21).tolist(), *rng.integers(3, size=5).tolist()]
        asked = space.closest(vector)
        distances = np.abs(members - space.features([asked], "adjacency")).sum(axis=1)
        # A member of the same graph, else the nearest, of equals the first.
        known = [n for n, key in enumerate(named) if key == space.canonical(asked)]
        assert pool.closest(vector) == (known or [np.argmin(distances)])[0]
    own = pool.member(7)
    own = own if own.vertices == 7 else nasbench101._padded(own, rng)
    edges = [own.edges >> place & 1 for place in range(21)]
    assert pool.closest([*edges, *own.operations]) == 7
