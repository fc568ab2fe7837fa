"""Tables whose rows their publisher names by hashes: NAS-Bench-101's."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from nasbench_suite.benchmarks.importing import import_table
from nasbench_suite.benchmarks.library import describe_benchmark, verify_benchmark
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import PoolSpace, load_space, nasbench101
from nasbench_suite.tasks import make_task
from search_methods.regularized_evolution import RegularizedEvolution

METRIC = "cifar10_valid_108"
DIAMOND = "0110000100010000 input,conv1x1-bn-relu,maxpool3x3,output"
MIRRORED = "0110000100010000 input,maxpool3x3,conv1x1-bn-relu,output"


@pytest.fixture(scope="module")
def modules():
    """The 91 modules of up to four vertices, by hash."""
    return dict(nasbench101.all_modules(4))


@pytest.fixture(scope="module")
def table(modules):
    strings = [nasbench101.format_module(module) for module in modules.values()]
    pool = PoolSpace(load_space("nasbench101"), strings, list(modules))
    figures = np.random.default_rng(0).uniform(80, 95, size=pool.size)
    metrics = [
        Metric(name, dataset="cifar10", split=split, epochs=108)
        for name, split in ((METRIC, "valid"), ("cifar10_test_108", "test"))
    ]
    return make_benchmark("small", pool, metrics, {metric.name: figures for metric in metrics})


@pytest.fixture
def file(table, tmp_path):
    path = tmp_path / "small.parquet"
    write_benchmark(table, path)
    return path


def test_a_row_is_found_by_its_hash_and_by_any_module_that_has_it(table, file):
    for benchmark in (table, read_benchmark(file)):
        space = benchmark.space
        assert space.index(DIAMOND) == space.index(MIRRORED)
        for row, key in enumerate(space.keys):
            assert space.index(key) == row
            assert space.canonical(row) == key
            assert benchmark.query(key, METRIC) == table.values(METRIC)[row]


def test_a_large_table_is_written_in_parts(table, file, tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench_suite.benchmarks.table_file._MANY_ROWS", 50)
    monkeypatch.setattr("nasbench_suite.benchmarks.table_file._ROWS_AT_ONCE", 20)
    monkeypatch.setattr("nasbench_suite.benchmarks.table._TEXTS_AT_ONCE", 20)
    write_benchmark(table, tmp_path / "parts.parquet")
    assert pq.ParquetFile(tmp_path / "parts.parquet").num_row_groups == 5
    whole, parts = read_benchmark(file), read_benchmark(tmp_path / "parts.parquet")
    assert parts.space.strings == whole.space.strings
    assert parts.space.keys == whole.space.keys
    assert parts.compute_checksum() == whole.compute_checksum() == parts.checksum
    np.testing.assert_array_equal(parts.values(METRIC), whole.values(METRIC))


def test_only_a_read_only_array_is_kept_as_it_is(table):
    figures = np.linspace(80, 90, table.space.size)
    metric = Metric(METRIC, dataset="cifar10", split="valid", epochs=108)
    copied = make_benchmark("made", table.space, [metric], {METRIC: figures})
    figures[0] = 0
    assert copied.values(METRIC)[0] == 80
    figures.setflags(write=False)
    kept = make_benchmark("made", table.space, [metric], {METRIC: figures})
    assert np.shares_memory(kept.columns[METRIC], figures)


def test_a_hash_that_is_not_in_the_table_is_refused(table):
    with pytest.raises(SuiteError, match=r"with hash f{32} .* not among the 91"):
        table.query("f" * 32, METRIC)


def test_modules_are_read_when_they_are_asked_for(file, monkeypatch):
    read = []
    parse = nasbench101.parse_module
    monkeypatch.setattr(nasbench101, "parse_module", lambda text: read.append(text) or parse(text))
    benchmark = read_benchmark(file)
    space = benchmark.space
    rows = [benchmark.query(key, METRIC) for key in space.keys]
    assert rows == benchmark.values(METRIC).tolist()
    assert (space.classes == np.arange(91)).all()
    assert space.connected.all()
    assert not read
    assert space.string(5) == space.strings[5] == nasbench101.format_module(space.member(5))
    assert len(read) == 1


def test_a_worker_is_sent_the_path_and_not_the_modules(file):
    sent = pickle.dumps(read_benchmark(file))
    assert b"conv3x3" not in sent
    assert pickle.loads(sent).space.strings == read_benchmark(file).space.strings


def test_searches_move_between_rows(file):
    task = make_task(read_benchmark(file), evaluations=60)
    trial = Trial(task, RegularizedEvolution(population_size=10, sample_size=5), 0)
    trial.advance()
    record = trial.result().record
    assert len(set(record.architectures.tolist())) > 20


def test_neighbours_of_a_row_are_those_of_its_module(table, modules):
    space = table.space
    for row, module in enumerate(modules.values()):
        around = {nasbench101.graph_hash(m) for m in nasbench101.module_neighbours(module)}
        found = {space.keys[other] for other in space.neighbours(row).tolist()}
        assert around & modules.keys() <= found


def test_verifying_holds_hashes_against_graphs(table, file):
    assert not verify_benchmark(file).faults
    space = table.space
    swapped = (space.keys[1], space.keys[0], *space.keys[2:])
    wrong = PoolSpace(space.base, space.strings, swapped)
    metrics = list(table.metrics.values())
    write_benchmark(make_benchmark("small", wrong, metrics, table.columns), file)
    assert verify_benchmark(file).faults == ["hashes that are not those of their rows: 2"]


def test_a_table_of_hashes_gets_its_graphs(modules, tmp_path):
    rng = np.random.default_rng(0)
    hashes = rng.permutation(list(modules))[:60]
    figures = rng.uniform(80, 95, size=60)
    path = tmp_path / "hashes.csv"
    pd.DataFrame({"hash": hashes, METRIC: figures}).to_csv(path, index=False)
    found = import_table(path, "hashes", load_space("nasbench101")).benchmark
    assert found.space.size == 60
    for key, figure in zip(hashes, figures, strict=True):
        assert found.query(key, METRIC) == pytest.approx(figure)
        module = nasbench101.parse_module(found.space.string(found.space.index(key)))
        assert nasbench101.graph_hash(module) == key
    assert describe_benchmark(found)["classes"] == 60


def test_a_hash_that_no_module_has_is_refused_with_its_row(modules, tmp_path):
    path = tmp_path / "hashes.csv"
    hashes = [*list(modules)[:3], "f" * 32]
    pd.DataFrame({"hash": hashes, METRIC: [90.0, 91, 92, 93]}).to_csv(path, index=False)
    with pytest.raises(SuiteError, match=r"row 3: No module of NAS-Bench-101 has the hash f{32}"):
        import_table(path, "hashes", load_space("nasbench101"))


def test_two_rows_of_one_graph_are_refused(tmp_path):
    path = tmp_path / "twins.csv"
    pd.DataFrame({"arch": [DIAMOND, MIRRORED], METRIC: [90.0, 91.0]}).to_csv(path, index=False)
    with pytest.raises(SuiteError, match=r"twice|more than once|repeated"):
        import_table(path, "twins", load_space("nasbench101"))


def test_enumeration_gives_the_first_matrix_of_every_graph():
    """As NASBench's ``generate_graphs`` goes through them: every matrix with every labelling."""
    first = {}
    for vertices in (2, 3, 4):
        for edges in range(1 << (vertices * (vertices - 1) // 2)):
            for operations in itertools.product(range(3), repeat=vertices - 2):
                module = nasbench101.Module(edges, operations)
                if nasbench101.prune(module) == module:
                    first.setdefault(nasbench101.graph_hash(module), module)
    assert list(nasbench101.all_modules(4)) == list(first.items())


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("0110000000000000 input,conv1x1-bn-relu,maxpool3x3,output", "no path from input"),
        ("0110000100010000 input,conv7x7,maxpool3x3,output", "'conv7x7'"),
        ("0110000100010001 input,conv1x1-bn-relu,maxpool3x3,output", "upper triangular"),
        ("01100001 input,conv1x1-bn-relu,maxpool3x3,output", "8 entries"),
    ],
)
def test_a_module_that_is_none_is_said_to_be_wrong_as_it_stands(tmp_path, module, sentence):
    path = tmp_path / "table.csv"
    figures = {"cifar10_valid_9": [90, 91], "cifar10_test_9": [89, 92]}
    pd.DataFrame({"architecture": [DIAMOND, module], **figures}).to_csv(path, index=False)
    with pytest.raises(SuiteError, match=f"row 1.*{sentence}"):
        import_table(path, "bad", load_space("nasbench101"))
