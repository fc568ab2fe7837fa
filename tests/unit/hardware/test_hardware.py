"""Networks, counts, measurements, tables and predictors of what architectures cost."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

from hardware import measuring, runtimes
from hardware.commands import app
from hardware.comparing import (
    join_tables,
    proxies,
    rank_correlations,
    removal_savings,
    repeatability,
    repetitions,
    twin_spread,
)
from hardware.measuring import Plan, choose_architectures, measure, read_measured
from hardware.networks import (
    SETTINGS,
    cell_network,
    count_all,
    live_forms,
    setting_network,
)
from hardware.predictors import (
    additive_from_operations,
    encode_costs,
    learning_curves,
)
from hardware.runtimes import RunOptions, make_weights, onnx_model, prepare
from hardware.tables import (
    CostTable,
    add_costs,
    export_metadata,
    import_help,
    import_hw_nas_bench,
    make_table,
    measured_table,
    read_table,
    write_table,
)
from nasbench_suite.benchmarks.importing import add_latencies
from nasbench_suite.benchmarks.library import (
    import_benchmark,
    load_benchmark,
    verify_benchmark,
)
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.networks import count_network
from nasbench_suite.spaces import PoolSpace, load_space
from nasbench_suite.spaces.topology import live_edges
from nasbench_suite.statistics.correlation import spearman

TSS, SSS = load_space("nats-tss"), load_space("nats-sss")
ALL_OF_DARTS = (
    "sep_conv_3x3~0|skip_connect~1|sep_conv_5x5~0|dil_conv_3x3~2|max_pool_3x3~1|skip_connect~3"
    "|avg_pool_3x3~0|dil_conv_5x5~4 / max_pool_3x3~0|skip_connect~1|sep_conv_5x5~1|dil_conv_5x5~2"
    "|skip_connect~0|sep_conv_3x3~3|avg_pool_3x3~1|dil_conv_3x3~0"
)
# Channels that three do not divide: a vertex of the wider ones feeds one of the narrower.
THREE_INTO_THE_OUTPUT = (
    "010110001010000001000001000001000000 "
    "input,conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu,maxpool3x3,output"
)


# -- counts ------------------------------------------------------------------------------------

# Parameters and FLOPs by the authors' own counter: get_model_infos of xautodl 1.0.0 on its
# TinyNetwork(16, 5, ...) and DynamicShapeTinyNet.
COUNTED = [
    (TSS, "cifar10", 0, 129306, 15647370),
    (TSS, "cifar10", 1462, 1531546, 220119690),
    (TSS, "cifar10", 6111, 1073466, 153272970),
    (TSS, "cifar10", 9930, 1288506, 184730250),
    (TSS, "cifar100", 1462, 1537396, 220125540),
    (TSS, "cifar100", 6111, 1079316, 153278820),
    (TSS, "imagenet16_120", 0, 136456, 3919480),
    (TSS, "imagenet16_120", 9930, 1295656, 46190200),
    (SSS, "cifar10", "8:8:8:8:8", 11714, 4481114),
    (SSS, "cifar10", "8:16:24:32:64", 198050, 20587146),
    (SSS, "cifar10", "64:64:64:64:64", 713674, 274399882),
    (SSS, "cifar10", "48:24:24:16:16", 166602, 119537834),
    (SSS, "cifar100", "8:16:24:32:64", 203900, 20592996),
    (SSS, "imagenet16_120", "48:24:24:16:16", 168472, 29886456),
]


@pytest.mark.parametrize(("space", "setting", "architecture", "parameters", "flops"), COUNTED)
def test_counts_are_those_of_the_authors(space, setting, architecture, parameters, flops) -> None:
    assert count_network(setting_network(space, architecture, setting)) == (parameters, flops)
    everything = count_all(space, setting)
    index = space.index(architecture)
    assert (everything[0][index], everything[1][index]) == (parameters, flops)


def test_parameters_are_as_published() -> None:
    """The figure of get_cost_info in issue 36 of D-X-Y/NATS-Bench, in millions."""
    cell = "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    parameters, _ = count_network(setting_network(TSS, cell, "cifar10"))
    assert parameters / 1e6 == 0.802426


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("pruned", [False, True])
def test_all_counts_are_those_of_each_network(setting: str, pruned: bool) -> None:
    for space in (TSS, SSS):
        parameters, flops = count_all(space, setting, pruned=pruned)
        for index in np.random.default_rng(0).integers(space.size, size=40).tolist():
            one = count_network(setting_network(space, index, setting, pruned=pruned))
            assert one == (parameters[index], flops[index])


def test_all_counts_of_nasbench_macro_are_as_published(shared_data) -> None:
    space = load_space("nasbench-macro")
    table = pd.read_parquet(shared_data / "nasbench_macro/accuracy.parquet")
    parameters, _ = count_all(space, "cifar10")
    assert (parameters[[space.index(string) for string in table.arch_str]] == table.params).all()


def test_dead_branches_cost_nothing_once_removed() -> None:
    whole, pruned = (count_all(TSS, "digits", pruned=each)[1] for each in (False, True))
    assert (pruned <= whole).all()
    dead = [live_edges(v) != v for v in TSS.all_vectors.tolist()]
    assert (pruned[~np.array(dead)] == whole[~np.array(dead)]).all()
    assert (pruned < whole)[dead].any()


def test_live_forms_are_not_the_isomorphism_classes() -> None:
    forms = live_forms(TSS)
    assert len(np.unique(forms)) == 9445
    live = [tuple(live_edges(vector)) for vector in TSS.all_vectors.tolist()]
    assert all(live[index] == live[form] for index, form in enumerate(forms))
    assert len({live[form] for form in np.unique(forms)}) == 9445
    parameters = count_all(TSS, "digits", pruned=True)[0]
    assert (parameters == parameters[forms]).all()
    lows = np.full(len(TSS.representatives), np.iinfo(np.int64).max)
    highs = np.zeros(len(TSS.representatives), dtype=np.int64)
    np.minimum.at(lows, TSS.classes, parameters)
    np.maximum.at(highs, TSS.classes, parameters)
    assert (lows != highs).sum() == 430
    assert (live_forms(SSS) == np.arange(SSS.size)).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: setting_network(TSS, 0, "cifar1000"), "did you mean"),
        (lambda: setting_network(load_space("mnasnet"), "", "cifar10"), "are not known: choose"),
        (lambda: count_all(load_space("transnas101-micro"), "digits"), "that 32 divides"),
    ],
)
def test_unknown_networks_are_refused(call, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        call()


# -- runtimes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize(
    ("space", "architecture", "setting"),
    [
        (TSS, 4707, "digits"),
        (TSS, 12, "digits"),
        (SSS, "8:16:8:8:16", "imagenet16_120"),
        (load_space("nasbench-macro"), "01210002", "imagenet16_120"),
        (load_space("transnas101-micro"), "64-41414-1_02_331", "cifar10"),
        (load_space("transnas101-micro"), "64-41414-1_00_000", "cifar10"),
        (load_space("nasbench101"), THREE_INTO_THE_OUTPUT, "imagenet16_120"),
        (load_space("darts"), ALL_OF_DARTS, "digits"),
    ],
)
def test_runtimes_compute_the_same(space, architecture, setting: str, pruned: bool) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    network = setting_network(space, architecture, setting, pruned=pruned)
    scores = [prepare(r, network, RunOptions(batch=2))() for r in ("onnxruntime", "torch")]
    assert scores[0].shape == (2, SETTINGS[setting].classes)
    assert np.allclose(*scores, rtol=1e-3, atol=1e-4)


def test_the_model_holds_what_was_counted() -> None:
    pytest.importorskip("onnx")
    from onnx import numpy_helper

    network = setting_network(SSS, "8:16:24:32:64", "cifar10")
    model = onnx_model(network, RunOptions())
    held = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    learned = sum(
        a.size for name, a in held.items() if not name.startswith(("mean", "variance", "zero"))
    )
    assert learned == count_network(network)[0]
    half = onnx_model(network, RunOptions(precision="float16"))
    assert numpy_helper.to_array(half.graph.initializer[0]).dtype == np.float16


def test_a_disconnected_cell_gives_zeros_to_what_follows() -> None:
    pytest.importorskip("onnxruntime")
    index = int(np.flatnonzero(~TSS.connected)[0])
    for pruned in (False, True):
        network = setting_network(TSS, index, "digits", pruned=pruned)
        scores = prepare("onnxruntime", network, RunOptions(batch=3))()
        assert (scores == scores[0]).all(), "the class scores ignore the image"
        assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: prepare("onxruntime", cell_network([0] * 6, "digits"), RunOptions()), "did you"),
        (lambda: RunOptions(batch=0), "batch=0"),
        (lambda: RunOptions(precision="int3"), "precision"),  # type: ignore[arg-type]
        (lambda: RunOptions(device="tpu"), "device"),  # type: ignore[arg-type]
    ],
)
def test_impossible_runs_are_refused(call, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        call()


def test_a_batch_that_memory_has_no_room_for_is_refused(monkeypatch) -> None:
    def refuse(*_: Any) -> None:
        raise MemoryError("Unable to allocate 3.8 TiB")

    monkeypatch.setattr(runtimes, "make_images", refuse)
    with pytest.raises(SuiteError, match=r"A batch of 9 images does not fit .*3.8 TiB.*smaller"):
        prepare("onnxruntime", cell_network([0] * 6, "digits"), RunOptions(batch=9))


def test_weights_are_the_same_each_time() -> None:
    network = cell_network([3, 1, 2, 4, 0, 3], "digits")
    one, other = make_weights(network), make_weights(network)
    assert one.keys() == other.keys()
    assert all((one[n][k] == other[n][k]).all() for n in one for k in one[n])


# -- measuring ---------------------------------------------------------------------------------


class FakeClock:
    """Networks that take a made time to run, so that a measurement can be predicted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0
        self.visited: list[int] = []
        self.slow = False
        self.stop_after: int | None = None
        monkeypatch.setattr(measuring, "setting_network", lambda space, index, *_, **__: index)
        monkeypatch.setattr(measuring, "prepare", self.prepare)
        monkeypatch.setattr(measuring.time, "perf_counter_ns", lambda: self.now)
        monkeypatch.setattr(measuring, "runtime_versions", lambda _: {"fake": "1"})

    def prepare(self, _runtime: str, index: int, _options: RunOptions) -> Any:
        if self.stop_after is not None and len(self.visited) >= self.stop_after:
            raise KeyboardInterrupt
        self.visited.append(index)

        def run() -> None:
            self.now += (1000 + index) * (3 if self.slow else 1)

        return run


