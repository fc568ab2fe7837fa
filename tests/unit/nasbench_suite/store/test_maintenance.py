"""Damage of a results file is told from its figures, and files are copied, merged and emptied."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Command

from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore
from nasbench_suite.store.maintenance import (
    backup_store,
    export_store,
    failed_trials,
    merge_stores,
    remove_trials,
    rename_method,
    summarise_store,
    verify_store,
)
from nasbench_suite.submissions import verify_submission


@pytest.fixture(scope="module")
def sound(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("store") / "r.sqlite"
    run(toy, "random,local-search", seeds=range(5), store=path, evaluations=30)
    run(toy, "random", seeds=[0], store=path, evaluations=9, objectives=["toy_train_time_9"])
    return path.read_bytes()


@pytest.fixture
def store(sound: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "r.sqlite"
    path.write_bytes(sound)
    return path


def content(path: Path) -> list[Any]:
    """What any analysis could read of a results file."""
    results = read_results(path)
    with ResultStore(path, read_only=True) as opened:
        return [
            results.trials.to_json(double_precision=15),
            [task.model_dump() for task in results.tasks.values()],
            [method.model_dump() for method in opened.methods()],
            opened.incumbents().to_json(double_precision=15),
            opened.fronts().to_json(double_precision=15),
            opened.indicators().to_json(double_precision=15),
            [opened.record(trial).signals.tobytes() for trial in results.trials["trial"]],
        ]


def test_no_flipped_bit_changes_a_result(store: Path) -> None:
    """50 bits flipped, one at a time: what is read is as it was written, or refused."""
    truth, before, refused = content(store), store.read_bytes(), 0
    for number in np.random.default_rng(0).integers(0, 8 * len(before), size=50).tolist():
        flipped = bytearray(before)
        flipped[number // 8] ^= 1 << number % 8
        store.write_bytes(flipped)
        try:
            assert content(store) == truth
        except SuiteError:
            refused += 1
    assert refused > 5


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE trials SET report = report + 1 WHERE id = 3", "trial 3 is not as it was written"),
        ("UPDATE trials SET task_id = 2 WHERE id = 3", "trial 3 is not as it was written"),
        ("DELETE FROM trials WHERE id = 3", "it has 10 trials, and 11 were written"),
        ("UPDATE tasks SET optimum = 99", "row 1 of tasks is not as it was written"),
        ("UPDATE methods SET label = 'mine'", "row 1 of methods is not as it was written"),
        ("UPDATE incumbents SET report = 1 WHERE trial_id = 2", "incumbents of trial 2 are not"),
        ("DELETE FROM incumbents WHERE trial_id = 2", "incumbents of trial 2 are not"),
        ("UPDATE fronts SET report = 1", "fronts of trial 11 are not"),
        ("UPDATE indicators SET value = 1", "indicators of trial 11 are not"),
        ("UPDATE records SET epochs = signals WHERE trial_id = 4", "record of trial 4 is not"),
    ],
)
def test_every_change_is_named(store: Path, change: str, what: str) -> None:
    assert verify_store(store).faults == ()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute(change)
        connection.commit()
    assert any(what in fault for fault in verify_store(store).faults)
    with pytest.raises(SuiteError, match=r"is damaged or no results file: restore a copy"):
        content(store)


_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TRIGGER odd AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
        f"ALTER TABLE trials RENAME TO odd_; CREATE VIEW odd AS {_ENDLESS}",
        f"DROP TABLE codes; CREATE VIEW codes AS {_ENDLESS}",
        "ALTER TABLE codes ADD COLUMN odd AS (zeroblob(1000000000))",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
        f"'CREATE VIEW codes AS {_ENDLESS}', rootpage = 0 WHERE name = 'codes'",
    ],
    ids=["trigger", "view", "view for a table", "made column", "view that says it is a table"],
)
def test_what_would_run_in_a_results_file_is_refused(store: Path, made: str) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(made)
        connection.commit()
    for change in (verify_store, lambda path: rename_method(path, "random", "other")):
        with pytest.raises(
            SuiteError, match=r"has a part '(odd|codes)' that no|malformed database"
        ):
            change(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE methods SET key = x'fffe' WHERE id = 1",
        "UPDATE trials SET seed = 1e999 WHERE id = 1",
        "UPDATE trials SET seed = 0.5 WHERE id = 1",
        "UPDATE trials SET seed = 'x' WHERE id = 1",
        "UPDATE trials SET method_id = 1e300 WHERE id = 1",
        "DELETE FROM incumbents; UPDATE seals SET incumbents = 0",
    ],
)
def test_what_is_of_another_kind_is_damage_whatever_its_seal(store: Path, change: str) -> None:
    """As an earlier version wrote it, without seals, or as whoever lies seals it anew."""
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(f"PRAGMA ignore_check_constraints = ON; {change}")
        connection.executescript("UPDATE methods SET seal = NULL; UPDATE trials SET seal = NULL")
        connection.execute("UPDATE totals SET seal = 0")
        connection.commit()
    with pytest.raises(SuiteError, match="is damaged or no results file"):
        verify_submission(store)


def test_a_copy_is_made_while_a_run_writes(store: Path, tmp_path: Path) -> None:
    """What is still in the write-ahead log comes along, which copying the file alone loses."""
    copy = tmp_path / "copy.sqlite"
    with ResultStore(store) as writing:
        writing.add_failure(1, 1, 1, 77, "a slip", 0.1)
        assert store.with_name("r.sqlite-wal").stat().st_size > 0
        backup_store(store, copy)
    assert 77 in read_results(copy).trials["seed"].tolist()
    assert not list(tmp_path.glob("copy.sqlite?*"))
    with pytest.raises(SuiteError, match="exists already"):
        backup_store(store, copy)


def test_files_are_merged(toy: Benchmark, store: Path, tmp_path: Path) -> None:
    other, merged = tmp_path / "other.sqlite", tmp_path / "merged.sqlite"
    run(toy, "random", seeds=range(3, 8), store=other, evaluations=30)
    assert merge_stores([store, other], merged) == 14
    assert verify_store(merged).faults == ()
    alone = tmp_path / "alone.sqlite"
    run(toy, "random,local-search", seeds=range(5), store=alone, evaluations=30)
    run(toy, "random", seeds=[0], store=alone, evaluations=9, objectives=["toy_train_time_9"])
    run(toy, "random", seeds=range(8), store=alone, evaluations=30)
    compared = ["task_key", "method", "seed", "report", "evaluations"]
    one, same = (read_results(path).trials for path in (merged, alone))
    pd.testing.assert_frame_equal(one[compared], same[compared])


def test_files_that_differ_are_not_merged(toy: Benchmark, store: Path, tmp_path: Path) -> None:
    other, merged = tmp_path / "other.sqlite", tmp_path / "merged.sqlite"
    run(toy, "random", seeds=[0], store=other, evaluations=30)
    with ResultStore(other) as opened:
        result = opened.trials().iloc[0]
        opened.remove([result["trial"]])
    run(toy, "random", seeds=[1], store=other, evaluations=30)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("UPDATE trials SET seed = 0, seal = NULL")
        connection.commit()
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("UPDATE totals SET seal = 0")
        connection.commit()
    with pytest.raises(SuiteError, match="random on toy/toy, seed 0, with other results"):
        merge_stores([store, other], merged)
    assert not merged.exists()


def test_a_method_is_renamed(store: Path) -> None:
    rename_method(store, "random", "chance")
    assert set(read_results(store).trials["method"]) == {"chance", "local-search"}
    assert verify_store(store).faults == ()
    for new, sentence in (("chance", "has a method 'chance'"), ("a\x1b[2J", "cannot be a label")):
        with pytest.raises(SuiteError, match=sentence):
            rename_method(store, "local-search", new)


def test_trials_are_removed_when_it_is_said_which(toy: Benchmark, store: Path) -> None:
    with pytest.raises(SuiteError, match="Say which trials"):
        remove_trials(store)
    assert remove_trials(store, methods=["random"], seeds=[0, 1], dry=True) == 3
    assert len(read_results(store).trials) == 11
    assert remove_trials(store, methods=["random"], seeds=[0, 1]) == 3
    assert verify_store(store).faults == ()
    assert run(toy, "random", seeds=range(5), store=store, evaluations=30).finished == 2


def test_what_is_in_a_file_is_listed_and_exported(store: Path, tmp_path: Path) -> None:
    counts = summarise_store(store)
    assert counts["finished"].tolist() == [5, 5, 1]
    rename_method(store, "random", "=1+1")
    for suffix, read in ((".csv", pd.read_csv), (".json", pd.read_json)):
        assert export_store(store, tmp_path / f"t{suffix}") == 11
        table = read(tmp_path / f"t{suffix}")
        assert table["seed"].tolist() == read_results(store).trials["seed"].tolist()
    assert "'=1+1" in (tmp_path / "t.csv").read_text()
    with pytest.raises(SuiteError, match="no known format"):
        export_store(store, tmp_path / "t.xls")


def test_the_commands_exit_as_they_say(store: Path) -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nasbench_suite", "store", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert call("verify", str(store)).returncode == 0
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE tasks SET optimum = 99")
        connection.commit()
    assert call("verify", str(store)).returncode == 1
    answer = call("list", str(store))
    assert answer.returncode == 2
    assert answer.stderr.startswith("nasbench: ")
    assert "is damaged" in answer.stderr


def test_tracebacks_of_failed_trials_are_printed_once_each(store: Path, nasbench: Command) -> None:
    assert nasbench("store", "failures", str(store)).out == "No trial failed.\n"
    with ResultStore(store) as writing:
        for seed in range(70, 77):
            writing.add_failure(1, 1, 1, seed, "ValueError: a slip\nline 3", 0.1)
        writing.add_failure(1, 1, 1, 77, "another", 0.1)
    assert failed_trials(store)["seed"].tolist() == [*range(70, 78)]
    shown = nasbench("store", "failures", str(store)).out
    assert "seed 70, 71, 72, 73, 74 and 2 more:\n  ValueError: a slip\n  line 3\n" in shown
    assert "seed 77:\n  another\n" in shown
    with pytest.raises(SuiteError, match="Unknown method 'nobody' of"):
        failed_trials(store, ["nobody"])
