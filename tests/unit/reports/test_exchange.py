"""What leaves the suite says what it is: exports, captions, LaTeX; and reading leaves no traces."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Command

from nasbench_suite import read_results, run
from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.store import ResultStore
from reports.tables.latex import latex_text
from reports.tables.rendering import Sheet, Table, to_latex

SETTINGS = {"seeds": range(3), "evaluations": 20}


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tasks that are judged by three things: an accuracy, a time, and a hypervolume."""
    path = tmp_path_factory.mktemp("exchange") / "r.sqlite"
    run(toy, "random,local-search", store=path, **SETTINGS)
    times = {"signal": "toy_train_time_1", "judged_by": "toy_train_time_9"}
    run(toy, "random,local-search", store=path, **times, **SETTINGS)
    fronts = {"objectives": ["toy_train_time_9"], "crossfit": False}
    run(toy, "random,nsga2[population_size=4]", store=path, **fronts, **SETTINGS)
    return path


def test_a_front_is_exported_point_by_point(
    nasbench: Command, store: Path, tmp_path: Path, toy: Benchmark
) -> None:
    ended = nasbench("export", tmp_path / "f.csv", "--what", "fronts", "--store", store)
    assert ended.code == 0, ended.err
    rows = pd.read_csv(tmp_path / "f.csv")
    assert set(rows["objective"]) == {"toy_test_9", "toy_train_time_9"}
    for (name, unit), part in rows.groupby(["objective", "unit"]):
        told = toy.values(str(name))[part["architecture"]]
        np.testing.assert_allclose(part["report"], told, rtol=1e-12)
        assert unit == toy.metric(str(name)).unit
    results = read_results(store)
    assert len(rows) == len(results.store.fronts())
    trials = nasbench("export", tmp_path / "t.csv", "--store", store)
    assert trials.code == 0
    last = pd.read_csv(tmp_path / "t.csv").query("method == 'random' and report <= 1")
    ends = rows.query("method == 'random'").groupby("seed")["architecture"].agg(set)
    assert all(row.architecture in ends[row.seed] for row in last.itertuples())
    told = " ".join(nasbench("export", "--help").out.split())
    for word in ("architecture is what it returned", "normalised hypervolume", "signal_2"):
        assert word in told


def test_a_caption_says_of_every_column_what_it_is(nasbench: Command, store: Path) -> None:
    caption = nasbench("table", store, "--format", "markdown").out.splitlines()[-1]
    for said in (
        "over 3 seeds, after 20 evaluations; column 1: test accuracy after 9 epochs, in %; ",
        "column 2: training time after 9 epochs, in s, smaller is better; ",
        "column 3: normalised hypervolume of test accuracy after 9 epochs and training time",
    ):
        assert said in caption
    one = nasbench("table", store, "--format", "markdown", "--task", "toy_train_time_9").out
    assert "of the normalised hypervolume" in one.splitlines()[-1]
    of_metric = nasbench("table", store, "--format", "markdown", "--task", "toy_test_9")
    assert "test accuracy after 9 epochs" in of_metric.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-1.2", "$-$1.2"),
        ("[-2.22, -.5]", "[$-$2.22, $-$.5]"),
        ("±0.3", r"$\pm$0.3"),
        ("nas-bench-201, 0-4, log10(1 - HV)-1", "nas-bench-201, 0-4, log10(1 - HV)-1"),
        ("1e-05", "1e-05"),
    ],
)
def test_a_minus_is_one_and_a_hyphen_too(text: str, shown: str) -> None:
    assert latex_text(text) == shown


def test_latex_has_a_dash_where_nothing_is_known() -> None:
    rows = (("a", "-", "-0.5"),)
    sheet = Sheet((Table("t", "s", ("method", "x", "y"), rows, (True,), ()),), ())
    assert r"\textbf{a} & \textbf{--} & \textbf{$-$0.5} \\" in to_latex(sheet)


def test_a_method_without_settings_says_so(nasbench: Command) -> None:
    assert nasbench("methods", "info", "random").out.endswith("\n\nIt has no hyper-parameters.\n")
    assert "Hyper-parameters:\n  " in nasbench("methods", "info", "nsga2").out


def test_no_usage_has_brackets_in_brackets(nasbench: Command) -> None:
    for command in ("leaderboard", "compare", "fronts", "robustness", "table", "report"):
        told = nasbench(command, "--help").out
        assert "[[" not in told
        assert "default: ()" not in told


def test_reading_leaves_nothing_beside_the_file(
    nasbench: Command, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "r.sqlite"
    shutil.copy(store, copy)
    before = copy.read_bytes()
    for command in ("leaderboard", "compare", "robustness", "fronts", "table"):
        assert nasbench(command, copy).code == 0
    read_results(copy).store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["r.sqlite"]
    assert copy.read_bytes() == before


def test_what_a_killed_writer_left_is_read_and_not_touched(store: Path, tmp_path: Path) -> None:
    """A copy of a file and its log, as a kill in the middle of a run leaves them."""
    lived, copy = tmp_path / "lived.sqlite", tmp_path / "killed.sqlite"
    shutil.copy(store, lived)
    with sqlite3.connect(lived) as writer:
        writer.execute("CREATE INDEX further ON trials (seed)")
        writer.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{lived}{end}", f"{copy}{end}")
    log = Path(f"{copy}-wal").read_bytes()
    assert log
    with ResultStore(copy, read_only=True) as opened:
        assert len(opened.trials()) == 18
    assert Path(f"{copy}-wal").read_bytes() == log


def test_a_reader_does_not_hinder_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    run(load_benchmark("digits"), "random", seeds=1, evaluations=5, store=path)
    reading = read_results(path)
    run(load_benchmark("digits"), "random", seeds=3, evaluations=5, store=path)
    assert len(reading.trials) == 1  # of the moment when it was opened
    assert len(read_results(path).trials) == 3
    with pytest.raises(SuiteError, match="cannot be written"), reading.store.reading() as opened:
        opened.execute("DELETE FROM trials")
