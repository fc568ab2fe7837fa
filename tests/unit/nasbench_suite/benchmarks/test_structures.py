"""Architectures as other codes keep them: arch2vec's matrices, genotypes, configurations."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite.benchmarks.importing import import_frame, import_table
from nasbench_suite.benchmarks.structures import hw_nas_bench_facts, spelled
from nasbench_suite.commands.data import app
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space, load_space

TSS = load_finite_space("nats-tss")
DARTS = load_space("darts")
# arch2vec, preprocessing/nasbench201_json.py: the graph of every cell, and its operations.
GRAPH = [
    *([0, 1, 1, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0]),
    *([0, 0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1]),
    *([0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
]
OPS = ("input", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "output")


def arch2vec(string: str) -> dict[str, Any]:
    """As its script does it."""
    nodes = [one.split("~")[0] for step in string.split("+") for one in step.strip("|").split("|")]
    marks = np.zeros((8, 7), dtype=int)
    marks[np.arange(8), [OPS.index(one) for one in ("input", *nodes, "output")]] = 1
    return {"module_adjacency": GRAPH, "module_operations": marks.tolist()}


def test_arch2vecs_cells_are_read_from_their_graphs_whatever_their_keys(tmp_path: Path) -> None:
    """The keys say another order than the graphs, which decide."""
    order = np.random.default_rng(0).permutation(TSS.size)[:300]
    convolutions = (TSS.all_vectors == 3).sum(1)
    figures = 50 + 5.0 * convolutions[TSS.representatives][TSS.classes]
    content = {
        str(key): {
            "test_accuracy": figures[cell] + 1,
            "validation_accuracy": figures[cell],
            "validation_accuracy_avg": figures[cell] - 1,
            "training_time": 9.0 + cell,
            **arch2vec(TSS.string(int(cell))),
        }
        for key, cell in enumerate(order)
    }
    (tmp_path / "cifar100.json").write_text(json.dumps(content))
    imported = import_table(tmp_path / "cifar100.json", "a", TSS, partial=True)
    benchmark = imported.benchmark
    read = [benchmark.query(TSS.string(int(cell)), "validation_accuracy") for cell in order]
    assert np.array_equal(read, figures[order])
    assert benchmark.metric("validation_accuracy_avg").split == "valid"
    assert benchmark.metric("training_time").quantity == "training_time"
    assert any("arch2vec" in hint for hint in imported.hints)
    assert not imported.left_out


def test_arch2vecs_modules_are_read_without_their_padding() -> None:
    space = load_space("nasbench101")
    matrix = np.zeros((7, 7), dtype=int)
    matrix[[0, 0, 1, 2], [1, 2, 3, 3]] = 1
    marks = np.zeros((7, 5), dtype=int)
    marks[[0, 1, 2, 3], [0, 1, 3, 4]] = 1
    row = {"module_adjacency": matrix.tolist(), "module_operations": marks.tolist()}
    frame, _ = spelled(pd.DataFrame([row]), space)
    assert frame["arch_str"][0] == "0110000100010000 input,conv1x1-bn-relu,maxpool3x3,output"


def test_graphs_of_another_space_are_refused() -> None:
    frame = pd.DataFrame([arch2vec(TSS.string(0))])
    with pytest.raises(SuiteError, match=r"no architecture of space 'nasbench101'.*--space"):
        spelled(frame, load_space("nasbench101"))


PAIRS = (
    [
        *(("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 0), ("skip_connect", 1)),
        *(("skip_connect", 0), ("sep_conv_3x3", 1), ("skip_connect", 0), ("dil_conv_3x3", 2)),
    ],
    [
        *(("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1)),
        *(("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)),
    ],
)
NORMAL, REDUCE = map(repr, PAIRS)
RANGE, LIST = "range(2, 6)", "[2, 3, 4, 5]"
BY_NODE = [repr([tuple(one[n : n + 2]) for n in range(0, 8, 2)]) for one in PAIRS]


def configuration() -> dict[str, Any]:
    """As NAS-Bench-301's ConfigSpace names it: edges 0 and 1 enter node 2, 2 to 4 node 3, ..."""
    found: dict[str, Any] = {"OptimizerSelector:sgd:momentum": 0.9}
    for kind, pairs in zip(("normal", "reduce"), PAIRS, strict=True):
        for place, (operation, source) in enumerate(pairs):
            edge = sum(range(2, 2 + place // 2)) + source
            found[f"NetworkSelectorDatasetInfo:darts:edge_{kind}_{edge}"] = operation
    return found


GENOTYPES = {
    "quark0/darts": f"Genotype(normal={NORMAL}, normal_concat={RANGE}, reduce={REDUCE}, "
    f"reduce_concat={RANGE})",
    "PC-DARTS, named": f"PC_DARTS_cifar = Genotype(normal={NORMAL}, normal_concat={RANGE}, "
    f"reduce={REDUCE}, reduce_concat={RANGE})",
    "P-DARTS": f"genotypes.Genotype(normal={NORMAL}, normal_concat=range(2,6), reduce={REDUCE}, "
    f"reduce_concat=range(2,6))",
    "NAS-Bench-301": f"Genotype(normal={NORMAL}, normal_concat={LIST}, reduce={REDUCE}, "
    f"reduce_concat={LIST})",
    "without blanks": f"Genotype(normal={NORMAL},normal_concat={LIST},reduce={REDUCE},"
    f"reduce_concat={LIST})".replace(" ", ""),
    "double quotes": f"Genotype(normal={NORMAL}, normal_concat=list({RANGE}), reduce={REDUCE}, "
    f"reduce_concat=list({RANGE}))".replace("'", '"'),
    "another order": f"Genotype(reduce={REDUCE}, reduce_concat={RANGE}, normal={NORMAL}, "
    f"normal_concat={RANGE})",
    "positions": f"Genotype({NORMAL}, {LIST}, {REDUCE}, {LIST})",
    "AutoDL-Projects, by node": f"Genotype(normal={BY_NODE[0]}, normal_concat={LIST}, "
    f"reduce={BY_NODE[1]}, reduce_concat={LIST})",
    "dictionary": repr({"normal": PAIRS[0], "normal_concat": [2, 3, 4, 5], "reduce": PAIRS[1]}),
    "JSON": json.dumps({"normal": PAIRS[0], "reduce": PAIRS[1]}),
    "configuration": repr(configuration()),
}


@pytest.mark.parametrize("code", GENOTYPES)
def test_genotypes_of_several_codes_are_one_cell(code: str) -> None:
    expected = DARTS.from_genotype(PAIRS)
    assert DARTS.parse(GENOTYPES[code]) == expected
    assert DARTS.parse("".join(GENOTYPES[code].split())) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"Genotype(normal={NORMAL}, normal_concat=range(3, 6), reduce={REDUCE})",
        f"Genotype(normal={NORMAL})",
        "Genotype(normal=open('x'), reduce=[])",
        "Genotype(normal=[], normal_concat=range(0, 10**12), reduce=[])",
        "Genotype(",
        "{'normal': []}",
        "{",
        "Genotype(" + "[" * 9000,
        "Genotype(" + "[" * 90_000,
    ],
)
def test_what_is_no_genotype_is_one_sentence(text: str) -> None:
    with pytest.raises(SuiteError):
        DARTS.parse(text)