def plan(**changes: Any) -> Plan:
    settings = {
        "space": "nats-tss",
        "setting": "digits",
        "architectures": tuple(range(1, 41)),
        "runtime": "onnxruntime",
        "rounds": 3,
        "warmup": 2,
        "repeats": 4,
        "reference_every": 10,
    }
    return Plan(**{**settings, **changes})


def test_every_architecture_is_visited_in_every_round_in_another_order(tmp_path, monkeypatch):
    clock = FakeClock(monkeypatch)
    steps = list(measure(plan(), tmp_path / "j.jsonl"))
    assert steps[0] == (0, 120)
    assert steps[-1] == (120, 120)
    visits = [index for index in clock.visited if index != 0]
    rounds = [visits[i * 40 : (i + 1) * 40] for i in range(3)]
    assert all(sorted(each) == list(range(1, 41)) for each in rounds)
    assert len({tuple(each) for each in rounds}) == 3
    assert clock.visited.count(0) == 14, "at first, before every tenth visit, and at the end"
    measured = read_measured(tmp_path / "j.jsonl")
    assert measured.architectures.tolist() == list(range(1, 41))
    assert measured.latency == pytest.approx((1000 + measured.architectures) / 1e6)
    assert (measured.visits == 3).all()
    assert (measured.spread, measured.drift) == (pytest.approx(0), 0)
    assert measured.noise_floor == 0


