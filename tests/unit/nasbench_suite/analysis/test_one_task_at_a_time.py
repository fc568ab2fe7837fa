"""Trials are read and held a task at a time, and what is shown of a task is what it shows alone."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import board_speed
import pandas as pd
import pytest

from nasbench_suite.analysis.comparison import compare
from nasbench_suite.analysis.fronts import results_indicators
from nasbench_suite.analysis.leaderboard import leaderboard, overall_leaderboard
from nasbench_suite.analysis.results import one_task, read_results
from nasbench_suite.analysis.robustness import robustness
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore
from reports.tables.paper import paper_table
from reports.tables.rendering import leaderboard_sheet


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "r.sqlite"
    board_speed.write_store(path, tasks=3, methods=2, seeds=12)
    return path


COMMANDS: dict[str, Callable[[Path], Any]] = {
    "leaderboard": leaderboard,
    "overall": overall_leaderboard,
    "report": lambda path: leaderboard_sheet(read_results(path), leaderboard(path)),
    "table": lambda path: paper_table(read_results(path)),
    "compare": lambda path: compare(path, resamples=5),
    "robustness": robustness,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_board_reads_one_task_after_the_other(
    store: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    read = ResultStore.trials

    def noted(self: ResultStore, task: str | None = None) -> pd.DataFrame:
        asked.append(task)
        return read(self, task)

    monkeypatch.setattr(ResultStore, "trials", noted)
    COMMANDS[name](store)
    assert set(asked) == {"t0", "t1", "t2"}


def test_fronts_are_read_one_task_after_the_other(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.sqlite"
    for budget in (20, 30):
        run(
            toy,
            "random,nsga2",
            seeds=range(3),
            evaluations=budget,
            objectives=["toy_train_time_9"],
            store=path,
        )
    results = read_results(path)
    alone = [results_indicators(one_task(results, name)) for name in results.names.values()]
    asked: list[int] = []
    read = ResultStore._part

    def noted(self: ResultStore, table: str, query: str, trials: Any) -> pd.DataFrame:
        asked.append(len(trials))
        return read(self, table, query, trials)

    monkeypatch.setattr(ResultStore, "_part", noted)
    whole = results_indicators(results)
    pd.testing.assert_frame_equal(whole, pd.concat(alone, ignore_index=True), check_exact=True)
    assert asked == [6, 6, 6, 6]  # indicators and fronts of either task


@pytest.mark.parametrize("show", [leaderboard, overall_leaderboard])
def test_memory_is_that_of_one_task(tmp_path: Path, show: Callable[[Path], Any]) -> None:
    most = []
    for tasks in (1, 4):
        path = tmp_path / f"{tasks}.sqlite"
        board_speed.write_store(path, tasks=tasks, methods=2, seeds=5000)
        tracemalloc.start()
        show(path)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.5 * most[0]


def test_a_task_shows_what_it_shows_alone(store: Path) -> None:
    whole = leaderboard(store)
    parts = [leaderboard(store, dataset=f"d{place}") for place in range(3)]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True), check_exact=True)
    everywhere = read_results(store).trials
    with ResultStore(store, read_only=True) as opened:
        assert everywhere["trial"].tolist() == opened.trials()["trial"].tolist()


def test_what_is_read_is_of_one_moment(store: Path, tmp_path: Path) -> None:
    """A run that adds trials meanwhile neither changes figures nor looks like damage."""
    path = tmp_path / "r.sqlite"
    board_speed.write_store(path, tasks=1, methods=2, seeds=5)
    results = read_results(path)
    board_speed.write_store(path, tasks=2, methods=3, seeds=0)
    with ResultStore(path) as opened:
        opened.remove([1])
    assert len(results.trials_on("t0")) == 10
    assert len(read_results(path).trials) == 9


def test_an_index_that_lost_a_row_is_damage(store: Path, tmp_path: Path) -> None:
    """Trials of a task are found by the index, and compared with what is counted without it."""
    path = tmp_path / "r.sqlite"
    path.write_bytes(store.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    index = "sqlite_autoindex_trials_1"
    # A second table on the pages of the index, from which an entry is taken.
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", (index,)
    ).fetchone()
    connection.execute(
        "INSERT INTO sqlite_schema VALUES ('table', 'entries', 'entries', ?, "
        "'CREATE TABLE entries (task_id, method_id, seed, id, "
        "PRIMARY KEY (task_id, method_id, seed, id)) WITHOUT ROWID')",
        (page,),
    )
    connection.commit()
    connection.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM entries WHERE task_id = 2 AND seed = 3 AND method_id = 1")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'entries'")
    connection.commit()
    connection.close()
    with pytest.raises(SuiteError, match="its index has 23 trials of a task, and 24 were written"):
        read_results(path).trials_on("t1")
