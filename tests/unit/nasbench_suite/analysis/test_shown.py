"""Frames that print their main columns, and all else that a session in Python shows of itself."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite import Experiment, Search, make_task, run
from nasbench_suite.analysis.results import read_results
from nasbench_suite.analysis.shown import shown
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.runner import Trial
from search_methods.local_search import LocalSearch

METHODS = "random,local-search,regularized-evolution[population_size=10,sample_size=5]"


@pytest.fixture(scope="module")
def experiment(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    path = tmp_path_factory.mktemp("shown") / "r.sqlite"
    run(toy, METHODS, seeds=4, store=path, evaluations=20)
    return run(toy, METHODS, seeds=4, store=path, evaluations=30)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("what", ["leaderboard", "curves", "evaluations", "trials", "compare"])
def test_a_frame_prints_no_dots_for_columns(
    experiment: Experiment, what: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the terminal; every column is printed or named, and there."""
    monkeypatch.setenv("COLUMNS", str(columns))
    frame = getattr(experiment, what)
    frame = frame if what == "trials" else frame()
    frame = frame[0].pairs if what == "compare" else frame
    text = repr(frame)
    assert str(frame) == text
    assert max(map(len, text.splitlines())) <= columns
    assert not re.search(r"\\.\\.\\. *\\S+$", text.splitlines()[1]), text
    for name in frame.columns:
        assert name in text or name == "task", name
    for method in set(frame["first" if what == "compare" else "method"]):
        assert str(method) in text or what == "evaluations"  # whose rows are many


def test_a_leaderboard_says_its_tasks_and_verdicts(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    board = experiment.leaderboard()
    text = repr(board)
    for name in board["task"].unique():
        assert f"{name}, metric toy_test_9, unit %, direction maximize\n" in text
    verdicts = {"best": "best", "worse": "worse", "equivalent": "equivalent"}
    for column, word in verdicts.items():
        assert len(re.findall(rf" {word} ", text)) == board[column].sum()
    html = board._repr_html_()
    assert html.count("<table") == 2
    assert "not distinguished" in html or board["worse"].sum() == 4
    assert "toy, 30 evaluations" in Experiment(experiment.path)._repr_html_()


def test_rows_of_it_print_alike_and_a_choice_of_columns_as_pandas_does(
    experiment: Experiment,
) -> None:
    board = experiment.leaderboard()
    assert repr(board.head(2)).startswith("toy/toy, 20 evaluations, metric")
    chosen = board[["method", "iqm"]]
    assert repr(chosen) == repr(pd.DataFrame(chosen))
    assert repr(board.head(0)) == repr(pd.DataFrame(board.head(0)))
    assert chosen._repr_html_().count("<th>") >= 2
    means = board.groupby("task")["iqm"].mean()
    assert type(means) is pd.Series
    pd.testing.assert_frame_equal(board, pd.DataFrame(board))


def test_figures_keep_four_digits_and_texts_begin_below_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    frame = pd.DataFrame({"method": ["a", "bcd"], "x": [97.4, 0.998], "y": [12000.0, np.nan]})
    lines = repr(shown(frame, "method x y")).splitlines()
    assert [line.split() for line in lines] == [
        ["method", "x", "y"],
        ["a", "97.40", "12000"],
        ["bcd", "0.9980", "-"],
    ]
    assert all(line[0] != " " for line in lines)


def test_of_many_rows_as_many_are_printed_as_pandas_does(experiment: Experiment) -> None:
    frame = experiment.evaluations()
    assert "[240 rows x 8 columns]" in repr(frame)
    assert "rows" not in repr(frame.head(20))


def test_whatever_a_session_shows_is_one_line(
    experiment: Experiment, toy: Benchmark, tmp_path: Path
) -> None:
    trial = Trial(make_task(toy, evaluations=12), LocalSearch(), 3)
    assert repr(trial.session) == (
        "<Session on 'nats-tss', seed 3: 0 evaluations spent of 12 evaluations>"
    )
    trial.advance()
    result = trial.result()
    search = Search("random", evaluations=5)
    search.ask()
    objects = (
        *(experiment, experiment.results, experiment.results.store, experiment.compare()[0]),
        *(toy, toy.space, trial, trial.task, trial.session, trial.method, result, result.record),
        *(search, read_results(experiment.path)),
    )
    for each in objects:
        assert len(repr(each)) < 150, each
        assert "\n" not in repr(each)
        assert " object at 0x" not in repr(each)


def test_what_was_told_counts_at_once() -> None:
    """Not only when the thread of the search comes to it."""
    search = Search("random", evaluations=50)
    for number in range(50):
        architecture = search.ask()
        search.tell(float(number))
        assert search.told[str(architecture)] == number
        assert search.best == architecture