def test_an_interrupted_measurement_goes_on_where_it_stopped(tmp_path, monkeypatch):
    journal = tmp_path / "j.jsonl"
    clock = FakeClock(monkeypatch)
    list(measure(plan(), whole := tmp_path / "whole.jsonl"))
    clock.visited.clear()
    clock.stop_after = 37
    with pytest.raises(KeyboardInterrupt):
        list(measure(plan(), journal))
    with journal.open("a") as file:
        file.write('{"round": 2, "index": 5, "us": [1.0')  # torn by the kill
    clock.stop_after = None
    first = len([index for index in clock.visited if index != 0])
    steps = list(measure(plan(), journal))
    assert steps[0] == (first, 120)
    assert steps[-1] == (120, 120)
    assert len([index for index in clock.visited if index != 0]) == 120, "none is repeated"
    assert (read_measured(journal).latency == read_measured(whole).latency).all()
    before = journal.read_bytes()
    assert list(measure(plan(), journal)) == [(120, 120)]
    assert journal.read_bytes() == before


def test_visits_beside_a_changing_reference_are_left_out(tmp_path, monkeypatch):
    clock = FakeClock(monkeypatch)
    for done, _ in measure(plan(), tmp_path / "j.jsonl"):
        clock.slow = 45 <= done < 58  # a spell in the second round; a reference falls into it
    measured = read_measured(tmp_path / "j.jsonl")
    assert measured.latency == pytest.approx((1000 + measured.architectures) / 1e6)
    assert measured.disturbed == pytest.approx(20 / 120)
    assert sorted(set(measured.visits.tolist())) == [2, 3]
    assert measured.drift == pytest.approx(0.8)  # of 13 timings, the slow one weighs little


def test_a_slower_machine_is_scaled_by_its_reference(tmp_path, monkeypatch):
    clock = FakeClock(monkeypatch)
    for done, _ in measure(plan(), tmp_path / "j.jsonl"):
        clock.slow = 45 <= done < 78  # the references at 50, 60 and 70 visits are slow too
    measured = read_measured(tmp_path / "j.jsonl")
    assert measured.latency == pytest.approx((1000 + measured.architectures) / 1e6)
    assert measured.spread == pytest.approx(0)
    assert measured.disturbed == pytest.approx(20 / 120)  # where it turns slow, and fast again


def test_most_of_an_architecture_s_visits_must_remain_to_leave_any_out(tmp_path, monkeypatch):
    clock = FakeClock(monkeypatch)
    for done, _ in measure(plan(), tmp_path / "j.jsonl"):
        clock.slow = 5 <= done < 75  # two of three visits of those visited first and last
    measured = read_measured(tmp_path / "j.jsonl")
    twice = set(plan_order()[0:10]) & set(plan_order()[70:80])
    assert twice, "else nothing is tested"
    visits = dict(zip(measured.architectures.tolist(), measured.visits.tolist(), strict=True))
    assert {visits[index] for index in twice} == {3}
    assert measured.disturbed == pytest.approx((20 - 2 * len(twice)) / 120)


def test_what_cannot_run_leaves_no_journal(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SuiteError, match=r"needs the package 'onnxruntime', .*\[hardware\]"):
        list(measure(plan(), tmp_path / "j.jsonl"))
    assert not list(tmp_path.iterdir())


def test_cores_that_are_not_there_leave_no_journal(tmp_path, monkeypatch):
    FakeClock(monkeypatch)
    monkeypatch.setattr(measuring.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(measuring.os, "sched_setaffinity", lambda *_: None, raising=False)
    with pytest.raises(SuiteError, match="not free to use"):
        list(measure(plan(), tmp_path / "j.jsonl", [10**6]))
    assert not list(tmp_path.iterdir())
    with pytest.raises(SuiteError, match="threads=1000000: give 1,024 or fewer"):
        RunOptions(threads=10**6)


def plan_order():
    return [index for _, index in plan().visits()]


def test_another_plan_or_machine_does_not_mix(tmp_path, monkeypatch):
    FakeClock(monkeypatch)
    journal = tmp_path / "j.jsonl"
    list(measure(plan(), journal))
    before = journal.read_bytes()
    with pytest.raises(SuiteError, match=r"another measurement \(repeats differ\)"):
        list(measure(plan(repeats=5), journal))
    monkeypatch.setattr(measuring, "runtime_versions", lambda _: {"fake": "2"})
    with pytest.raises(SuiteError, match=r"another machine or version \(versions differ\)"):
        list(measure(plan(), journal))
    assert journal.read_bytes() == before
    (tmp_path / "other.txt").write_text("{}\n")
    with pytest.raises(SuiteError, match="no journal"):
        read_measured(tmp_path / "other.txt")
    with pytest.raises(SuiteError, match="measure first"):
        read_measured(tmp_path / "none.jsonl")


@pytest.mark.parametrize("name", ["round", "setting", "reference", "us"])
def test_an_entry_that_lacks_something_is_damage(tmp_path, monkeypatch, name):
    FakeClock(monkeypatch)
    journal = tmp_path / "j.jsonl"
    list(measure(plan(), journal))
    journal.write_bytes(journal.read_bytes().replace(f'"{name}"'.encode(), b'"none"'))
    with pytest.raises(SuiteError, match="is damaged"):
        read_measured(journal)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"setting": "cifar"}, "did you mean"),
        ({"runtime": "onx"}, "runtime"),
        ({"rounds": 0}, "rounds"),
        ({"warmup": -1}, "untimed"),
        ({"warmup": 10**9}, "1,000,000 or fewer"),
        ({"repeats": 10**9}, "1,000,000 or fewer"),
        ({"rounds": 10**9}, "give fewer rounds"),
        ({"seed": -1}, "-1 is no seed"),
        ({"architectures": ()}, "no architecture"),
        ({"architectures": (3, 3)}, "twice"),
        ({"architectures": (15_625,)}, "outside space"),
    ],
)
def test_impossible_plans_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        plan(**changes)