def test_records_of_genotypes_and_configurations_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cells = [DARTS.sample(rng) for _ in range(3)]
    records = []
    for cell in cells:
        normal, reduce = DARTS.genotype(cell)
        genotype = {"normal": normal, "normal_concat": [2, 3, 4, 5], "reduce": reduce}
        records.append({"arch": genotype, "cifar10_valid_97": float(len(records))})
    (tmp_path / "t.json").write_text(json.dumps(records))
    benchmark = import_table(tmp_path / "t.json", "t", DARTS).benchmark
    assert [benchmark.query(DARTS.string(one), "cifar10_valid_97") for one in cells] == [0, 1, 2]


def test_configurations_of_hw_nas_bench_are_read() -> None:
    fbnet = load_space("fbnet")
    blocks = [7, 8] * 11
    config = {"dataset": "ImageNet", "op_idx_list": blocks, "arch_str": ["skip"] * 22}
    frame, _ = spelled(pd.DataFrame({"config": [config]}), fbnet)
    assert fbnet.parse(frame["config"][0]) == tuple(blocks)
    config = {"name": "infer.tiny", "C": 16, "N": 5, "arch_str": TSS.string(5), "num_classes": 10}
    frame, _ = spelled(pd.DataFrame({"config": [config]}), TSS)
    assert TSS.index(frame["config"][0]) == 5


DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")


def hw_nas_bench(path: Path) -> None:
    """A pickle of its structure, on two data sets, with marks in edgetpu."""
    costs = 1.0 + (TSS.all_vectors == 3).sum(1) + np.arange(TSS.size) / 1e5
    marked = np.where(np.arange(TSS.size) < 7, -1, costs)
    part = {
        **{f"{device}_latency": costs.tolist() for device in DEVICES},
        "edgetpu_latency": marked.tolist(),
        "eyeriss_arithmetic_intensity": costs.tolist(),
        "config": [{"arch_str": TSS.string(index)} for index in range(TSS.size)],
    }
    layers = {"raspi4_latency": {"Skip_H32_W32_Cin16_Cout16_stride1": 0.5}}
    content = {"nasbench201": {"cifar10": part, "ImageNet16-120": part}, "fbnet": layers}
    path.write_bytes(pickle.dumps(content))


