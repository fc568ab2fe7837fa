"""Results files of every schema so far: read without a change, and brought up to date in place."""

from __future__ import annotations

import gzip
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore, migrations
from nasbench_suite.store.migrations import SCHEMA_VERSION

FILES = Path(__file__).parent / "files"
VERSIONS = sorted(int(path.name.split(".")[0].split("-")[1]) for path in FILES.glob("*.gz"))
METHODS = "random,regularized-evolution[population_size=4,sample_size=2],successive-halving"

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=VERSIONS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A results file of an earlier schema, unpacked."""
    path = tmp_path / f"schema-{request.param}.sqlite"
    path.write_bytes(gzip.decompress((FILES / f"schema-{request.param}.results.gz").read_bytes()))
    return path


def first_file(folder: Path) -> Path:
    path = folder / "first.sqlite"
    path.write_bytes(gzip.decompress((FILES / "schema-1.results.gz").read_bytes()))
    return path


def content(path: Path) -> Tables:
    """Every row of every table, by plain SQLite."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in database.execute(f"SELECT * FROM {name}")]
            for (name,) in names
        }


def structure(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Columns, keys and indices of every table."""
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: [
                row
                for pragma in ("table_info", "foreign_key_list", "index_list")
                for row in database.execute(f"PRAGMA {pragma}({name})")
            ]
            for (name,) in names
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_there_is_a_file_of_every_schema() -> None:
    assert set(VERSIONS) >= set(range(1, SCHEMA_VERSION))


def test_files_are_what_they_are_called(stored: Path) -> None:
    assert version(stored) == int(stored.stem.split("-")[1])


def test_an_earlier_file_is_read_and_stays_as_it_is(stored: Path) -> None:
    before, rows = stored.read_bytes(), content(stored)
    with ResultStore(stored, read_only=True) as store:
        assert list(store.tasks()) == [row["key"] for row in rows["tasks"]]
        assert [method.label for method in store.methods()] == [
            row["label"] for row in rows["methods"]
        ]
        assert len(store.environments()) == 1
        trials = store.trials().set_index("trial").sort_index()
        assert len(store.incumbents()) == len(rows["incumbents"])
        assert len(store.fronts()) == len(rows.get("fronts", []))
        assert len(store.indicators()) == len(rows.get("indicators", []))
        assert len(store.diagnostics()) == len(rows.get("diagnostics", []))
        for row in rows["records"]:
            record = store.record(row["trial_id"])
            assert record.strings is None
            for name in record.__dataclass_fields__.keys() - {"strings"}:
                assert getattr(record, name).tobytes() == row[name]
        with pytest.raises(SuiteError, match="cannot be written"):
            store.add_failure(1, 1, 1, 99, "no", 0.0)
    told = [row["report"] for row in sorted(rows["trials"], key=lambda row: row["id"])]
    np.testing.assert_array_equal(trials["report"], np.array(told, dtype=float))
    assert (trials["status"] == "failed").sum() == 1
    assert stored.read_bytes() == before
    assert version(stored) == int(stored.stem.split("-")[1])


def test_an_earlier_file_can_be_ranked(stored: Path) -> None:
    assert {"random", "successive-halving"} <= set(leaderboard(stored)["method"])


def test_an_earlier_file_is_brought_up_to_date_and_keeps_all(stored: Path, tmp_path: Path) -> None:
    rows = content(stored)
    ResultStore(stored).close()
    ResultStore(tmp_path / "new.sqlite").close()
    assert version(stored) == SCHEMA_VERSION
    assert structure(stored) == structure(tmp_path / "new.sqlite")
    after = content(stored)
    for name, table in rows.items():
        kept = [{column: row[column] for column in table[0]} for row in after[name]]
        assert kept == table, name


def test_a_run_goes_on_in_an_earlier_file(stored: Path) -> None:
    """What is there is not repeated, and what a method and a seed return is what it was then.

    The embedded table got its latencies only after schema 2, so before that its task was another
    one; accuracies and training times are the same.
    """
    settings = {"evaluations": 12, "crossfit": False}  # as it was then
    summary = run("digits", METHODS, seeds=range(3), store=stored, **settings)
    skipped = 6 if stored.stem in ("schema-3", "schema-4") else 0
    assert (summary.skipped, summary.finished, summary.failures) == (skipped, 9 - skipped, [])
    again = stored.with_name("again.sqlite")
    run("digits", METHODS, seeds=range(2), store=again, **settings)
    with ResultStore(stored, read_only=True) as one, ResultStore(again, read_only=True) as other:
        names, trials = ["method_key", "seed"], one.trials()
        trials = trials[trials["task_key"] == next(iter(one.tasks()))]  # the task of then
        found = trials.set_index(names)["trial"]
        for identity, trial in other.trials().set_index(names)["trial"].items():
            before, now = one.record(found[identity]), other.record(trial)
            for name in now.__dataclass_fields__:
                np.testing.assert_array_equal(getattr(before, name), getattr(now, name))


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = first_file(tmp_path)
    rows = content(path)
    broken = (*migrations.STEPS, "CREATE TABLE more (a);\nALTER TABLE none ADD COLUMN b TEXT;\n")
    monkeypatch.setattr(migrations, "STEPS", broken)
    for read_only in False, True:
        with pytest.raises(SuiteError, match="could not be used"):
            ResultStore(path, read_only=read_only)
    assert version(path) == 1
    assert content(path) == rows


def test_several_may_open_an_earlier_file_at_once(tmp_path: Path) -> None:
    path, count = first_file(tmp_path), 4
    start, errors = threading.Barrier(count), list[Exception]()

    def open_store() -> None:
        start.wait()
        try:
            ResultStore(path).close()
        except SuiteError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_store) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert version(path) == SCHEMA_VERSION


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_a_later_version_is_refused(tmp_path: Path, *, read_only: bool) -> None:
    path = tmp_path / "later.sqlite"
    ResultStore(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(SuiteError, match=f"schema {SCHEMA_VERSION + 1}.*upgrade nasbench-suite"):
        ResultStore(path, read_only=read_only)
    assert version(path) == SCHEMA_VERSION + 1