def test_architectures_are_chosen() -> None:
    assert choose_architectures(TSS, "all") == tuple(range(15_625))
    assert len(choose_architectures(TSS, "live")) == 9445
    assert choose_architectures(TSS, "3,17,3") == (3, 17)
    drawn = choose_architectures(TSS, "50", seed=1)
    assert len(set(drawn)) == 50
    assert drawn == choose_architectures(TSS, "50", seed=1) != choose_architectures(TSS, "50")
    cells = choose_architectures(TSS, "operations")
    assert len(cells) == 25
    assert all(np.count_nonzero(TSS.vector(cell)) <= 1 for cell in cells)
    for wrong in ("some", "0", "20000"):
        with pytest.raises(SuiteError):
            choose_architectures(TSS, wrong)


def test_real_runs_are_measured_and_become_a_table(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    output = tmp_path / "t.parquet"
    arguments = ["measure", "-o", str(output), "--architectures", "12", "--rounds", "2"]
    answer = CliRunner().invoke(app, [*arguments, "--pruned", "--name", "here"])
    assert answer.exit_code == 0, answer.output
    table = read_table(output)
    chosen = choose_architectures(TSS, "12")
    assert set(chosen) <= set(table.indices.tolist())
    forms = live_forms(TSS)
    assert set(forms[table.indices]) == set(forms[list(chosen)]), "the same network, one figure"
    assert list(table.columns) == ["here_ms", "here_ms_iqr"]
    assert table.provenance("here_ms") == "measured"
    assert table.about["device"]["versions"]["onnxruntime"]
    assert table.about["protocol"]["pruned"] is True
    assert (table.columns["here_ms"] > 0).all()


# -- tables ------------------------------------------------------------------------------------


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.choice(TSS.size, 50, replace=False)
    columns = {"pi_ms": rng.uniform(1, 2, 50), "pi_mj": rng.uniform(5, 9, 50)}
    facts = {"pi_mj": {"provenance": "modelled"}}
    table = make_table(TSS, rows, columns, facts, {"source": "made"})
    write_table(table, tmp_path / "t.parquet")
    again = read_table(tmp_path / "t.parquet")
    assert (again.indices == np.sort(rows)).all()
    assert (again.columns["pi_ms"] == columns["pi_ms"][np.argsort(rows)]).all()
    assert again.facts == table.facts
    assert again.facts["pi_mj"] == {
        "quantity": "energy",
        "unit": "mJ",
        "device": "pi",
        "provenance": "modelled",
    }
    assert again.about == {"source": "made"}


def test_a_complete_table_joins_a_benchmark_with_its_provenance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    made = {"arch_index": range(TSS.size)}
    made |= {f"made_{split}_1": rng.uniform(10, 90, TSS.size) for split in ("valid", "test")}
    pd.DataFrame(made).to_parquet(tmp_path / "accuracy.parquet")
    latency = rng.uniform(1, 2, TSS.size)
    table = make_table(
        TSS,
        range(TSS.size),
        {"here_ms": latency, "here_ms_iqr": latency / 10},
        {"here_ms": {"provenance": "measured", "note": "noise floor 0.01 ms"}},
    )
    write_table(table, tmp_path / "here.parquet")
    export_metadata(table, tmp_path / "here.json")
    imported = import_benchmark(
        tmp_path / "accuracy.parquet",
        "made",
        "nats-tss",
        latency=[tmp_path / "here.parquet"],
        metadata=tmp_path / "here.json",
    )
    metric = imported.benchmark.metric("here_ms")
    assert (metric.quantity, metric.unit, metric.device) == ("latency", "ms", "here")
    assert (metric.provenance, metric.note) == ("measured", "noise floor 0.01 ms")
    assert "here_ms_iqr" not in imported.benchmark.metrics
    assert np.array_equal(imported.benchmark.values("here_ms"), latency)


def test_complete_tables_are_added_to_a_benchmark(toy, tmp_path: Path) -> None:
    latency = np.random.default_rng(0).uniform(1, 2, TSS.size)
    facts = {"here_ms": {"provenance": "measured", "note": "noise floor 0.01 ms"}}
    spread = {"here_ms": latency, "here_ms_iqr": latency / 9}
    table = make_table(TSS, range(TSS.size), spread, facts, {"device": {"processor": "this one"}})
    write_table(table, tmp_path / "t.parquet")
    write_benchmark(toy, tmp_path / "toy.parquet")
    arguments = ["add", str(tmp_path / "toy.parquet"), str(tmp_path / "t.parquet")]
    answer = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "both.parquet")])
    assert answer.exit_code == 0, answer.output
    both = load_benchmark(tmp_path / "both.parquet")
    assert list(both.metrics) == [*toy.metrics, "here_ms"]
    assert np.array_equal(both.values("here_ms"), latency)
    assert np.array_equal(both.seed_values("toy_test_9"), toy.seed_values("toy_test_9"))
    assert both.metric("here_ms").provenance == "measured"
    assert both.metric("here_ms").direction == "minimize"
    assert both.about["costs"]["here_ms"]["device"]["processor"] == "this one"
    assert verify_benchmark(tmp_path / "both.parquet").faults == []
    with pytest.raises(SuiteError, match="lacks 15622"):
        add_costs(toy, [make_table(TSS, [1, 2, 3], {"a_ms": [1, 2, 3]})])
    with pytest.raises(SuiteError, match="does not fit"):
        add_costs(toy, [make_table(SSS, [1, 2, 3], {"a_ms": [1, 2, 3]})])


