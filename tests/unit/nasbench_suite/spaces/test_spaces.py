"""Search spaces, against the published tables, brute force and the authors' own lists."""

from __future__ import annotations

import doctest
import hashlib
import importlib
import json
import pickle
import re
from collections import Counter
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from typer.testing import CliRunner

from nasbench_suite.commands import space as space_commands
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteProductSpace, list_spaces, load_space
from nasbench_suite.spaces.topology import EDGES, OPERATIONS, live_edges

NAMES = ["nats-tss", "nats-sss", "nasbench-macro"]
CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"


class UnevenSpace(FiniteProductSpace):
    """A further space is this much: 24 architectures, 2, 3 and 4 options, shuffled order."""

    name = "uneven"
    choices = (2, 3, 4)

    def format(self, vector):
        return "-".join("abcd"[choice] for choice in vector)

    def parse(self, string):
        if not re.fullmatch("[ab]-[abc]-[abcd]", string):
            raise SuiteError(f"Malformed {string!r}.")
        return tuple("abcd".index(letter) for letter in string.split("-"))

    def published_order(self):
        return np.random.default_rng(0).permutation(24)

    def canonical_key(self, vector):
        return tuple(sorted(vector))


@pytest.fixture(scope="module", params=[*NAMES, "uneven"])
def space(request):
    return UnevenSpace() if request.param == "uneven" else load_space(request.param)


# -- order and isomorphism, against what others published -------------------------------------


def test_topology_order_and_classes_are_those_of_the_published_table(shared_data):
    table = pd.read_parquet(shared_data / "nasbench201" / "accuracy.parquet")
    space = load_space("nats-tss")
    assert table.arch_index.tolist() == list(range(15_625))
    assert table.arch_str.tolist() == list(space.all_strings)
    # Equal partitions: each class number goes with one string, and each string with one number.
    pairs = set(zip(space.classes.tolist(), table.unique_str, strict=True))
    assert len(pairs) == len(set(space.classes.tolist())) == table.unique_str.nunique() == 6_466


def test_macro_classes_are_the_networks_that_the_published_table_trained_once(shared_data):
    table = pd.read_parquet(shared_data / "nasbench_macro" / "accuracy.parquet")
    space = load_space("nasbench-macro")
    assert sorted(table.arch_str) == list(space.all_strings)
    figures = list(table.drop(columns="arch_str").itertuples(index=False, name=None))
    classes = space.classes[space.indices(table.arch_str)].tolist()
    assert len(set(zip(classes, figures, strict=True))) == len(set(figures)) == 3_969
    assert len(set(classes)) == 3_969


def test_size_order_is_the_authors():
    # SHA-256 of the 32,768 lines of `meta_archs` in the published
    # NATS-sss-v1_0-50262-simple/meta.pickle.pbz2 (github.com/D-X-Y/NATS-Bench, fake_torch_dir).
    published = "8b99b4c0aabe959924c6fb36c0ee4a3f79362343e36b7752b90deee9409b492f"
    space = load_space("nats-sss")
    assert hashlib.sha256("\n".join(space.all_strings).encode()).hexdigest() == published
    assert space.index("8:8:8:16:40") == 12  # their notebooks/issue-21.ipynb
    assert len(space.representatives) == space.size == 32_768


def test_topology_classes_are_those_of_the_authors_code():
    genotypes = pytest.importorskip("nats_bench.genotype_utils")
    space = load_space("nats-tss")
    theirs = [
        genotypes.topology_str2structure(cell).to_unique_str(consider_zero=True)
        for cell in space.all_strings
    ]
    pairs = set(zip(space.classes.tolist(), theirs, strict=True))
    assert len(pairs) == len(space.representatives) == len(set(theirs)) == 6_466


