"""Zero-cost proxies against their authors' code, and what computes them for many architectures.

``proxy_references.json`` holds what the authors' functions give for these cells, on the same
networks, weights and images: SamsungLabs/zero-cost-nas (fisher, grad-norm, grasp, jacov, l2-norm,
plain, snip, synflow), automl/NASLib (epe-nas, nwot, zen), SLDGroup/ZiCo, HamsterMimi/MeCo,
pym1024/SWAP, cvlab-yonsei/AZ-NAS (NB201) and VITA-Group/TENAS, run once outside the project.
"""

from __future__ import annotations

import gc
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite import registry
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import Batch, make_batch, score
from nasbench_suite.proxies.computing import Computation, choose_architectures, compute, scored
from nasbench_suite.spaces import load_space

torch = pytest.importorskip("torch")

TSS = load_space("nats-tss")
REFERENCES = json.loads(Path(__file__).with_name("proxy_references.json").read_text())
COUNTED = ("params", "flops")
SMALL = {"channels": 4, "cells": 1}
EMPTY = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
ROUNDED = 1e-5


@pytest.fixture(scope="module")
def batch() -> Batch:
    return make_batch("digits", 16)


def test_every_proxy_has_its_reference() -> None:
    proxies = {e.name for e in registry.entries("proxies").values() if e.value[:7] == "search_"}
    for values in REFERENCES.values():
        assert set(values) == proxies - set(COUNTED)


@pytest.mark.parametrize("name", sorted(next(iter(REFERENCES.values()))))
def test_scores_are_those_of_the_authors(name: str, batch: Batch) -> None:
    cell, values = next(iter(REFERENCES.items()))
    found = score(name, TSS, cell, batch=batch, **SMALL)
    assert found == pytest.approx(values[name], rel=ROUNDED, abs=ROUNDED)


@pytest.mark.parametrize("name", sorted(next(iter(REFERENCES.values()))))
def test_nothing_outlives_a_score(name: str, batch: Batch) -> None:
    """What a network computed is gone with it: on a GPU nobody else would clear it away."""

    def tensors() -> int:
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    cell = next(iter(REFERENCES))
    counts = []
    for _ in range(2):
        score(name, TSS, cell, batch=batch, **SMALL)
        counts.append(tensors())
    assert counts[0] == counts[1]


def test_counts_are_those_of_nats_bench() -> None:
    """The network of architecture 0 on CIFAR-10 has 0.129306 M parameters and 15.64737 M FLOPs."""
    digits = make_batch("digits", 16)
    photographs = Batch("made", np.zeros((2, 3, 32, 32), np.float32), digits.labels[:2], 10)
    assert score("params", TSS, 0, batch=photographs) == pytest.approx(129_306)
    assert score("flops", TSS, 0, batch=photographs) == pytest.approx(15_647_370)


def test_the_l2_norm_counts_convolutions() -> None:
    """A layer of default weights has norm √(outputs / 3), whatever its kernel."""
    digits = make_batch("digits", 16)
    images = Batch("made", np.zeros((2, 3, 32, 32), np.float32), digits.labels[:2], 10)
    cell = "|{0}~0|+|{1}~0|none~1|+|skip_connect~0|none~1|none~2|"
    bare = score("l2-norm", TSS, cell.format("none", "none"), batch=images)
    each = 5 * sum(math.sqrt(channels / 3) for channels in (16, 32, 64))
    for operations in itertools.product(("nor_conv_1x1", "nor_conv_3x3"), repeat=2):
        found = score("l2-norm", TSS, cell.format(*operations), batch=images)
        assert found - bare == pytest.approx(2 * each, rel=0.02)


@pytest.mark.parametrize("name", list(registry.entries("proxies")))
def test_what_computes_nothing_is_told_from_what_does(name: str, batch: Batch) -> None:
    empty = score(name, TSS, EMPTY, batch=batch, **SMALL)
    assert not math.isnan(empty)
    if name not in (*COUNTED, "te-ntk", "plain", "grasp"):
        assert empty < next(iter(REFERENCES.values()))[name]


@pytest.mark.parametrize(
    ("space", "side"), [("nats-sss", 8), ("nasbench101", 8), ("transnas101-micro", 32)]
)
def test_other_spaces_are_scored(space: str, side: int, batch: Batch) -> None:
    where = load_space(space)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(8, 3, side, side)).astype(np.float32)
    made = Batch("made", images, batch.labels[:8], 10)
    settings = {"channels": None if space == "nats-sss" else 8, "cells": 1}
    architecture = where.sample(rng)
    for name in ("synflow", "nwot", "grad-norm", "zen"):
        assert math.isfinite(score(name, where, architecture, batch=made, **settings)), name