@pytest.mark.parametrize("kept", ["strings", "indices", "ours", "data import"])
def test_costs_are_added_to_a_partial_table(tmp_path: Path, kept: str) -> None:
    """Numbers of the whole space are not taken for rows of the pool."""
    rng = np.random.default_rng(0)
    cells = rng.choice(TSS.size, 200, replace=False)
    pool = PoolSpace(TSS, [TSS.string(int(cell)) for cell in cells])
    accuracy = {"a_valid_1": rng.uniform(1, 99, pool.size)}
    benchmark = make_benchmark("pool", pool, [Metric("a_valid_1")], accuracy)
    write_benchmark(benchmark, tmp_path / "pool.parquet")
    latency = 1.0 + rng.random((6, 5))[np.arange(6), TSS.all_vectors].sum(axis=1)
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "here_ms": latency})
    if kept == "indices":
        frame = frame.drop(columns="arch_str").assign(arch_index=np.arange(TSS.size))
    frame.to_csv(tmp_path / "t", index=False)
    if kept == "ours":
        write_table(read_table(tmp_path / "t"), tmp_path / "t")
    if kept == "data import":
        both = add_latencies(benchmark, [tmp_path / "t"]).benchmark
    else:
        arguments = ["add", str(tmp_path / "pool.parquet"), str(tmp_path / "t")]
        answer = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "both.parquet")])
        assert answer.exit_code == 0, answer.output
        assert "15,425 rows of architectures that are not in the benchmark" in answer.output
        both = load_benchmark(tmp_path / "both.parquet")
    assert np.array_equal(both.values("here_ms"), latency[cells])


