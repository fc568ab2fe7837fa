"""TransNAS-Bench-101's spaces against its strings and NASLib's tables of its figures."""

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space


@pytest.fixture(scope="module")
def micro():
    return load_space("transnas101-micro")


@pytest.fixture(scope="module")
def macro():
    return load_space("transnas101-macro")


@pytest.mark.parametrize(("name", "size"), [("micro", 4096), ("macro", 3256)])
def test_table_lists_exactly_the_space_in_its_order(shared_data, name, size):
    space = load_space(f"transnas101-{name}")
    table = pd.read_parquet(shared_data / f"transnas101/{name}.parquet")
    assert space.size == size
    assert [space.index(text) for text in table.arch] == list(range(size))


def test_published_strings(micro, macro):
    """The two examples of the authors' README."""
    assert micro.vector("64-41414-1_02_333") == (1, 0, 2, 3, 3, 3)
    assert macro.string("64-1234-basic") == "64-1234-basic"
    assert macro.vector("64-2311-basic") == (1, 2, 0, 0, 0, 0)  # index2arch(1) in the README
    assert macro.index("(2, 3, 1, 1)") == macro.index("64-2311-basic")


@pytest.mark.parametrize("name", ["transnas101-micro", "transnas101-macro"])
def test_every_form_leads_to_the_same_index(name):
    space = load_space(name)
    for index in range(0, space.size, 37):
        assert space.index(space.string(index)) == index
        assert space.index(space.vector(index)) == index
        assert space.closest(space.vector(index)) == index
        near = space.neighbours(index)
        assert len(near)
        assert all(index in space.neighbours(int(one)) for one in near[:3])


def test_figures_shared_by_cells_are_shared_within_a_class_alone(micro, shared_data):
    """Cells with equal figures on all seven tasks were one training of the authors."""
    table = pd.read_parquet(shared_data / "transnas101/micro.parquet")
    figures = table[[column for column in table if column.endswith("_val")]]
    groups = figures.groupby(list(figures)).ngroup().to_numpy()
    shared = np.flatnonzero(np.bincount(groups) > 1)
    assert len(shared) == 536
    assert all(len(set(micro.classes[groups == group])) == 1 for group in shared)


def test_classes_are_alike_beyond_what_following_skips_from_the_input_gives(micro, shared_data):
    """Twins differ by a fortieth of the table's spread; all of one class are disconnected."""
    table = pd.read_parquet(shared_data / "transnas101/micro.parquet")
    within = table.class_scene_val.groupby(micro.classes).std().dropna().median()
    assert within < table.class_scene_val.std() / 40
    assert len(micro.representatives) == 1229
    assert (~micro.connected).sum() == 169
    # A conv_3x3 straight from input to output, and with a node nobody reads beside it.
    assert micro.canonical("64-41414-0_00_300") == micro.canonical("64-41414-3_00_300")
    assert micro.canonical("64-41414-1_00_300") != micro.canonical("64-41414-1_00_310")


def test_macro_holds_what_its_rule_says(macro):
    strings = macro.all_strings
    assert len(set(strings)) == 3256
    assert [sum(len(s.split("-")[1]) == n for s in strings) for n in (4, 5, 6)] == [210, 750, 2296]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("micro", "64-41414-1_02_334", "Malformed"),
        ("micro", "64-41414-1_02_33", "Malformed"),
        ("micro", "(0, 1, 2)", "Malformed"),
        ("micro", "", "Malformed"),
        ("micro", None, "no architecture"),
        ("macro", "64-123-basic", "Malformed"),
        ("macro", "64-1235-basic", "Malformed"),
        ("macro", "64-1111-basic", "outside space"),
        ("macro", "64-4444-basic", "outside space"),
        ("macro", 3256, "outside space"),
        ("macro", (0, 0, 0, 0, 0, 0), "no architecture"),
    ],
)
def test_what_is_outside_is_refused(name, text, sentence):
    with pytest.raises(SuiteError, match=sentence):
        load_space(f"transnas101-{name}").index(text)


def test_macro_vector_with_a_gap_is_the_one_without(macro):
    assert macro.index((0, 1, 2, 0, 0, 3)) == macro.index((0, 1, 2, 0, 3, 0))


def test_pictures(micro, macro):
    assert "conv_3x3" in micro.dot("64-41414-1_02_333")
    assert "resolution / 2" in macro.dot("64-1234-basic")
