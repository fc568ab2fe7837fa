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
from nasbench_suite.proxies.choosing import choose_architectures
from nasbench_suite.proxies.computation import Computation
from nasbench_suite.proxies.computing import compute
from nasbench_suite.proxies.packing import scored
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
    assert score("params", "nats-tss", 0, batch=photographs) == pytest.approx(129_306)


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


def photographs(count: int = 8, side: int = 32) -> Batch:
    images = np.random.default_rng(0).normal(size=(count, 3, side, side)).astype(np.float32)
    return Batch("made", images, np.arange(count) % 10, 10)


AZ_NAS = ("az-expressivity", "az-progressivity", "az-trainability")


@pytest.mark.parametrize("name", AZ_NAS)
def test_living_networks_have_numbers_and_dead_ones_have_none(name: str) -> None:
    """Of images of one channel a 3x3 stem has 9 components in 16 channels: none below 0."""
    digits = make_batch("digits", 16)
    living = (*REFERENCES, "|avg_pool_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|")
    for cell in living:
        assert math.isfinite(score(name, TSS, cell, batch=digits, cells=1))
    assert score(name, TSS, EMPTY, batch=digits, cells=1) == -math.inf


@pytest.mark.parametrize("name", AZ_NAS)
def test_identities_in_place_of_blocks_leave_numbers(name: str) -> None:
    space = load_space("nasbench-macro")
    for architecture in ("00000000", "00100221"):
        found = score(name, space, architecture, batch=photographs(), channels=8)
        assert math.isfinite(found)


def test_a_condition_number_is_never_below_1() -> None:
    """Kernels of TransNAS are singular: what the classifier reads adds up to 0 over the images."""
    space = load_space("transnas101-micro")
    for architecture in ("64-41414-2_30_003", "64-41414-1_20_321", "64-41414-1_03_312"):
        found = score("te-ntk", space, architecture, batch=photographs(), channels=8, seed=3)
        assert found == -math.inf
    for cell in REFERENCES:
        assert -1e6 < score("te-ntk", TSS, cell, batch=make_batch("digits", 8), **SMALL) < -1


def test_regions_are_counted_in_the_narrowest_network_that_there_is() -> None:
    for space, side in (("nasbench101", 8), ("nasbench-macro", 8), ("transnas101-micro", 32)):
        where = load_space(space)
        architecture = where.sample(np.random.default_rng(0))
        assert 1 < score("te-regions", where, architecture, batch=photographs(side=side)) < 3000
    with pytest.raises(SuiteError, match=r"te-regions looks at .* 'nats-sss' have numbers of"):
        score("te-regions", load_space("nats-sss"), 0, batch=photographs())


def test_half_a_channel_is_one_sentence() -> None:
    space = load_space("transnas101-micro")
    with pytest.raises(SuiteError, match=r"cannot work with channels=1: give 2 or more"):
        score("params", space, 0, batch=photographs(), channels=1)


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
    wrong_ones = (
        ("nats-tss", "some"),
        ("darts", "all"),
        ("nats-tss", "15626"),
        ("darts", "1000000001"),
    )
    for space, wrong in wrong_ones:
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


def run(*arguments: object) -> tuple[int, str]:
    answer = CliRunner().invoke(build_app(), ["proxies", *map(str, arguments)])
    assert answer.exception is None or isinstance(answer.exception, SystemExit | SuiteError)
    said = str(answer.exception) if isinstance(answer.exception, SuiteError) else answer.output
    return answer.exit_code, said


TINY = ("--architectures", "2", "--cells", "1", "--batch-size", "4")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--channels", "0"), "channels=0"),
        (("--channels", "100000000"), "does not fit into"),
        (("--device", "tpu"), "computed on device 'tpu'"),
        (("--device", ""), "computed on device ''"),
        (("--device", "meta"), "computed on device 'meta'"),
        (("--seed", "-1"), "-1 is no seed"),
        (("--seed", "1" * 16), "is no seed"),
        (("--proxies", ","), "',' names no proxy"),
    ],
)
def test_what_is_refused_leaves_no_journal(
    wrong: tuple[str, str], said: str, tmp_path: Path
) -> None:
    """The mended command would be told that it is another computation."""
    command = ("compute", "-o", tmp_path / "s.parquet", *TINY, "--proxies", "synflow")
    code, told = run(*command, "--channels", "2", *wrong)
    assert code != 0
    assert said in told
    assert list(tmp_path.iterdir()) == []