def test_classes_agree_with_canonical_keys(space):
    numbers = {}
    chosen = range(0, space.size, max(1, space.size // 3_000))
    for index in chosen:
        assert (
            numbers.setdefault(space.canonical(index), space.classes[index])
            == (space.classes[index])
        )
    assert len(set(numbers.values())) == len(numbers)
    # Numbered by first appearance, and a representative is the first of its class.
    assert (np.diff(np.maximum.accumulate(space.classes)) <= 1).all()
    assert space.classes[0] == 0
    first = pd.Series(space.classes).drop_duplicates().index
    assert space.representatives.tolist() == first.tolist()


# -- the three forms --------------------------------------------------------------------------


def test_every_form_of_every_architecture_leads_to_its_index(space):
    indices = np.arange(space.size)
    assert len(set(space.all_strings)) == space.size
    for many in (space.all_strings, space.all_vectors, indices, list(space.all_strings)):
        assert (space.indices(many) == indices).all()
    assert (space.indices(iter(space.all_strings[:50])) == indices[:50]).all()
    assert (space.indices(pd.Series(space.all_strings)) == indices).all()
    assert space.size == len(space) == np.prod(space.choices)
    for string, vector in zip(space.all_strings, space.all_vectors.tolist(), strict=True):
        assert space.parse(string) == tuple(vector)


@given(st.data())
def test_round_trips_among_the_forms(data):
    space = load_space(data.draw(st.sampled_from(NAMES)))
    vector = tuple(data.draw(st.integers(0, options - 1)) for options in space.choices)
    index = space.index(vector)
    string = space.string(vector)
    assert type(index) is int
    assert space.parse(string) == vector == space.vector(string) == space.vector(index)
    assert string == space.string(index) == space.all_strings[index] == space.format(vector)
    for form in (string, list(vector), np.array(vector), np.int32(index), np.array(vector, "u1")):
        found = space.index(form)
        assert found == index
        assert type(found) is int
    assert space.indices([vector])[0] == space.indices([string])[0] == index


@given(st.data())
def test_any_text_is_refused_or_names_an_architecture(data):
    space = load_space(data.draw(st.sampled_from(NAMES)))
    text = data.draw(
        st.one_of(
            st.text(max_size=40),
            st.text(alphabet="|~+:0123456789noneskip_connect ", max_size=60),
        )
    )
    _refused_or_known(space, text)


@given(st.data())
def test_a_damaged_string_is_refused_or_names_an_architecture(data):
    space = load_space(data.draw(st.sampled_from(NAMES)))
    text = list(space.string(data.draw(st.integers(0, space.size - 1))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.one_of(st.just(""), st.characters(), st.sampled_from("|~+:0123 \n٣")))
        text[at : at + data.draw(st.integers(0, 2))] = new
    _refused_or_known(space, "".join(text))


def _refused_or_known(space, text):
    known = text in set(space.all_strings)
    for read in (space.index, space.parse, space.string, lambda text: space.indices([text])):
        if known:
            read(text)
        else:
            with pytest.raises(SuiteError):
                read(text)


BAD = [
    True,
    None,
    1.5,
    10**30,
    -1,
    [],
    [0],
    "",
    b"0",
    {},
    (0, [1]),
    [0, [1]],
    np.zeros((2, 2)),
    [None],
]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_what_is_no_architecture_is_refused(space, bad):
    with pytest.raises(SuiteError):
        space.index(bad)
    with pytest.raises(SuiteError):
        space.indices([bad, bad])


def test_vectors_and_indices_outside_are_refused_and_named(space):
    for position, options in enumerate(space.choices):
        for choice in (-1, options):
            vector = [0] * len(space.choices)
            vector[position] = choice
            for form in (vector, tuple(vector), np.array(vector)):
                with pytest.raises(SuiteError, match=re.escape(str(vector))):
                    space.index(form)
            with pytest.raises(SuiteError, match=re.escape(str(vector))):
                space.indices([[0] * len(space.choices), vector])
    with pytest.raises(
        SuiteError, match=rf"index {space.size} is outside .* 0 to {space.size - 1}"
    ):
        space.index(space.size)
    with pytest.raises(SuiteError, match=r"index -3 is outside"):
        space.indices([0, -3, space.size])


def test_no_architectures_have_no_indices(space):
    for none in ([], np.empty((0, len(space.choices)), dtype=int), iter([])):
        assert space.indices(none).shape == (0,)


def test_an_unknown_operation_is_named():
    with pytest.raises(SuiteError, match="Unknown operation 'conv_3x3'"):
        load_space("nats-tss").index(CELL.replace("nor_conv_1x1", "conv_3x3"))
    with pytest.raises(SuiteError, match="12 channels in network size '8:8:12:8:8'"):
        load_space("nats-sss").index("8:8:12:8:8")


# -- neighbours and sampling ------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [*zip(NAMES, (24, 35, 16), strict=True)])
def test_neighbours_differ_in_exactly_one_choice(name, count):
    space = load_space(name)
    assert space.neighbour_table.shape == (space.size, count)
    for index in np.random.default_rng(1).integers(space.size, size=25).tolist():
        distance = (space.all_vectors != space.all_vectors[index]).sum(axis=1)
        assert sorted(space.neighbours(index).tolist()) == np.flatnonzero(distance == 1).tolist()
    vectors = space.all_vectors[space.neighbour_table]
    assert ((vectors != space.all_vectors[:, None]).sum(axis=2) == 1).all()


def test_samples_are_uniform(space):
    rng = np.random.default_rng(2)
    draws = [space.sample(rng) for _ in range(8 * space.size)]
    assert type(draws[0]) is int
    counts = np.bincount(draws, minlength=space.size)
    assert len(counts) == space.size
    assert chisquare(counts).pvalue > 1e-4


def test_mutation_draws_a_decision_and_then_another_option(space):
    rng = np.random.default_rng(3)
    index = space.size // 3
    draws = Counter(space.mutate(index, rng) for _ in range(30_000))
    neighbours = space.neighbours(index).tolist()
    assert set(draws) == set(neighbours)
    here = np.array(space.vector(index))
    changed = [int(np.flatnonzero(np.array(space.vector(n)) != here)[0]) for n in neighbours]
    expected = [30_000 / len(here) / (space.choices[decision] - 1) for decision in changed]
    assert chisquare([draws[neighbour] for neighbour in neighbours], expected).pvalue > 1e-4


# -- cells ------------------------------------------------------------------------------------


def test_live_edges_are_those_on_a_path_from_input_to_output():
    paths = [
        [EDGES.index(edge) for edge in zip((0, *between), (*between, 3), strict=True)]
        for length in range(3)
        for between in combinations((1, 2), length)
    ]
    assert len(paths) == 4
    disconnected = 0
    space = load_space("nats-tss")
    for index, vector in enumerate(space.all_vectors.tolist()):
        open_paths = [path for path in paths if all(vector[edge] for edge in path)]
        alive = {edge for path in open_paths for edge in path}
        assert live_edges(vector) == [op if i in alive else 0 for i, op in enumerate(vector)]
        assert space.is_connected(index) == bool(open_paths)
        disconnected += not open_paths
    assert disconnected == sum(
        not (d or (a and e) or (b and f) or (a and c and f))
        for a, b, c, d, e, f in product(range(len(OPERATIONS)), repeat=6)
    )
    assert disconnected == 341


def test_networks_without_cells_are_always_connected():
    assert load_space("nats-sss").is_connected(5)
    with pytest.raises(SuiteError):
        load_space("nats-sss").is_connected(99_999)


# -- pictures ---------------------------------------------------------------------------------


def _read_dot(text):
    """Labels of the nodes, and edges, of the subset of DOT that is written here."""
    lines = text.splitlines()
    assert re.fullmatch(r"digraph \w+ \{", lines[0])
    assert lines[-1] == "}"
    nodes, edges = {}, []
    for line in lines[1:-1]:
        if match := re.fullmatch(r'  (\d) -> (\d)(?: \[label="([^"]*)"\])?;', line):
            edges.append((int(match[1]), int(match[2]), match[3]))
        elif match := re.fullmatch(r'  (\d) \[label="([^"]*)"\];', line):
            nodes[int(match[1])] = match[2]
        else:
            assert re.fullmatch(r"  rankdir=LR;|  node \[shape=\w+\];", line)
    assert {end for edge in edges for end in edge[:2]} <= set(nodes)
    return nodes, edges


def test_dot_of_a_cell_has_its_operations():
    nodes, edges = _read_dot(load_space("nats-tss").dot(CELL))
    assert list(nodes.values()) == ["in", "1", "2", "out"]
    assert edges == [
        (0, 1, "nor_conv_3x3"),
        (1, 2, "avg_pool_3x3"),
        (0, 3, "skip_connect"),
        (1, 3, "nor_conv_1x1"),
    ]


@pytest.mark.parametrize(
    ("name", "network", "layer", "label"),
    [
        ("nats-sss", "8:16:24:32:64", 2, r"reduction 1\n16"),
        ("nasbench-macro", "01200120", 3, "MB6 K5"),
    ],
)
def test_dot_of_a_network_is_a_chain(name, network, layer, label):
    space = load_space(name)
    nodes, edges = _read_dot(space.dot(network))
    assert len(nodes) == len(space.choices) + 2
    assert nodes[layer] == label
    assert [edge[:2] for edge in edges] == [(i, i + 1) for i in range(len(nodes) - 1)]


@pytest.fixture
def pyplot(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def _texts(ax):
    """What is written in the axes, and where."""
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in ax.texts]


@pytest.mark.parametrize("index", [0, 6111, 10, 999, 15_624])
def test_a_drawn_cell_has_legible_labels_and_dashes_for_dead_edges(pyplot, index):
    from matplotlib.patches import FancyArrowPatch

    space = load_space("nats-tss")
    ax = space.draw(index)
    texts = _texts(ax)
    vector = space.vector(index)
    assert len(texts) == 4 + sum(operation > 0 for operation in vector)
    for (one, box), (other, other_box) in combinations(texts, 2):
        assert not box.overlaps(other_box), (one, other)
    dashed = [
        patch.get_linestyle() not in ("-", "solid")
        for patch in ax.patches
        if isinstance(patch, FancyArrowPatch)
    ]
    assert dashed == [
        live == 0
        for operation, live in zip(vector, live_edges(vector), strict=True)
        if operation > 0
    ]


def test_an_edge_has_the_same_place_in_every_cell(pyplot):
    space = load_space("nats-tss")
    alone = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    everything = "|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    places = [
        {text.get_text(): text.get_position() for text in space.draw(cell).texts}["skip"]
        for cell in (alone, everything)
    ]
    assert places[0] == places[1]


def test_drawn_networks_show_their_layers(pyplot):
    _, (left, right) = pyplot.subplots(1, 2, figsize=(14, 3))
    assert load_space("nats-sss").draw("8:16:24:64:40", left) is left
    assert [text for text, _ in _texts(left)] == ["8", "16", "24", "64", "40"]
    load_space("nasbench-macro").draw("01200120", right)
    written = [text for text, _ in _texts(right)]
    assert written[:3] == ["identity", "MB3\nK3", "stage 1"]
    assert len(written) == 8 + 3


def test_a_space_without_pictures_says_so():
    for draw in (UnevenSpace().dot, UnevenSpace().draw):
        with pytest.raises(SuiteError, match="have no drawing"):
            draw(0)


# -- loading, and a space of one's own --------------------------------------------------------


def test_spaces_are_loaded_by_name_once():
    assert set(NAMES) <= set(list_spaces())
    for name in NAMES:
        assert load_space(name).name == name
        assert load_space(name) is load_space(name)
    with pytest.raises(
        SuiteError, match="Unknown search space 'nats-tts': did you mean 'nats-tss'"
    ):
        load_space("nats-tts")


def test_a_space_pickles_small_and_without_its_caches(space):
    assert space.representatives.size
    pickled = pickle.dumps(space)
    assert len(pickled) < 200
    assert pickle.loads(pickled).index(space.string(5)) == 5


def test_arrays_that_are_shared_are_read_only(space):
    for array in (space.all_vectors, space.neighbour_table, space.classes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_space_of_its_own_is_one_class():
    space = UnevenSpace()
    order = np.random.default_rng(0).permutation(24)
    everything = ["-".join(letters) for letters in product("ab", "abc", "abcd")]
    assert list(space.all_strings) == [everything[rank] for rank in order]
    assert space.neighbour_table.shape == (24, 1 + 2 + 3)
    assert len(space.representatives) == len({tuple(sorted(text)) for text in everything})
    assert repr(space) == "<UnevenSpace 'uneven': 24 architectures>"


@pytest.mark.parametrize("module", ["base", "darts", "drawing", "macro", "size", "topology"])
def test_examples_in_the_documentation(module):
    results = doctest.testmod(importlib.import_module(f"nasbench_suite.spaces.{module}"))
    assert results.failed == 0


# -- the command ------------------------------------------------------------------------------


def _run(*arguments):
    return CliRunner().invoke(space_commands.app, list(arguments), catch_exceptions=False)


def test_command_lists_spaces():
    classes = {
        entry["name"]: entry["classes"] for entry in json.loads(_run("list", "--json").stdout)
    }
    listed = {"nats-tss": 6_466, "nats-sss": 32_768, "nasbench-macro": 3_969}
    assert listed.items() <= classes.items()
    assert classes["darts"] is None
    assert "15,625" in _run("list").stdout


@pytest.mark.parametrize("form", [CELL, "3,0,4,1,2,0", "INDEX"])
def test_command_shows_an_architecture_given_in_any_form(form):
    space = load_space("nats-tss")
    form = form.replace("INDEX", str(space.index(CELL)))
    facts = json.loads(_run("show", form, "--json").stdout)
    assert facts["string"] == CELL
    assert facts["index"] == space.index(CELL)
    assert facts["vector"] == [3, 0, 4, 1, 2, 0]
    members = [i for i in range(space.size) if space.classes[i] == space.classes[facts["index"]]]
    assert facts["class size"] == len(members)
    assert facts["representative"] == min(members)
    assert facts["connected"] is True


def test_command_takes_eight_digits_for_a_string_and_fewer_for_an_index():
    read = [
        json.loads(_run("show", text, "--space", "nasbench-macro", "--json").stdout)["index"]
        for text in ("00000012", "12")
    ]
    assert read == [5, 12]


def test_command_says_that_a_cell_is_disconnected():
    assert "no path from input to output" in _run("show", "0,0,3,0,3,0").stdout


@pytest.mark.parametrize("arguments", [("show", "bla"), ("show", "15625"), ("show", "1,2")])
def test_command_refuses_what_is_no_architecture(arguments):
    with pytest.raises(SuiteError):
        _run(*arguments)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("suffix", "begin"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")],
)
def test_command_draws_into_files(pyplot, tmp_path, name, suffix, begin):
    path, before = tmp_path / f"picture.{suffix}", pyplot.get_fignums()
    assert _run("draw", "7", "--space", name, "--output", str(path)).exit_code == 0
    assert path.read_bytes().startswith(begin)
    assert pyplot.get_fignums() == before


@pytest.mark.parametrize("target", ["picture.bmp", "picture", "nowhere/picture.svg"])
def test_command_refuses_a_file_it_cannot_write(tmp_path, target):
    with pytest.raises(SuiteError):
        _run("draw", "7", "--output", str(tmp_path / target))
    assert not list(Path(tmp_path).iterdir())
