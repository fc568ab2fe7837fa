"""Figures in the wrong order are refused or warned of, and those in the right order are not."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from nasbench_suite.benchmarks import Metric
from nasbench_suite.benchmarks.columns import MetadataFile
from nasbench_suite.benchmarks.doctor import examine
from nasbench_suite.benchmarks.encodings import exchanges, numberings, vector_encodings
from nasbench_suite.benchmarks.importing import (
    Imported,
    add_latencies,
    benchmark_from_frame,
    import_frame,
)
from nasbench_suite.benchmarks.library import import_benchmark
from nasbench_suite.benchmarks.plausibility import Check, exchanged
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import PoolSpace, load_finite_space, load_space

TSS = load_finite_space("nats-tss")


def outcomes() -> np.ndarray:
    """Made accuracies, a function of the graph alone but for a little noise."""
    rng = np.random.default_rng(0)
    convolutions = (TSS.all_vectors == 3).sum(1)
    return 50 + 5 * convolutions[TSS.representatives][TSS.classes] + rng.normal(0, 1, TSS.size)


def imported(frame: pd.DataFrame, **arguments: object) -> Imported:
    return import_frame(frame, "t", TSS, metadata=MetadataFile(), **arguments)


def test_the_right_order_passes_without_a_word() -> None:
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": outcomes()})
    assert not imported(frame).warnings
    assert not imported(frame.drop(columns="arch_str"), in_index_order=True).warnings


@pytest.mark.parametrize(
    "name", ["lexicographic", "lexicographic-reversed", "lexicographic-naslib", "sorted-as-text"]
)
def test_rows_in_a_known_order_are_refused_with_its_name(name: str) -> None:
    figures = outcomes()
    order = next(one for one in numberings(TSS) if one.name == name)
    listed = order.decode(TSS, np.arange(TSS.size))
    frame = pd.DataFrame({"c_valid_1": figures[listed]})
    with pytest.raises(SuiteError, match=f"--encoding {name}"):
        imported(frame, in_index_order=True)
    with pytest.raises(SuiteError, match=f"--encoding {name}"):
        imported(frame.assign(arch_index=np.arange(TSS.size)))
    read = imported(frame, in_index_order=True, encoding=name)
    assert np.array_equal(read.benchmark.values("c_valid_1"), figures)
    assert not read.warnings
    forced = imported(frame, in_index_order=True, force=True)
    assert np.array_equal(forced.benchmark.values("c_valid_1"), figures[listed])
    assert "isomorphic" in forced.warnings[0]


def test_rows_in_an_unknown_order_are_warned_of() -> None:
    shuffled = np.random.default_rng(1).permutation(outcomes())
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": shuffled})
    assert "isomorphic" in imported(frame).warnings[0]


@pytest.mark.parametrize("name", ["naszilla", "alphabetical", "reversed"])
def test_figures_of_another_encoding_beside_our_strings_are_warned_of(name: str) -> None:
    """Operations exchanged leave much of the order as it is: only the other reading tells."""
    worth = np.array([-4, 1, 3, 5, 0])[TSS.all_vectors].sum(1)[TSS.representatives][TSS.classes]
    figures = 50 + worth + np.random.default_rng(0).normal(0, 1, TSS.size)
    encoding = next(one for one in vector_encodings(TSS) if one.name == name)
    misread = figures[encoding.decode(TSS, TSS.all_vectors.astype(np.int64))]
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": misread})
    assert imported(frame).warnings
    rows = np.arange(TSS.size)
    found = exchanged(TSS, rows, {"c_valid_1": ("accuracy", misread)})
    assert found is not None
    assert found[1].name == name
    assert exchanged(TSS, rows, {"c_valid_1": ("accuracy", figures)}) is None


def test_a_shift_by_one_row_is_told_by_the_other_reading() -> None:
    space = load_finite_space("nasbench-macro")
    figures = space.all_vectors.sum(1) + np.random.default_rng(0).normal(0, 0.5, space.size)
    late = {"c_test_1": ("accuracy", np.roll(figures, 1))}
    found = exchanged(space, np.arange(space.size), late)
    assert found is not None
    assert found[1].name in ("one-late", "one-early")
    assert exchanged(space, np.arange(space.size), {"c_test_1": ("accuracy", figures)}) is None


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_what_several_processes_wrote_is_told_by_their_number(processes: int) -> None:
    figures = outcomes()
    parts = [figures[first::processes] for first in range(processes)]
    frame = pd.DataFrame({"c_valid_1": np.concatenate(parts)})
    with pytest.raises(SuiteError, match=f"'every-{processes}'"):
        imported(frame, in_index_order=True)
    read = imported(frame, in_index_order=True, encoding=f"every-{processes}")
    assert np.array_equal(read.benchmark.values("c_valid_1"), figures)


@pytest.mark.parametrize("name", ["darts", "mnasnet", "fbnet"])
def test_samples_are_held_against_the_size_of_their_networks(name: str) -> None:
    """What grows with the network, called a throughput, an error, or of the smallest options."""
    space = load_space(name)
    rng = np.random.default_rng(0)
    networks = list(dict.fromkeys(space.sample(rng) for _ in range(300)))
    pool = PoolSpace(space, [space.string(network) for network in networks])
    check = Check(pool, np.arange(pool.size))
    sizes = check._size_ranks
    assert sizes is not None
    for quantity, right in (("latency", 1), ("throughput", -1), ("accuracy", 1), ("error", -1)):
        figures = 500 + right * sizes + rng.normal(0, 20, pool.size)
        for values, plausible in ((figures, True), (-figures, False)):
            judged = check.judge(values, quantity)
            assert judged is not None
            assert judged.plausible == plausible


def test_samples_of_spaces_too_large_to_list_are_judged_by_their_features() -> None:
    """Strings of DARTS cells beside figures of others: no vectors, no order to compare with."""
    darts = load_space("darts")
    rng = np.random.default_rng(0)
    cells = list(dict.fromkeys(darts.sample(rng) for _ in range(600)))
    pool = PoolSpace(darts, [darts.string(cell) for cell in cells])
    weights = rng.normal(size=darts.features(cells[:1]).shape[1])
    figures = darts.features(cells) @ weights
    for values, plausible in ((figures, True), (rng.permutation(figures), False)):
        judged = Check(pool, np.arange(pool.size)).judge(values, "accuracy")
        assert judged is not None
        assert judged.plausible == plausible


def test_vectors_are_read_in_the_encoding_that_fits_or_that_is_said() -> None:
    figures = outcomes()
    written = in_naslibs_tuples(np.arange(TSS.size))
    frame = pd.DataFrame({"architecture": written, "c_valid_1": figures})
    for cells in (frame, frame.assign(architecture=frame["architecture"].map(str))):
        read = imported(cells, encoding="naslib")
        assert np.array_equal(read.benchmark.values("c_valid_1"), figures)
        own = imported(cells, encoding="own")
        assert not np.array_equal(own.benchmark.values("c_valid_1"), figures)
    with pytest.raises(SuiteError, match="did you mean 'naslib'"):
        imported(frame, encoding="nas-lib")


def in_naslibs_tuples(cells: np.ndarray) -> pd.Series:
    """The tuple that NASLib writes for each cell, by trying all of them."""
    naslib = next(one for one in vector_encodings(TSS) if one.name == "naslib")
    tuples = TSS.all_vectors.astype(np.int64)
    of_cell = np.argsort(naslib.decode(TSS, tuples))
    return pd.Series([tuple(one) for one in tuples[of_cell[cells]].tolist()], dtype=object)


@pytest.mark.parametrize("rows", [24, 400])
def test_samples_are_read_in_the_encoding_that_is_said(rows: int, tmp_path: Path) -> None:
    cells = np.random.default_rng(3).choice(TSS.size, rows, replace=False)
    figures = outcomes()[cells]
    frame = pd.DataFrame({"arch": in_naslibs_tuples(cells), "c_valid_1": figures})
    of = {TSS.string(cell): figure for cell, figure in zip(cells, figures, strict=True)}

    def found(imported: Imported) -> dict[str, float]:
        benchmark = imported.benchmark
        strings = map(benchmark.space.string, range(benchmark.space.size))
        return dict(zip(strings, benchmark.values("c_valid_1"), strict=True))

    assert found(imported(frame, partial=True, encoding="naslib")) == of
    numbers = next(one for one in numberings(TSS) if one.name == "lexicographic")
    places = np.argsort(numbers.decode(TSS, np.arange(TSS.size)))
    by_number = pd.DataFrame({"arch_index": places[cells], "c_valid_1": figures})
    assert found(imported(by_number, partial=True, encoding="lexicographic")) == of
    if rows == 400:  # enough for the figures to tell that ours is none
        with pytest.raises(SuiteError, match="--encoding naslib"):
            imported(frame, partial=True)
    else:
        hints = imported(frame, partial=True).hints
        assert any("can be meant in several encodings" in hint for hint in hints)
    with pytest.raises(SuiteError, match="did you mean 'naslib'"):
        imported(frame, partial=True, encoding="nas-lib")

    latencies = pd.DataFrame({"arch": in_naslibs_tuples(cells[::-1]).map(str), "ms": figures[::-1]})
    latencies.to_csv(tmp_path / "phone.csv", index=False)
    pool = imported(frame, partial=True, encoding="naslib").benchmark
    costs = add_latencies(pool, [tmp_path / "phone.csv"], encoding="naslib").benchmark
    assert np.array_equal(costs.values("ms"), costs.values("c_valid_1"))


def test_a_space_that_is_written_in_one_way_has_no_encoding() -> None:
    darts = load_space("darts")
    cells = [darts.string(darts.sample(np.random.default_rng(seed))) for seed in range(3)]
    frame = pd.DataFrame({"arch": cells, "c_valid_1": [90.0, 91.0, 92.0]})
    with pytest.raises(SuiteError, match="leave --encoding out"):
        benchmark_from_frame(frame, darts, encoding="naslib")


def test_an_encoding_of_strings_alters_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": outcomes()})
    read = imported(frame, encoding="naslib")
    assert np.array_equal(read.benchmark.values("c_valid_1"), frame["c_valid_1"])
    assert any("--encoding naslib alters nothing" in hint for hint in read.hints)
    with pytest.raises(SuiteError, match="Unknown encoding 'arch2vec' of space 'nats-tss'"):
        imported(frame, encoding="arch2vec")
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    write_benchmark(read.benchmark, tmp_path / "own.parquet")
    with pytest.raises(SuiteError, match="leave out --encoding naslib"):
        import_benchmark(tmp_path / "own.parquet", "again", encoding="naslib")


def test_naslib_tuples_are_naslibs() -> None:
    """By hand: skip on 01, none on 02, 3x3 on 03, 1x1 on 12, pool on 13, skip on 23."""
    naslib = next(one for one in vector_encodings(TSS) if one.name == "naslib")
    (index,) = naslib.decode(TSS, np.array([[0, 1, 2, 3, 4, 0]]))
    assert TSS.string(int(index)) == (
        "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"
    )


@pytest.mark.parametrize("name", ["accuracy", "latency_ms"])
def test_real_figures_pass_in_order_and_fail_shuffled(shared_data: Path, name: str) -> None:
    frame = pd.read_parquet(shared_data / "nasbench201" / f"{name}.parquet")
    rows = frame["arch_index"].to_numpy()
    quantity = "accuracy" if name == "accuracy" else "latency"
    right = Check(TSS, rows)
    wrong = Check(TSS, np.random.default_rng(0).permutation(rows))
    for column, values in frame.select_dtypes("number").drop(columns="arch_index").items():
        figures = values.to_numpy(np.float64)
        for check, plausible in ((right, True), (wrong, False)):
            judged = check.judge(figures, quantity)
            assert judged is not None, column
            assert judged.plausible == plausible, column


def test_a_file_is_examined_before_it_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": outcomes(), "note": "none"})
    frame["phone_ms"] = 1 + (TSS.all_vectors == 3).sum(1) / 7
    frame.to_csv(path, index=False)
    report = examine(path)
    assert "space: nats-tss, 15,625 architectures" in report
    assert "left out t.csv: note: no numbers, such as 'none'" in report
    assert "c_valid_1 (up) against phone_ms (right)" in report
    assert "implausible" not in report
    order = np.lexsort(TSS.all_vectors.T[::-1])
    frame.drop(columns="arch_str").iloc[order].to_csv(path, index=False)
    report = examine(path, "nats-tss", in_index_order=True)
    assert "<- implausible" in report
    assert "--encoding lexicographic" in report
    (tmp_path / "bad.csv").write_text("arch_str,c_valid_1\n?,1\n")
    assert "cannot be imported" in examine(tmp_path / "bad.csv", "nats-tss")


def test_a_benchmark_from_a_frame_and_back() -> None:
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "c_valid_1": outcomes()})
    benchmark = benchmark_from_frame(frame, "tss", "mine")
    assert benchmark.metric("c_valid_1").split == "valid"
    back = benchmark.to_pandas()
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    phone = Metric("phone", quantity="latency", unit="ms", direction="minimize")
    with pytest.warns(UserWarning, match="phone may have its figures beside other"):
        more = benchmark.with_metric(phone, 1.0 + np.arange(TSS.size))
    assert more.values("phone")[7] == 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        benchmark.with_metric(Metric("other"), frame["c_valid_1"])
    with pytest.raises(SuiteError, match="'ms', which is none of accuracy"):
        benchmark.with_metric(replace(phone, quantity="accuracy"), frame["c_valid_1"])
    with pytest.raises(SuiteError, match="phone is 0 at architecture 0: latency is a number above"):
        benchmark.with_metric(phone, np.arange(TSS.size))
    with pytest.raises(SuiteError, match="give a Metric"):
        benchmark.with_metric("phone", np.arange(TSS.size))  # type: ignore[arg-type]
    assert list(benchmark.metrics) == ["c_valid_1"]
    assert more.checksum != benchmark.checksum
    with pytest.raises(SuiteError, match="shape"):
        benchmark.with_metric(Metric("phone"), [1.0])
    with pytest.warns(UserWarning, match="isomorphic"):
        benchmark_from_frame(
            frame.assign(c_valid_1=np.random.default_rng(0).permutation(frame["c_valid_1"])), TSS
        )


def test_a_column_is_ranked_once_however_many_orders_it_is_held_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ranked: list[int] = []

    def counted(values: np.ndarray) -> np.ndarray:
        ranked.append(len(values))
        return np.asarray(rankdata(values))

    figures = {f"c_test_{n}": ("accuracy", outcomes() + n) for n in range(5)}
    assert len(exchanges(TSS)) > 10
    monkeypatch.setattr("scipy.stats.rankdata", counted)
    assert exchanged(TSS, np.arange(TSS.size), figures) is None
    assert len(ranked) == len(figures) + 1  # and the sizes of the architectures