def test_a_failure_at_the_first_score_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from search_methods.proxies.synflow import SynFlow

    command = ("compute", "-o", tmp_path / "s.parquet", *TINY, "--proxies", "synflow")

    def fail(*_: object) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1")

    with monkeypatch.context() as patched:
        patched.setattr(SynFlow, "score", fail)
        code, told = run(*command, "--channels", "3")
    assert code != 0
    assert "Memory does not suffice for proxy 'synflow'" in told
    assert run(*command, "--channels", "2")[0] == 0


def test_all_proxies_are_those_that_the_space_has(tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    few = ("--architectures", "1", "--batch-size", "4")
    code, told = run("compute", "-o", output, *few, "--space", "nats-sss")
    assert code == 0, told
    assert "Left out te-regions: te-regions looks at" in told
    assert len(pd.read_parquet(output).columns) == 1 + 2 * (len(registry.entries("proxies")) - 1)
    named = ("--space", "darts", "--proxies", "params,az-trainability", "--cells", "3")
    code, told = run("compute", "-o", tmp_path / "d.parquet", *few, *named)
    assert code != 0
    assert told.startswith("Proxy 'az-trainability' cannot be computed here: AZ-NAS compares")
    assert not (tmp_path / "d.jsonl").exists()


def test_what_is_asked_for_is_what_is_written(tmp_path: Path) -> None:
    output = tmp_path / "s.parquet"
    command = ("compute", "-o", output, "--cells", "1", "--batch-size", "4")
    assert run(*command, "--architectures", "5", "--proxies", "params,flops,params")[0] == 0
    code, told = run(*command, "--architectures", "2", "--proxies", "flops,params")
    assert code == 0, told
    assert "2 architectures, flops, params;" in told
    assert len(pd.read_parquet(output)) == 2
    packed = tmp_path / "all.parquet"
    assert run("pack", output.with_suffix(".jsonl"), "-o", packed)[0] == 0
    assert len(pd.read_parquet(packed)) == 5


def test_files_of_others_are_neither_written_nor_to_be_deleted(tmp_path: Path) -> None:
    table, listed = tmp_path / "t.parquet", tmp_path / "t.csv"
    pd.DataFrame({"arch_str": [EMPTY]}).to_parquet(table)
    listed.write_text(f"arch_str\n{EMPTY}\nbogus\n")
    before = table.read_bytes()
    code, told = run("compute", "-o", table, "--architectures", table, "--proxies", "params")
    assert code != 0
    assert "cannot be both the table and the table of architectures" in told
    for command in (
        ("pack", table, "-o", tmp_path / "x.parquet"),
        ("compute", "-o", tmp_path / "x.parquet", "--journal", listed, *TINY),
    ):
        code, told = run(*command)
        assert code != 0
        assert "is no journal" in told
        assert "delete" not in told
    assert table.read_bytes() == before
    code, told = run("compute", "-o", tmp_path / "x.parquet", "--architectures", listed)
    assert code != 0
    assert told.startswith(f"{listed}, row 1: Malformed cell 'bogus'")


def test_a_journal_without_scores_is_one_sentence(tmp_path: Path) -> None:
    from nasbench_suite.files.journal import Journal

    output = ("-o", tmp_path / "x.parquet")
    empty, foreign, begun = (tmp_path / f"{name}.jsonl" for name in ("empty", "foreign", "begun"))
    empty.touch()
    Journal(foreign).begin({"journal": 1})
    Journal(begun).begin(QUICK.identity)
    for journal, said in (
        (empty, "No architecture is finished"),
        (foreign, "holds no scores of proxies"),
        (begun, "No architecture is finished"),
    ):
        code, told = run("pack", journal, *output)
        assert code != 0
        assert said in told


def test_what_two_commands_noted_twice_is_one_row(tmp_path: Path) -> None:
    from nasbench_suite.files.journal import Journal
    from nasbench_suite.proxies.packing import scored

    journal = Journal(tmp_path / "j.jsonl")
    journal.begin(QUICK.identity)
    with journal.appending() as note:
        for architecture in ("b", "a", "b"):
            note({"architecture": architecture, "scores": {"snip": 1.0}, "seconds": {"snip": 0.1}})
    assert scored(journal.path)["arch_str"].tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["s.csv", "s", "s.PARQUET", "s.pq"])
def test_scores_are_written_to_where_they_are_read(name: str, tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    for command in (("compute", *TINY), ("pack", journal)):
        journal.touch()
        code, told = run(*command, "-o", tmp_path / name)
        assert code != 0
        assert "give a name that ends in .parquet" in told
    assert list(tmp_path.iterdir()) == [journal]


def test_no_architecture_is_one_sentence() -> None:
    for space in ("nats-tss", "darts"):
        with pytest.raises(SuiteError, match="give a number from 1"):
            choose_architectures(space, "0")