def test_hw_nas_bench_beside_accuracies_carries_its_facts(tmp_path: Path) -> None:
    hw_nas_bench(tmp_path / "HW.pickle")
    accuracies = 50 + 5.0 * (TSS.all_vectors == 3).sum(1)
    table = pd.DataFrame({"arch_str": TSS.all_strings, "cifar10_valid_12": accuracies})
    table.to_csv(tmp_path / "t.csv", index=False)
    imported = import_table(tmp_path / "t.csv", "t", TSS, latency=[tmp_path / "HW.pickle"])
    metric = imported.benchmark.metric("ImageNet16-120_eyeriss_latency")
    assert (metric.dataset, metric.device, metric.unit) == ("imagenet16_120", "eyeriss", "ms")
    assert metric.provenance == "modelled"
    missing = imported.benchmark.missing("cifar10_edgetpu_latency")
    assert missing == {"rejected by the compiler": 7}
    assert not any("intensity" in name for name in imported.benchmark.metrics)
    assert not hw_nas_bench_facts(["raspi4_latency", "pixel3_latency"])


def test_a_frame_of_graphs_is_read_as_a_file_of_them() -> None:
    macro = load_finite_space("nasbench-macro")
    cells = [{"arch_str": string, "C": 16} for string in macro.all_strings]
    figures = np.random.default_rng(0).permutation(macro.all_vectors.sum(1) + 50.0)
    frame = pd.DataFrame({"config": cells, "c_valid_1": figures})
    imported = import_frame(frame, "t", macro)
    assert np.array_equal(imported.benchmark.values("c_valid_1"), figures)
    assert imported.warnings
    assert "cifar100.json" in CliRunner().invoke(app, ["where", "arch2vec"]).output


# -- NASLib's numbers --------------------------------------------------------------------------

NASLIB = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"),
    *("dil_conv_3x3", "dil_conv_5x5"),
)
FIRST_AND_LAST = DARTS.from_genotype(
    [[(one, s) for _ in range(4) for s in (0, 1)] for one in NASLIB[::6]]
)


def compact(cell: Any, operations: tuple[str, ...]) -> list[Any]:
    """As ``convert_genotype_to_compact`` of NASLib: source and number of operation."""
    return [[(s, operations.index(o)) for o, s in pairs] for pairs in DARTS.genotype(cell)]


@pytest.mark.parametrize("written", [str, lambda pairs: pairs, lambda pairs: np.array(pairs)])
@pytest.mark.parametrize("first", [(), ("none",)])
def test_naslibs_pairs_of_cells_are_read_in_either_numbering(first: Any, written: Any) -> None:
    rng = np.random.default_rng(0)
    cells = [FIRST_AND_LAST, *(DARTS.sample(rng) for _ in range(20))]
    pairs = [written(compact(cell, (*first, *NASLIB))) for cell in cells]
    frame, notes = spelled(pd.DataFrame({"arch": pairs, "x": range(21)}), DARTS)
    assert frame["arch"].tolist() == [DARTS.string(cell) for cell in cells]
    assert f"operations {', '.join((*first, *NASLIB))}, in this order" in notes[0]


def test_naslibs_modules_are_read_and_pruned_as_their_authors_do() -> None:
    space = load_space("nasbench101")
    matrix = np.zeros((7, 7), dtype=int)
    matrix[0, [1, 3, 6]] = matrix[1, 6] = 1  # 3 leads nowhere
    numbers = [*matrix.ravel().tolist(), 0, 2, 3, 3, 4, 4, 1]
    (spelt,) = spelled(pd.DataFrame({"spec": [str(tuple(numbers))]}), space)[0]["spec"]
    assert space.canonical(spelt) == space.canonical("011001000 input,maxpool3x3,output")


@pytest.mark.parametrize("bad", ["[1, 2]", "x", [[[(9, 9)] * 8] * 2], None])
def test_a_row_that_is_none_of_naslibs_is_told(bad: Any) -> None:
    frame = pd.DataFrame({"arch": [str(compact(FIRST_AND_LAST, NASLIB)), bad]})
    with pytest.raises(SuiteError, match=r"^Row 1: "):
        spelled(frame, DARTS)


def test_a_column_a_decision_is_a_network_of_mnasnet() -> None:
    space = load_space("mnasnet")
    rng = np.random.default_rng(0)
    networks = [space.string(space.sample(rng)) for _ in range(9)]
    found = [re.findall(r"e(\d)k(\d)l(\d)(se)?", network) for network in networks]
    keys = [f"block{block}_{what}" for block in range(7) for what in ("e", "k", "l", "se")]
    for yes, no, number in (
        (True, False, int),
        ("True", "False", str),
        ("1", "0", str),
        (1, 0, float),
    ):
        rows = [
            [value for *three, se in blocks for value in (*map(number, three), yes if se else no)]
            for blocks in found
        ]
        frame = pd.DataFrame(rows, columns=keys).assign(x=1.0)
        assert spelled(frame, space)[0]["arch_str"].tolist() == networks
