"""Spaces that are never listed, pools of measured architectures, and what a stranger's space is."""

from __future__ import annotations

import math
import pickle
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import (
    FiniteSpace,
    PoolSpace,
    ProductSpace,
    SearchSpace,
    listed,
    load_finite_space,
    load_space,
)
from nasbench_suite.spaces.topology import EDGES, OPERATIONS, TopologySpace

UNEVEN = (2, 3, 5)


class WordSpace(ProductSpace):
    """The choices of a word of letters, not listed."""

    name = "words"
    choices = UNEVEN

    def format(self, form):
        return "-".join("abcde"[choice] for choice in form)

    def parse(self, string):
        try:
            return tuple("abcde".index(letter) for letter in string.split("-"))
        except ValueError:
            raise SuiteError(f"Malformed word {string!r}.") from None


class UnlistedTopology(ProductSpace):
    """NATS-Bench's cells as a product that is not listed."""

    name = "cells"
    choices = TopologySpace.choices
    format, parse = TopologySpace.format, TopologySpace.parse
    canonical_key = TopologySpace.canonical_key


class SetSpace(SearchSpace):
    """Sets of whole numbers without end: neither choices nor a size."""

    name = "sets"

    def sample(self, rng):
        return frozenset(rng.integers(100, size=3).tolist())

    def mutate(self, architecture, rng):
        return architecture ^ {int(rng.integers(100))}

    def neighbours(self, architecture):
        return [architecture ^ {number} for number in range(100)]

    def format(self, form):
        return ",".join(map(str, sorted(form)))

    def parse(self, string):
        return frozenset(int(number) for number in string.split(",") if number)


class RingSpace(FiniteSpace):
    """A listed space that is no product."""

    name = "ring"
    size = 12

    def format(self, form):
        return f"at {form} o'clock"

    def neighbours(self, architecture):
        here = self.index(architecture)
        return np.array([(here - 1) % 12, (here + 1) % 12])


@pytest.fixture(scope="module")
def tss():
    return load_finite_space("nats-tss")


# -- products that are not listed -----------------------------------------------------------------


def test_a_product_reads_checks_and_counts():
    space = WordSpace()
    assert space.size == math.prod(UNEVEN) == 30
    for form in ("b-c-e", (1, 2, 4), [1, 2, 4], np.array([1, 2, 4])):
        assert space.read(form) == (1, 2, 4)
        assert space.string(form) == "b-c-e"
        assert space.vector(form) == space.closest(form) == (1, 2, 4)
    for wrong in ((2, 0, 0), (0, 0), (0, 0, -1), (0.0, 0, 0), (True, 0, 0), 5, None, np.eye(3)):
        with pytest.raises(SuiteError, match="no architecture of space 'words'"):
            space.read(wrong)
    with pytest.raises(SuiteError, match="'words' is too large to list"):
        listed(space)


def test_moves_in_a_product_are_those_of_the_listed_product(tss):
    space = UnlistedTopology()
    listed_rng, rng = np.random.default_rng(0), np.random.default_rng(0)
    for index in range(0, 15_625, 71):
        vector = tss.vector(index)
        assert space.mutate(vector, rng) == tss.vector(tss.mutate(index, listed_rng))
        assert space.neighbours(vector) == [tss.vector(i) for i in tss.neighbours(index)]
        assert space.canonical(vector) == tss.canonical(index)
    ones, others = tss.vector(7), tss.vector(4321)
    child = tss.crossover(7, 4321, listed_rng)
    assert space.crossover(ones, others, rng) == tss.vector(child)


def test_a_product_is_sampled_uniformly_and_crossed_by_choice():
    space, rng = WordSpace(), np.random.default_rng(0)
    counts = Counter(space.sample(rng) for _ in range(30_000))
    assert len(counts) == 30
    assert max(abs(count - 1_000) for count in counts.values()) < 5 * math.sqrt(1_000)
    children = {space.crossover((0, 0, 0), (1, 2, 4), rng) for _ in range(200)}
    assert children == {(a, b, c) for a in (0, 1) for b in (0, 2) for c in (0, 4)}


# -- spaces without choices -----------------------------------------------------------------------


def test_a_space_without_choices_or_size():
    space, rng = SetSpace(), np.random.default_rng(0)
    assert space.size is None
    assert "unknown number of" in repr(space)
    assert space.read("3,1") == space.read(frozenset({1, 3})) == frozenset({1, 3})
    assert space.canonical("3,1") == "1,3"
    one, other = space.sample(rng), space.sample(rng)
    assert {space.crossover(one, other, rng) for _ in range(50)} == {one, other}
    assert pickle.loads(pickle.dumps(space)).read("3,1") == {1, 3}
    with pytest.raises(SuiteError, match="no vectors of independent choices"):
        space.vector(one)
    with pytest.raises(SuiteError, match="have no features"):
        space.features([one])
    with pytest.raises(SuiteError, match="nobody knows how many"):
        listed(space)
    for stranger in (7, None, [1, 3]):
        with pytest.raises(SuiteError, match="no architecture of space 'sets'"):
            space.read(stranger)


def test_a_listed_space_that_is_no_product():
    space, rng = RingSpace(), np.random.default_rng(0)
    assert len(space) == 12
    assert space.index("at 5 o'clock") == space.index(np.int64(5)) == 5
    assert {space.mutate(5, rng) for _ in range(50)} == {4, 6}
    assert space.classes.tolist() == list(range(12))
    assert space.connected.all()
    assert_array_equal(space.indices(["at 3 o'clock", "at 1 o'clock"]), [3, 1])
    for wrong in ("at 13 o'clock", 12, -1, (0, 1), True):
        with pytest.raises(SuiteError, match="space 'ring'"):
            space.index(wrong)
    with pytest.raises(SuiteError, match="no vectors"):
        _ = space.all_vectors