def test_cells_end_where_they_do(batch: Batch) -> None:
    from nasbench_suite.networks import Skeleton, describe_network

    network = describe_network(TSS, 0, Skeleton(cells=2))
    assert len(network.blocks) == 1 + 3 * 2 + 2
    sizes = [network.layers[number].size for number in network.blocks]
    assert sizes == [32] * 3 + [16] * 3 + [8] * 3


# -- many architectures --------------------------------------------------------------------------

QUICK = Computation(
    "nats-tss", ("params", "nwot", "snip", "plain", "te-regions"), "digits", 8, 2, 1
)


def test_a_computation_goes_on_and_jobs_change_nothing(tmp_path: Path) -> None:
    chosen = choose_architectures("nats-tss", "5")
    alone, broken = tmp_path / "alone.jsonl", tmp_path / "broken.jsonl"
    list(compute(QUICK, chosen, alone))
    first = compute(QUICK, chosen, broken)
    assert [next(first), next(first), next(first)] == [(0, 5), (1, 5), (2, 5)]
    first.close()
    with broken.open("ab") as file:
        file.write(b'{"architecture": "torn')
    assert list(compute(QUICK, chosen, broken, jobs=2)) == [(done, 5) for done in range(2, 6)]
    one, other = scored(alone), scored(broken)
    names = ["arch_str", *QUICK.proxies]
    pd.testing.assert_frame_equal(one[names], other[names])
    assert (one[[f"{name}_seconds" for name in QUICK.proxies]] >= 0).all(axis=None)
    for name in QUICK.proxies:  # as if each had been asked for alone
        row = one.iloc[0]
        alike = score(
            name, TSS, row["arch_str"], batch=make_batch("digits", 8), channels=2, cells=1
        )
        assert row[name] == alike
    with pytest.raises(SuiteError, match="another computation"):
        list(compute(Computation("nats-tss", ("params",)), chosen, alone))


def test_what_two_proxies_share_is_charged_to_both(batch: Batch) -> None:
    from nasbench_suite.proxies.proxy import make_subject

    subject = make_subject("any", TSS, 0, batch=batch)
    import time

    def slow() -> int:
        time.sleep(0.02)
        return 1

    _, first = subject.timed(lambda: subject.once("slow", slow))
    _, second = subject.drawing(np.random.default_rng(1)).timed(lambda: subject.once("slow", slow))
    assert first >= 0.02
    assert second >= 0.02


def test_architectures_are_chosen_by_name_number_or_table(tmp_path: Path) -> None:
    drawn = choose_architectures("nats-tss", "20")
    assert len(set(drawn)) == 20
    assert drawn[:5] == choose_architectures("nats-tss", "5")
    classes = choose_architectures("nats-tss", "classes")
    assert len(classes) == 6466
    pd.DataFrame({"arch_str": drawn}).to_csv(tmp_path / "some.csv")
    listed = choose_architectures("nats-tss", str(tmp_path / "some.csv"))
    assert sorted(listed) == sorted(drawn)
    assert listed != drawn
    assert len(choose_architectures("darts", "3")) == 3
    for space, wrong in (("nats-tss", "some"), ("darts", "all"), ("nats-tss", "15626")):
        with pytest.raises(SuiteError):
            choose_architectures(space, wrong)


def test_proxies_compute_writes_what_predict_reads(tmp_path: Path) -> None:
    from nasbench_suite.prediction.scores import read_scores

    output = tmp_path / "scores.parquet"
    arguments = ["proxies", "compute", "-o", str(output), "--proxies", "params,synflow"]
    small = ["--architectures", "3", "--channels", "2", "--cells", "1", "--batch-size", "4"]
    answer = CliRunner().invoke(build_app(), [*arguments, *small])
    assert answer.exit_code == 0, answer.output
    found = read_scores(output, TSS)
    assert {name: int(np.isfinite(values).sum()) for name, values in found.items()} == {
        "params": 3,
        "synflow": 3,
    }
    packed = tmp_path / "packed.parquet"
    command = ["proxies", "pack", str(output.with_suffix(".jsonl")), "-o", str(packed)]
    assert CliRunner().invoke(build_app(), command).exit_code == 0
    assert packed.read_bytes() == output.read_bytes()
