"""NAS-Bench-Graph's encoding against its authors' keys, and their own code where installed."""

import itertools
import re
from importlib.util import module_from_spec, spec_from_file_location

import pandas as pd
import pytest

from nasbench_suite.benchmarks.graph_package import package_folder, read_package
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space
from nasbench_suite.spaces.graph_networks import OPERATIONS, normal_form


@pytest.fixture(scope="module")
def space():
    return load_space("nasbench-graph")


@pytest.fixture(scope="module")
def package():
    try:
        return package_folder()
    except SuiteError:
        pytest.skip("the package nas-bench-graph is not installed")


@pytest.mark.parametrize(
    ("name", "dataset", "size"),
    [("nasbench-graph", "cora", 26206), ("nasbench-graph-proteins", "proteins", 2021)],
)
def test_space_is_exactly_what_was_trained(shared_data, name, dataset, size):
    """26,206 and 2,021 are the paper's numbers; the keys are those of the authors' files."""
    space = load_space(name)
    table = pd.read_parquet(shared_data / "graph/nas_bench_graph.parquet")
    table = table[table.dataset == dataset]
    indices = [space.index(text) for text in table.link + " " + table.ops]
    assert space.size == size
    assert sorted(indices) == list(range(size))
    assert [space.published_hash(index) for index in indices] == table.hash.tolist()


def test_any_encoding_stands_for_what_the_authors_look_up(package):
    """``Arch.valid_hash`` of the package, run here on every 29th of all 157,464 encodings."""
    spec = spec_from_file_location("architecture", package.parent / "architecture.py")
    theirs = module_from_spec(spec)
    spec.loader.exec_module(theirs)
    links = list(itertools.product((0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)))
    encodings = itertools.product(links, itertools.product(range(9), repeat=4))
    compared = 0
    for link, operations in itertools.islice(encodings, 0, None, 29):
        if set(operations) == {OPERATIONS.index("skip")}:
            continue
        arch = theirs.Arch(list(link), [OPERATIONS[operation] for operation in operations])
        digits = "".join(map(str, normal_form(link, operations)))
        assert int(digits) == arch.valid_hash()
        compared += 1
    assert compared > 5000


def test_example_of_the_authors(space):
    """The network of their README. (What they call another order of it, 0112 gcn-cheb-gin-fc, has
    fc read cheb, and is another network to their own code too.)"""
    one = space.index(((0, 1, 2, 1), ["gcn", "gin", "fc", "cheb"]))
    assert one == space.index(((0, 1, 1, 3), ["gcn", "cheb", "gin", "fc"]))
    assert one != space.index(((0, 1, 1, 2), ["gcn", "cheb", "gin", "fc"]))
    assert space.string(one) == "0112 gcn-gin-cheb-fc"


def test_forms_and_neighbours(space):
    for index in range(0, space.size, 997):
        assert space.index(space.string(index)) == index
        assert space.index(space.vector(index)) == index
        near = space.neighbours(index)
        assert all(index in space.neighbours(int(one)) for one in near[:2])
        assert len(near) >= 8


def test_excluded_and_malformed_encodings_are_refused(space):
    proteins = load_space("nasbench-graph-proteins")
    for text, sentence in (
        ("0123 skip-skip-skip-skip", "nothing but skips is excluded"),
        ("0124 gcn-gcn-gcn-gcn", "Malformed"),
        ("0213 gcn-gcn-gcn-gcn", "at most i"),
        ("0123 gcn-gcn-gcn", "4 operations"),
        ("0123 gcn-gcn-gcn-conv", "operation 'conv' of 'nasbench-graph'"),
        ("gcn", "Malformed"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            space.index(text)
    with pytest.raises(SuiteError, match="operation 'gat' of 'nasbench-graph-proteins'"):
        proteins.index("0123 gat-gcn-gcn-gcn")
    with pytest.raises(SuiteError, match="nothing but skips"):
        space.index((8, 8, 8, 8, 8))


@pytest.mark.parametrize("proteins", [False, True])
def test_package_holds_the_published_figures(package, shared_data, proteins):
    benchmark = read_package(package, proteins=proteins)
    table = pd.read_parquet(shared_data / "graph/nas_bench_graph.parquet")
    for dataset, rows in table.groupby("dataset"):
        if (dataset == "proteins") != proteins:
            continue
        indices = benchmark.space.indices(rows.link + " " + rows.ops)
        for metric, column, scale in (
            ("valid", "valid_perf", 100),
            ("test", "perf", 100),
            ("latency_ms", "latency", 1000),
            ("params", "para", 1e6),
        ):
            found = benchmark.values(f"{dataset}_{metric}")[indices]
            assert found.tolist() == (rows[column].to_numpy() * scale).tolist()


def test_pickle_that_names_a_function_is_refused(tmp_path):
    (tmp_path / "proteins.bench").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(SuiteError, match="refused"):
        read_package(tmp_path, proteins=True)


def test_file_without_a_network_is_refused(package, tmp_path):
    (tmp_path / "proteins.bench").write_bytes(b"}.")
    with pytest.raises(SuiteError, match="lacks 2021"):
        read_package(tmp_path, proteins=True)
    whole = (package / "proteins.bench").read_bytes()
    (tmp_path / "proteins.bench").write_bytes(whole[:-100])
    with pytest.raises(SuiteError, match=re.escape("proteins.bench is truncated")):
        read_package(tmp_path, proteins=True)