@pytest.mark.parametrize("value", [None, (0, 0), (0, 9, 0), "a-a-a", 3])
@pytest.mark.parametrize("kind", [WordSpace, TopologySpace])
def test_what_a_strangers_parse_returns_is_checked(kind, value):
    class Careless(kind):
        def parse(self, string):
            return value

    with pytest.raises(SuiteError, match=r"function parse of space .* correct .*Careless.parse"):
        Careless().read("b-b-b")


# -- pools ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool(tss):
    rows = np.random.default_rng(3).choice(tss.size, 900, replace=False)
    return PoolSpace(tss, [tss.string(int(row)) for row in rows])


def test_a_pool_numbers_its_members(pool, tss):
    assert pool.size == len(pool) == 900
    assert pool.name == "nats-tss[900]"
    rows = [tss.index(string) for string in pool.strings]
    assert_array_equal(pool.all_vectors, tss.all_vectors[rows])
    for index in (0, 17, 899):
        assert pool.index(pool.strings[index]) == pool.index(pool.vector(index)) == index
        assert pool.canonical(index) == tss.canonical(rows[index])
        assert pool.is_connected(index) == tss.is_connected(rows[index])
    assert_array_equal(pool.connected, tss.connected[rows])
    assert_array_equal(pool.features([4, 5], "path"), tss.features(rows[4:6], "path"))
    again = pickle.loads(pickle.dumps(pool))
    assert again.strings == pool.strings
    outside = next(i for i in range(tss.size) if i not in set(rows))
    for form in (tss.string(outside), tss.vector(outside)):
        with pytest.raises(SuiteError, match="is not among the 900 that the table has"):
            pool.index(form)


def test_neighbours_in_a_pool_are_the_nearest(pool):
    vectors = np.array([pool.vector(index) for index in range(pool.size)])
    for index in range(0, 900, 13):
        distances = (vectors != vectors[index]).sum(axis=1)
        true = set(np.flatnonzero(distances == 1).tolist())
        found = pool.neighbours(index).tolist()
        assert true <= set(found)
        assert len(found) == len(set(found)) == max(8, len(true))
        assert index not in found
        others = np.delete(distances, [index, *found])
        assert distances[found].max() <= max(1, others.min())
    rng = np.random.default_rng(0)
    moved = {pool.mutate(5, rng) for _ in range(400)}
    assert moved == set(pool.neighbours(5).tolist())


def test_vectors_outside_a_pool_snap_to_the_nearest_member(pool, tss):
    rng = np.random.default_rng(0)
    for _ in range(50):
        vector = tss.vector(tss.sample(rng))
        snapped = pool.closest(vector)
        distances = (pool.all_vectors != np.array(vector)).sum(axis=1)
        assert distances[snapped] == distances.min()
    child = pool.crossover(3, 8, rng)
    assert 0 <= child < 900


def test_a_pool_of_a_space_without_choices():
    pool = PoolSpace(SetSpace(), ["1,2", "1,2,3", "50", "7", "1"])
    assert pool.neighbours("1,2").tolist()[:2] == [4, 1]  # without 2, with 3: by the number
    assert sorted(pool.neighbours(0).tolist()) == [1, 2, 3, 4]
    assert pool.crossover(0, 2, np.random.default_rng(0)) in (0, 2)
    assert PoolSpace(SetSpace(), ["1"]).mutate(0, np.random.default_rng(0)) == 0


def test_a_pool_refuses_strangers_and_twins(tss):
    with pytest.raises(SuiteError, match="Malformed cell"):
        PoolSpace(tss, ["what"])
    with pytest.raises(SuiteError, match="is in the pool twice"):
        PoolSpace(tss, [tss.string(3), tss.string(3)])
    with pytest.raises(SuiteError, match="at least one"):
        PoolSpace(tss, [])


# -- features and names ---------------------------------------------------------------------------


def test_adjacency_features_are_the_edges_and_their_operations(tss):
    rng = np.random.default_rng(0)
    chosen = [tss.sample(rng) for _ in range(200)]
    features = tss.features(chosen, "adjacency")
    assert features.shape == (200, 6 + 6 * 4)
    for row, index in zip(features, chosen, strict=True):
        operations = [OPERATIONS[choice] for choice in tss.vector(index)]
        expected = [float(operation != "none") for operation in operations]
        for operation in operations:
            expected += [float(operation == other) for other in OPERATIONS if other != "none"]
        assert row.tolist() == expected
    assert tss.features(chosen).shape == (200, 5 * len(EDGES))
    assert tss.features(chosen, "path").shape == (200, 5 + 25 + 125)
    with pytest.raises(SuiteError, match="did you mean 'path'"):
        tss.features(chosen, "paths")


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("nasbench201", "nats-tss"),
        ("NAS-Bench-201", "nats-tss"),
        ("tss", "nats-tss"),
        ("topology", "nats-tss"),
        ("sss", "nats-sss"),
        ("size", "nats-sss"),
        ("nas-bench-macro", "nasbench-macro"),
    ],
)
def test_spaces_have_the_names_that_are_in_use(alias, name):
    assert load_space(alias) is load_space(name)