def test_a_partial_table_of_costs_on_a_partial_table(tmp_path: Path) -> None:
    pool = PoolSpace(TSS, [TSS.string(cell) for cell in (5, 7, 9)])
    frame = pd.DataFrame({"arch_str": [TSS.string(7), TSS.string(11)], "here_ms": [1.5, 2.5]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    benchmark = make_benchmark("pool", pool, [Metric("a_valid_1")], {"a_valid_1": [1.0, 2.0, 3.0]})
    with pytest.raises(SuiteError, match="lacks 2 of 3 architectures"):
        add_costs(benchmark, [read_table(tmp_path / "t.csv", pool)])
    table = read_table(tmp_path / "t.csv", pool, missing="not measured")
    both = add_costs(benchmark, [table])
    assert np.array_equal(both.values("here_ms"), [np.nan, 1.5, np.nan], equal_nan=True)
    frame.tail(1).to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(SuiteError, match="none of the 3 architectures"):
        read_table(tmp_path / "none.csv", pool)


@pytest.mark.parametrize(
    ("rows", "columns", "facts", "sentence"),
    [
        ([0, 1], {"a_ms": [1, np.nan]}, {}, "nan at architecture 1"),
        ([0, 1], {"a_ms": [1, 0]}, {}, "0.0 at architecture 1 .* above 0"),
        ([0, 1], {"a_ms": [-3, 1]}, {}, "-3.0 at architecture 0"),
        ([0, 1], {"a_ms": [1]}, {}, "lacks rows"),
        ([0, 0], {"a_ms": [1, 2]}, {}, "two rows"),
        ([0, 1], {"a_ms": ["x", "y"]}, {}, "else than numbers"),
        ([0, 1], {}, {}, "at least one column"),
        ([0, 1], {"a_ms": [1, 2]}, {"a_ms": {"unit": "s"}}, "unit 's': give latency in ms"),
        ([0, 1], {"a_ms": [1, 2]}, {"a_ms": {"quantity": "charm"}}, "no cost"),
        ([0, 1], {"a": [1, 2]}, {}, "no cost"),
        ([0, 15_625], {"a_ms": [1, 2]}, {}, "outside space"),
    ],
)
def test_what_is_no_cost_is_refused(rows, columns, facts, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        make_table(TSS, rows, columns, facts)


def hw_nas_bench(path: Path, **changes: Any) -> dict[str, np.ndarray]:
    """A pickle of HW-NAS-Bench's structure, with made figures."""
    rng = np.random.default_rng(0)
    names = [f"{d}_latency" for d in ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")]
    names += ["edgegpu_energy", "eyeriss_energy", "fpga_energy", "eyeriss_arithmetic_intensity"]
    columns = {name: rng.uniform(1, 9, TSS.size) for name in names}
    lists: dict[str, Any] = {name: values.tolist() for name, values in columns.items()}
    lists["config"] = [{"name": "infer.tiny", "C": 16, "N": 5}] * TSS.size
    part = {**lists, **changes}
    content = {"nasbench201": dict.fromkeys(("cifar10", "cifar100"), part), "fbnet": {"x": 1.0}}
    path.write_bytes(pickle.dumps(content, protocol=4))
    return columns


def test_hw_nas_bench_is_imported(tmp_path: Path) -> None:
    columns = hw_nas_bench(tmp_path / "hw.pickle")
    table = import_hw_nas_bench(tmp_path / "hw.pickle")
    assert set(table.columns) == {
        *("edgegpu_ms", "raspi4_ms", "edgetpu_ms", "pixel3_ms", "eyeriss_ms", "fpga_ms"),
        *("edgegpu_mj", "eyeriss_mj", "fpga_mj"),
    }
    assert np.array_equal(table.columns["fpga_mj"], columns["fpga_energy"])
    assert table.provenance("fpga_ms") == table.provenance("eyeriss_mj") == "modelled"
    assert table.provenance("raspi4_ms") == "measured"
    answer = CliRunner().invoke(
        app, ["import", str(tmp_path / "hw.pickle"), "-o", str(tmp_path / "hw.parquet")]
    )
    assert answer.exit_code == 0, answer.output
    assert (read_table(tmp_path / "hw.parquet").indices == np.arange(TSS.size)).all()
    with pytest.raises(SuiteError, match="data set"):
        import_hw_nas_bench(tmp_path / "hw.pickle", "cifar1000")


def test_what_a_compiler_rejected_is_no_latency(tmp_path: Path) -> None:
    marked = np.random.default_rng(0).uniform(1, 9, TSS.size)
    marked[[3, 5]] = -1
    hw_nas_bench(tmp_path / "hw.pickle", edgetpu_latency=marked.tolist())
    table = import_hw_nas_bench(tmp_path / "hw.pickle")
    assert np.flatnonzero(np.isnan(table.columns["edgetpu_ms"])).tolist() == [3, 5]
    assert table.facts["edgetpu_ms"]["missing"] == "rejected by the compiler"
    assert "missing" not in table.facts["raspi4_ms"]
    _, common, columns = join_tables([table])
    assert len(common) == TSS.size - 2
    assert np.array_equal(columns["edgetpu_ms"], marked[common])
    hw_nas_bench(tmp_path / "other.pickle", raspi4_latency=marked.tolist())
    with pytest.raises(SuiteError, match=r"raspi4_ms.* is -1\.0 at architecture 3"):
        import_hw_nas_bench(tmp_path / "other.pickle")


class Runs:
    """A pickle that would write a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "run")


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "hw.pickle").write_bytes(pickle.dumps({"nasbench201": Runs(trace)}))
    (tmp_path / "gpu.pt").write_bytes(pickle.dumps([Runs(trace)]))
    for call in (
        lambda: import_hw_nas_bench(tmp_path / "hw.pickle"),
        lambda: import_help(tmp_path / "gpu.pt"),
    ):
        with pytest.raises(SuiteError):
            call()
    assert not trace.exists()


def test_foreign_structures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.pickle").write_bytes(pickle.dumps({"nasbench101": {}}))
    with pytest.raises(SuiteError, match="no part 'nasbench201'"):
        import_hw_nas_bench(tmp_path / "other.pickle")
    hw_nas_bench(tmp_path / "short.pickle", raspi4_latency=[1.0] * 100)
    with pytest.raises(SuiteError, match=r"raspi4_ms.* lacks rows"):
        import_hw_nas_bench(tmp_path / "short.pickle")
    broken = [1.0] * (TSS.size - 1) + [float("nan")]
    hw_nas_bench(tmp_path / "nan.pickle", raspi4_latency=broken)
    with pytest.raises(SuiteError, match="nan at architecture 15624"):
        import_hw_nas_bench(tmp_path / "nan.pickle")


def test_help_lists_are_imported(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "latency"
    folder.mkdir()
    listed = rng.uniform(1, 9, TSS.size)
    (folder / "gpu_1.pt").write_bytes(pickle.dumps(listed.tolist()))
    named = {TSS.string(i): float(listed[i]) * 2 for i in rng.permutation(TSS.size).tolist()}
    (folder / "phone.pt").write_bytes(pickle.dumps(named))
    table = import_help(folder)
    assert np.array_equal(table.columns["gpu_1_ms"], listed)
    assert np.array_equal(table.columns["phone_ms"], listed * 2)
    (folder / "short.pt").write_bytes(pickle.dumps([1.0, 2.0]))
    with pytest.raises(SuiteError, match="lacks rows"):
        import_help(folder)
    with pytest.raises(SuiteError, match="no file"):
        import_help(tmp_path)
    (tmp_path / "two.pt").write_bytes(pickle.dumps({"gpu": listed, "phone": listed}))
    with pytest.raises(SuiteError, match=r"two.pt holds several columns \(gpu, phone\)"):
        import_help(tmp_path / "two.pt")


def test_seconds_are_told_by_what_the_command_at_hand_has(tmp_path: Path) -> None:
    seconds = np.random.default_rng(0).uniform(1, 9, TSS.size) / 1000
    (tmp_path / "gpu.pt").write_bytes(pickle.dumps(seconds.tolist()))
    pd.DataFrame({"arch_str": TSS.all_strings, "gpu": seconds}).to_csv(tmp_path / "gpu.csv")
    assert "seconds, say so with --unit s." in " ".join(import_help(tmp_path / "gpu.pt").hints)
    named = " ".join(read_table(tmp_path / "gpu.csv", "nats-tss").hints)
    assert "seconds, let its name end in _s." in named


def test_help_files_written_by_torch_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    listed = np.random.default_rng(0).uniform(1, 9, TSS.size)
    torch.save(listed.tolist(), tmp_path / "gpu.pt")
    assert np.array_equal(import_help(tmp_path / "gpu.pt").columns["gpu_ms"], listed)


# -- comparing and predicting -------------------------------------------------------------------


def test_rank_correlations_are_scipys() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(1, 9, 60).astype(float) for name in "abc"}
    found = rank_correlations(columns)
    for one in "abc":
        for other in "abc":
            expected = spearmanr(columns[one], columns[other]).statistic
            assert found.loc[one, other] == pytest.approx(expected)
    assert np.isnan(spearman([1, 1, 1], [1, 2, 3]))


def test_tables_are_joined_by_architecture() -> None:
    one = make_table(TSS, [5, 1, 9, 3], {"a_ms": [5, 1, 9, 3]})
    other = make_table(TSS, [9, 5, 3, 7], {"a_ms": [90, 50, 30, 70]})
    _, indices, columns = join_tables([one, other])
    assert indices.tolist() == [3, 5, 9]
    assert columns["a_ms"].tolist() == [3, 5, 9]
    assert columns["a_ms (2)"].tolist() == [30, 50, 90]
    with pytest.raises(SuiteError, match="in common"):
        join_tables([one, make_table(TSS, [100, 101, 102], {"a_ms": [1, 2, 3]})])
    with pytest.raises(SuiteError, match="cannot be compared"):
        join_tables([one, make_table(SSS, [1, 2, 3], {"a_ms": [1, 2, 3]})])


def test_flops_as_a_latency_are_predicted_by_flops_and_operations() -> None:
    _, flops = count_all(TSS, "cifar100")
    found = proxies(TSS, np.arange(TSS.size), {"x_ms": flops.astype(float)}, "cifar100")
    assert found.loc["x_ms"].tolist() == pytest.approx([1, 1, 1])
    some = np.arange(100)
    assert np.isnan(proxies(TSS, some, {"x_ms": flops[some] * 1.0}, "cifar100").iloc[0, 2])


def test_published_proxies_and_twins(shared_data: Path) -> None:
    """The fpga column is modelled, a sum over operations; twins differ by 6 to 22 %."""
    table = read_table(shared_data / "nasbench201" / "latency_ms.parquet")
    columns = table.costs
    assert len(columns) == 24
    assert spearman(
        additive_from_operations(TSS, table.indices, columns["fpga"]), columns["fpga"]
    ) == pytest.approx(1, abs=5e-4)
    twins = {name: twin_spread(TSS, table.indices, values) for name, values in columns.items()}
    assert 0.04 < min(twins.values()) < max(twins.values()) < 0.3
    pi = read_table(shared_data / "nasbench201" / "pi5.parquet")
    assert twin_spread(TSS, pi.indices, pi.costs["onnx_cifar100_ms"]) == 0


def test_two_measurements_of_one_machine_are_told_to_repeat(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 2, 200)

    def measured(processor: str, started: str) -> CostTable:
        about = {
            "device": {"processor": processor, "runtime": "onnxruntime", "started": started},
            "protocol": {"setting": "digits", "pruned": False},
            "noise_floor_ms": 0.05,
        }
        return make_table(TSS, range(200), {"x_ms": truth + rng.normal(0, 0.03, 200)}, None, about)

    tables = [measured("a", "now"), measured("a", "later"), measured("b", "now")]
    ((places, (everything, apart, floor)),) = repetitions(tables).items()
    assert places == (0, 1)
    one, other = (table.columns["x_ms"] for table in tables[:2])
    assert (everything, apart) == pytest.approx(repeatability(one, other, 0.05))
    assert floor == 0.05
    for place, table in enumerate(tables):
        write_table(table, tmp_path / f"{place}.parquet")
    paths = [str(tmp_path / f"{place}.parquet") for place in range(3)]
    answer = CliRunner().invoke(app, ["compare", *paths])
    assert answer.output.count("repeat one measurement") == 1
    content = json.loads(CliRunner().invoke(app, ["compare", *paths, "--json"]).output)
    floors = [said["noise_floor_ms"] for said in content["devices"].values()]
    assert list(content["devices"]) == ["x_ms", "x_ms (2)", "x_ms (3)"]
    assert floors == [0.05] * 3


def test_what_removing_dead_branches_saves(tmp_path: Path) -> None:
    dead = np.flatnonzero([live_edges(v) != v for v in TSS.all_vectors.tolist()])
    flops = {each: count_all(TSS, "digits", pruned=each)[1] for each in (False, True)}
    tables = {
        each: make_table(
            TSS,
            range(TSS.size),
            {"x_ms": flops[each]},
            None,
            {"protocol": {"setting": "digits", "pruned": each}},
        )
        for each in (False, True)
    }
    ((names, (middle, most, count)),) = removal_savings([tables[False], tables[True]]).items()
    saved = 1 - flops[True][dead] / flops[False][dead]
    assert names == ("x_ms", "x_ms")
    assert (middle, most) == pytest.approx(tuple(np.quantile(saved, [0.5, 0.95])))
    assert count == len(dead)
    assert removal_savings([tables[True], tables[True]]) == {}
    for each, table in tables.items():
        write_table(table, tmp_path / f"{each}.parquet")
    paths = [str(tmp_path / f"{each}.parquet") for each in (True, False)]
    assert "Removing dead branches" in CliRunner().invoke(app, ["compare", *paths]).output


def test_repeatability_looks_at_what_differs_by_more_than_the_noise() -> None:
    rng = np.random.default_rng(0)
    truth = np.sort(rng.uniform(1, 2, 400))
    one, other = (truth + rng.normal(0, 0.05, 400) for _ in range(2))
    everything, told_apart = repeatability(one, other, 0.15)
    assert everything == pytest.approx(spearmanr(one, other).statistic)
    assert told_apart > everything
    assert repeatability([1, 2, 3], [1, 2, 3], 0.5) == pytest.approx((1, 1))


@pytest.mark.parametrize("name", ["additive", "boosting", "gaussian-process", "gp"])
def test_predictors_learn_a_made_latency(name: str) -> None:
    _, flops = count_all(TSS, "cifar100")
    latency = 1 + flops / flops.mean()
    curves = learning_curves(
        TSS, np.arange(TSS.size), {"x": latency}, predictors=[name], sizes=[10, 200], repeats=1
    )
    few, many = curves["spearman"]
    assert many > 0.95
    assert many > few
    assert curves["within_10"].iloc[1] > 0.8


def test_the_additive_predictor_adds_up_operations() -> None:
    worth = np.random.default_rng(0).uniform(1, 2, size=(6, 5))
    latency = worth[np.arange(6), TSS.all_vectors.astype(int)].sum(axis=1)
    predicted = additive_from_operations(TSS, np.arange(TSS.size), latency)
    assert np.allclose(predicted, latency)
    assert additive_from_operations(TSS, np.arange(10), latency[:10]) is None
    assert encode_costs(TSS).shape == (15_625, 30 + 30 + 5 + 5)
    assert encode_costs(SSS).shape == (32_768, 40)


def test_curves_draw_the_same_architectures_for_all() -> None:
    latency = 1 + np.random.default_rng(0).uniform(size=TSS.size)
    arguments = {"predictors": ["additive"], "sizes": [20], "repeats": 2}
    both = learning_curves(TSS, np.arange(TSS.size), {"a": latency, "b": latency}, **arguments)
    wide = both.pivot(index="repeat", columns="device", values="spearman")
    assert (wide["a"] == wide["b"]).all()
    assert wide["a"].nunique() == 2
    for wrong in (
        {"sizes": [1]},
        {"sizes": [15_624]},
        {"predictors": ["oracle"]},
        {"repeats": 0},
        {"repeats": -1},
    ):
        with pytest.raises(SuiteError):
            learning_curves(TSS, np.arange(TSS.size), {"a": latency}, **{**arguments, **wrong})


# -- the command line --------------------------------------------------------------------------


def test_compare_prints_and_draws(tmp_path: Path) -> None:
    runner = CliRunner()
    counted = tmp_path / "counts.parquet"
    assert runner.invoke(app, ["count", "-o", str(counted)]).exit_code == 0
    figure = tmp_path / "heat.svg"
    answer = runner.invoke(app, ["compare", str(counted), "--figure", str(figure), "--json"])
    assert answer.exit_code == 0, answer.output
    content = json.loads(answer.output)
    assert content["architectures"] == 15_625
    assert content["proxies"]["flops"]["parameters"] == pytest.approx(1, abs=1e-6)
    assert content["devices"]["flops"]["provenance"] == "modelled"
    assert figure.stat().st_size > 1000
    shown = runner.invoke(app, ["compare", str(counted)])
    assert "modelled" in shown.output


def test_predict_prints_and_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = make_table(TSS, range(200), {"x_ms": rng.uniform(1, 2, 200)})
    write_table(table, tmp_path / "t.parquet")
    arguments = ["predict", str(tmp_path / "t.parquet"), "--predictors", "additive"]
    answer = CliRunner().invoke(
        app, [*arguments, "--sizes", "10,50", "--repeats", "2", "-o", str(tmp_path / "c.csv")]
    )
    assert answer.exit_code == 0, answer.output
    assert len(pd.read_csv(tmp_path / "c.csv")) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare", "none.parquet"], "no file"),
        (["compare", "x.parquet", "--figure", "x.doc"], "end its name"),
        (["import", "none.pickle", "-o", "x.parquet"], "no file"),
        (["count", "-o", "no/such/folder/x.parquet"], "no folder"),
        (["count", "-o", "x.parquet", "--setting", "cifar"], "did you mean"),
        (["measure", "-o", "no/such/x.parquet"], "no folder"),
        (["measure", "-o", "x.parquet", "--cores", "a"], "no list"),
        (["measure", "-o", "x.parquet", "--architectures", "2", "--seed", "-1"], "no seed"),
        (["measure", "-o", "x.parquet", "--architectures", "-2"], "a number from 1"),
        (["measure", "-o", "x.jsonl"], "cannot be both the table and the journal"),
        (["measure", "-o", "x.json"], "cannot be both the table and its description"),
        (["measure", "-o", "x", "--journal", "x.json"], "both the journal and its description"),
        (["measure", "-o", "."], "which is a folder"),
        (["import", "here.csv", "-o", "here.csv"], "both what is imported and the table"),
        (["fill", "here.csv", "-o", "here.csv"], "both what was measured and the table"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], sentence: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("here.csv").write_text("arch_str,pixel3")
    answer = CliRunner().invoke(app, arguments)
    assert isinstance(answer.exception, SuiteError)
    assert sentence in str(answer.exception)
    assert Path("here.csv").read_text() == "arch_str,pixel3"


def test_a_measured_table_says_how_it_was_measured(tmp_path, monkeypatch):
    FakeClock(monkeypatch)
    list(measure(plan(), tmp_path / "j.jsonl"))
    table = measured_table(read_measured(tmp_path / "j.jsonl"), "box")
    assert "median of 3 rounds of 4 runs" in table.facts["box_ms"]["note"]
    assert "noise floor" in table.facts["box_ms"]["note"]
    assert table.facts["box_ms"]["resolution"] == "8x8"
    assert table.facts["box_ms"]["batch"] == 1
    assert table.facts["box_ms"]["runtime"]
    assert table.about["protocol"]["setting"] == "digits"
    assert table.about["device"]["processor"]
